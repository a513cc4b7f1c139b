"""Each independent error of a file is reported, at its place, and what is right around it is read."""

from __future__ import annotations

import pytest

from fhirmap.diagnostics import Diagnostic
from fhirmap.language.parser import parse, parse_expression
from tests.work import calls


def places(text: str) -> list[tuple[str, int, int]]:
    """Code, line and column of each diagnostic."""
    return [_place(entry) for entry in parse(text)[1]]


def _place(entry: Diagnostic) -> tuple[str, int, int]:
    assert entry.span is not None
    return entry.code, entry.span.line, entry.span.column


def test_many_faults_of_one_file() -> None:
    text = """import "http://x"
model Op from tabel 'X' key 'id' {
  a : string 3..1 form 'x'
  b string from 'y'
}
conceptmap "c" { prefix s = "a" unmapped eror }
group one(source src : A target tgt : B) {
  src.a => tgt.a;
  src.b -> tgt.b
  src.c whre (x) -> tgt.c;
  src.d -> tgt.d = a + 'x';
  src.e -> tgt.e = 'abc;
  src.f -> tgt.f = 'C:\\data';
  src.g 2..1 as g where ((g > 1) -> tgt.g = = g then {
    g.x -> tgt.y
  };
  src.prénom -> tgt.h;

group two(source src, target tgt) {
  src.a -> ;
}
}
uses "http://y" as source
"""
    assert places(text) == [
        ("FM004", 1, 1),
        ("FM004", 2, 15),
        ("FM007", 3, 14),
        ("FM004", 3, 19),
        ("FM001", 4, 4),
        ("FM004", 6, 42),
        ("FM163", 7, 25),
        ("FM001", 8, 9),
        ("FM002", 9, 17),
        ("FM004", 10, 9),
        ("FM015", 11, 20),
        ("FM005", 12, 20),
        ("FM006", 13, 23),
        ("FM007", 14, 9),
        ("FM018", 14, 33),
        ("FM001", 14, 45),
        ("FM002", 15, 17),
        ("FM012", 17, 7),
        ("FM003", 17, 23),
        ("FM001", 20, 12),
        ("FM024", 22, 1),
        ("FM008", 23, 1),
    ]
    tree, _ = parse(text)
    assert [group.name for group in tree.groups] == ["one", "two"]
    assert [model.name for model in tree.models] == ["Op"]


def test_what_is_right_is_read() -> None:
    tree, diagnostics = parse(
        "group g(source src, target tgt) { src.a -> = ; src.b -> tgt.b; } group h(source s, target t) { s.x -> t.y; }"
    )
    assert [entry.code for entry in diagnostics] == ["FM001"]
    assert [[rule.sources[0].elements for rule in group.rules] for group in tree.groups] == [[("b",)], [("x",)]]


@pytest.mark.parametrize(
    "text",
    [
        "group g(source s, target t) { s.a -> t.b }",
        "group g(source s, target t) { s.a -> t.b; ",
        "group g(source s, target t) { s.a -> t.b then { s.c -> t.d; ; }",
        "let a = 5 group g(source s, target t) { }",
        "group g(source s, target t) s.a -> t.b; }",
        "group g(source s, target t { s.a -> t.b; }",
    ],
)
def test_nothing_missing_is_accepted(text: str) -> None:
    assert any(entry.is_error for entry in parse(text)[1])


def test_a_quote_that_swallows_lines_is_reported_where_it_opens() -> None:
    text = "group g(source s, target t) {\n  s.a -> t.b = 'x;\n  s.c -> t.d = 'y';\n  s.e -> ;\n}\n"
    assert places(text) == [("FM005", 2, 16), ("FM001", 4, 10)]


def test_word_processor_marks() -> None:
    text = "group g(source s, target t) {\n  s.a -> t.b = “x”;\n  s.c –> t.d;\n  s.e → t.f;\n}\n"
    assert places(text) == [("FM012", 2, 16), ("FM001", 3, 7), ("FM001", 4, 7)]
    assert len(parse(text)[0].groups[0].rules) == 3


@pytest.mark.parametrize(
    "rule", ["s.a -> t.b = '\ud800';", "s.a -> t.b; // \udfff", 's.a -> t.b "\ud800";', "s.`\ud800` -> t.b;"]
)
def test_half_a_character_is_reported_wherever_it_is(rule: str) -> None:
    text = f"group G(source s, target t) {{\n{rule}\n}}"
    half = next(at for at, letter in enumerate(rule) if "\ud800" <= letter <= "\udfff")
    assert places(text) == [("FM012", 2, half + 1)]


def test_a_misspelt_keyword_is_read_as_what_it_resembles() -> None:
    tree, diagnostics = parse(
        "grop g(source s, target t) { s.a whre (x) -> t.b frst; s.c -> t.d thn { s.e -> t.f; }; }"
    )
    assert [entry.hint_text for entry in diagnostics] == [
        "did you mean `group`?",
        "did you mean `where`?",
        "did you mean `first`?",
        "did you mean `then`?",
    ]
    assert tree.groups[0].rules[0].sources[0].where is not None


def test_a_choice_suffix() -> None:
    tree, diagnostics = parse("group g(source s, target t) { s.value[x] as v -> t.value[x] = v; }")
    assert [(entry.code, entry.variant) for entry in diagnostics] == [("FM001", "choice")] * 2
    assert tree.groups[0].rules[0].sources[0].elements == ("value",)


def test_line_numbers_begin_anew_with_each_text() -> None:
    assert places("\n\n?") == places("\n\n?") == [("FM012", 3, 1)]


@pytest.mark.parametrize(
    "line", ["src.a -> ", "src.a -> tgt.b = 'x", "} ", "{ ", "\\'", '" ', "((", "group ", "/// x", "a b c d "]
)
def test_work_grows_with_the_number_of_faults(line: str) -> None:
    def work(count: int) -> int:
        return calls(lambda: parse("group g(source src, target tgt) {\n" + f"{line}\n" * count))

    work(20)
    # Open braces one in another are looked through again at each: more than in proportion, far from the square.
    assert work(200) < 9 * work(50)


def test_much_garbage() -> None:
    _, diagnostics = parse("\x01\x02%$?\n" * 10_000)
    assert diagnostics


DEEP = {
    "parentheses": "s.a -> t.b = (" + "(" * 20_000 + "1" + ")" * 20_000 + ");",
    "open parentheses": "s.a -> t.b = (" + "(" * 20_000,
    "calls": "s.a where " + "iif(" * 20_000 + "true" + ")" * 20_000 + " -> t.b;",
    "indexes": "s.a where " + "a[" * 20_000 + "1" + "]" * 20_000 + " -> t.b;",
    "signs": "s.a where " + "-" * 20_000 + "1 -> t.b;",
    "blocks": "s.a -> t.b then {" * 20_000 + "};" * 20_000,
    "open blocks": "s.a -> t.b then {" * 20_000,
}


@pytest.mark.parametrize("kind", DEEP)
def test_nesting_is_refused_where_it_is_beyond_all_limits(kind: str) -> None:
    """A fault at its place, after steps that do not grow with the square of the depth; the next group is read."""
    deep = f"group deep(source s, target t) {{ {DEEP[kind]} }}"
    tree, (fault,) = parse(f"{deep}\ngroup next(source s, target t) {{ }}")
    assert fault.span is not None and fault.span.start < 20_000
    assert (fault.code, fault.variant) == ("FM013", "blocks" if "blocks" in kind else "")
    assert [group.name for group in tree.groups] == ["next"]


def test_an_expression_nested_beyond_all_limits_is_refused() -> None:
    expression, (fault,) = parse_expression("(" * 20_000 + "1" + ")" * 20_000)
    assert expression is None and fault.code == "FM013"
