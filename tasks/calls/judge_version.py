"""Which judge gave a verdict: two verdicts can be compared only if it was the same one."""

import hashlib
import json
from datetime import date
from typing import NamedTuple

from tasks.records import Call


class JudgeVersion(NamedTuple):
    """The model that was asked for, the version that answered (None: undisclosed), and the params as they were sent."""

    requested_model: str
    served_model: str | None
    params: str

    def key(self, day: date) -> str:
        """What its verdicts are kept under: hex SHA-256.

        A version that is not disclosed may change unseen, so its verdicts are good for one day.
        """
        version = self.served_model or f"undisclosed on {day}"
        return hashlib.sha256(json.dumps([self.requested_model, version, self.params]).encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.requested_model} ({self.served_model or 'version not disclosed'})"


def version_of(call: Call) -> JudgeVersion:
    """The judge that answered a call."""
    return JudgeVersion(call.requested_model, call.served_model or None, call.params)
