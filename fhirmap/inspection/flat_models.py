"""Models of flat files: one row per record, or several, which differ in the columns of the line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any, Self

from fhirmap.data import RawValue
from fhirmap.errors import ConfigError
from fhirmap.fhir_types import DATES
from fhirmap.inspection.guess import TEXT, Guess, are_nearly_all, codes_of, guess, guess_most, identifies_person, others
from fhirmap.inspection.names import UniqueNames, camel_case, is_identifier_name, is_quantity_name, pascal_case
from fhirmap.inspection.sketch import ElementSketch, ModelSketch, child_element, column_element
from fhirmap.language.nodes import SourceClause
from fhirmap.sources.address import Address
from fhirmap.sources.keys import cell_text
from fhirmap.sources.names import may_be_shown
from fhirmap.texts import Text

__all__ = ["FlatColumns", "flat_models"]


@dataclass(frozen=True, slots=True)
class FlatColumns:
    """The columns of a sample of rows. ``names``: of those that have one meaning; ``repeated``: of the others.

    ``hidden``: how many names look like values and are left out. ``is_typed``: does the file know numbers from texts?
    Then a text that looks like a number was meant as one.
    """

    names: Sequence[str]
    cells: Mapping[str, Sequence[RawValue]]
    repeated: Sequence[str] = ()
    hidden: int = 0
    is_typed: bool = False
    texts: Mapping[str, Sequence[str]] = field(init=False)

    def __post_init__(self) -> None:
        texts = {name: [_text(cell) for cell in held] for name, held in self.cells.items()}
        object.__setattr__(self, "texts", texts)

    @classmethod
    def of(
        cls, address: Address, header: Sequence[str], rows: Sequence[Mapping[str, Any]], *, is_typed: bool = False
    ) -> Self:
        """The columns that ``header`` names.

        Raises: ConfigError FM750 where it names none.
        """
        there = [column for column in dict.fromkeys(header) if column]
        distinct = [column for column in there if may_be_shown(column)]
        if not distinct:
            reason = Text("reasons.names_are_values" if there else "reasons.no_column")
            raise ConfigError("FM750", source=address.shown, reason=reason)
        once = [column for column in distinct if header.count(column) == 1]
        if not once:
            raise ConfigError("FM750", source=address.shown, reason=Text("reasons.names_repeat"))
        cells = {column: [row.get(column) for row in rows] for column in distinct}
        return cls(once, cells, sorted(set(distinct) - set(once)), len(there) - len(distinct), is_typed)

    def key(self) -> str:
        """The first column that is filled and different in each row, identifiers by name before others; else the first
        column. None that identifies a person, where there is another."""
        cells = self.texts
        names = [name for name in self.names if not identifies_person(name, cells[name])] or self.names
        first = names[0]
        unique = [name for name in names if all(cells[name]) and len(set(cells[name])) == len(cells[name])]
        named = [name for name in unique if is_identifier_name(camel_case(name))]
        if first in unique or not unique:
            return first
        repeated = len(set(cells[first])) < len(cells[first])
        # A first column that is filled everywhere and repeats is a record's number over several lines.
        if repeated and all(cells[first]) and not named:
            return first
        return (named or unique)[0]

    def kind(self, name: str) -> Guess:
        """What nearly all cells of a column are."""
        if not self.is_typed:
            return guess_most(self.texts[name])
        return _typed_kind([cell for cell in self.cells[name] if _text(cell)])


def flat_models(  # noqa: PLR0913 - what a source is, and what is wanted of it
    address: Address, name: str | None, store: SourceClause, columns: FlatColumns, zone: str, names: UniqueNames
) -> list[ModelSketch]:
    """The record's model, and that of its lines where a record has several; ``store`` names the key."""
    stem = address.path.stem if address.path else "Record"
    model = ModelSketch(names.take(name or pascal_case(stem)), store, hidden=columns.hidden)
    if columns.repeated:
        shown = ", ".join(f"'{column}'" for column in columns.repeated)
        model.remark = Text("inspection.repeated_columns", {"columns": shown})
    return _divided(model, columns, store.key[0], zone, names)


def _divided(model: ModelSketch, columns: FlatColumns, key: str, zone: str, names: UniqueNames) -> list[ModelSketch]:
    """The columns as elements of the record, and of its lines where it has several."""
    of_lines = _varying(columns, key)
    quantity = _quantity(columns, of_lines)
    lines = ModelSketch(names.take(f"{model.name}Line"))
    own_names, line_names = UniqueNames(), UniqueNames()
    below: list[ModelSketch] = []
    for column in columns.names:
        if column == quantity:
            continue
        sketch, taken = (lines, line_names) if column in of_lines else (model, own_names)
        if any(isinstance(cell, Mapping | list) for cell in columns.cells[column]):
            below += _nested(sketch, columns, column, zone, taken, names)
            continue
        kind = TEXT if column == key else columns.kind(column)
        element = column_element(taken.take(camel_case(column)), kind, column, zone, required=column == key)
        remark = others(kind, columns.cells[column], zone)
        sketch.elements.append(ElementSketch(element, remark, codes=codes_of(columns.texts[column])))
    if not of_lines:
        return [model, *below]
    joined = child_element(own_names.take("lines"), lines.name, required=True, repeats=True)
    model.add(replace(joined, lines=True, repeat=quantity))
    return [model, lines, *below]


def _nested(  # noqa: PLR0913 - what a column is, and where its elements go
    sketch: ModelSketch, columns: FlatColumns, column: str, zone: str, taken: UniqueNames, names: UniqueNames
) -> list[ModelSketch]:
    """The objects or lists that a column holds, as elements of ``sketch`` and the models below it."""
    # Here, not above: it knows the columns of databases, and needs their library.
    from fhirmap.inspection.cell_documents import DocumentSketch
    from fhirmap.sources.sql_types import ColumnKind

    found = DocumentSketch(zone, taken, names, ColumnKind.DOCUMENT)
    found.add(column, column, [cell for cell in columns.cells[column] if cell])
    sketch.elements += found.elements
    return found.models


def _quantity(columns: FlatColumns, of_lines: set[str]) -> str | None:
    """The column of the lines that counts pieces: such a line means that many of them."""
    named = (column for column in columns.names if column in of_lines and is_quantity_name(camel_case(column)))
    found = next(named, None)
    return found if found is not None and guess(columns.texts[found]).type == "integer" else None


def _varying(columns: FlatColumns, key: str) -> set[str]:
    """Columns that differ between the lines of some key: they belong to the line."""
    first: dict[str, int] = {}
    several: set[str] = set()
    differing: dict[str, set[str]] = {}
    partly: set[str] = set()
    later: set[str] = set()
    for number, value in enumerate(columns.texts[key]):
        start = first.setdefault(value, number)
        if start == number:
            continue
        several.add(value)
        for column in columns.names:
            here, there = columns.texts[column][number], columns.texts[column][start]
            if here != there:
                differing.setdefault(column, set()).add(value)
                partly |= {column} if not (here and there) else set()
                later |= {column} if here else set()
    # A record whose lines disagree now and then (a side, a date) is a fault in the data, so most keys decide; not so
    # where a field is filled on some lines only, or counts pieces. A field that only first lines have, nearly all of
    # them, is written once for the record.
    starts = [number for value, number in first.items() if value in several]
    partly -= {
        column
        for column in partly - later
        if are_nearly_all(sum(bool(columns.texts[column][number]) for number in starts), starts)
    }
    differing = {column: keys for column, keys in differing.items() if column in later or column in partly}
    of_lines = {
        column
        for column, keys in differing.items()
        if column in partly or is_quantity_name(camel_case(column)) or len(keys) * 10 > len(several)
    }
    return of_lines | _alone_between(columns, of_lines) if several else set()


def _alone_between(columns: FlatColumns, of_lines: set[str]) -> set[str]:
    """One value throughout says nothing by itself; between two columns of the line it most likely is one as well."""
    found = set(of_lines)
    for place, column in enumerate(columns.names):
        neighbours = (*columns.names[place - 1 : place], *columns.names[place + 1 : place + 2])
        if len(set(columns.texts[column])) == 1 and found.issuperset(neighbours):
            found.add(column)
    return found


# --- cells ------------------------------------------------------------------------------------------------------------


def _text(cell: RawValue) -> str:
    """A cell as a text that is compared with others; empty where there is none."""
    if cell is None or isinstance(cell, str):
        return cell_text(cell)
    return cell_text(cell) or repr(cell)


def _typed_kind(cells: Sequence[RawValue]) -> Guess:
    """What cells are in a file that knows numbers and days from texts."""
    own = [cell for cell in cells if isinstance(cell, date | time)]
    if own:
        return _calendar_kind(own, [_text(cell) for cell in cells if not isinstance(cell, date | time)])
    if cells and all(isinstance(cell, bool) for cell in cells):
        return Guess("boolean")
    found = guess_most(map(_text, cells))
    is_written = any(isinstance(cell, str) for cell in cells)
    return TEXT if is_written and found.type not in DATES else found


def _calendar_kind(own: Sequence[RawValue], texts: Sequence[str]) -> Guess:
    """Days and times, and texts beside them that should be some."""
    moments = [cell for cell in own if isinstance(cell, datetime)]
    if any(isinstance(cell, time) for cell in own):
        found = Guess("time") if all(isinstance(cell, time) for cell in own) else TEXT
    else:
        is_local = any(cell.tzinfo is None for cell in moments)
        found = Guess("dateTime", is_local=is_local) if moments else Guess("date")
    written = guess_most(texts)
    if texts and written.type in DATES and "time" not in (found.type, written.type):
        kind = "dateTime" if "dateTime" in (found.type, written.type) else "date"
        return replace(written, type=kind, is_local=found.is_local or written.is_local or kind != found.type)
    return found if are_nearly_all(len(own), [*own, *texts]) else TEXT
