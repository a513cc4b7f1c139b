"""Pages and diagnostics in French: what has no language is that of the English page."""

from __future__ import annotations

import pytest

from fhirmap.diagnostics import Diagnostic, MapText, Related, Severity, Span
from fhirmap.diagnostics.catalog import codes, page
from fhirmap.diagnostics.explain import explain
from fhirmap.diagnostics.render import render_diagnostic, summary
from fhirmap.texts import LANGUAGES, Text, language_of, use_language
from tests.analysis.harness import diagnose


@pytest.mark.parametrize("code", codes())
def test_a_translated_page_has_the_maps_and_the_values_of_the_english_one(code: str) -> None:
    here, there = page(code, "fr"), page(code, "en")
    assert here.is_translated
    assert (here.severity, here.follows_from, here.once) == (there.severity, there.follows_from, there.once)
    english, french = there.examples, here.examples
    assert french.keys() == english.keys()
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
        assert shown.startswith("erreur[FM204]\N{NO-BREAK SPACE}: ")
        assert "aide\N{NO-BREAK SPACE}: vouliez-vous dire `lot`\N{NO-BREAK SPACE}?" in shown
        assert "déclaré ici" in shown
        assert "pourquoi\N{NO-BREAK SPACE}: fhirmap explain FM204" in shown
        warning = Diagnostic("FM204", span, severity_override=Severity.WARNING)
        assert summary([entry, warning, warning], ["m.map"]) == "1 erreur, 2 avertissements dans m.map"
        assert explain("FM204").startswith("FM204\N{NO-BREAK SPACE}: ")
        assert "(erreur)" in explain("FM204") and "\nincorrect\N{NO-BREAK SPACE}:\n" in explain("FM204")
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
