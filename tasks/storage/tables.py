"""The tables of facts: one per kind of record, with a column per field.

A column is defined once, as a field of `tasks.records`; the schema of the Parquet parts and the warehouse's table
follow from it. Fields that are records themselves (a trial's key, a scorer's finding) lie flat in their table.
"""

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from tasks.records import (
    Calibration,
    Call,
    Cell,
    Comparison,
    Correction,
    Event,
    Flip,
    GateResult,
    IncidentEvent,
    Outcome,
    Pin,
    Retirement,
    Run,
    Score,
    StoredCase,
)

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 4
"""Of the Parquet parts: raised whenever a column is added, renamed or changes its meaning."""

VERSION_KEY = b"daybreak.schema_version"
"""Where a Parquet file says its schema version."""

TABLES: Mapping[str, type] = {
    "runs": Run,
    "cells": Cell,
    "cases": StoredCase,
    "calls": Call,
    "scores": Score,
    "outcomes": Outcome,
    "comparisons": Comparison,
    "gates": GateResult,
    "flips": Flip,
    "pins": Pin,
    "calibrations": Calibration,
    "corrections": Correction,
    "incident_events": IncidentEvent,
    "retirements": Retirement,
    "events": Event,
}

SQL_TYPES: Mapping[Any, str] = {
    str: "VARCHAR",
    int: "BIGINT",
    float: "DOUBLE",
    bool: "BOOLEAN",
    datetime: "TIMESTAMPTZ",
    date: "DATE",
    tuple[str, ...]: "VARCHAR[]",
}


class Column(NamedTuple):
    """One column: its name, where its value stands in a record (`finding.passed`), and its type."""

    name: str
    path: str
    type: Any

    @property
    def sql(self) -> str:
        """The column in a CREATE TABLE."""
        return f'"{self.name}" {SQL_TYPES[self.type]}'


@cache
def columns_of(table: str) -> tuple[Column, ...]:
    """The columns of a table, in the order of its record's fields."""
    return tuple(flat_columns(TABLES[table]))


def flat_columns(record: type, prefix: str = "") -> Iterator[Column]:
    """Yield the columns of a record, those of records within it in their place."""
    for name, hint in get_type_hints(record).items():
        type_ = plain_type(hint)
        if is_dataclass(type_) or hasattr(type_, "_fields"):
            yield from flat_columns(type_, f"{prefix}{name}.")
        else:
            yield Column(name, prefix + name, type_)


def plain_type(hint: Any) -> Any:
    """Reduce a field's type to what is stored: None is allowed everywhere, closed sets of words are text."""
    [type_] = [option for option in get_args(hint) if option is not type(None)] if is_optional(hint) else [hint]
    if get_origin(type_) is Literal or (isinstance(type_, type) and issubclass(type_, str)):
        return str
    return type_


def is_optional(hint: Any) -> bool:
    """True for `X | None`."""
    return type(None) in get_args(hint)


def table_ddl(table: str) -> str:
    """The warehouse's table: the columns of its parts, and which part a row came with."""
    columns = ", ".join(column.sql for column in columns_of(table))
    return f"CREATE TABLE facts.{table} ({columns}, part VARCHAR);"


@cache
def arrow_schema(table: str) -> "pa.Schema":
    """The schema of a table's Parquet parts."""
    import pyarrow as pa

    types = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        datetime: pa.timestamp("us", tz="UTC"),
        date: pa.date32(),
        tuple[str, ...]: pa.list_(pa.string()),
    }
    fields = [(column.name, types[column.type]) for column in columns_of(table)]
    return pa.schema(fields, metadata={VERSION_KEY: str(SCHEMA_VERSION)})
