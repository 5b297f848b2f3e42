"""What makes two cases, or two datasets, the same: their content, not the file, format or order they come in.

A case is hashed as canonical JSON of its six fields with defaults filled in: keys sorted, texts as they are (no Unicode
normalization), a missing `expected` or `group` null, missing tags an empty list, and a number by its value, so that 1,
1.0 and a decimal 1.00 are the same. A NULL inside a struct of Parquet or SQL is a null, as structs cannot lack a field.
"""

import hashlib
import json
from typing import Any

from tasks.records import Case

ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
MODULUS = 1 << 256


def canonical(value: Any) -> str:
    """The one JSON text of a JSON value; raises ValueError for NaN and infinity."""
    return ENCODER.encode(by_value(value))


def by_value(value: Any) -> Any:
    """The value with whole floats as ints."""
    if isinstance(value, dict):
        return {key: by_value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [by_value(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def sha256(value: Any) -> str:
    """SHA-256 of a value's canonical text, in hex; raises ValueError or TypeError for what is no JSON or Unicode."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def case_hash(case: Case) -> str:
    """The hash of everything in a case."""
    names = ("id", "input", "expected", "kind", "tags", "group")
    return sha256({name: getattr(case, name) for name in names})


def input_hash(case: Case) -> str:
    """The hash of what is asked: two cases that share it can be paired, whatever their labels say."""
    return sha256({"id": case.id, "input": case.input})


class DatasetHash:
    """The hash of a set of cases in any order: the sum of their hashes modulo 2^256, hashed with their number."""

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0

    def add(self, case: Case) -> str:
        """Count a case in, and return its own hash; raises as `sha256` does."""
        hashed = case_hash(case)
        self.sum = (self.sum + int(hashed, 16)) % MODULUS
        self.count += 1
        return hashed

    def hexdigest(self) -> str:
        """The hash of the cases so far."""
        return hashlib.sha256(f"{self.count}:{self.sum:064x}".encode()).hexdigest()
