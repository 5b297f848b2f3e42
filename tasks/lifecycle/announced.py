"""Read retirements.yaml beside the config: what the team knows of models that go away."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pydantic import Field, field_validator

from tasks.config import Text, Url, Written
from tasks.documents import read_yaml
from tasks.documents.schema import checked
from tasks.errors import UsageError
from tasks.lifecycle.claims import Announced

FILE = "retirements.yaml"


class Entry(Written):
    """One retirement; `model` is a name of the config, or the provider's."""

    model: Text
    retires: date
    announced: date | None = None
    replacement: Text | None = None
    link: Url | None = None

    @field_validator("retires", "announced", mode="before")
    @classmethod
    def date_as_text(cls, value: object) -> object:
        """Dates are text in our YAML."""
        try:
            return date.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError("expected a date such as 2027-01-14") from None


class TeamFile(Written):
    """The whole file."""

    retirements: list[Entry] = Field(min_length=1)


def read_announced(folder: Path) -> Sequence[Announced]:
    """Every entry, none where there is no file; raises UsageError with all that is wrong in it."""
    path = folder / FILE
    if not path.exists():
        return ()
    document = read_yaml(path)
    file, problems = checked(document, TeamFile, {"retirements": [{"model": "none", "retires": "2000-01-01"}]})
    if problems:
        raise UsageError(problems)
    return [
        Announced(
            model=entry.model,
            retires=entry.retires,
            where=document.where(("retirements", index)),
            announced=entry.announced,
            replacement=entry.replacement,
            link=entry.link,
        )
        for index, entry in enumerate(file.retirements)
    ]
