"""What is installed, and from where: the locks, and the files that run whenever Python starts."""

import re
import sysconfig
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
LOCKS = ("requirements.txt", "requirements-dev.txt")

# setuptools' own (Python 3.11's venv brings it) and older uv's; this project's holds nothing but a path.
KNOWN_PTH_FILES = {"_daybreak.pth", "_virtualenv.pth", "distutils-precedence.pth"}


def pins(lock: str) -> dict[str, set[str]]:
    """The versions of each package in a lock; several where they differ by Python version."""
    found: dict[str, set[str]] = {}
    for name, version in PIN.findall((ROOT / lock).read_text("utf-8")):
        found.setdefault(name, set()).add(version)
    return found


def test_no_installed_package_runs_code_whenever_python_starts() -> None:
    """A .pth file in a package's wheel was how two litellm releases stole credentials."""
    installed = {path.name for path in Path(sysconfig.get_path("purelib")).glob("*.pth")}
    assert installed <= KNOWN_PTH_FILES


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_allow_what_the_project_asks_for(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = [Requirement(text) for text in project["project"]["dependencies"]]
    locked = pins(lock)
    wrong = [str(one) for one in asked if not all(one.specifier.contains(v) for v in locked.get(one.name, {"0"}))]
    assert not wrong


def test_the_runtime_lock_is_part_of_the_development_lock() -> None:
    runtime, development = map(pins, LOCKS)
    assert runtime == {name: development.get(name) for name in runtime}


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_index(lock: str) -> None:
    assert not re.findall(r"https?://|file://|--(?:extra-)?index-url|--find-links", (ROOT / lock).read_text("utf-8"))
