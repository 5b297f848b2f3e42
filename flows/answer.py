"""What a command answers: text for people, one JSON object for machines, and an exit code."""

import json
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from tasks.errors import DaybreakError, UsageError

OK, REGRESSED, WRONG_USAGE, UNMEASURED, BROKEN, INTERRUPTED = 0, 1, 2, 3, 4, 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """`text` goes to stdout (to stderr for errors), unless JSON was asked for: then `data` alone does."""

    exit_code: int
    data: Mapping[str, Any]
    text: str = ""

    def show(self, *, as_json: bool) -> None:
        """Print it where it belongs."""
        if as_json:
            print(json.dumps(self.data, default=str, ensure_ascii=False, allow_nan=False))
        if self.text and not (as_json and self.exit_code == OK):
            to_stderr = as_json or self.exit_code in {WRONG_USAGE, BROKEN, INTERRUPTED}
            print(self.text, file=sys.stderr if to_stderr else sys.stdout)


def answer_for(command: Callable[[], object]) -> Answered | None:
    """Run a command; whatever goes wrong becomes an answer. None where click has answered already (`--help`)."""
    try:
        answered = command()
    except UsageError as error:
        problems = [{"where": p.where, "message": p.message, "hint": p.hint} for p in error.problems]
        return refusal(str(error), problems)
    except click.UsageError as error:
        hint = f"\nTry '{error.ctx.command_path} --help'." if error.ctx else ""
        return refusal(error.format_message() + hint, [{"where": "", "message": error.format_message(), "hint": ""}])
    except (click.Abort, KeyboardInterrupt):
        return Answered(exit_code=INTERRUPTED, data={"status": "interrupted"}, text="Interrupted.")
    except DaybreakError as error:
        return Answered(exit_code=BROKEN, data={"status": "broken", "error": str(error)}, text=str(error))
    except Exception as error:  # noqa: BLE001 (a bug must still end with its exit code and, for --json, an object)
        traceback.print_exc()
        return Answered(exit_code=BROKEN, data={"status": "broken", "error": repr(error)}, text=f"It broke: {error!r}")
    return answered if isinstance(answered, Answered) else None


def refusal(text: str, problems: list[dict[str, str]]) -> Answered:
    """Wrong usage, config or suite."""
    return Answered(exit_code=WRONG_USAGE, data={"status": "refused", "problems": problems}, text=text)
