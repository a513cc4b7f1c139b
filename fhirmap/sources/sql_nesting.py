"""Python that makes nested rows of one statement's rows: what is the same for all of them is decided once.

There are a dozen rows in a record, and a dict with its names and places written out costs a third of one that is made
in a loop. Names are literals of the code, all else is handed to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from fhirmap.errors import ConfigError
from fhirmap.sources.documents import value_of
from fhirmap.sources.sql_rows import RecordRows, Row, RowReader, RowValues, SqlStatement
from fhirmap.texts import Text

__all__ = ["Groups", "record_maker"]


class Groups:
    """The rows of one child statement, handed out record by record."""

    def __init__(self, statement: SqlStatement, rows: Iterator[Row], shown: str) -> None:
        child, parent = statement.node.child, statement.node.parent
        assert child is not None and parent is not None
        self._key, self._parent = child.key, parent.number
        self._names = [above for _, above in child.on]
        self._gather = _gatherer(statement.reader, statement.extra)
        self._shown = shown
        self._groups = groupby(rows, key=itemgetter(statement.identity))
        self._identity: Any = None
        self._rows: list[Row] | None = None

    def attach(self, identity: object, rows: RecordRows) -> None:
        """Put this record's rows under their parents' rows."""
        if self._rows is None or self._identity != identity:
            self._identity, group = next(self._groups, (None, iter(())))
            self._rows = list(group)
            if self._identity != identity:
                raise ConfigError("FM724", source=self._shown, reason=Text("reasons.tables_changed"))
        found = self._gather(self._rows, rows)
        for parent in rows.by_node[self._parent]:
            parent[self._key] = found.get(tuple([parent[name] for name in self._names]), [])

    def finish(self) -> None:
        """Nothing may be left when the records are through."""
        if next(self._groups, None) is not None:
            raise ConfigError("FM724", source=self._shown, reason=Text("reasons.tables_changed"))


def record_maker(reader: RowReader) -> Callable[[Row, RecordRows], RowValues]:
    """A function that makes the values of a row, joined rows included. Rows that others hang from are also gathered in
    the `RecordRows`."""
    code = _Code()
    values = code.write_row(reader, "    ")
    return code.function("(row, rows)", [*code.lines, f"    return {values}"])


def _gatherer(
    reader: RowReader, extra: slice
) -> Callable[[Iterable[Row], RecordRows], Mapping[tuple[Any, ...], list[RowValues]]]:
    """A function that makes the values of one record's rows in a child's statement, by the join values of the rows
    they hang from; rows that are not those parents' are left out. ``extra``: where the parents' join values are."""
    code = _Code()
    code.lines += [
        "    found = {}",
        "    for row in given:",
        f"        if row[{reader.on[0][0]}] is None: continue",
        f"        above = row[{extra.start}:{extra.stop}]",
        f"        if {code.is_misfit(reader, [f'above[{n}]' for n in range(len(reader.on))], 'above')}:",
        f"            rows.leave_out({code.given(reader.node)}, why)",
        "            continue",
    ]
    values = code.write_row(reader, "        ")
    code.lines += [
        f"        if above in found: found[above].append({values})",
        f"        else: found[above] = [{values}]",
        "    return found",
    ]
    return code.function("(given, rows)", code.lines)


class _Code:
    """The lines of one function, and what they call and read."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._given: dict[str, object] = {"value_of": value_of}
        self._rows = 0

    def given(self, thing: object) -> str:
        """The name under which the code has ``thing``."""
        name = f"g{len(self._given)}"
        self._given[name] = thing
        return name

    def function(self, parameters: str, lines: Sequence[str]) -> Callable[..., Any]:
        """The function with these lines."""
        text = "\n".join([f"def made{parameters}:", *lines])
        names = dict(self._given)
        exec(compile(text, "<rows of a statement>", "exec"), names)  # noqa: S102 - Python that has just been written
        made: Callable[..., Any] = names["made"]  # type: ignore[assignment]
        return made

    def write_row(self, reader: RowReader, indent: str) -> str:
        """Lines that make the values of ``reader``'s row; the name that they have."""
        values = f"v{self._rows}"
        self._rows += 1
        cells = ", ".join(f"{name!r}: row[{reader.start + n}]" for n, name in enumerate(reader.names))
        self.lines.append(f"{indent}{values} = {{{cells}}}")
        for path in reader.documents:
            cell = f"{values}[{path.name!r}]"
            self.lines.append(f"{indent}{cell} = value_of({cell}, {self.given(path)})")
        for key, below in reader.joined:
            self._write_joined(f"{values}[{key!r}]", below, values, indent)
        if reader.is_parent:
            self.lines.append(f"{indent}rows.by_node[{reader.node.number}].append({values})")
        return values

    def _write_joined(self, target: str, reader: RowReader, parent: str, indent: str) -> None:
        """Lines that give ``target`` the row of ``reader``, if there is one and its key is the same."""
        above = [f"{parent}[{name!r}]" for _, name in reader.on]
        parents = f"({', '.join(above)},)"
        self.lines += [
            f"{indent}if row[{reader.on[0][0]}] is None:",
            f"{indent}    {target} = []",
            f"{indent}elif {self.is_misfit(reader, above, parents)}:",
            f"{indent}    rows.leave_out({self.given(reader.node)}, why)",
            f"{indent}    {target} = []",
            f"{indent}else:",
        ]
        values = self.write_row(reader, f"{indent}    ")
        self.lines.append(f"{indent}    {target} = [{values}]")

    def is_misfit(self, reader: RowReader, above: Sequence[str], all_above: str) -> str:
        """A condition: is the row another one's, and ``why``? Two whole numbers that are the same need no closer look,
        unless the map has numbers for words of absence."""
        closer = f"(why := {self.given(reader.misfit)}(row, {all_above})) is not None"
        if any(column.has_numbers for column in reader.keys):
            return closer
        same = [
            f"type(row[{own}]) is type({other}) is int and row[{own}] == {other}"
            for (own, _), other in zip(reader.on, above, strict=True)
        ]
        return f"not ({' and '.join(same)}) and {closer}"
