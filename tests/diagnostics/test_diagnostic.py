"""A diagnostic's hint: the place's own, else what was meant, else what is known, else the page's."""

from __future__ import annotations

from fhirmap.diagnostics import Cause, Diagnostic, Severity, Subject, SubjectKind
from fhirmap.diagnostics.catalog import codes, page
from fhirmap.texts import Text


def test_the_order_of_hints() -> None:
    args = {"element": "a", "column": "a"}
    assert Diagnostic("FM241", None, args).hint_text == page("FM241").text("hint", "", args)
    assert Diagnostic("FM241", None, args, known=("b", "c")).hint_text == "known here: `b`, `c`"
    assert Diagnostic("FM241", None, args, known=("b",), meant="b").hint_text == "did you mean `b`?"
    own = Text("hints.in_quotes", {"name": "a"})
    assert Diagnostic("FM241", None, args, own, meant="b").hint_text == "write it in quotes: `'a'`"


def test_severity_is_the_page_s_unless_the_place_overrides_it() -> None:
    assert Diagnostic("FM241").severity is Severity.WARNING
    assert Diagnostic("FM241", severity_override=Severity.ERROR).is_error


def test_what_a_code_follows_from_is_declared_by_its_page() -> None:
    assert Cause.MISSPELLING in Diagnostic("FM241").follows_from
    assert Diagnostic("FM001").follows_from == frozenset()
    assert {page(code).once for code in codes()} == {"", "group", "map"}


def test_a_subject_is_like_one_of_the_same_kind_and_owner() -> None:
    one = Subject(SubjectKind.ELEMENT, "gendr", frozenset(("a", "b")))
    assert one.is_like(Subject(SubjectKind.ELEMENT, "gender", frozenset(("b",))))
    assert not one.is_like(Subject(SubjectKind.ELEMENT, "gender", frozenset(("c",))))
    assert not one.is_like(Subject(SubjectKind.ELEMENT, "gender"))
    assert not one.is_like(Subject(SubjectKind.SLICE, "gender", frozenset(("a",))))
    assert Subject(SubjectKind.GROUP, "a").is_like(Subject(SubjectKind.GROUP, "b"))
