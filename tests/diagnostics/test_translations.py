"""Each page in French: the same variants and arguments as the English one, and diagnostics shown in French."""

from __future__ import annotations

from string import Formatter

import pytest

from fhirmap.diagnostics import Diagnostic, MapText, Related, Severity, Span
from fhirmap.diagnostics.catalog import Page, codes, page
from fhirmap.diagnostics.explain import explain
from fhirmap.diagnostics.render import render_diagnostic, summary
from fhirmap.texts import LANGUAGES, Text, language_of, use_language
from tests.analysis.harness import diagnose

TEXTS = ("message", "label", "hint")


def texts(found: Page, variant: str) -> dict[str, str]:
    fields = found.fields["variants"][variant] if variant else found.fields
    return {field: fields[field] for field in TEXTS if field in fields}


def arguments(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


TRANSLATED = [code for code in codes() if page(code, "fr").is_translated]


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translated_page_has_the_variants_texts_and_arguments_of_the_english_one(code: str) -> None:
    english, french = page(code, "en"), page(code, "fr")
    assert french.title != english.title
    assert french.fields.get("variants", {}).keys() == english.fields.get("variants", {}).keys()
    for variant in ("", *english.fields.get("variants", {})):
        expected, found = texts(english, variant), texts(french, variant)
        assert expected.keys() == found.keys(), variant
        for field in expected:
            assert arguments(found[field]) == arguments(expected[field]), (variant, field)
    assert len(french.prose) > 20 and french.prose != english.prose
    assert french.examples.keys() == english.examples.keys()
    assert (french.severity, french.follows_from, french.once) == (english.severity, english.follows_from, english.once)


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translated_page_holds_no_example_of_its_own(code: str) -> None:
    english, french = page(code, "en").examples, page(code, "fr").examples
    assert {info: text for info, text in french.items() if info != "text rendered"} == {
        info: text for info, text in english.items() if info != "text rendered"
    }


def test_a_diagnostic_is_shown_in_the_language_of_the_moment() -> None:
    text = MapText("m.map", "model Pose {}\n")
    span = Span(text, 6, 10)
    entry = Diagnostic(
        "FM204",
        span,
        {"type": "Pose", "name": "lott"},
        related=(Related(span, Text("labels.declared_here")),),
        meant="lot",
    )
    with language_of("fr"):
        shown = render_diagnostic(entry)
        assert shown.startswith("erreur[FM204] : ")
        assert "aide : vouliez-vous dire `lot` ?" in shown
        assert "déclaré ici" in shown
        assert "pourquoi : fhirmap explain FM204" in shown
        warning = Diagnostic("FM204", span, severity_override=Severity.WARNING)
        assert summary([entry, warning, warning], ["m.map"]) == "1 erreur, 2 avertissements dans m.map"
        assert explain("FM204").startswith("FM204 : ")
        assert "(erreur)" in explain("FM204") and "\nincorrect :\n" in explain("FM204")
    assert render_diagnostic(entry).startswith("error[FM204]: ")


def test_the_same_is_reported_in_each_language() -> None:
    text = (
        'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'
        "model Row from table 't' key 'id' { id : string 1..1  gender : string 0..1 }\n"
        "group main(source src : Row, target tgt : Patient) { src.gendr as v -> tgt.gendr = v; src -> ; }\n"
    )
    found = {}
    for code in LANGUAGES:
        with language_of(code):
            found[code] = [(entry.code, entry.span and entry.span.position, entry.meant) for entry in diagnose(text)]
    assert found["fr"] == found["en"] != []


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="xx"):
        use_language("xx")
