"""Open what a person names, unless it is something that would break or never end: the name, the kind, the size."""

import os
import stat
from pathlib import Path

from tasks.documents.wording import brief, shown
from tasks.errors import UsageError

LARGEST_TEXT = 10_000_000
"""In bytes, of a config, suite, template or schema; cases have no such limit."""


def read_text(path: Path) -> str:
    """Read a UTF-8 file (a byte order mark is dropped); raises UsageError when that is impossible."""
    if require_file(path) > LARGEST_TEXT:
        raise UsageError.single(f"larger than {LARGEST_TEXT:,} bytes", where=shown(path))
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{error.object[error.start]:02x}"
        raise UsageError.single(f"expected UTF-8 text, got {found}", where=f"{shown(path)}:{line}") from None
    except OSError as error:
        raise UsageError.single(f"cannot be read: {error.strerror}", where=shown(path)) from None


def require_file(path: Path) -> int:
    """The size of a regular file; raises UsageError for whatever is none, such as a pipe that nobody writes to."""
    found = status_of(path)
    if found is None:
        raise UsageError.single("no such file", where=shown(path))
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or device"
        raise UsageError.single(f"expected a file, got {what}", where=shown(path))
    return found.st_size


def status_of(path: Path) -> os.stat_result | None:
    """What the system knows of a file or folder, None where nothing is; raises UsageError for an impossible name."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError.single(f"cannot be read: {reason.lower()}", where=brief(str(path))) from None


def expanded(name: str) -> Path:
    """A path with `~` and `~somebody` filled in; raises UsageError where there is no such user."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise UsageError.single("there is no such user") from None
