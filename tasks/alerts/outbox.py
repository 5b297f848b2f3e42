"""Messages as files, from before they are sent until after Slack has them: nothing is lost, and nothing is sent twice.

RESULTS/outbox/ID.json                 waits; `attempted_at` says that it may have been posted already
RESULTS/outbox/sent/ID.json            in Slack, with the `ts` and channel that Slack gave it
RESULTS/outbox/threads/INCIDENT.json   where the first message of an incident stands
RESULTS/outbox/charts/ID.png           a picture that belongs to a message that waits
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tasks.alerts.message import Message
from tasks.alerts.outcomes import Posted
from tasks.errors import RunBroken
from tasks.files import write_whole

LOOK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A message that waits; `attempted_at` (Unix time) is of the first attempt of which nobody knows how it ended."""

    message: Message
    attempted_at: float | None = None

    @property
    def message_id(self) -> str:
        return self.message.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that Slack has."""

    message: Message
    ts: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """The first message of an incident: its id, and its name and channel in Slack."""

    message_id: str
    ts: str
    channel: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that holds no message."""

    message_id: str
    reason: str


class Outbox:
    """The messages of a results folder. Only a process that holds it may send them."""

    def __init__(self, results: Path) -> None:
        self.folder = results / "outbox"
        self.sent_folder = self.folder / "sent"

    def put(self, message: Message, *, picture: bytes | None = None) -> None:
        """Keep a message to be sent; one that was sent, or may have been, stays as it was."""
        attempted = any(isinstance(one, Queued) and one.attempted_at for one in self._read(message.id))
        if attempted or self.has_sent(message.id):
            return
        if picture and message.chart:
            write(self.folder / "charts" / message.chart, picture)
        self.keep(Queued(message=message))

    def keep(self, queued: Queued) -> None:
        """Write down how far a message has come."""
        write_record(self._file(queued.message.id), queued)

    def settle(self, queued: Queued, posted: Posted) -> None:
        """Move a message to those that Slack has."""
        message = queued.message
        if message.action == "post" and posted.channel:
            thread = Thread(message_id=message.id, ts=posted.ts, channel=posted.channel)
            write_record(self._thread_file(message.thread), thread)
        sent = Sent(message=message, ts=posted.ts, channel=posted.channel)
        write_record(self.sent_folder / f"{message.id}.json", sent)
        self._file(message.id).unlink(missing_ok=True)
        if message.chart:
            (self.folder / "charts" / message.chart).unlink(missing_ok=True)

    def picture(self, message: Message) -> bytes | None:
        """The picture that belongs to a message, where there is one."""
        if message.chart is None:
            return None
        try:
            return (self.folder / "charts" / message.chart).read_bytes()
        except OSError:
            return None  # a message is not held up by its picture

    def thread(self, incident_id: str) -> Thread | None:
        """Where the first message of an incident stands; None where Slack has not got it."""
        try:
            return TypeAdapter(Thread).validate_json(self._thread_file(incident_id).read_bytes())
        except (OSError, ValidationError):
            return None

    def first_message(self, incident_id: str) -> str | None:
        """The id of the first message of an incident, whether Slack has it or it waits."""
        if thread := self.thread(incident_id):
            return thread.message_id
        waiting = [one.message for one in self.waiting() if isinstance(one, Queued)]
        return next((one.id for one in waiting if (one.thread, one.action) == (incident_id, "post")), None)

    def has_sent(self, message_id: str) -> bool:
        """True where Slack has the message."""
        return (self.sent_folder / f"{message_id}.json").exists()

    def waiting(self) -> list[Queued | Unreadable]:
        """Read the messages that wait, in the order of their ids.

        One that was also settled is left out: the process that settled it ended before it could clean up.
        """
        ids = sorted(path.stem for path in self.folder.glob("*.json"))
        return [one for message_id in ids if not self.has_sent(message_id) for one in self._read(message_id)]

    @contextmanager
    def held(self, *, wait_s: float) -> Iterator[bool]:
        """Hold the outbox against other processes; False where another one did not let go of it for so long."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            yield is_locked(lock.fileno(), until=time.monotonic() + wait_s)

    def _file(self, message_id: str) -> Path:
        return self.folder / f"{message_id}.json"

    def _thread_file(self, incident_id: str) -> Path:
        return self.folder / "threads" / f"{incident_id}.json"

    def _read(self, message_id: str) -> list[Queued | Unreadable]:
        try:
            return [TypeAdapter(Queued).validate_json(self._file(message_id).read_bytes())]
        except FileNotFoundError:
            return []
        except (OSError, ValidationError) as error:
            first_line = str(error).partition("\n")[0]
            return [Unreadable(message_id, f"{self._file(message_id)} cannot be read: {first_line}")]


def write_record(path: Path, record: Any) -> None:
    """Write a record as JSON."""
    write(path, TypeAdapter(type(record)).dump_json(record, indent=1))


def write(path: Path, content: bytes) -> None:
    """Write a file so that it is on the disk, and either whole or not there at all."""
    try:
        write_whole(path, content)
    except OSError as error:
        raise RunBroken(f"{path}: cannot keep an alert: {error.strerror}") from error


def is_locked(descriptor: int, *, until: float) -> bool:
    """Lock a file, which the system unlocks when it is closed or this process ends; give up at a monotonic time."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(LOOK_AGAIN_S)
        else:
            return True
