"""Columns of a project or target: FHIRPath that was compiled (`column_expressions`), run on results and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import CodeType
from typing import Any

from fhirmap.decimals import decimal_text
from fhirmap.runner.project import ColumnSetting
from fhirmap.runner.target import Target

__all__ = ["ColumnCode", "RecordsColumn", "limit_columns", "receipt_columns", "shown"]


@dataclass(frozen=True, slots=True)
class ColumnCode:
    """A compiled column: the module of its function `evaluate(result, record)`."""

    name: str
    code: CodeType


@dataclass(frozen=True, slots=True)
class RecordsColumn:
    """A column to run: ``values(result, record)``; the result is None where the record is out of scope."""

    name: str
    values: Callable[[dict[str, Any] | None, Mapping[str, Any]], list[Any]]

    @classmethod
    def of(cls, compiled: ColumnCode) -> RecordsColumn:
        """A compiled column to run."""
        names: dict[str, Any] = {}
        exec(compiled.code, names)  # noqa: S102 - Python that the compiler wrote
        return cls(compiled.name, names["evaluate"])

    def text(self, result: dict[str, Any] | None, record: Mapping[str, Any]) -> str:
        """The values as text, joined by `,`; empty where the expression fails on this record."""
        return ",".join(shown(value) for value in self.found(result, record))

    def found(self, result: dict[str, Any] | None, record: Mapping[str, Any]) -> list[Any]:
        """The values; none where the expression fails on this record or answer, whose shape is anybody's."""
        try:
            return self.values(result, record)
        except Exception:  # noqa: BLE001 - an answer may be of any shape, and what it holds must not stop a run
            return []


def limit_columns(target: Target | None) -> tuple[ColumnSetting, ...]:
    """What the receiver's rate limit counts by, as an expression over the result."""
    return (ColumnSetting("limit_key", target.limit_key),) if target is not None and target.limit_key else ()


def receipt_columns(target: Target | None) -> tuple[ColumnSetting, ...]:
    """Where the receiver's identifier is, as expressions over its answer."""
    return tuple(ColumnSetting("receipt.identifier", entry) for entry in target.receipt) if target is not None else ()


def shown(value: object) -> str:
    """A value as a cell of a CSV shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    return str(value)
