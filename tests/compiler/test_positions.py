"""A failing rule's traceback shows the map: its file, its line, carets under what failed. All of it is asserted."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

import fhirmap
from fhirmap.errors import TransformFailed

MAP = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target

model Person {
  number : string 0..1
  born   : string 0..1
}

group person(source src : Person, target tgt : Patient) {
  src.number as v -> tgt.id = v "id";
  src.born as d where ($this != 'né') -> tgt.birthDate = toDate(d, 'dd/MM/yyyy') "naissance";
  src.number as v -> tgt.language = v "language";
}
"""


def test_the_traceback_of_a_failing_rule_is_the_maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("person.map").write_text(MAP, encoding="utf-8")
    transformer = fhirmap.compile_map("person.map")
    record = {"number": "1", "born": "31/02/2025"}
    with pytest.raises(TransformFailed) as caught:
        transformer(record, strict=True)
    shown = "".join(traceback.format_exception(caught.value))
    frames = shown[shown.index('  File "person.map"') :]
    before, _, _ = frames.partition('  File "' + str(Path(fhirmap.__file__).parent))
    assert before == (
        '  File "person.map", line 10, in person\n'
        "    src.born as d where ($this != 'né') -> tgt.birthDate = toDate(d, 'dd/MM/yyyy') \"naissance\";\n"
        "                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
    )
    assert "31/02/2025" not in shown
    assert shown.endswith(
        "fhirmap.errors.TransformFailed: FM451: a text of 10 characters is not a date in the format `dd/MM/yyyy`\n"
    )


def test_a_failing_rule_is_a_fault_and_the_others_go_on() -> None:
    transformer = fhirmap.compile_map(MAP)
    result = transformer({"number": "1", "born": "31/02/2025"})
    assert result.resource == {"resourceType": "Patient", "id": "1", "language": "1"}
    (fault,) = result.faults
    assert (fault.code, fault.severity, fault.position) == ("FM451", "error", "<string>:10:42")
    assert (fault.element, fault.columns) == ("Patient.birthDate", ("born",))
    assert not result.valid


def test_maps_without_a_file_never_show_one_anothers_lines() -> None:
    first = fhirmap.compile_map(MAP)
    fhirmap.compile_map(MAP.replace("naissance", "birth").replace("group person", "\n\ngroup person"))
    with pytest.raises(TransformFailed) as caught:
        first({"born": "x"}, strict=True)
    assert "toDate(d, 'dd/MM/yyyy') \"naissance\";" in "".join(traceback.format_exception(caught.value))
