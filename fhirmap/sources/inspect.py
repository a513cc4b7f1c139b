"""Writes a `model` block from what a source holds: a live table, a CSV file, a JSON document.

Text only: the source's layout and a sample of its values go in, a map's text comes out. What the sample cannot tell is
said in a comment, for the analyst who goes on from there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from fhirmap.errors import ConfigError
from fhirmap.sources import names as naming
from fhirmap.sources.address import Address, parse_address
from fhirmap.sources.guess import TEXT, Guess, guess
from fhirmap.stores import Shape, StorePlan

__all__ = ["inspect_source", "table_names"]

ZONE = "Europe/Paris"
_SAMPLE = 2000
_REVISION = re.compile(r"(?i)(updat|modif|version|revision|maj$|^maj|lastchange)")
_IDENTIFIER = re.compile(r"(?i)(^id$|id$|^id_|key$|numero$|number$|^no$|^num)")
_QUANTITY = re.compile(r"(?i)^(qte|qty|quant|nombre|count$)")
_RESERVED = frozenset(
    {
        "key",
        "latest",
        "encoding",
        "delimiter",
        "on",
        "desc",
        "model",
        "group",
        "then",
        "log",
        "check",
        "as",
        "default",
        "first",
        "last",
        "uses",
        "imports",
        "let",
        "map",
        "conceptmap",
        "alias",
        "share",
        "single",
        "collate",
        "not_first",
        "not_last",
        "only_one",
        "true",
        "false",
        "and",
        "or",
        "xor",
        "div",
        "mod",
        "in",
        "is",
        "contains",
        "implies",
    }
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(slots=True)
class _Element:
    """One line of a model. ``comment``: said behind it. ``is_remark``: the line is only a proposal, written as a
    comment.
    """

    name: str
    type: str
    minimum: int = 0
    maximum: int | None = 1
    clauses: list[str] = field(default_factory=list)
    comment: str = ""
    is_remark: bool = False


@dataclass(slots=True)
class _Model:
    name: str
    store: str
    elements: list[_Element] = field(default_factory=list)
    comment: str = ""


def inspect_source(
    address: Address | str,
    table: str | None = None,
    *,
    name: str | None = None,
    encoding: str = "",
    zone: str = ZONE,
    taken: Iterable[str] = (),
) -> str:
    """The `model` block of a table (or of the only one), a CSV file, or the list at a path of a JSON document.

    ``name``: of the model, by default the table's. ``encoding``: of a CSV, by default found out. ``zone``: where times
    without offset are local. ``taken``: names that no model may have, since the map imports others so called.
    Raises: ConfigError FM70x (cannot be opened), FM703 (no such table), FM750 (nothing there), FM751 (which table?).
    """
    where = parse_address(address) if isinstance(address, str) else address
    if where.kind == "sql":
        models = _from_sql(where, table, name, zone, _Names(taken))
    elif where.kind == "csv":
        models = _from_csv(where, name, encoding, zone, _Names(taken))
    else:
        models = _from_json(where, table, name, zone, _Names(taken))
    return "\n".join(_write(model) for model in models)


# --- names ------------------------------------------------------------------------------------------------------------


def camel_case(text: str) -> str:
    """An element's name from a column's: letters and digits, no accents.

    Example:
        >>> camel_case("N° séjour"), camel_case("DATE_DEBUT"), camel_case("2e côté"), camel_case("œil")
        ('nSejour', 'dateDebut', 'x2ECote', 'oeil')
    """
    words = _words(text)
    return words[0].lower() + "".join(word.capitalize() for word in words[1:])


def pascal_case(text: str) -> str:
    """A model's name from a table's."""
    return "".join(word.capitalize() for word in _words(text))


def _words(text: str) -> list[str]:
    plain = text.replace("œ", "oe").replace("Œ", "OE").replace("æ", "ae").replace("ß", "ss")
    plain = unicodedata.normalize("NFKD", plain.replace("°", " "))
    words = _WORDS.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))
    return words if words and words[0][0].isalpha() else ["x", *words]


class _Names:
    """Names that are taken once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}{number}"
        self._taken.add(name)
        return name


def quoted(text: str) -> str:
    """A text as maps write it."""
    if "'" in text and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


# --- SQL --------------------------------------------------------------------------------------------------------------


def table_names(address: Address) -> list[str]:
    """Tables and views that a database has.

    Raises: ConfigError FM70x.
    """
    import sqlalchemy as sa

    from fhirmap.sources.sql_errors import translated
    from fhirmap.sources.sql_layout import Layout
    from fhirmap.sources.sql_table import engine_of

    engine = engine_of(address)
    with translated(address.shown):
        found = Layout(sa.inspect(engine)).names()
    engine.dispose()
    return found


def _from_sql(address: Address, table: str | None, name: str | None, zone: str, models: _Names) -> list[_Model]:
    import sqlalchemy as sa

    from fhirmap.sources.sql_errors import translated
    from fhirmap.sources.sql_layout import Layout
    from fhirmap.sources.sql_table import engine_of

    engine = engine_of(address)
    try:
        with translated(address.shown, table or ""):
            inspector = sa.inspect(engine)
            layout = Layout(inspector)
            table = table or _only_table(layout.names(), address)
            found = layout.table(table)
            if found is None:
                hint = naming.hint(table, layout.names())
                raise ConfigError("FM703", hint=hint, table=table, source=address.shown)
            return _SqlWriter(engine, inspector, layout, zone, models).models(found.name, found.schema, name)
    finally:
        engine.dispose()


def _only_table(names: list[str], address: Address) -> str:
    if len(names) == 1:
        return names[0]
    if not names:
        raise ConfigError("FM750", source=address.shown, reason="there is no table")
    listed = ", ".join(f"`{entry}`" for entry in names[:20]) + (" …" if len(names) > 20 else "")
    raise ConfigError("FM751", hint=f"name one of {listed}", source=address.shown)


class _SqlWriter:
    """Models of one table and of the tables that its foreign keys name."""

    def __init__(self, engine: Any, inspector: Any, layout: Any, zone: str, models: _Names) -> None:
        self._engine = engine
        self._inspector = inspector
        self._layout = layout
        self._zone = zone
        self._models = models

    def models(self, table: str, schema: str | None, name: str | None) -> list[_Model]:
        """The table's own model, then one for each table it refers to."""
        shown = f"{schema}.{table}" if schema else table
        unique = self._layout.table(shown).unique
        primary = list(self._layout.table(shown).primary) or (sorted(unique[0]) if unique else [])
        key = f" key {', '.join(quoted(column) for column in primary)}" if primary else ""
        model = _Model(self._models.take(name or pascal_case(table)), f"from table {quoted(shown)}{key}")
        if not primary:
            model.comment = "The table has no primary key: name the columns that tell its records apart, key '…'."
        names = _Names()
        foreign = self._inspector.get_foreign_keys(table, schema)
        own = {column for entry in foreign for column in entry["constrained_columns"]} - set(primary)
        model.elements = self._elements(table, schema, primary, own, names)
        found = [model]
        for entry in foreign:
            found += self._referred(entry, model, names, schema)
        model.elements += self._proposed(table, schema, names)
        return found

    def _elements(
        self, table: str, schema: str | None, primary: Sequence[str], skipped: set[str], names: _Names
    ) -> list[_Element]:
        columns = [c for c in self._inspector.get_columns(table, schema) if c["name"] not in skipped]
        sample = self._sample(table, schema, [column["name"] for column in columns])
        found = []
        for column in columns:
            told, comment = _sql_type(column, [row[column["name"]] for row in sample], column["name"] in primary)
            required = not column["nullable"] or column["name"] in primary
            element = _element(names.take(camel_case(column["name"])), told, column["name"], self._zone)
            element.minimum = 1 if required else 0
            element.comment = comment
            element.is_remark = comment.startswith("binary")
            found.append(element)
        return found

    def _sample(self, table: str, schema: str | None, columns: list[str]) -> list[Mapping[str, Any]]:
        import sqlalchemy as sa

        listed: list[Any] = [sa.column(name) for name in columns]
        source = sa.table(table, *listed, schema=schema)
        if not columns:
            return []
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(*listed).select_from(source).limit(_SAMPLE))
            return [dict(zip(columns, row, strict=True)) for row in rows]

    def _referred(self, entry: Any, model: _Model, names: _Names, schema: str | None) -> list[_Model]:
        """The model of a table that a foreign key names, and the line that joins it."""
        other, other_schema = entry["referred_table"], entry.get("referred_schema") or schema
        own, theirs = entry["constrained_columns"], entry["referred_columns"]
        shown = f"{other_schema}.{other}" if other_schema else other
        if self._layout.table(shown) is None:
            return []
        theirs = theirs or list(self._layout.table(shown).primary)
        below = _Model(self._models.take(pascal_case(other)), "")
        below_names = _Names()
        below.elements = self._elements(other, other_schema, (), set(), below_names)
        columns = {c["name"]: c["nullable"] for c in self._inspector.get_columns(model_table(model), schema)}
        required = all(columns.get(column) is False for column in own)
        on = ", ".join(_pair(child, parent) for child, parent in zip(theirs, own, strict=True))
        wanted = camel_case(re.sub(r"(?i)^(id|fk)_|_(id|fk)$", "", own[0])) if len(own) == 1 else camel_case(other)
        joined = _Element(names.take(wanted), below.name, int(required), 1, [f"join {quoted(shown)} on {on}"])
        model.elements.append(joined)
        return [below]

    def _proposed(self, table: str, schema: str | None, names: _Names) -> list[_Element]:
        """A commented line for each table that refers to this one."""
        found = []
        for other in self._inspector.get_table_names(schema):
            for entry in self._inspector.get_foreign_keys(other, schema):
                if entry["referred_table"] != table or other == table:
                    continue
                theirs = entry["referred_columns"] or list(self._layout.table(table).primary)
                pairs = zip(entry["constrained_columns"], theirs, strict=False)
                on = ", ".join(_pair(child, parent) for child, parent in pairs)
                shown = f"{schema}.{other}" if schema else other
                clauses = [f"join {quoted(shown)} on {on}"]
                name = names.take(camel_case(other))
                found.append(_Element(name, pascal_case(other), 0, None, clauses, is_remark=True))
        return found


def model_table(model: _Model) -> str:
    """The table that a model's store names, without its schema."""
    found = re.search(r"from table (?:'([^']*)'|\"([^\"]*)\")", model.store)
    shown = next((part for part in found.groups() if part), "") if found else ""
    return shown.rpartition(".")[2]


def _pair(child: str, parent: str) -> str:
    return quoted(child) if child == parent else f"{quoted(child)} = {quoted(parent)}"


def _sql_type(column: Mapping[str, Any], values: list[Any], is_key: bool) -> tuple[Guess, str]:
    """FHIR type of a database column, and a comment where there is something to say."""
    import sqlalchemy as sa

    kind = column["type"]
    held = [value for value in values if value is not None]
    if isinstance(kind, sa.LargeBinary) or any(isinstance(value, bytes) for value in held):
        return TEXT, "binary: not read"
    if is_key:
        return TEXT, ""
    if isinstance(kind, sa.Boolean):
        return Guess("boolean"), ""
    if isinstance(kind, sa.Integer):
        if any(abs(value) >= 2**31 for value in held if isinstance(value, int)):
            return TEXT, "larger than a FHIR integer"
        return Guess("integer"), ""
    if isinstance(kind, sa.DateTime):
        return Guess("dateTime", is_local=not getattr(kind, "timezone", False)), ""
    if isinstance(kind, sa.Date):
        return Guess("date"), ""
    if isinstance(kind, sa.Time):
        return Guess("time"), ""
    if isinstance(kind, sa.Numeric):
        return Guess("decimal"), ""
    if all(isinstance(value, str) for value in held):
        return guess(held), ""
    if held and all(isinstance(value, int) and not isinstance(value, bool) for value in held):
        return Guess("integer"), ""
    return TEXT, ""


def _element(name: str, told: Guess, column: str, zone: str) -> _Element:
    clauses = [f"from {quoted(column)}"]
    if told.format:
        clauses.append(f"format {quoted(told.format)}")
    if told.is_local:
        clauses.append(f"zone {quoted(zone)}")
    return _Element(name, told.type, clauses=clauses)


# --- CSV --------------------------------------------------------------------------------------------------------------


def _from_csv(address: Address, name: str | None, encoding: str, zone: str, models: _Names) -> list[_Model]:
    from fhirmap.sources.csv_file import CsvFile

    chosen = encoding or _encoding_of(address)
    file = CsvFile(address, StorePlan("csv", "", (), Shape("", ()), encoding=chosen))
    header, rows, delimiter = file.sample(_SAMPLE * 5)
    columns = [column for column in dict.fromkeys(header) if column]
    if not columns:
        raise ConfigError("FM750", source=address.shown, reason="its first line names no column")
    values = {column: [row.get(column, "") for row in rows] for column in columns}
    doubles = sorted({column for column in columns if header.count(column) > 1})
    columns = [column for column in columns if column not in doubles]
    key = _key_of(values, columns)
    options = [f"encoding {quoted(chosen)}"] if chosen.lower() not in ("", "utf-8") else []
    options.append(f"delimiter {quoted(delimiter.replace(chr(9), 'tab'))}")
    stem = address.path.stem if address.path else "Record"
    model = _Model(models.take(name or pascal_case(stem)), f"from csv key {quoted(key)} {' '.join(options)}")
    if doubles:
        listed = ", ".join(quoted(column) for column in doubles)
        model.comment = f"Not read, since it stands several times in the first line: {listed}."
    of_lines = _varying(values, columns, key)
    lines = _Model(models.take(f"{model.name}Line"), "")
    names, line_names = _Names(), _Names()
    for column in columns:
        target, taken = (lines, line_names) if column in of_lines else (model, names)
        told = TEXT if column == key else guess(values[column])
        element = _element(taken.take(camel_case(column)), told, column, zone)
        element.minimum = int(column == key)
        target.elements.append(element)
    if not of_lines:
        return [model]
    clauses = ["lines"]
    quantity = next((c for c in columns if c in of_lines and _QUANTITY.search(camel_case(c))), "")
    if quantity and guess(values[quantity]).type == "integer":
        clauses.append(f"repeat {quoted(quantity)}")
        lines.elements = [e for e in lines.elements if e.clauses != [f"from {quoted(quantity)}"]]
    model.elements.append(_Element(names.take("lines"), lines.name, 1, None, clauses))
    return [model, lines]


def _encoding_of(address: Address) -> str:
    """The first of the usual encodings that the file is in."""
    from fhirmap.sources.csv_text import proved_encoding

    path = address.path
    assert path is not None
    for encoding in ("utf-8", "cp1252"):
        try:
            return proved_encoding(path, address.shown, encoding)
        except ConfigError as error:
            if error.code != "FM705":
                raise
    return "iso-8859-15"


def _key_of(values: Mapping[str, list[str]], columns: Sequence[str]) -> str:
    """The first column that is filled and different in each line, identifiers by name before others; else the first."""
    unique = [column for column in columns if all(values[column]) and len(set(values[column])) == len(values[column])]
    named = [column for column in unique if _IDENTIFIER.search(camel_case(column))]
    if columns[0] in unique or not unique:
        return columns[0]
    repeated = len(set(values[columns[0]])) < len(values[columns[0]])
    # A first column that is filled everywhere and repeats is a record's number over several lines.
    if repeated and all(values[columns[0]]) and not named:
        return columns[0]
    return (named or unique)[0]


def _varying(values: Mapping[str, list[str]], columns: Sequence[str], key: str) -> set[str]:
    """Columns that differ between the lines of some key: they belong to the line."""
    first: dict[str, int] = {}
    found: set[str] = set()
    for number, value in enumerate(values[key]):
        start = first.setdefault(value, number)
        if start != number:
            found |= {column for column in columns if values[column][number] != values[column][start]}
    # A record whose lines disagree now and then (a side, a date) is a fault in the data, so most keys decide; not so
    # where a field is filled on some lines only, or counts pieces.
    several = {value for number, value in enumerate(values[key]) if first[value] != number}
    differing: dict[str, set[str]] = {column: set() for column in found}
    partly: set[str] = set()
    for number, value in enumerate(values[key]):
        for column in found:
            here, there = values[column][number], values[column][first[value]]
            if here != there:
                differing[column].add(value)
                partly |= {column} if not (here and there) else set()
    of_lines = {
        column
        for column in found
        if column in partly or _QUANTITY.search(camel_case(column)) or len(differing[column]) * 10 > len(several)
    }
    # One value throughout says nothing by itself; between two columns of the line it most likely is one as well.
    alone = [column for column in columns if len(set(values[column])) == 1]
    for column in alone:
        place = columns.index(column)
        if of_lines.issuperset((*columns[place - 1 : place], *columns[place + 1 : place + 2])):
            of_lines.add(column)
    return of_lines if several else set()


# --- JSON -------------------------------------------------------------------------------------------------------------


def _from_json(address: Address, path: str | None, name: str | None, zone: str, models: _Names) -> list[_Model]:
    from fhirmap.sources.json_file import JsonFile

    file = JsonFile(address, StorePlan("json", path or "", (), Shape("", ())))
    found = path if path is not None else _list_path(file.document(), "")
    file = JsonFile(address, StorePlan("json", found or "", (), Shape("", ())))
    entries = [entry for entry in islice(file.entries(), _SAMPLE) if isinstance(entry, Mapping)]
    if not entries:
        raise ConfigError("FM750", source=address.shown, reason="there is no list of objects")
    key, latest = _json_key(entries)
    store = "from json"
    store += f" path {quoted(found)}" if found else ""
    store += f" key {quoted(key)}" if key else ""
    store += f" latest by {quoted(latest)}" if latest else ""
    stem = (found or (address.path.stem if address.path else "Record")).rpartition(".")[2]
    model = _Model(models.take(name or pascal_case(_singular(stem))), store)
    if not key:
        model.comment = "No value tells the records apart: name the path that does, key '…'."
    return _json_models(model, entries, key, models, zone)


def _list_path(node: Any, path: str) -> str | None:
    """The first list of objects, breadth first; empty where the document itself is one."""
    if isinstance(node, list):
        return path
    level: list[tuple[str, Any]] = [(path, node)]
    while level:
        below: list[tuple[str, Any]] = []
        for here, entry in level:
            for name, value in entry.items() if isinstance(entry, Mapping) else ():
                inner = f"{here}.{name}" if here else str(name)
                if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
                    return inner
                below.append((inner, value))
        level = below
    return path


def _json_key(entries: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The path of the key, and that of the revision where the key stands several times."""
    from fhirmap.sources.json_file import scalar_text

    texts = {
        name: [scalar_text(entry.get(name)) for entry in entries]
        for name in dict.fromkeys(name for entry in entries for name in entry)
    }
    filled = [name for name, held in texts.items() if all(held)]
    named = [name for name in filled if _IDENTIFIER.search(name)]
    revision = next((name for name in filled if _REVISION.search(name)), "")
    if named and revision and len(entries) > len(set(texts[named[0]])) > len(entries) // 2:
        return named[0], revision
    for name in [*named, *filled]:
        if len(set(texts[name])) == len(entries) and name != revision:
            return name, ""
    return (named or filled or [""])[0], ""


def _json_models(
    model: _Model, entries: Sequence[Mapping[str, Any]], key: str, models: _Names, zone: str
) -> list[_Model]:
    names = _Names()
    found = [model]
    for name in dict.fromkeys(name for entry in entries for name in entry):
        held = [entry[name] for entry in entries if entry.get(name) is not None]
        items = [item for value in held for item in (value if isinstance(value, list) else [value])]
        many = any(isinstance(value, list) for value in held)
        element_name = names.take(camel_case(name))
        if items and all(isinstance(item, Mapping) for item in items):
            below = _Model(models.take(pascal_case(_singular(name) if many else name)), "")
            model.elements.append(_Element(element_name, below.name, 0, None if many else 1, [f"from {quoted(name)}"]))
            found += _json_models(below, items, "", models, zone)
            continue
        told = TEXT if name == key else _json_type(items)
        element = _element(element_name, told, name, zone)
        element.minimum, element.maximum = int(name == key), None if many else 1
        if "." in name or any(isinstance(item, Mapping | list) for item in items):
            element.is_remark = True
            element.comment = "mixed values or a dot in its name: not read"
        model.elements.append(element)
    return found


def _json_type(items: Sequence[Any]) -> Guess:
    from decimal import Decimal

    if not items:
        return TEXT
    if all(isinstance(item, bool) for item in items):
        return Guess("boolean")
    if all(isinstance(item, int) and not isinstance(item, bool) and abs(item) < 2**31 for item in items):
        return Guess("integer")
    if all(isinstance(item, int | Decimal) and not isinstance(item, bool) for item in items):
        return Guess("decimal") if any(isinstance(item, Decimal) for item in items) else TEXT
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) < len(items):
        return TEXT
    told = guess(texts)
    # A JSON text that looks like a number was written as text for a reason.
    return TEXT if told.type in ("integer", "decimal", "boolean") else told


def _singular(name: str) -> str:
    return name[:-1] if len(name) > 3 and name.endswith("s") and not name.endswith("ss") else name


# --- text -------------------------------------------------------------------------------------------------------------


def _write(model: _Model) -> str:
    shown = [element for element in model.elements if not element.is_remark]
    wide = max((len(element.name) for element in shown), default=1)
    wide_type = max((len(element.type) for element in shown), default=1)
    lines = [f"// {model.comment}"] if model.comment else []
    lines.append(f"model {model.name} {model.store} {{" if model.store else f"model {model.name} {{")
    lines += [_line(element, wide, wide_type) for element in model.elements]
    return "\n".join([*lines, "}", ""])


def _line(element: _Element, wide: int, wide_type: int) -> str:
    most = "*" if element.maximum is None else str(element.maximum)
    name = f"`{element.name}`" if element.name in _RESERVED else element.name
    parts = [f"{name:<{wide}} : {element.type:<{wide_type}} {element.minimum}..{most}", *element.clauses]
    text = "  " + ("// " if element.is_remark else "") + " ".join(parts)
    return f"{text}  // {element.comment}" if element.comment else text
