from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.language import nodes as n
from fhirmap.language.parser import parse
from tests.language.corpus import LEGACY, MODELS, MODERN, suite_maps
from tests.work import calls

GROUP = "group g(source src, target tgt) {{ {} }}"


def read(text: str) -> n.Map:
    tree, diagnostics = parse(text)
    assert [entry for entry in diagnostics if entry.is_error] == []
    return tree


def rule(text: str) -> n.Rule:
    return read(GROUP.format(text)).groups[0].rules[0]


def test_every_map_of_the_suite(shared_dir: Path) -> None:
    for path in suite_maps(shared_dir):
        tree, diagnostics = parse(path.read_text(encoding="utf-8"), path.name)
        assert diagnostics == () and tree.groups, path.name


def test_a_byte_order_mark_is_dropped_and_positions_stay() -> None:
    tree = read("\ufeffgroup g(source s, target t) { s.a -> t.b; }")
    assert tree.groups[0].span.start == 0


# --- header -----------------------------------------------------------------------------------------------------------


def test_metadata() -> None:
    entries = {entry.path: entry for entry in read(MODERN).metadata}
    assert entries["url"].value == "https://example.org/StructureMap/all"
    assert entries["experimental"].value is False
    assert (entries["date"].value, entries["date"].bare) == ("2024-05-01", True)
    assert entries["jurisdiction"].value is None
    assert (entries["description"].value, entries["description"].markdown) == ("some *text*\nmore", True)


@pytest.mark.parametrize(
    ("line", "value", "markdown"),
    [
        ('/// a = "x \\"y\\""', 'x "y"', False),
        ("/// a.b = 5", 5, False),
        ("/// a = draft", "draft", False),
        ('/// a = """\n\nx\n\n"""', "\nx\n", True),
        ('/// a = """x"""', "x", True),
        ("///a='x'", "x", False),
        ("/// a", None, None),
        ("//// a = 'x'", None, None),
    ],
)
def test_metadata_forms(line: str, value: object, markdown: bool | None) -> None:
    found = read(f"{line}\n{GROUP.format('')}").metadata
    assert [(entry.value, entry.markdown) for entry in found] == ([] if markdown is None else [(value, markdown)])


def test_metadata_after_a_declaration_is_a_comment() -> None:
    tree, diagnostics = parse("uses \"u\" as source\n/// name = 'x'\n/// just words\n" + GROUP.format(""))
    assert tree.metadata == () and tree.name is None
    assert [(entry.code, entry.severity) for entry in diagnostics] == [("FM025", "warning")]


def test_an_empty_comment_does_not_swallow_the_next_line() -> None:
    assert rule("//\n src.a -> tgt.b;//\n").sources[0].elements == ("a",)


def test_declarations_in_any_order_before_the_first_group() -> None:
    tree = read(
        'let a = 1; imports "i"; conceptmap "c" { } uses "u" as target map "m" = "n" uses "v" as source '
        + GROUP.format("")
    )
    assert (tree.url, tree.name, [entry.url for entry in tree.uses]) == ("m", "n", ["u", "v"])
    assert [entry.mode for entry in read(MODERN).uses] == ["source", "target", "queried", "produced"]


def test_the_legacy_map_line_takes_strings_of_both_kinds_and_identifiers() -> None:
    for name in ('"a b"', "'a b'", "`a b`"):
        assert read(f"map 'http://x' = {name}\n{GROUP.format('')}").name == "a b"


def test_concept_maps() -> None:
    declaration = read(MODERN).concept_maps[0]
    assert [(entry.name, entry.url) for entry in declaration.prefixes] == [("s", "urn:s"), ("t", "urn:t")]
    assert declaration.unmapped[0].mode == "provided" and declaration.unmapped[0].prefix == "s"
    found = [(c.source_prefix, c.source_code, c.relation, c.target_prefix, c.target_code) for c in declaration.codes]
    assert found == [
        ("s", "male", "-", "t", "M"),
        ("s", "a b", "==", "t", "c"),
        ("s", "x", "!=", "t", "07"),
        ("s", "y", "--", "", ""),
        ("s", "z", "<=", "t", "z"),
    ]


@pytest.mark.parametrize("relation", ["-", "=", "==", "!=", "--", "<=", "<-", ">=", ">-", "~"])
def test_relations(relation: str) -> None:
    text = f'conceptmap "#c" {{ prefix s = "a" prefix t = "b" s:x {relation} t:y s:z{relation}t:w }}'
    declaration = read(text).concept_maps[0]
    assert declaration.id == "c"
    assert [(code.relation, code.target_code) for code in declaration.codes] == [(relation, "y"), (relation, "w")]


def test_code_tables() -> None:
    table, *_ = (entry for entry in read(MODELS).concept_maps if entry.table)
    assert table.table == n.ConceptMapTable("codes.csv", "a", "b", "relation", "cp1252", ",", table.span)
    assert table.unmapped[0].code == ("t", "X")


# --- models -----------------------------------------------------------------------------------------------------------


def test_models() -> None:
    models = {entry.name: entry for entry in read(MODELS).models}
    stay = models["Stay"]
    assert stay.store is not None
    assert (stay.store.kind, stay.store.name, stay.store.key, stay.store.where) == (
        "table",
        "stay",
        ("id", "rank"),
        "closed = 0",
    )
    assert [(key.column, key.descending) for key in stay.store.order] == [("day", True), ("id", False)]
    assert stay.store.latest is not None and stay.store.latest.column == "changed"
    elements = {entry.name: entry for entry in stay.elements}
    assert list(elements) == ["id", "day", "items", "from", "null", "where"]
    assert (elements["id"].minimum, elements["id"].maximum, elements["day"].minimum) == (1, 1, 0)
    assert (elements["day"].format, elements["day"].zone, elements["day"].nulls) == (
        "yyyyMMdd",
        "Europe/Paris",
        ("X", "00000000"),
    )
    join = elements["items"].join
    assert join is not None and join.on == (("id", "id"), ("child", "parent"))
    assert (join.table, join.where, elements["items"].repeat) == ("item", "n > '1'", "qty")
    assert models["Item"].elements[0].position and models["Item"].elements[1].type == "FHIR.string"
    assert models["Lines"].elements[1].lines and models["Lines"].store.encoding == "cp1252"  # type: ignore[union-attr]
    assert models["Case"].elements[0].column == "patient.nir"
    assert [models[name].store.kind for name in ("Plain", "Query")] == ["json", "query"]  # type: ignore[union-attr]
    assert "After" in models


@pytest.mark.parametrize(
    "word",
    [
        "from",
        "format",
        "zone",
        "null",
        "join",
        "where",
        "order",
        "lines",
        "repeat",
        "as",
        "then",
        "default",
        "first",
        "key",
        "desc",
        "after",
        "count",
        "decimals",
        "fill",
        "fixed",
        "header",
        "hl7",
        "line",
        "names",
        "none",
        "parquet",
        "prefix",
        "sheet",
        "source",
        "until",
        "width",
        "xml",
    ],
)
def test_words_of_the_language_may_name_elements_of_a_model(word: str) -> None:
    text = f"model M {{ {word} : string {word} : integer from 'x' {word} /* c */ : date }}"
    assert [element.name for element in read(text).models[0].elements] == [word] * 3


STORES = """
model S from sheet 2 source 'workbook' key 'a' header none names 'a', 'b' fill 'b' until "TOTAL" { a : string }
model T from sheet 'Poses' names line 4 { a : string }
model F from fixed {
  a : string from 12..31
  count : decimal from 28 decimals 3
  width : string 0..* from 178 count 119..120 width 8
  after : string 0..* from after 'width' count 121 width 20
}
model X from xml path 'h:a.h:b' prefix h = 'urn:x' prefix c = "urn:y" { a : S 0..* join on 'x', 'y' = 'z' where "q" }
model H from hl7 { a : string } model P from parquet { a : string } model B from sheet { a : string }
"""


def test_models_of_every_kind_of_file() -> None:
    models = {entry.name: entry for entry in read(STORES).models}
    stores = {name: model.store for name, model in models.items() if model.store is not None}
    assert {name: store.kind for name, store in stores.items()} == {
        "S": "sheet", "T": "sheet", "F": "fixed", "X": "xml", "H": "hl7", "P": "parquet", "B": "sheet",
    }  # fmt: skip
    sheet = stores["S"]
    assert (sheet.number, sheet.source, sheet.header, sheet.names) == (2, "workbook", False, ("a", "b"))
    assert (sheet.fill, sheet.until, sheet.names_line) == (("b",), "TOTAL", None)
    assert (stores["T"].name, stores["T"].number, stores["T"].names_line) == ("Poses", None, 4)
    assert (stores["B"].name, stores["B"].number, stores["B"].header) == ("", None, True)
    assert (stores["X"].name, stores["X"].prefixes) == ("h:a.h:b", (("h", "urn:x"), ("c", "urn:y")))
    assert sheet.spans["fill"].snippet == "fill 'b'"
    join = models["X"].elements[0].join
    assert join is not None and (join.is_own, join.table, join.on, join.where) == (
        True, "", (("x", "x"), ("y", "z")), "q",
    )  # fmt: skip


def test_positions_of_lines_of_fixed_width() -> None:
    text, number, groups, further = next(model for model in read(STORES).models if model.name == "F").elements
    assert (text.positions, text.column) == ((12, 31), "12-31")
    assert (number.positions, number.column, number.decimals) == ((28, 28), "28-28", 3)
    assert groups.groups is not None and further.groups is not None
    assert (groups.groups.start, groups.groups.count, groups.groups.width) == (178, (119, 120), 8)
    assert (further.groups.start, further.groups.after, further.groups.count) == (None, "width", (121, 121))
    assert groups.column is None and groups.column_span is not None
    assert groups.column_span.snippet == "178 count 119..120 width 8"


def test_spans_of_a_model_point_at_its_columns() -> None:
    element = read(MODELS).models[0].elements[1]
    assert element.column_span is not None and element.column_span.snippet == "'day'"
    assert [span.snippet for span in element.null_spans] == ["'X'", "'00000000'"]


# --- groups and rules -------------------------------------------------------------------------------------------------


def test_group_heads() -> None:
    group = read(MODERN).groups[0]
    assert (group.name, group.extends, group.type_mode) == ("Main", "Base", "type+")
    assert [(p.mode, p.name, p.type) for p in group.parameters] == [
        ("source", "src", "Pat"),
        ("target", "tgt", "Bundle"),
        ("source", "extra", None),
    ]
    assert (
        read("group g(source a : 'http://x', target b : `odd type`) < < type + > > { };").groups[0].type_mode == "type+"
    )


def test_a_full_rule() -> None:
    found = read(MODERN).groups[0].rules[2]
    source = found.sources[0]
    assert (source.context, source.elements, source.type, source.minimum, source.maximum) == (
        "src",
        ("name",),
        "HumanName",
        0,
        -1,
    )
    assert (source.list_mode, source.variable) == ("first", "n")
    texts = [part.text for part in (source.default, source.where, source.check, source.log) if part]
    assert texts == ["%x", "n.use = 'usual'", "given.exists()", "'n' & family"]
    assert [t.transform.written if t.transform else None for t in found.targets] == [
        None,
        "path",
        "expression",
        "expression",
        "call",
        "literal",
        "literal",
        "literal",
        "literal",
        "literal",
    ]
    assert found.targets[3].context is None and found.targets[3].variable == "three"
    assert found.dependent is not None and [call.name for call in found.dependent.calls] == ["other", "third"]
    assert [len(found.dependent.rules or ()), found.name] == [2, "full"]


def test_list_modes_and_default_in_either_order() -> None:
    assert rule("src.a default ('x') first as v -> tgt.b;") == rule("src.a first default ('x') as v -> tgt.b;")


def test_batch() -> None:
    found = rule("src -> tgt : a, `b c`, group;")
    assert found.batch == ("a", "b c", "group")
    assert [span.snippet for span in found.batch_spans] == ["a", "`b c`", "group"]


def test_target_list_modes() -> None:
    target = rule("src -> tgt.a as x share id first;").targets[0]
    assert (target.variable, target.list_modes, target.share) == ("x", ("share", "first"), "id")
    assert rule('src -> tgt.a share "id";') == rule("src -> tgt.a share id;")


def test_negative_literals() -> None:
    transform = rule("src -> tgt.a = -1.50;").targets[0].transform
    assert transform is not None and transform.arguments[0].text == "-1.50"


@pytest.mark.parametrize(
    "word",
    [
        "map",
        "uses",
        "as",
        "alias",
        "imports",
        "group",
        "extends",
        "default",
        "where",
        "check",
        "log",
        "then",
        "types",
        "type",
        "first",
        "not_first",
        "last",
        "not_last",
        "only_one",
        "share",
        "single",
        "source",
        "target",
        "queried",
        "produced",
        "conceptmap",
        "prefix",
        "let",
        "search",
        "model",
        "from",
        "for",
        "make",
        "input",
        "endgroup",
        "true",
    ],
)
def test_every_keyword_may_name_an_element(word: str) -> None:
    found = rule(f"src.{word} as {word} where ({word}.{word} = 1) -> tgt.{word} = f({word}), tgt.{word}.x as {word};")
    assert found.sources[0].elements == (word,) and found.sources[0].variable == word
    assert found.targets[0].elements == (word,)
    if word != "true":
        assert rule(f"{word}.a -> {word}.b = {word}.c;").sources[0].context == word


@pytest.mark.parametrize(
    ("line", "message", "name"),
    [
        ('src.a as v check (v > 0) "low" -> tgt.a = v;', "low", None),
        ("src.a as v check (v > 0) 'v is too low' -> tgt.a = v \"rule\";", "v is too low", "rule"),
        ('src.a as v check (v > 0) "low" then other(v, tgt);', "low", None),
        ('src.a as v check (v > 0) "low" log (v) "rule";', "low", "rule"),
        ('src.a as v check (v > 0) log (v) "a rule";', None, "a rule"),
        ('src.a as v check (v > 0) "rule";', None, "rule"),
        ('src.a as v check (v > 0) " rule ";', None, " rule "),
        ("src.a as v check (v > 0) rule;", None, "rule"),
        ('src.a as v check (v > 0) "v is too low";', "v is too low", None),
        ('src.a as v check (v > 0) "low" "rule";', "low", "rule"),
        ('src.a as v check (v > 0) "low" rule;', "low", "rule"),
        ('src.a as v check (v > 0) "v is too low" "a rule";', "v is too low", "a rule"),
        ('src.a as v check v > 0 "v is too low";', "v is too low", None),
        ('src.b check (true) "one", src.a as v check (v > 0) "rule";', None, "rule"),
        ('src.a as v where (v > 0) "a rule";', None, "a rule"),
    ],
)
def test_the_message_of_a_check_and_the_name_of_a_rule(line: str, message: str | None, name: str | None) -> None:
    found = rule(line)
    assert (found.sources[-1].message, found.name) == (message, name)
    assert (found.sources[-1].message_span is None) == (message is None)


def test_each_source_has_its_message() -> None:
    found = rule('src.a check (x) "one", src.b check (y), src.c check (z) "three" -> tgt.a;')
    assert [source.message for source in found.sources] == ["one", None, "three"]
    assert [source.message_span.snippet for source in found.sources if source.message_span] == ['"one"', '"three"']


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ('src.a where (b) "c d" -> tgt.a;', [("FM027", "", '"c d"')]),
        ('src.a "c d", src.b -> tgt.a;', [("FM027", "", '"c d"')]),
        ('src.a "c d" check (b) -> tgt.a;', [("FM027", "", '"c d"')]),
        ('src.a check (b) log (c) "c d" -> tgt.a;', [("FM027", "", '"c d"')]),
        ('src.a check (b) "c" "d" -> tgt.a;', [("FM027", "", '"d"')]),
        ('src.a check (b) "" -> tgt.a;', [("FM027", "empty", '""')]),
        ("src.a check (b) '  ';", [("FM027", "empty", "'  '")]),
        ('src.a check "c d" -> tgt.a;', [("FM027", "condition", '"c d"')]),
        ('src.a check "c" "c d";', [("FM027", "condition", '"c"')]),
        ('src.a check (b.exists(), "c d") -> tgt.a;', [("FM027", "inside", '"c d"')]),
        ('src.a check (b) "c d" where (e) -> tgt.a;', [("FM001", "order", "where")]),
        ('src.a -> tgt.a check (b) "c d" "name";', [("FM001", "side", "check")]),
        ("src.a as v -> tgt.a = v where v.b = 1, tgt.c;", [("FM001", "side", "where")]),
        ("src.a as v -> tgt.a = v default ('x') then other(v);", [("FM001", "side", "default")]),
    ],
)
def test_texts_that_are_no_messages(line: str, faults: list[tuple[str, str, str]]) -> None:
    # The rule after it is read as it is.
    tree, diagnostics = parse(f"group main(source src, target tgt) {{ {line} src.x -> tgt.x; }}")
    shown = [(entry.code, entry.variant, entry.span.snippet if entry.span else "") for entry in diagnostics]
    assert shown == faults
    assert tree.groups[0].rules[-1].targets[0].elements == ("x",)


# --- legacy -----------------------------------------------------------------------------------------------------------


def test_conditions_without_parentheses() -> None:
    assert rule("src.a as v where v.b = 'x' check a < 2 log v -> tgt.b;") == rule(
        "src.a as v where (v.b = 'x') check (a < 2) log (v) -> tgt.b;"
    )
    assert rule("src.a where (a) and (b) -> tgt.b;") == rule("src.a where (a and b) -> tgt.b;")
    assert rule('src.a where a = "x" "name";').name == "name"


def test_positions_without_quotes_are_the_name_of_their_column() -> None:
    tree, (found,) = parse("model Row from fixed key 1..9 { id : string from 1..9 }")
    assert (found.code, found.variant, found.args["written"]) == ("FM001", "positions", "1-9")
    (model,) = tree.models
    assert model.store is not None
    assert (model.store.key, model.elements[0].column) == (("1-9",), "1-9")


def test_double_quotes() -> None:
    assert rule('src -> tgt.a = "x", tgt.b = f("y");') == rule("src -> tgt.a = 'x', tgt.b = f('y');")
    assert rule('src."-quote" -> tgt."-quote"."b c";').targets[0].elements == ("-quote", "b c")


def test_rule_names() -> None:
    assert [rule(f"src.a -> tgt.b {name};").name for name in ('"n 1"', "'n 1'", "bare-1")] == ["n 1", "n 1", "bare-1"]


def test_the_form_of_stu3() -> None:
    group = read(LEGACY).groups[1]
    assert (group.name, group.type_mode, group.extends) == ("Older", "type+", "Old")
    assert [(p.mode, p.name, p.type) for p in group.parameters] == [
        ("source", "src", "Patient"),
        ("target", "tgt", "http://x/y"),
    ]
    assert [entry.name for entry in group.rules] == ["a.b", "c"]
    inner = group.rules[1].dependent
    assert inner is not None and [entry.name for entry in inner.rules or ()] == ["d", "e"]


def test_search_sources() -> None:
    source = rule("search(Patient.name = 'x') as p -> tgt.b;").sources[0]
    assert (source.context, source.search and source.search.text) == ("@search", "Patient.name = 'x'")


# --- size -------------------------------------------------------------------------------------------------------------


def test_work_grows_with_the_length_of_the_map() -> None:
    def work(count: int) -> int:
        text = GROUP.format(
            "\n".join(f"src.a{i} as v where (v > {i}) -> tgt.b = f(v, {i}), tgt.c;" for i in range(count))
        )
        return calls(lambda: parse(text))

    work(50)
    assert work(800) < 4.4 * work(200)
