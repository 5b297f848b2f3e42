"""What each source says of a model's end, and which of it is credible: rules over what was read elsewhere."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from tasks.config import ModelConfig

FRESH = timedelta(days=2)
"""A model that answered so recently is not gone, whatever a list says."""


class Claim(NamedTuple):
    """What one source says: a date, or in `remark` why that is none that counts; `detail` says where it was read."""

    source: str
    on: date | None
    detail: str
    remark: str = ""

    def __str__(self) -> str:
        return f"{self.detail}: {self.on or self.remark}"


class Announced(NamedTuple):
    """An entry of the team's file; `where` is file:line."""

    model: str
    retires: date
    where: str
    announced: date | None = None
    replacement: str | None = None
    link: str | None = None


class Answering(NamedTuple):
    """When a model last answered, and since when the provider says that there is none of that name."""

    last_answered: datetime | None
    missing_since: datetime | None


Listing = Mapping[str, str | None]
"""A provider's models with their shutdown date as it is written there."""


def config_claim(model: ModelConfig) -> Claim | None:
    """What the team wrote beside the model."""
    return Claim("config", model.retires_on, "config") if model.retires_on else None


def litellm_claim(written: str | None, provenance: str) -> Claim | None:
    """What litellm's map says; `provenance` tells which map it is."""
    return dated("litellm", written, provenance) if written is not None else None


def announced_claim(entry: Announced) -> Claim:
    """What the team's file says."""
    since = f", announced {entry.announced}" if entry.announced else ""
    link = f", {entry.link}" if entry.link else ""
    return Claim("team file", entry.retires, f"{entry.where}{since}{link}")


def list_claim(listing: Listing, model: ModelConfig, answering: Answering, *, now: datetime) -> Claim | None:
    """What the provider's list of models says: a shutdown date, or, by leaving the model out, that it is gone."""
    name = next((name for name in names_of(model) if name in listing), None)
    if name is not None:
        written = listing[name]
        return dated("model list", written, "the provider's model list") if written is not None else None
    if answering.last_answered and now - answering.last_answered < FRESH:
        remark = f"not in the provider's model list, though it answered on {answering.last_answered.date()}"
        return Claim("model list", None, "the provider's model list", remark)
    return Claim("model list", now.date(), "the provider's model list, where it is missing")


def calls_claim(answering: Answering) -> Claim | None:
    """What the calls say: gone since the provider answered 404, if it ever answered anything else."""
    if answering.missing_since is None:
        return None
    if answering.last_answered is None:
        return Claim("calls", None, "calls", "not found, and it never answered: is its id right?")
    return Claim("calls", answering.missing_since.date(), f"calls, last answered {answering.last_answered.date()}")


def dated(source: str, written: str, detail: str) -> Claim:
    """A claim whose date is still text."""
    day = read_date(written)
    return Claim(source, day, detail, "" if day else f"{source}'s {written!r} is no date")


def read_date(text: str) -> date | None:
    """Read a date such as 2027-01-14, with or without a time; None where it is none."""
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def names_of(model: ModelConfig) -> tuple[str, ...]:
    """The names under which a provider, or a person, may speak of a model."""
    ids = [one for one in (model.model, model.base_model) if one]
    return tuple(dict.fromkeys([*ids, *(one.partition("/")[2] or one for one in ids), model.name]))
