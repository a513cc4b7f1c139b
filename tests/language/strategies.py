"""Hypothesis strategies for trees: any map that the language can say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

from hypothesis import strategies as st

from fhirmap.diagnostics import MapText, Span
from fhirmap.language import nodes as n
from fhirmap.language.expression_text import expression_to_text

NOWHERE = Span(MapText("", ""), 0, 0)
_CHARACTERS = st.characters(exclude_categories=["Cs"])

identifiers = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True) | st.sampled_from(
    [
        "after",
        "as",
        "contains",
        "count",
        "decimals",
        "fill",
        "header",
        "source",
        "in",
        "is",
        "asc",
        "desc",
        "sort",
        "where",
        "check",
        "log",
        "then",
        "first",
        "last",
        "type",
        "types",
        "source",
        "target",
        "group",
        "map",
        "uses",
        "let",
        "model",
        "default",
        "search",
        "true",
        "div",
        "and",
        "from",
        "null",
        "for",
        "make",
        "prefix",
        "unmapped",
        "input",
        "lines",
        "endgroup",
        "share",
        "extends",
        "imports",
    ]
)
texts = st.text(_CHARACTERS, max_size=12)
names = identifiers | st.text(_CHARACTERS, min_size=1, max_size=6)
type_names = st.lists(identifiers.filter(lambda word: word != "for"), min_size=1, max_size=2).map(".".join)
urls = st.builds("http://{}/{}".format, identifiers, texts)
positive = st.integers(0, 10**12)
decimals = st.decimals(0, 10**6, places=3).map(lambda value: Decimal(f"{value:f}"))
dates = st.sampled_from(["2024", "2024-05", "2024-02-29"])
times = st.sampled_from(["T14", "T14:30", "T14:30:01.25"])
date_times = st.builds(lambda day, time, zone: day + time + zone, dates, times, st.sampled_from(["", "Z", "+02:00"]))
units = st.sampled_from(["days", "year", "mg", "'month'", "[in_i]", "'", "\\", ""])


def _literal(kind: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[n.FPLiteral]:
    return st.builds(n.FPLiteral, st.just(kind), values, st.just(NOWHERE))


literals = st.one_of(
    _literal("string", texts),
    _literal("integer", positive),
    _literal("long", positive),
    _literal("decimal", decimals),
    _literal("boolean", st.booleans()),
    _literal("empty", st.none()),
    _literal("date", dates),
    _literal("time", times),
    _literal("dateTime", date_times),
    st.builds(n.FPLiteral, st.just("quantity"), decimals, st.just(NOWHERE), units),
)
variables = st.builds(n.FPVariable, names | st.sampled_from(["$this", "$index", "$total"]), st.just(NOWHERE)).filter(
    lambda node: not node.name.startswith("$") or node.name in ("$this", "$index", "$total")
)
_BINARY = [
    "implies",
    "or",
    "xor",
    "and",
    "in",
    "contains",
    "=",
    "~",
    "!=",
    "!~",
    "<=",
    "<",
    ">",
    ">=",
    "|",
    "+",
    "-",
    "&",
    "*",
    "/",
    "div",
    "mod",
]


def _bigger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    focus = st.none() | inner
    keys = st.builds(n.SortKey, inner, st.booleans(), st.just(NOWHERE))
    span = st.just(NOWHERE)
    return st.one_of(
        st.builds(n.FPMember, focus, names, span, span),
        st.builds(n.FPCall, focus, names.filter("sort".__ne__), st.lists(inner, max_size=3).map(tuple), span, span),
        st.builds(n.FPCall, inner, st.just("sort"), st.lists(inner | keys, max_size=2).map(tuple), span, span),
        st.builds(n.FPIndex, inner, inner, span),
        st.builds(n.FPUnary, st.sampled_from("+-"), inner, span),
        st.builds(n.FPBinary, st.sampled_from(_BINARY), inner, inner, span),
        # `is null` is SQL, and reported as that.
        st.builds(n.FPType, st.sampled_from(["is", "as"]), inner, type_names.filter(lambda name: name != "null"), span),
    )


members = st.builds(n.FPMember, st.none(), names, st.just(NOWHERE), st.just(NOWHERE))
expressions = st.recursive(literals | variables | members, _bigger, max_leaves=6)


def _embedded(expression: n.FPExpr) -> n.FHIRPath:
    return n.FHIRPath(expression, expression_to_text(expression), NOWHERE)


fhirpaths = expressions.map(_embedded)


@st.composite
def metadata(draw: st.DrawFn) -> n.Metadata:
    path = draw(st.sampled_from(["url", "name", "status", "jurisdiction.coding.code", "contact[0].name"]))
    lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"\r'), max_size=20)
    value, markdown, bare = draw(
        st.one_of(
            st.tuples(
                texts | st.integers(-99, 10**9) | st.booleans() | st.none() | decimals, st.just(False), st.just(False)
            ),
            st.tuples(lines, st.just(True), st.just(False)),
            st.tuples(st.sampled_from(["draft", "2024-05-01", "a-b.c"]), st.just(False), st.just(True)),
        )
    )
    return n.Metadata(path, value, NOWHERE, markdown, bare)


@st.composite
def concept_maps(draw: st.DrawFn) -> n.ConceptMapDeclaration:
    prefixes = st.builds(n.ConceptMapPrefix, identifiers, urls, st.just(NOWHERE))
    code = st.tuples(names, texts)
    unmapped = st.builds(
        lambda mode, prefix, code: n.ConceptMapUnmapped(mode, prefix, NOWHERE, code if mode == "code" else None),
        st.sampled_from(["error", "pass", "code", "provided"]),
        st.none() | identifiers,
        code,
    )
    relations = st.sampled_from(["-", "=", "==", "!=", "--", "<=", "<-", ">=", ">-", "~"])
    mapped = st.builds(
        lambda a, r, b: n.ConceptMapCode(a[0], a[1], r, b[0], b[1], NOWHERE, NOWHERE, NOWHERE), code, relations, code
    )
    alone = st.builds(lambda a: n.ConceptMapCode(a[0], a[1], "--", "", "", NOWHERE, NOWHERE, NOWHERE), code)
    table = st.builds(
        n.ConceptMapTable, texts, texts, texts, st.none() | texts.filter(bool), texts, texts, st.just(NOWHERE)
    )
    return n.ConceptMapDeclaration(
        draw(texts.filter(lambda text: not text.startswith("#"))),
        tuple(draw(st.lists(prefixes, max_size=2))),
        tuple(draw(st.lists(unmapped, max_size=2))),
        tuple(draw(st.lists(mapped | alone, max_size=4))),
        draw(st.none() | table),
        NOWHERE,
        NOWHERE,
    )


KINDS: tuple[n.StoreKind, ...] = get_args(n.StoreKind)
order_keys = st.builds(n.OrderKey, texts, st.booleans(), st.just(NOWHERE))
orders = st.lists(order_keys, max_size=2).map(tuple)


@st.composite
def models(draw: st.DrawFn) -> n.Model:
    kind = draw(st.sampled_from(KINDS))
    number = draw(st.none() | st.integers(0, 99)) if kind == "sheet" else None
    name = "" if kind in ("csv", "fixed", "parquet") else draw(texts)
    listed = st.lists(texts, max_size=2).map(tuple)
    columns = draw(listed)
    store = n.SourceClause(
        kind,
        name if number is None else str(number),
        tuple(draw(st.lists(texts, max_size=2))),
        draw(st.none() | texts),
        draw(orders),
        draw(st.none() | order_keys),
        draw(st.none() | texts),
        draw(st.none() | texts),
        NOWHERE,
        NOWHERE,
        number=number,
        source=draw(st.none() | texts),
        header=draw(st.booleans()),
        names=columns,
        names_line=None if columns else draw(st.none() | st.integers(0, 99)),
        fill=draw(listed),
        until=draw(st.none() | texts),
        prefixes=tuple(draw(st.lists(st.tuples(names, texts), max_size=2))),
    )
    elements = tuple(draw(st.lists(_elements(), max_size=4)))
    return n.Model(draw(names), draw(st.none() | st.just(store)), elements, NOWHERE, NOWHERE)


positions = st.tuples(st.integers(0, 99), st.integers(0, 99))


@st.composite
def _counted_groups(draw: st.DrawFn) -> n.CountedGroups:
    start = draw(st.none() | st.integers(0, 99))
    return n.CountedGroups(
        start, draw(texts) if start is None else "", draw(positions), draw(st.integers(0, 99)), NOWHERE
    )


@st.composite
def _places(draw: st.DrawFn) -> dict[str, Any]:
    """The fields that the `from` of an element fills."""
    first, last = draw(positions)
    places: list[dict[str, Any]] = [
        {},
        {"position": True},
        {"positions": (first, last), "column": f"{first}-{last}"},
        {"column": draw(texts)},
        {"groups": draw(_counted_groups())},
    ]
    return draw(st.sampled_from(places))


@st.composite
def _elements(draw: st.DrawFn) -> n.ModelElement:
    minimum = draw(st.integers(0, 3))
    columns = st.lists(st.tuples(texts, texts), min_size=1, max_size=2).map(tuple)
    rest = (columns, st.none() | texts, orders, st.just(NOWHERE), st.just(NOWHERE))
    join = st.builds(n.Join, texts, *rest) | st.builds(n.Join, st.just(""), *rest, is_own=st.just(True))
    return n.ModelElement(
        draw(names),
        draw(type_names),
        minimum,
        draw(st.none() | st.integers(minimum, 9)),
        NOWHERE,
        NOWHERE,
        NOWHERE,
        format=draw(st.none() | texts),
        zone=draw(st.none() | texts),
        nulls=tuple(draw(st.lists(texts, max_size=2))),
        join=draw(st.none() | join),
        lines=draw(st.booleans()),
        repeat=draw(st.none() | texts),
        decimals=draw(st.none() | st.integers(0, 9)),
        **draw(_places()),
    )


paths = st.lists(names, max_size=2).map(tuple)


@st.composite
def sources(draw: st.DrawFn) -> n.RuleSource:
    searched = draw(st.none() | fhirpaths)
    check = draw(st.none() | fhirpaths.filter(lambda path: not _is_text(path)))
    sized = draw(st.booleans())
    return n.RuleSource(
        draw(names) if searched is None else "@search",
        draw(paths) if searched is None else (),
        NOWHERE,
        NOWHERE,
        type=draw(st.none() | type_names | urls),
        minimum=draw(st.integers(0, 2)) if sized else None,
        maximum=draw(st.just(-1) | st.integers(2, 9)) if sized else None,
        default=draw(st.none() | fhirpaths),
        list_mode=draw(st.none() | st.sampled_from(["first", "not_first", "last", "not_last", "only_one"])),
        variable=draw(st.none() | names),
        where=draw(st.none() | fhirpaths),
        check=check,
        log=draw(st.none() | fhirpaths),
        search=searched,
        message=draw(st.none() | texts.filter(str.strip)) if check is not None else None,
    )


def _is_text(path: n.FHIRPath) -> bool:
    return isinstance(path.expression, n.FPLiteral) and path.expression.kind == "string"


def _said_apart(last: n.RuleSource, name: str | None) -> str | None:
    """The name of a rule that ends with ``last``, so that neither it nor the message is read as the other."""
    if last.check is None or last.log is not None:
        return name
    if last.message is None:
        return name if name is None or len(name.split()) == 1 else "named"
    return "named" if name is None and len(last.message.split()) == 1 else name


def _member_path(parts: list[str]) -> n.FPExpr:
    node: n.FPExpr | None = None
    for part in parts:
        node = n.FPMember(node, part, NOWHERE, NOWHERE)
    assert node is not None
    return node


def _transform(name: str, arguments: tuple[n.FHIRPath, ...], written: Any) -> n.TransformCall:
    return n.TransformCall(name, arguments, written, NOWHERE, NOWHERE)


calls = st.builds(_transform, names, st.lists(fhirpaths, max_size=3).map(tuple), st.just("call"))
evaluations = fhirpaths.map(lambda path: _transform("evaluate", (path,), "expression"))
copies = st.lists(names, min_size=1, max_size=3).map(
    lambda parts: _transform("copy", (_embedded(_member_path(parts)),), "path")
)
constants = literals.map(lambda literal: _transform("copy", (_embedded(literal),), "literal"))


@st.composite
def targets(draw: st.DrawFn) -> n.RuleTarget:
    modes = tuple(
        draw(st.lists(st.sampled_from(["first", "last", "single", "collate", "share"]), max_size=2, unique=True))
    )
    common: dict[str, Any] = {
        "variable": draw(st.none() | names),
        "list_modes": modes,
        "share": draw(names) if "share" in modes else None,
    }
    if draw(st.booleans()):
        return n.RuleTarget(None, (), NOWHERE, transform=draw(calls | evaluations), **common)
    transform = draw(st.none() | calls | evaluations | copies | constants)
    return n.RuleTarget(draw(names), draw(paths), NOWHERE, NOWHERE, transform=transform, **common)


group_calls = st.builds(
    n.GroupCall, names, st.lists(fhirpaths, max_size=2).map(tuple), st.just(NOWHERE), st.just(NOWHERE)
)


@st.composite
def rules(draw: st.DrawFn, depth: int = 2) -> n.Rule:
    name = draw(st.none() | texts)
    if draw(st.integers(0, 4)) == 0:
        source = n.RuleSource(draw(names), draw(paths), NOWHERE, NOWHERE)
        target = n.RuleTarget(draw(names), draw(paths), NOWHERE, NOWHERE)
        batch = tuple(draw(st.lists(names, min_size=1, max_size=3)))
        return n.Rule((source,), (target,), None, name, NOWHERE, batch)
    called = tuple(draw(st.lists(group_calls, max_size=2)))
    inner = None
    if depth and draw(st.booleans()):
        inner = tuple(draw(st.lists(rules(depth - 1), max_size=2)))
    dependent = n.Dependent(called, inner, NOWHERE) if called or inner is not None else None
    read = tuple(draw(st.lists(sources(), min_size=1, max_size=2)))
    written = tuple(draw(st.lists(targets(), max_size=2)))
    if not written and dependent is None:
        name = _said_apart(read[-1], name)
    return n.Rule(read, written, dependent, name, NOWHERE)


@st.composite
def groups(draw: st.DrawFn) -> n.Group:
    parameter = st.builds(
        n.Parameter, st.sampled_from(["source", "target"]), names, st.none() | type_names | urls, st.just(NOWHERE)
    )
    return n.Group(
        draw(names),
        tuple(draw(st.lists(parameter, min_size=1, max_size=3))),
        draw(st.none() | names),
        draw(st.none() | st.sampled_from(["types", "type+"])),
        tuple(draw(st.lists(rules(), max_size=3))),
        NOWHERE,
        NOWHERE,
    )


def _few(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=2).map(tuple)


uses = st.builds(
    n.Uses,
    urls,
    st.none() | names,
    st.sampled_from(["source", "queried", "target", "produced"]),
    st.just(NOWHERE),
    st.just(NOWHERE),
)
maps = st.builds(
    n.Map,
    _few(metadata()),
    st.none() | st.builds(n.MapDeclaration, urls, texts, st.just(NOWHERE)),
    _few(concept_maps()),
    _few(uses),
    _few(st.builds(n.MapImport, urls, st.just(NOWHERE))),
    _few(st.builds(n.Let, names, fhirpaths, st.just(NOWHERE))),
    _few(models()),
    _few(groups()),
    st.just(NOWHERE),
)
