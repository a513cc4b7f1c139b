"""The tree of a map: frozen nodes, each with the span it was read from. Names follow the specification's productions.

Equality ignores spans, so that two texts that say the same compare equal (formatter and round-trip tests rest on it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal as OneOf
from typing import TypeAlias

from fhirmap.diagnostics import Span, Subject


def _span() -> Span:
    return field(compare=False, repr=False)  # type: ignore[no-any-return]


def _optional_span() -> Span | None:
    return field(default=None, compare=False, repr=False)


def _spans() -> tuple[Span, ...]:
    return field(default=(), compare=False, repr=False)


def _documentation() -> tuple[str, ...]:
    """Lines of comment above a node that was made; those of a text are among the map's own comments."""
    return field(default=(), compare=False, repr=False)


# --- FHIRPath ---------------------------------------------------------------------------------------------------------

LiteralKind = OneOf["string", "integer", "long", "decimal", "boolean", "empty", "date", "dateTime", "time", "quantity"]
"""What a literal is, by the names of System types in lower case; ``empty`` is `{}`."""


@dataclass(frozen=True, slots=True)
class FPLiteral:
    """`'text'`, `5`, `1.50`, `true`, `{}`, `@2024`, `@T10:00`, `5 'mg'`.

    ``value`` is str, int, Decimal, bool or None; dates are their text without ``@``; a quantity is its number, with
    ``unit`` as written (``'mg'`` -> ``mg``).
    """

    kind: LiteralKind
    value: str | int | Decimal | bool | None
    span: Span = _span()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class FPVariable:
    """`%name`, `` %`name` `` or `%'name'`, and `$this`, `$index`, `$total` (``name`` then starts with ``$``)."""

    name: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class FPMember:
    """`name` (``focus`` None) or `focus.name`."""

    focus: FPExpr | None
    name: str
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class SortKey:
    """One argument of `sort(expr asc|desc)`."""

    expression: FPExpr
    descending: bool
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class FPCall:
    """`name(args)` (``focus`` None) or `focus.name(args)`."""

    focus: FPExpr | None
    name: str
    arguments: tuple[FPExpr | SortKey, ...]
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class FPIndex:
    """`focus[index]`."""

    focus: FPExpr
    index: FPExpr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class FPUnary:
    """`+ operand` or `- operand`."""

    operator: str
    operand: FPExpr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class FPBinary:
    """`left operator right`; operators spelt as in FHIRPath."""

    operator: str
    left: FPExpr
    right: FPExpr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class FPType:
    """`left is|as Type`; ``type_name`` may be dotted (`FHIR.Quantity`)."""

    operator: str
    operand: FPExpr
    type_name: str
    span: Span = _span()


FPExpr = FPLiteral | FPVariable | FPMember | FPCall | FPIndex | FPUnary | FPBinary | FPType


@dataclass(frozen=True, slots=True)
class FHIRPath:
    """An embedded expression and its own text (which StructureMap resources carry as a string)."""

    expression: FPExpr
    text: str
    span: Span = _span()


# --- header -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MapComment:
    """`// …` or `/* … */`, kept beside the tree for the formatter and for documentation."""

    text: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Metadata:
    """`/// path = value`; ``value`` None where the line has none. ``markdown``: written as a triple-quoted string."""

    path: str
    value: str | int | Decimal | bool | None
    span: Span = _span()
    markdown: bool = False
    bare: bool = False
    """A literal without quotes (date, code) that the dialects allow."""


@dataclass(frozen=True, slots=True)
class MapDeclaration:
    """Legacy `map "url" = "name"`."""

    url: str
    name: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Uses:
    """`uses "url" alias Name as mode`."""

    url: str
    alias: str | None
    mode: OneOf["source", "queried", "target", "produced"]
    span: Span = _span()
    url_span: Span = _span()
    alias_span: Span | None = field(default=None, compare=False, repr=False)
    documentation: tuple[str, ...] = _documentation()


@dataclass(frozen=True, slots=True)
class MapImport:
    """`imports "url"`, which may hold one `*`."""

    url: str
    span: Span = _span()
    url_span: Span | None = _optional_span()


@dataclass(frozen=True, slots=True)
class Let:
    """`let name = expression;`."""

    name: str
    expression: FHIRPath
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ConceptMapPrefix:
    """`prefix s = "uri"`."""

    name: str
    url: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ConceptMapUnmapped:
    """`unmapped for s = provided`, or ours: `unmapped error | pass | code t:X`.

    ``mode``: provided, error, pass, code. ``prefix`` names the group it is for (None: all); ``code`` is `t:X` for
    mode code.
    """

    mode: str
    prefix: str | None
    span: Span = _span()
    code: tuple[str, str] | None = None
    code_span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ConceptMapCode:
    """`s:a - t:b`; ``relation`` as written."""

    source_prefix: str
    source_code: str
    relation: str
    target_prefix: str
    target_code: str
    span: Span = _span()
    source_span: Span = _span()
    target_span: Span = _span()


@dataclass(frozen=True, slots=True)
class ConceptMapTable:
    """Ours: `from "codes.csv"` with `columns 'source', 'target'[, 'relation']` and `encoding`, `delimiter` where
    they differ.
    """

    file: str
    source_column: str
    target_column: str
    relation_column: str | None
    encoding: str
    delimiter: str
    span: Span = _span()
    file_span: Span | None = _optional_span()
    column_spans: tuple[Span, ...] = _spans()
    encoding_span: Span | None = _optional_span()
    delimiter_span: Span | None = _optional_span()


@dataclass(frozen=True, slots=True)
class ConceptMapDeclaration:
    """`conceptmap "id" { … }`, or ours `conceptmap "id" from "codes.csv" { … }`. ``id`` without the leading `#`."""

    id: str
    prefixes: tuple[ConceptMapPrefix, ...]
    unmapped: tuple[ConceptMapUnmapped, ...]
    codes: Sequence[ConceptMapCode]
    table: ConceptMapTable | None
    span: Span = _span()
    id_span: Span = _span()
    documentation: tuple[str, ...] = _documentation()


# --- models (extension 1) ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderKey:
    """`'column' [desc]`."""

    column: str
    descending: bool
    span: Span = _span()


StoreKind = OneOf["table", "query", "csv", "sheet", "fixed", "parquet", "json", "xml", "hl7"]
"""What holds the rows of a model: its word after `from`."""


@dataclass(frozen=True, slots=True)
class SourceClause:
    """`from table 'T' | query 'f.sql' | csv | sheet 'S' | fixed | parquet | json [path 'cases'] | xml path 'p' |
    hl7 [path 'OBR']` with its options.

    ``name``: table name, query file, sheet, or path to the records of a document (dotted, empty: the document).
    ``nulls``: texts that mean absent in each of the model's cells and those of its children. ``decimal`` and
    ``thousands``: the marks of its numbers. ``query``: the SQL where the map itself holds it, and ``name`` is then the
    model's. ``number``: of the sheet, where the map gives that in place of a name; ``name`` is its digits then.
    ``source``: which of the project's sources. ``header``: False for `header none`. ``names_line``: `names line 4`.
    ``prefixes``: XML prefixes and their namespaces. ``spans``: where each option is, by its word.
    """

    kind: StoreKind
    name: str
    key: tuple[str, ...]
    where: str | None
    order: tuple[OrderKey, ...]
    latest: OrderKey | None
    encoding: str | None
    delimiter: str | None
    span: Span = _span()
    name_span: Span = _span()
    key_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    nulls: tuple[str, ...] = ()
    decimal: str | None = None
    thousands: str | None = None
    null_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    query: str = ""
    number: int | None = None
    source: str | None = None
    header: bool = True
    names: tuple[str, ...] = ()
    names_line: int | None = None
    fill: tuple[str, ...] = ()
    until: str | None = None
    prefixes: tuple[tuple[str, str], ...] = ()
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)
    names_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    fill_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    prefix_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Join:
    """`join 'T' on 'child' [= 'parent'] [, …] [where "sql"] [order by …]`; ``on`` holds (child column, parent
    column). ``is_query``: `join query 'f.sql' on …`, and ``table`` names the query. ``query``: its SQL where the map
    itself holds it, and ``table`` is then `Model.element`. ``is_own``: `join on …`, of the rows that the joined model's
    own `from` names, and ``table`` is empty.
    """

    table: str
    on: tuple[tuple[str, str], ...]
    where: str | None
    order: tuple[OrderKey, ...]
    span: Span = _span()
    table_span: Span = _span()
    on_spans: tuple[tuple[Span, Span], ...] = field(default=(), compare=False, repr=False)
    is_query: bool = False
    query: str = ""
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class CountedGroups:
    """`178 count 119..120 width 8`, `after 'e' count 121..122 width 8`: groups of ``width`` characters in a line of
    fixed width, as many as the number at ``count`` (first and last position) says; from position ``start`` on, or,
    where that is None, right after the groups of the element ``after``.
    """

    start: int | None
    after: str
    count: tuple[int, int]
    width: int
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ModelElement:
    """`name : Type [min..max] clauses`.

    ``column``: physical column or dotted JSON path (None: same as ``name``). ``position``: `from position`, the
    1-based rank among
    its siblings. ``lines``: the flat lines of the record, each read as the child model. ``repeat``: column whose
    number n makes
    the row occur n times. ``attributes``: the columns of the name and the value of rows that hold one attribute each,
    which together are one row of the child model. ``split``: what separates the values that one text holds. ``nulls``:
    further texts that mean absent (the empty text always does). ``maximum`` None is
    `*`. ``positions``: `from 12..31`, the first and the last character of a line of fixed width; ``column`` is `12-31`
    then. ``groups``: counted groups of such a line. ``decimals``: how many of the digits are decimals.
    """

    name: str
    type: str
    minimum: int
    maximum: int | None
    span: Span = _span()
    name_span: Span = _span()
    type_span: Span = _span()
    column: str | None = None
    column_span: Span | None = field(default=None, compare=False, repr=False)
    position: bool = False
    format: str | None = None
    format_span: Span | None = field(default=None, compare=False, repr=False)
    zone: str | None = None
    nulls: tuple[str, ...] = ()
    join: Join | None = None
    lines: bool = False
    repeat: str | None = None
    zone_span: Span | None = field(default=None, compare=False, repr=False)
    null_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    repeat_span: Span | None = field(default=None, compare=False, repr=False)
    attributes: tuple[str, str] | None = None
    attributes_span: Span | None = field(default=None, compare=False, repr=False)
    split: str | None = None
    split_span: Span | None = field(default=None, compare=False, repr=False)
    positions: tuple[int, int] | None = None
    groups: CountedGroups | None = None
    decimals: int | None = None
    decimals_span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Model:
    """`model Name [from store] { elements }`: a logical model, with its physical place where it has one."""

    name: str
    store: SourceClause | None
    elements: tuple[ModelElement, ...]
    span: Span = _span()
    name_span: Span = _span()


# --- groups and rules -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parameter:
    """`source src : Type`; ``type`` None where it is not given."""

    mode: OneOf["source", "target"]
    name: str
    type: str | None
    span: Span = _span()
    type_span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RuleSource:
    """`ctx[.element…] [: Type] [min..max] [default] [list mode] [as var] [where] [check ["message"]] [log]`.

    ``elements`` is the dotted path below the context, empty for the context itself. ``maximum`` is None where no
    cardinality is
    given; -1 is `*`. ``search``: the expression of `search(…)`, whose context is then `@search`. ``message``: what is
    said of a record for which ``check`` is false (extension 4).
    """

    context: str
    elements: tuple[str, ...]
    span: Span = _span()
    context_span: Span = _span()
    element_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    type: str | None = None
    type_span: Span | None = field(default=None, compare=False, repr=False)
    minimum: int | None = None
    maximum: int | None = None
    default: FHIRPath | None = None
    list_mode: str | None = None
    variable: str | None = None
    variable_span: Span | None = field(default=None, compare=False, repr=False)
    where: FHIRPath | None = None
    check: FHIRPath | None = None
    log: FHIRPath | None = None
    search: FHIRPath | None = None
    message: str | None = None
    message_span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TransformCall:
    """`func(params)`, a literal (`copy` of one literal), a name (`copy` of one path) or `(expr)` (`evaluate` of one
    expression).

    ``written`` says which of them the text had: call, literal, path, expression.
    """

    name: str
    arguments: tuple[FHIRPath, ...]
    written: OneOf["call", "literal", "path", "expression"]
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class RuleTarget:
    """`ctx[.element…] [= transform] [as var] [list mode]`, `(expr) as var` or `func(params) as var` (``context``
    None).
    """

    context: str | None
    elements: tuple[str, ...]
    span: Span = _span()
    context_span: Span | None = field(default=None, compare=False, repr=False)
    element_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    transform: TransformCall | None = None
    variable: str | None = None
    variable_span: Span | None = field(default=None, compare=False, repr=False)
    list_modes: tuple[str, ...] = ()
    share: str | None = None


@dataclass(frozen=True, slots=True)
class GroupCall:
    """`group(args)` after `then`."""

    name: str
    arguments: tuple[FHIRPath, ...]
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Dependent:
    """`then g(a), h(b) { rules }`: called groups first, then the inline rules. ``rules`` None: no block was written."""

    calls: tuple[GroupCall, ...]
    rules: tuple[Rule, ...] | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Rule:
    """`sources -> targets then … "name";`. ``name`` None where none is written. ``batch``: `src -> tgt : a, b, c;`,
    which element names.
    """

    sources: tuple[RuleSource, ...]
    targets: tuple[RuleTarget, ...]
    dependent: Dependent | None
    name: str | None
    span: Span = _span()
    batch: tuple[str, ...] = ()
    batch_spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    documentation: tuple[str, ...] = _documentation()


@dataclass(frozen=True, slots=True)
class Group:
    """`group Name(parameters) extends Other <<types>> { rules }`; ``type_mode``: types, type+ or None."""

    name: str
    parameters: tuple[Parameter, ...]
    extends: str | None
    type_mode: str | None
    rules: tuple[Rule, ...]
    span: Span = _span()
    name_span: Span = _span()
    extends_span: Span | None = field(default=None, compare=False, repr=False)
    documentation: tuple[str, ...] = _documentation()


Declaration: TypeAlias = Metadata | MapDeclaration | Uses | MapImport | Let | ConceptMapDeclaration | Model | Group
"""What a map consists of, in any order that the grammar allows."""


@dataclass(frozen=True, slots=True)
class Map:
    """A whole map, in text order within each kind."""

    metadata: tuple[Metadata, ...]
    declaration: MapDeclaration | None
    concept_maps: tuple[ConceptMapDeclaration, ...]
    uses: tuple[Uses, ...]
    imports: tuple[MapImport, ...]
    lets: tuple[Let, ...]
    models: tuple[Model, ...]
    groups: tuple[Group, ...]
    span: Span = _span()
    comments: tuple[MapComment, ...] = field(default=(), compare=False, repr=False)
    declared: tuple[tuple[Subject, Span], ...] = field(default=(), compare=False, repr=False)
    """Of a text with syntax errors: every name that it declares, also where the declaration could not be read."""

    @property
    def url(self) -> str | None:
        """Canonical URL from the metadata or the legacy declaration."""
        for entry in self.metadata:
            if entry.path == "url" and isinstance(entry.value, str):
                return entry.value
        return self.declaration.url if self.declaration else None

    @property
    def version(self) -> str:
        """Business version from the metadata, empty where it has none."""
        written = (entry.value for entry in self.metadata if entry.path == "version")
        return next((value for value in written if isinstance(value, str)), "")

    @property
    def name(self) -> str | None:
        """Computer-friendly name from the metadata or the legacy declaration."""
        for entry in self.metadata:
            if entry.path == "name" and isinstance(entry.value, str):
                return entry.value
        return self.declaration.name if self.declaration else None
