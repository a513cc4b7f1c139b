"""Parts of a map → their canonical text, each on one line; `format` arranges them."""

from __future__ import annotations

import re
from decimal import Decimal

from fhirmap.language import nodes as n
from fhirmap.language.expression_text import dotted_to_text, expression_to_text, quote

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_CODE = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+)\Z")
_DATE = re.compile(r"\d{4}(?:-\d\d){0,2}(?:T[\d:.]*(?:Z|[+-]\d\d:\d\d)?)?\Z")


def element_to_text(name: str) -> str:
    """A name of the map: an element, a variable, a group. Nearly every word may be bare there."""
    return name if _IDENTIFIER.match(name) else quote(name, "`")


def type_to_text(name: str) -> str:
    """A type: a dotted name, or a URL in quotes."""
    return quote(name, '"') if "/" in name or ":" in name else dotted_to_text(name)


def url_to_text(url: str) -> str:
    """A URL, or any text of a header, in double quotes."""
    return quote(url, '"')


def metadata_to_text(entry: n.Metadata) -> str:
    """`/// path = value`."""
    return f"/// {entry.path} = {_metadata_value(entry)}".rstrip()


def _metadata_value(entry: n.Metadata) -> str:
    value = entry.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int):
        return str(value)
    if entry.markdown and '"""' not in value:
        return f'"""\n{value}\n"""'
    if entry.bare:
        return f"@{value}" if _DATE.match(value) else value
    return quote(value)


def uses_to_text(uses: n.Uses) -> str:
    """`uses "url" alias Name as mode`."""
    alias = f" alias {element_to_text(uses.alias)}" if uses.alias is not None else ""
    return f"uses {url_to_text(uses.url)}{alias} as {uses.mode}"


def let_to_text(let: n.Let) -> str:
    """`let name = expression;`."""
    return f"let {element_to_text(let.name)} = {expression_to_text(let.expression.expression)};"


# --- concept maps -----------------------------------------------------------------------------------------------------


def concept_map_head(declaration: n.ConceptMapDeclaration) -> str:
    """`conceptmap "id" [from "file" columns …] {`."""
    head = f"conceptmap {url_to_text(declaration.id)}"
    table = declaration.table
    if table is not None:
        columns = [table.source_column, table.target_column, *filter(None, [table.relation_column])]
        head += f" from {url_to_text(table.file)} columns {_texts(columns)}"
        # What the author wrote stays, also where it is what holds anyway.
        said_encoding = table.encoding_span is not None or table.encoding != "utf-8"
        said_delimiter = table.delimiter_span is not None or table.delimiter != ";"
        head += f" encoding {quote(table.encoding)}" if said_encoding else ""
        head += f" delimiter {quote(table.delimiter)}" if said_delimiter else ""
    return f"{head} {{"


def concept_map_entry(entry: n.ConceptMapPrefix | n.ConceptMapUnmapped | n.ConceptMapCode) -> str:
    """One line of a concept map."""
    if isinstance(entry, n.ConceptMapPrefix):
        return f"prefix {element_to_text(entry.name)} = {url_to_text(entry.url)}"
    if isinstance(entry, n.ConceptMapUnmapped):
        which = f"for {element_to_text(entry.prefix)} = " if entry.prefix is not None else ""
        return f"unmapped {which}{entry.mode}" + (f" {_code(*entry.code)}" if entry.code else "")
    source = _code(entry.source_prefix, entry.source_code)
    if not entry.target_prefix:
        return f"{source} {entry.relation}"
    return f"{source} {entry.relation} {_code(entry.target_prefix, entry.target_code)}"


def _code(prefix: str, code: str) -> str:
    return f"{element_to_text(prefix)}:{code if _CODE.match(code) else quote(code, chr(34))}"


# --- models -----------------------------------------------------------------------------------------------------------


def model_head(model: n.Model) -> str:
    """`model Name [from store] {`."""
    store = model.store
    if store is None:
        return f"model {element_to_text(model.name)} {{"
    line = f"names line {store.names_line}" if store.names_line is not None else ""
    parts = [
        f"model {element_to_text(model.name)} from {_store_place(store)}",
        f"source {quote(store.source)}" if store.source is not None else "",
        f"key {_texts(store.key)}" if store.key else "",
        f"where {_sql(store.where)}" if store.where is not None else "",
        f"order by {_order(store.order)}" if store.order else "",
        f"latest by {_order((store.latest,))}" if store.latest else "",
        f"encoding {quote(store.encoding)}" if store.encoding is not None else "",
        f"delimiter {quote(store.delimiter)}" if store.delimiter is not None else "",
        f"null {_texts(store.nulls)}" if store.nulls else "",
        f"decimal {quote(store.decimal)}" if store.decimal is not None else "",
        f"thousands {quote(store.thousands)}" if store.thousands is not None else "",
        "" if store.header else "header none",
        f"names {_texts(store.names)}" if store.names else line,
        f"fill {_texts(store.fill)}" if store.fill else "",
        f"until {quote(store.until)}" if store.until is not None else "",
        *(f"prefix {element_to_text(name)} = {quote(url)}" for name, url in store.prefixes),
        "{",
    ]
    return " ".join(part for part in parts if part)


def _store_place(store: n.SourceClause) -> str:
    """`table 'T'`, `csv`, `sheet 2`, `json path 'cases'`."""
    if store.number is not None:
        return f"{store.kind} {store.number}"
    if store.kind in ("csv", "fixed", "parquet") or not (store.name or store.kind in ("table", "query")):
        return store.kind
    joint = " path" if store.kind in ("json", "xml", "hl7") else ""
    return f"{store.kind}{joint} {quote(store.query or store.name)}"


def model_element_columns(element: n.ModelElement) -> tuple[str, str, tuple[str, ...]]:
    """Name, type, and cardinality and clauses of an element, so that they can be set one below the other."""
    maximum = "*" if element.maximum is None else str(element.maximum)
    rest = [
        f"{element.minimum}..{maximum}",
        element_place_to_text(element),
        f"split {quote(element.split)}" if element.split is not None else "",
        f"decimals {element.decimals}" if element.decimals is not None else "",
        f"format {quote(element.format)}" if element.format is not None else "",
        f"zone {quote(element.zone)}" if element.zone is not None else "",
        f"null {_texts(element.nulls)}" if element.nulls else "",
        *(_join(element.join) if element.join is not None else ()),
        "lines" if element.lines else "",
        f"repeat {quote(element.repeat)}" if element.repeat is not None else "",
        "attributes {} values {}".format(*map(quote, element.attributes)) if element.attributes else "",
    ]
    return element_to_text(element.name), type_to_text(element.type), tuple(part for part in rest if part)


def element_place_to_text(element: n.ModelElement) -> str:
    """`from 'column'`, `from 12..31`, `from position` of an element; empty where it has none."""
    groups = element.groups
    if groups is not None:
        start = f"after {quote(groups.after)}" if groups.start is None else str(groups.start)
        return f"from {start} count {_positions(groups.count)} width {groups.width}"
    if element.positions is not None:
        return f"from {_positions(element.positions)}"
    if element.position:
        return "from position"
    return f"from {quote(element.column)}" if element.column is not None else ""


def _positions(positions: tuple[int, int]) -> str:
    first, last = positions
    return str(first) if first == last else f"{first}..{last}"


def _join(join: n.Join) -> tuple[str, ...]:
    columns = [quote(child) if child == parent else f"{quote(child)} = {quote(parent)}" for child, parent in join.on]
    where = f"where {_sql(join.where)}" if join.where is not None else ""
    order = f"order by {_order(join.order)}" if join.order else ""
    table = f"query {quote(join.query or join.table)}" if join.is_query else quote(join.table)
    named = "" if join.is_own else f" {table}"
    return f"join{named} on {', '.join(columns)}", where, order


def _order(keys: tuple[n.OrderKey, ...]) -> str:
    return ", ".join(quote(key.column) + (" desc" if key.descending else "") for key in keys)


def _texts(texts: tuple[str, ...] | list[str]) -> str:
    return ", ".join(quote(text) for text in texts)


def _sql(text: str) -> str:
    """SQL in double quotes, its own lines kept."""
    return "\n".join(quote(line, '"')[1:-1] for line in text.split("\n")).join('""')


# --- groups and rules -------------------------------------------------------------------------------------------------


def group_head(group: n.Group) -> str:
    """`group Name(parameters) extends Other <<types>> {`."""
    parameters = ", ".join(_parameter(entry) for entry in group.parameters)
    extends = f" extends {element_to_text(group.extends)}" if group.extends is not None else ""
    types = f" <<{group.type_mode}>>" if group.type_mode is not None else ""
    return f"group {element_to_text(group.name)}({parameters}){extends}{types} {{"


def _parameter(parameter: n.Parameter) -> str:
    suffix = f" : {type_to_text(parameter.type)}" if parameter.type is not None else ""
    return f"{parameter.mode} {element_to_text(parameter.name)}{suffix}"


def source_to_text(source: n.RuleSource) -> str:
    """One source of a rule."""
    return " ".join(source_clauses(source))


def source_clauses(source: n.RuleSource) -> tuple[str, ...]:
    """One source of a rule: what is read under which name, then each condition."""
    if source.search is not None:
        path = f"search({_expression(source.search)})"
    else:
        path = ".".join(element_to_text(name) for name in (source.context, *source.elements))
    maximum = "*" if source.maximum == -1 else source.maximum
    parts = [
        path,
        f": {type_to_text(source.type)}" if source.type is not None else "",
        f"{source.minimum}..{maximum}" if source.minimum is not None else "",
        f"default ({_expression(source.default)})" if source.default is not None else "",
        source.list_mode or "",
        f"as {element_to_text(source.variable)}" if source.variable is not None else "",
    ]
    conditions = [
        f"where ({_expression(source.where)})" if source.where is not None else "",
        _check(source.check, source.message) if source.check is not None else "",
        f"log ({_expression(source.log)})" if source.log is not None else "",
    ]
    return (" ".join(part for part in parts if part), *(part for part in conditions if part))


def _check(condition: n.FHIRPath, message: str | None) -> str:
    return f"check ({_expression(condition)})" + (f" {quote(message, chr(34))}" if message is not None else "")


def target_to_text(target: n.RuleTarget) -> str:
    """One target of a rule."""
    parts = []
    if target.context is not None:
        parts.append(".".join(element_to_text(name) for name in (target.context, *target.elements)))
        parts += ["=", transform_to_text(target.transform)] if target.transform is not None else []
    elif target.transform is not None:
        parts.append(transform_to_text(target.transform))
    parts += [f"as {element_to_text(target.variable)}"] if target.variable is not None else []
    parts += [_list_mode(mode, target.share) for mode in target.list_modes]
    return " ".join(parts)


def _list_mode(mode: str, share: str | None) -> str:
    return f"share {element_to_text(share)}" if mode == "share" and share is not None else mode


def transform_to_text(transform: n.TransformCall) -> str:
    """The right side of a target's `=`."""
    if transform.written == "call":
        return f"{_value_name(transform.name)}({_arguments(transform.arguments)})"
    text = _expression(transform.arguments[0])
    if transform.written == "path":
        return _path(transform.arguments[0].expression)
    return f"({text})" if transform.written == "expression" else text


def _path(expression: n.FPExpr) -> str:
    names: list[str] = []
    node: n.FPExpr | None = expression
    while isinstance(node, n.FPMember):
        names.append(node.name)
        node = node.focus
    first, *rest = reversed(names)
    return ".".join([_value_name(first), *(element_to_text(name) for name in rest)])


def _value_name(name: str) -> str:
    """A name where a literal could be as well."""
    return quote(name, "`") if name in ("true", "false") else element_to_text(name)


def group_call_to_text(call: n.GroupCall) -> str:
    """`group(arguments)`."""
    return f"{element_to_text(call.name)}({_arguments(call.arguments)})"


def batch_to_text(rule: n.Rule) -> str:
    """`-> tgt : a, b, c`."""
    return f"-> {target_to_text(rule.targets[0])} : {', '.join(element_to_text(name) for name in rule.batch)}"


def _arguments(arguments: tuple[n.FHIRPath, ...]) -> str:
    return ", ".join(_expression(entry) for entry in arguments)


def _expression(expression: n.FHIRPath) -> str:
    return expression_to_text(expression.expression)
