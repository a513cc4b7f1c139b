"""Columns of a project or target: FHIRPath that was compiled (`column_expressions`), run on results and answers."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import CodeType
from typing import Any

from fhirmap.decimals import decimal_text
from fhirmap.runner.project import ColumnSetting
from fhirmap.runner.target import Target

__all__ = ["ColumnCode", "LimitKey", "RecordsColumn", "limit_columns", "receipt_columns", "shown"]


@dataclass(frozen=True, slots=True)
class ColumnCode:
    """A compiled column: the module of its function `evaluate(result, record)`."""

    name: str
    code: CodeType

    def __reduce__(self) -> tuple[Callable[[str, bytes], ColumnCode], tuple[str, bytes]]:
        """What pickle makes it of, for the same version of Python."""
        return _restored, (self.name, marshal.dumps(self.code))


def _restored(name: str, code: bytes) -> ColumnCode:
    return ColumnCode(name, marshal.loads(code))


class RecordsColumn:
    """A compiled column to run."""

    def __init__(self, compiled: ColumnCode) -> None:
        self.name = compiled.name
        self._compiled = compiled
        names: dict[str, Any] = {}
        exec(compiled.code, names)  # noqa: S102 - Python that the compiler wrote
        self._values: Callable[[dict[str, Any] | None, Mapping[str, Any]], list[Any]] = names["evaluate"]

    def __reduce__(self) -> tuple[type[RecordsColumn], tuple[ColumnCode]]:
        """What pickle makes it of."""
        return RecordsColumn, (self._compiled,)

    def text(self, result: dict[str, Any] | None, record: Mapping[str, Any]) -> str:
        """The values as text, joined by `,`; empty where the expression fails on this record."""
        return ",".join(shown(value) for value in self.found(result, record))

    def found(self, result: dict[str, Any] | None, record: Mapping[str, Any]) -> list[Any]:
        """The values; none where the expression fails on this record or answer, whose shape is anybody's.

        ``result``: None where the record is out of scope.
        """
        try:
            return self._values(result, record)
        except Exception:  # noqa: BLE001 - an answer may be of any shape, and what it holds must not stop a run
            return []


@dataclass(frozen=True, slots=True)
class LimitKey:
    """What the receiver's rate limit counts a result by: the text of ``columns``; empty where there are none."""

    columns: tuple[RecordsColumn, ...]

    def __call__(self, resource: Mapping[str, Any]) -> str:
        """That of a result."""
        return "".join(column.text(dict(resource), {}) for column in self.columns)


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
