"""`fhirmap lineage`: columns and rules of each element, for a project, a map without models and a StructureMap."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import in_process

ROOT = Path(__file__).resolve().parents[2]
NESTED = """\
/// url = 'https://tiny.example/StructureMap/nested'
uses "http://hl7.org/fhir/StructureDefinition/QuestionnaireResponse" alias QR as source
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
group main(source src : QR, target tgt : Basic) {
  src.item as i where (linkId = 'a' and answer.value.exists()) -> tgt.extension as e, e.url = 'urn:x:a' then {
    i.answer as a -> e.value = (%a.item.where(linkId = 'deep').text.first()) "deep";
    i.text as t -> e.id = t "text";
  } "item";
}
"""


def test_a_project_leads_through_both_stages_to_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    done = in_process("lineage", ROOT / "examples" / "ch-valmorel")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].split() == ["element", "from", "rules"]
    nir = next(line for line in lines if line.startswith("Parameters.parameter:nir.value[x] "))
    assert "PATIENT.nir, PATIENT.cle_nir" in nir
    before, after = nir.split(" -> ")
    assert "valmorel.map:" in before and "renacot.map:" in after
    assert not any(line != line.rstrip() for line in lines)


def test_what_is_too_wide_for_the_screen_is_on_several_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = in_process("lineage", ROOT / "examples" / "ch-valmorel").out.splitlines()
    assert max(map(len, lines)) <= 80
    at = lines.index("Parameters.parameter:nir.value[x]")
    assert lines[at + 1 : at + 3] == [
        "    <- PATIENT.nir, PATIENT.cle_nir   (if: INTERVENTION.statut,",
        "       ACTE_CCAM.code_ccam)",
    ]
    assert lines[at + 3].startswith("    valmorel.map:") and " -> renacot.map:" in lines[at + 3]


def test_as_json() -> None:
    done = in_process("lineage", ROOT / "examples" / "ch-valmorel", "--json")
    (nir,) = json.loads(done.out)["elements"]["Parameters.parameter:nir.value[x]"]
    assert nir["columns"] == ["PATIENT.nir", "PATIENT.cle_nir"]
    assert [entry["rule"] for entry in nir["before"]] == ["nir"]


def test_a_map_without_models_shows_source_elements(tmp_path: Path) -> None:
    file = tmp_path / "nested.map"
    file.write_text(NESTED, encoding="utf-8")
    found = json.loads(in_process("lineage", file, "--json").out)["elements"]
    (deep,) = found["Basic.extension.value[x]"]
    assert deep["elements"] == ["QuestionnaireResponse.item.answer.item.text"]
    assert deep["conditions"] == [
        "QuestionnaireResponse.item.linkId",
        "QuestionnaireResponse.item.answer.value",
        "QuestionnaireResponse.item.answer.item.linkId",
    ]
    (made,) = found["Basic.extension"]
    assert made["elements"] == ["QuestionnaireResponse.item"]
    assert made["conditions"] == ["QuestionnaireResponse.item.linkId", "QuestionnaireResponse.item.answer.value"]
    assert found["Basic.extension.url"][0]["elements"] == []


def test_a_wrong_map_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "nested.map"
    file.write_text(NESTED.replace("tgt.extension", "tgt.extnsion"), encoding="utf-8")
    done = in_process("lineage", file)
    assert done.code == 2
    assert "did you mean `extension`?" in done.err
