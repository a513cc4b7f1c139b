"""Where a model's rows are, as sources need to know it: derived from a map's `model`, free of the map's tree.

A source opens what the plan names and yields one `Record` per business record. ``Record.values`` holds raw cells under
their physical column names and, under ``Child.key``, the list of raw child rows (always a list, also for a child that
comes at most once: the generated reader checks the cardinality). A JSON document is passed as it is: the reader walks
the paths itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from fhirmap.data import PathSteps

_NAME = re.compile(r"[^.\[\]`]+")
_QUOTED_NAME = re.compile(r"`((?:[^`]|``)*+)`")
_INDEX = re.compile(r"\[(\d{0,9})\]", re.ASCII)
_EQUALS = re.compile(r"(?:[^\[\]`='\"]|\[\d{0,9}\]|`(?:[^`]|``)*+`)++=", re.ASCII)
_FILTER_TEXT = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)"|([^\[\]`='"]*))\s*\]""")
_COMPARING = ("!", "<", ">", "~")


class MalformedPath(ValueError):
    """A text that is no path. ``reason``: `bracket` (neither a place in a list nor a filter), `name` (one is missing)
    or `mark` (a bracket or backtick where a name goes on).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@lru_cache(maxsize=4096)
def path_steps(path: str) -> PathSteps:
    """The steps of a path as maps write it.

    Names with dots between them; `[0]` a place in a list; `[]` says that there is a list, and does nothing;
    `[a.b=text]` keeps what has this text at this path; `../` at the beginning leads to the parent row, `/` to the root.
    A name that holds dots or brackets is in backticks.

    Example:
        >>> path_steps("implants[0].lot"), path_steps("entry[].fullUrl"), path_steps("../../id")
        (('implants', 0, 'lot'), ('entry', 'fullUrl'), ('..', '..', 'id'))
        >>> path_steps("code.coding[system='urn:x'].code"), path_steps("`a.b`.c")
        (('code', 'coding', (('system',), 'urn:x'), 'code'), ('a.b', 'c'))

    Raises: MalformedPath.
    """
    steps: list[str | int | tuple[PathSteps, str]] = []
    place = 0
    if path.startswith("/"):
        steps, place = ["/"], 1
    while path.startswith("../", place):
        if steps[:1] == ["/"]:
            raise MalformedPath("name")
        steps.append("..")
        place += 3
    if place == len(path):
        if path:
            raise MalformedPath("name")
        return ()
    while True:
        place = _segment(path, place, steps)
        if place == len(path):
            return tuple(steps)
        if path[place] != ".":
            raise MalformedPath("mark")
        place += 1


def _segment(path: str, place: int, steps: list[str | int | tuple[PathSteps, str]]) -> int:
    """Append the steps of a name and of what is in brackets after it; the end of them."""
    begin = place
    if name := _QUOTED_NAME.match(path, place):
        steps.append(name[1].replace("``", "`"))
    elif name := _NAME.match(path, place):
        steps.append(name[0])
    place = name.end() if name else place
    while path.startswith("[", place):
        if index := _INDEX.match(path, place):
            steps += [int(index[1])] if index[1] else []
            place = index.end()
        else:
            place = _filter(path, place + 1, steps)
    if place == begin:
        raise MalformedPath("mark" if path[place : place + 1] in ("]", "`") else "name")
    return place


def _filter(path: str, place: int, steps: list[str | int | tuple[PathSteps, str]]) -> int:
    """Append the filter that begins after a bracket; the end of it."""
    inner = _EQUALS.match(path, place)
    text = _FILTER_TEXT.match(path, inner.end()) if inner else None
    if inner is None or text is None:
        raise MalformedPath("bracket")
    name, wanted = inner[0][:-1].strip(), next(group for group in text.groups() if group is not None).strip()
    # `[a!=b]` and the like would be a name that nothing has.
    if not wanted or name.endswith(_COMPARING) or name.startswith(("/", "../")):
        raise MalformedPath("bracket")
    steps.append((path_steps(name), wanted))
    return text.end()


def path_name(name: str) -> str:
    """A name as a path has it: in backticks where its signs would mean something else.

    Example:
        >>> path_name("lot"), path_name("N° [1]")
        ('lot', '`N° [1]`')
    """
    is_plain = _NAME.fullmatch(name) and not name.startswith("/")
    return name if is_plain else f"`{name.replace('`', '``')}`"


class SourceKind(StrEnum):
    """What holds the records: a model's word after `from`."""

    TABLE = "table"
    QUERY = "query"
    CSV = "csv"
    SHEET = "sheet"
    FIXED = "fixed"
    PARQUET = "parquet"
    JSON = "json"
    XML = "xml"
    HL7 = "hl7"

    @property
    def is_sql(self) -> bool:
        """Are the rows a database's?"""
        return self in (SourceKind.TABLE, SourceKind.QUERY)

    @property
    def is_tree(self) -> bool:
        """Are the rows documents, which paths lead into, rather than cells by column?"""
        return self in (SourceKind.JSON, SourceKind.XML, SourceKind.HL7)

    @property
    def is_columnar(self) -> bool:
        """Are the cells of a column stored together, so that some columns cost less than all?"""
        return self is SourceKind.PARQUET


class ChildKind(StrEnum):
    """How child rows belong to their parent: joined from a table, or the flat lines of the record themselves."""

    JOIN = "join"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Repetition:
    """Groups of one width, one after the other in a line of fixed width, and where their number is.

    ``start``: the position of the first, from 1; None where it comes right after the groups of ``after``, the name of
    another column. ``count``: first and last position of the number of groups.
    """

    width: int
    count: tuple[int, int]
    start: int | None = None
    after: str = ""


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One physical column (or dotted JSON path) that the map reads, and the ``file:line:col`` that names it."""

    name: str
    position: str = ""
    element: str = ""
    """The model's element that reads it; empty where only the plan needs it (key, join, order, latest)."""
    type: str = ""
    """The element's FHIR type; empty where it holds child rows, or none reads it."""
    zone: str = ""
    repeats: bool = False
    """May the element occur several times: as the items of a list?"""
    nested: bool = False
    """Are child rows read of it: of an object, of the objects of a list, or of the items of an array?"""
    below: RowLayout | None = None
    """What is read of the object, or of each object of the list, that is nested there."""
    again: int = 0
    """Where rows of a layout around this column are nested there again, so that ``below`` would never end: how many
    layouts up it is, from 1, the column's own."""
    nulls: tuple[str, ...] = ()
    """Texts that the element takes for absent, beside those of the plan."""
    format: str = ""
    """How its days or times are written; empty for FHIR's own form."""
    split: str = ""
    """What separates the values that one text holds."""
    repetition: Repetition | None = None
    """The groups of a line of fixed width that the element reads."""


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key of rows."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class AttributeRows:
    """Rows of one attribute each: the columns of its name and of its value, and what is read of the row that they make.

    A `SourceColumn` has the name of an attribute here.
    """

    name: str
    value: str
    columns: tuple[SourceColumn, ...]

    @property
    def read(self) -> tuple[str, ...]:
        """The attributes that are read, each once."""
        return tuple(dict.fromkeys(column.name for column in self.columns))


@dataclass(frozen=True, slots=True)
class Child:
    """Child rows of a row.

    ``on`` holds (child column, parent column). The rows go under ``key`` of the parent's row as a list, in ``order``.
    Nested JSON documents have no `Child`: they come with their parent.
    """

    kind: ChildKind
    key: str
    element: str
    shape: RowLayout
    table: str = ""
    on: tuple[tuple[str, str], ...] = ()
    where: str = ""
    order: tuple[Order, ...] = ()
    at_most_one: bool = False
    required: bool = False
    """Must there be one?"""
    position: str = ""
    query: str = ""
    """The text of the query that ``table`` names; empty for a table."""
    store: SourcePlan | None = None
    """Where the rows are, if not where their parent's are: the child model's own `from`, which has no key here and the
    shape of the child. ``table`` names it then, in messages and in front of its columns. ``where`` is the join's and
    holds beside that of the store; ``order`` is the join's, or else the store's."""
    attributes: AttributeRows | None = None


@dataclass(frozen=True, slots=True)
class RowLayout:
    """Which parts of one kind of row are read: its columns, in the order of the model, and its children."""

    model: str
    columns: tuple[SourceColumn, ...]
    children: tuple[Child, ...] = ()

    @property
    def has_stores(self) -> bool:
        """Are rows of other places joined to these, or to those below them?"""
        below = [column.below for column in self.columns if column.below is not None]
        shapes = [child.shape for child in self.children]
        return any(child.store for child in self.children) or any(shape.has_stores for shape in (*below, *shapes))

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns to fetch, each once: those that elements read, then those that the plan needs."""
        return tuple(dict.fromkeys(column.name for column in self.columns))

    def walk(self) -> Iterator[RowLayout]:
        """This layout and every layout below it."""
        yield self
        for child in self.children:
            yield from child.shape.walk()

    def leading_to(self, wanted: Callable[[Child], bool]) -> list[RowLayout]:
        """This layout and those below it that have ``wanted`` children, or rows below them that have some."""
        ways = list(self._ways(()))
        found: dict[int, RowLayout] = {}
        count = -1
        while count < len(found):  # rows that are nested again may lead to what was found since
            count = len(found)
            for way in ways:
                again = (way[-column.again] for column in way[-1].columns if column.again)
                if any(map(wanted, way[-1].children)) or any(id(layout) in found for layout in again):
                    found |= {id(layout): layout for layout in way}
        return list(found.values())

    def _ways(self, around: tuple[RowLayout, ...]) -> Iterator[tuple[RowLayout, ...]]:
        """This layout and every one below it, each after those around it."""
        way = (*around, self)
        yield way
        below = [column.below for column in self.columns if column.below is not None]
        for layout in (*below, *(child.shape for child in self.children)):
            yield from layout._ways(way)


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """Where the records of a map's first model are.

    ``name``: table, query file, sheet, or dotted path to the records of a document.
    ``key``: the columns (paths) of the business key, none for rows that are joined; ``where``: SQL; ``latest``: column
    whose greatest value is the current revision of a key, the others being superseded. ``query``: the text of the query
    file.
    """

    kind: SourceKind
    name: str
    key: tuple[str, ...]
    shape: RowLayout
    where: str = ""
    order: tuple[Order, ...] = ()
    latest: Order | None = None
    encoding: str = ""
    delimiter: str = ""
    query: str = ""
    position: str = ""
    grouped: bool = False
    """Are the rows of a key the lines of one record? A child reads the same table or query again for them."""
    zone: str = ""
    """The one time zone that the model's elements name; empty where they name none, or several."""
    nulls: tuple[str, ...] = ()
    """Texts that mean absent in every column, keys of records and of joined rows included."""
    decimal: str = "."
    """The mark before the decimals of a number."""
    thousands: str = ""
    """What groups the digits of a number."""
    number: int | None = None
    """Which sheet of a workbook, from 1, where the map does not name it; ``name`` is its digits then."""
    source: str = ""
    """Which of the project's sources this is; empty for its own."""
    names: tuple[str, ...] = ()
    """The names of the columns, where the file has no line of names."""
    names_line: int | None = None
    """The line of the names, from 1; 0 where the file has none, and columns are called by their number (`1`, `2`) or,
    in a sheet, by their letters; None where the map does not say."""
    fill: tuple[str, ...] = ()
    """Columns in which a blank cell means the value of the row above."""
    until: str = ""
    """How the first filled cell of the row begins at which reading stops (a total), whatever the case."""
    prefixes: tuple[tuple[str, str], ...] = ()
    """Prefixes of XML names, and their namespaces."""
