"""Run the command line in this process, as a user would in a folder."""

import contextlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flows.cli import main
from tasks.calls.provider import ENVIRONMENT


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    exit_code: int
    out: str
    err: str

    @cached_property
    def data(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.out)


def pages(report: Path) -> str:
    """The text of every page of a run, by the path of its first."""
    return "\n".join(page.read_text("utf-8") for page in sorted(report.parent.glob("*.html")))


def daybreak(root: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Ended:
    """Run one command in `root`."""
    out, err = io.StringIO(), io.StringIO()
    before, environment = Path.cwd(), ENVIRONMENT | dict(os.environ)
    os.chdir(root)
    os.environ.update(env or {})
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main(arguments)
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environment)
    return Ended(code, out.getvalue(), err.getvalue())
