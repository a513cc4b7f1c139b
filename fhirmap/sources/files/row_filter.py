"""The `where` of a model over rows of files: SQL's own conditions, decided by the standard library's SQLite in memory.

The condition sees one row and nothing else. A column is text, so that `'0012'` is not 12 and `supprime = 0` holds for
the text `0`; one that an element of a numeric type reads is a number. A blank cell is NULL, and so is a word that the
map takes for absent.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from fhirmap.data import RawValue
from fhirmap.decimals import decimal_text
from fhirmap.errors import ConfigError
from fhirmap.fhir_types import NUMBERS
from fhirmap.records import Fault
from fhirmap.runtime.reading import Cell, number_text
from fhirmap.source_plan import SourceKind, SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.sql_tokens import SqlToken, TokenKind, ascii_lower, quoted, tokens_of

__all__ = ["RowFilter", "filter_of", "is_kept"]

_LONGEST = 1 << 24
"""Bytes of a text, and of the SQL."""
_MOST_WORDS = 500
_POSITIONS = re.compile(r"([0-9]{1,6})(?:(?:\.\.|-)([0-9]{1,6}))?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_ORDERS = ("<", "<=", ">", ">=")
_BEFORE_BRACKET = frozenset((
    "and", "or", "not", "in", "between", "like", "glob", "escape", "is", "case", "when", "then", "else", "from",
))  # fmt: skip
_FUNCTIONS = frozenset((
    "abs", "ceil", "ceiling", "char", "coalesce", "date", "datetime", "floor", "format", "glob", "hex", "ifnull", "iif",
    "instr", "julianday", "length", "like", "lower", "ltrim", "max", "min", "mod", "nullif", "pow", "power", "printf",
    "quote", "replace", "round", "rtrim", "sign", "sqrt", "strftime", "substr", "substring", "time", "trim", "trunc",
    "typeof", "unicode", "unixepoch", "upper", "json_extract", "json_valid", "json_type", "json_array_length", "->",
    "->>", "current_date", "current_time", "current_timestamp", "cast",
))  # fmt: skip
"""Those of SQLite whose answer depends on what they are given, or on the day, and that reach nothing else."""
_EDGE = SqlToken(TokenKind.SIGN, "")
"""What is before the first token and after the last."""
_STUMBLED = re.compile(r"near \"([^\"]{1,40})\": syntax|function (\w{1,40})\(\)")


@dataclass(frozen=True, slots=True)
class _NamedColumn:
    """One name of the condition. ``sql``: as SQL has it; ``name``: as readers have it."""

    sql: str
    name: str
    is_number: bool


class RowFilter:
    """A condition of SQL on the cells of a row.

    ``numeric``: columns that are compared as numbers, as elements of numeric types read them; ``nulls``: texts that
    mean absent; ``decimal``, ``thousands``: how numbers are written. ``is_fixed``: columns are positions of a line, so
    that `[28]` is the column `28-28`. ``what``, ``position``: what messages call it, and where the map has it.

    A filter may be used by several threads, each of which gets an SQLite of its own.
    Raises: ConfigError FM715 for what is no condition on one row.
    """

    def __init__(  # noqa: PLR0913 - what a plan says of its cells
        self,
        where: str,
        numeric: Collection[str] = (),
        *,
        nulls: Collection[str] = (),
        decimal: str = ".",
        thousands: str = "",
        is_fixed: bool = False,
        what: str = "",
        position: str = "",
    ) -> None:
        self._where = where
        self._nulls = frozenset(nulls)
        self._marks = Cell("", "", "decimal", "", decimal=decimal, thousands=thousands)
        self._what, self._position = what, position
        tokens = list(tokens_of(where))
        self._has_steps = any(_is_step(before, token) for before, token in zip([_EDGE, *tokens], tokens, strict=False))
        self._refuse_what_is_more(tokens)
        folded = {naming.fold(name) for name in numeric}
        columns: dict[str, _NamedColumn] = {}
        for token in tokens:
            if token.is_name and token.text:
                name = _as_read(token.text, is_fixed=is_fixed and token.kind is TokenKind.NAME)
                column = _NamedColumn(token.text, name, naming.fold(name) in folded)
                columns.setdefault(ascii_lower(token.text), column)
        if len(columns) > _MOST_WORDS:
            raise self._refusal("long")
        read = self._columns_read(columns)
        for token in tokens:
            if token.is_word("true", "false") and ascii_lower(token.text) in read:
                raise self._refusal("truth", near=token.text)
        self._refuse_order_of_texts(tokens, read)
        self.names: tuple[str, ...] = tuple(dict.fromkeys(column.name for column in read.values()))
        """The columns that the condition reads, each once, as it spells them: paths, of documents."""
        numbers = {column.name for column in read.values() if column.is_number}
        self._numbers = [place for place, name in enumerate(self.names) if name in numbers]
        listed = ", ".join(
            f"cast(?{self.names.index(entry.name) + 1} as {_affinity(entry)}) as {quoted(entry.sql)}"
            for entry in read.values()
        )
        # The condition is on lines of its own, so that a comment at its end ends there.
        self._sql = f"SELECT 1 FROM (SELECT {listed or '1'}) WHERE (\n{where}\n)"
        self._local = threading.local()

    def keeps(self, values: Sequence[RawValue], faults: list[Fault]) -> bool:
        """Is a row to be read, whose cells in the order of `names` are ``values``?

        One of which it cannot be said is, with an FM776 among ``faults``: a cell that is no number where one is
        compared, several values in one, or a condition that cannot be worked out for it.
        """
        try:
            cells = [(value.strip() or None) if type(value) is str else _parameter(value) for value in values]
        except _NoSingleValueError:
            faults.append(self._fault("several", self._with_several(values)))
            return True
        if self._nulls:
            cells = [None if cell in self._nulls else cell for cell in cells]
        for place in self._numbers:
            cell, value = cells[place], values[place]
            if type(cell) is str:
                written = number_text(cell, self._marks) if isinstance(value, str) else cell
                if not _NUMBER.fullmatch(written):
                    faults.append(self._fault("number", (self.names[place],)))
                    return True
                cells[place] = written
        try:
            return self._cursor().execute(self._sql, cells).fetchone() is not None
        except sqlite3.Error:
            faults.append(self._fault("", self.names))
            return True

    def _cursor(self) -> sqlite3.Cursor:
        try:
            cursor: sqlite3.Cursor = self._local.cursor
        except AttributeError:
            cursor = self._local.cursor = _database().cursor()
        return cursor

    def _with_several(self, values: Sequence[RawValue]) -> tuple[str, ...]:
        """The names of the cells that hold no single value."""
        found = []
        for name, value in zip(self.names, values, strict=True):
            try:
                _parameter(value)
            except _NoSingleValueError:
                found.append(name)
        return tuple(found)

    def _fault(self, variant: str, columns: tuple[str, ...]) -> Fault:
        args = {"columns": ", ".join(columns), "model": self._what}
        return Fault("FM776", rule="where", args=args, variant=variant, position=self._position, columns=columns)

    # --- what the condition is ----------------------------------------------------------------------------------------

    def _refusal(self, variant: str, **args: Any) -> ConfigError:  # noqa: ANN401 - as `ConfigError` takes them
        return ConfigError("FM715", variant=f"row_{variant}", what=self._what, position=self._position, **args)

    def _no_condition(self, near: str) -> ConfigError:
        """Of what is no SQL, near these signs if they are known; a path with brackets of its own has to be in
        backticks."""
        if self._has_steps:
            return self._refusal("brackets")
        return self._refusal("near", near=near) if near else self._refusal("end")

    def _refuse_what_is_more(self, tokens: Sequence[SqlToken]) -> None:
        """What is no condition by itself, or asks for more than the row."""
        depth = 0
        for before, token, after in zip([_EDGE, *tokens], tokens, [*tokens[1:], _EDGE], strict=False):
            if token.kind is TokenKind.SIGN:
                depth += (token.text == "(") - (token.text == ")")
                if depth < 0 or token.text in tuple(";?:@$#'\"`["):
                    raise self._no_condition(token.text)
                if token.text == "." and before.is_name and after.is_name:
                    raise self._refusal("dotted", near=f"{before.text}.{after.text}")
            elif token.is_word("select", "values", "with") or (
                token.is_word("from") and not before.is_word("distinct")
            ):
                raise self._refusal("select", near=token.text)
            elif token.kind is TokenKind.WORD and after.text == "(" and not before.is_word("as"):
                name = ascii_lower(token.text)
                if name not in _FUNCTIONS | _BEFORE_BRACKET:
                    there = sorted(function for function in _FUNCTIONS if function.isalpha())
                    raise self._refusal("function", near=token.text, **naming.like(name, there))
        if not tokens or depth:
            raise self._refusal("end")

    def _refuse_order_of_texts(self, tokens: Sequence[SqlToken], read: Mapping[str, _NamedColumn]) -> None:
        """`rang > 9` where the column is of texts, of which `10` comes before `9`."""
        for one, sign, other in zip(tokens, tokens[1:], tokens[2:], strict=False):
            if sign.text not in _ORDERS and not sign.is_word("between"):
                continue
            named = [read.get(ascii_lower(token.text)) for token in (one, other) if token.is_name]
            if any(token.kind is TokenKind.NUMBER for token in (one, other)) and named:
                column = named[0]
                if column and not column.is_number:
                    raise self._refusal("order", column=column.name)

    def _columns_read(self, columns: Mapping[str, _NamedColumn]) -> dict[str, _NamedColumn]:
        """Those of the words and names that are columns to SQLite, by their names in lower case."""
        found: dict[str, None] = {}

        def note(action: int, one: str | None, two: str | None, base: str | None, trigger: str | None) -> int:
            if action == sqlite3.SQLITE_READ and one == "r" and two:
                found[ascii_lower(two)] = None
            return _allowed(action, one, two, base, trigger)

        listed = ", ".join(f"{quoted(entry.sql)} {_affinity(entry)}" for entry in columns.values())
        database = _database()
        try:
            database.set_authorizer(None)
            database.execute(f"CREATE TABLE r ({listed or '_ text'})")
            database.set_authorizer(note)
            database.execute(f"EXPLAIN SELECT 1 FROM r WHERE (\n{self._where}\n)").close()
        except sqlite3.Error as error:
            shown = _STUMBLED.search(str(error))
            near = next((group for group in shown.groups() if group), "") if shown else ""
            raise self._no_condition(near) from None
        finally:
            database.close()
        return {name: column for name, column in columns.items() if name in found}


def filter_of(plan: SourcePlan) -> RowFilter | None:
    """The filter of a plan's rows; None where it has no `where`. Raises: ConfigError FM715."""
    if not plan.where:
        return None
    return RowFilter(
        plan.where,
        [column.name for column in plan.shape.columns if column.type in NUMBERS],
        nulls=plan.nulls,
        decimal=plan.decimal,
        thousands=plan.thousands,
        is_fixed=plan.kind == SourceKind.FIXED,
        what=plan.shape.model,
        position=plan.position,
    )


def is_kept(condition: RowFilter, row: FileRow, values: Sequence[RawValue]) -> bool:
    """Is a row to be read, whose cells in the order of the condition's names are ``values``?

    One of whose cells some cannot be read is: its faults are its record's.
    """
    unread = {column for fault in row.faults for column in fault.columns}
    return row.is_lost or not unread.isdisjoint(condition.names) or condition.keeps(values, row.faults)


def _is_step(before: SqlToken, token: SqlToken) -> bool:
    """Are these brackets those of a path, which choose one of several: `items[0]`, or `[items[0]]`?"""
    return token.has_brackets and ("[" in token.text or (token.is_adjacent and before.is_name))


def _affinity(column: _NamedColumn) -> str:
    return "numeric" if column.is_number else "text"


def _as_read(name: str, *, is_fixed: bool) -> str:
    """A name as readers have it: positions of a line as `10-11`."""
    found = _POSITIONS.fullmatch(name) if is_fixed else None
    return f"{int(found[1])}-{int(found[2] or found[1])}" if found else name


def _allowed(action: int, one: str | None, two: str | None, _base: str | None, _trigger: str | None) -> int:
    """What a condition may do: read its row and call functions that reach nothing else."""
    is_call = action == sqlite3.SQLITE_FUNCTION and ascii_lower(two or "") in _FUNCTIONS
    is_read = action == sqlite3.SQLITE_READ and one in ("r", "")
    return sqlite3.SQLITE_OK if is_call or is_read or action == sqlite3.SQLITE_SELECT else sqlite3.SQLITE_DENY


def _database() -> sqlite3.Connection:
    """An SQLite in memory that decides conditions and can do nothing else."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    database.set_authorizer(_allowed)
    return database


class _NoSingleValueError(Exception):
    """A cell holds several values, or a text where a document should be."""


def _parameter(value: RawValue) -> str | int | None:
    """A cell that is no plain text, as SQL compares it.

    Raises: _NoSingleValueError.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return str(value).strip() or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 63 else str(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1 << 53 else repr(value)
    if isinstance(value, Decimal):
        is_whole = value.is_finite() and value == value.to_integral_value()
        return decimal_text(value.to_integral_value() if is_whole else value)
    if isinstance(value, datetime):
        is_day = value.timetz() == time()
        return value.date().isoformat() if is_day else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list) and len(value) < 2:
        return _parameter(value[0]) if value else None
    if isinstance(value, Mapping):
        return "{}" if value else None
    raise _NoSingleValueError
