"""What the user told Prefect, read before Prefect is imported.

Prefect fixes its settings on its first import, and a server of our own has to be named and started before that.
The sources and their order are those of https://docs.prefect.io/v3/concepts/settings-and-profiles.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from tasks.documents.wording import shown
from tasks.errors import UsageError


def prefect_setting(section: str, name: str) -> str | None:
    """Look up one setting, as `api` and `url`; an empty value counts as none.

    Raises:
        UsageError: one of Prefect's files is no TOML.
    """
    return next((str(value) for value in values_by_precedence(section, name) if value), None)


def values_by_precedence(section: str, name: str) -> Iterator[Any]:
    """Yield what each source says, from the one that wins to the one that is asked last."""
    variable = f"PREFECT_{section}_{name}".upper()
    yield os.environ.get(variable)
    yield dotenv_values(".env").get(variable)
    yield within(read_toml(Path("prefect.toml")), section, name)
    yield within(read_toml(Path("pyproject.toml")), "tool", "prefect", section, name)
    yield active_profile().get(variable)


def active_profile() -> Mapping[str, Any]:
    """Read the profile that `prefect profile use` or PREFECT_PROFILE has chosen."""
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    profiles = read_toml(path)
    name = os.environ.get("PREFECT_PROFILE") or profiles.get("active")
    return within(profiles, "profiles", str(name)) or {}


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; one that does not exist is empty."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError.single(f"Prefect's settings cannot be read: {error}", where=shown(path)) from error


def within(table: Any, *keys: str) -> Any:
    """Follow the keys down nested tables, to None where one is missing."""
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table
