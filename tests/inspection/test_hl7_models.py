"""Models of messages of HL7 v2: segments, components, repetitions; nothing of a patient."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from tests.inspection.written import inspected, models_of, round_trip
from tests.sources.files.hl7_exports import message

PATIENT = "PID|1||7001^^^CH&1.2^PI~2491138970617^^^NIR^INS~X^^^Y^ZZZ9||DUVAL^Anne^^^^^L||19491108|F"


def order(number: str, kind: str = "20250317081500") -> str:
    return f"OBR|1||C-{number}^BLOC|NEKA020|||{kind}"


def test_segments_and_components_become_elements(tmp_path: Path) -> None:
    path = tmp_path / "lot.hl7"
    content = message(PATIENT, order("1"), "OBX|1|ST|A^Cup||X1", "OBX|2|ST|B^Stem||X2^L") + message(
        PATIENT, order("2"), "OBX|1|ST|A^Cup||X3", number="2"
    )
    path.write_text(content, encoding="utf-8", newline="")
    text = inspected(str(path), name="Operation")
    operation, result = models_of(text)
    assert operation.store is not None
    assert (operation.name, operation.store.kind, operation.store.key) == ("Operation", "hl7", ("OBR.3.1",))
    assert operation.store.latest is None
    found = {element.name: (element.column, element.type, element.format) for element in operation.elements}
    assert found["fillerOrder"] == ("OBR.3.1", "string", None)
    assert found["familyName"] == ("PID.5.1", "string", None)
    assert found["birthDate"] == ("PID.7", "date", "hl7")
    assert found["startedAt"] == ("OBR.7", "dateTime", "hl7")
    assert found["ins"] == ("PID.3[5=INS].1", "string", None)
    assert found["obxs"] == ("OBX", "Obx", None)
    assert not {"PID.1", "OBR.1", "MSH.1", "MSH.11"} & {element.column for element in operation.elements}
    # A type of identifier that HL7's table has not may be anything: it is not shown.
    assert found["identifiers"] == ("PID.3.1", "string", None)
    assert "ZZZ9" not in text
    assert {element.column for element in result.elements} == {"2", "3.1", "3.2", "5.1", "5.2"}
    first, second = round_trip(str(path), text)
    assert (first["ins"], first["startedAt"]) == ("2491138970617", "2025-03-17T08:15:00+01:00")
    assert [entry["valueCode"] for entry in first["obxs"]] == ["X1", "X2"]
    assert [entry["valueCode"] for entry in second["obxs"]] == ["X3"]


def test_no_value_is_written(tmp_path: Path) -> None:
    path = tmp_path / "lot.hl7"
    path.write_text(message(PATIENT, order("1")), encoding="utf-8")
    text = inspected(str(path))
    assert not [
        value for value in ("DUVAL", "Anne", "7001", "2491138970617", "1949", "NEKA020", "C-1") if value in text
    ]


def test_messages_that_replace_others_have_a_revision(tmp_path: Path) -> None:
    path = tmp_path / "lot.hl7"
    content = "".join(message(order(number), number=str(place)) for place, number in enumerate("1213", 1))
    path.write_text(content, encoding="utf-8")
    (model,) = models_of(inspected(str(path)))
    assert model.store is not None and model.store.latest is not None
    assert (model.store.key, model.store.latest.column) == (("OBR.3.1",), "MSH.7")


@pytest.mark.parametrize("segment", ["PID|1||7", "OBR|1||A", "OBR|1||A\rOBR|2||B"])
def test_the_key_is_what_each_message_has_once(tmp_path: Path, segment: str) -> None:
    path = tmp_path / "lot.hl7"
    path.write_text(message(segment) + message("PID|1||8", number="2"), encoding="utf-8", newline="")
    model = models_of(inspected(str(path)))[0]
    assert model.store is not None
    assert (model.store.key, model.store.latest) == (("MSH.10",), None)


@pytest.mark.parametrize(
    ("texts", "kind", "zone"),
    [
        (("20250317", "19491108"), "date", None),
        (("20250317", "20250317081500"), "dateTime", "Europe/Paris"),
        (("20250317081500+0100", "20250318"), "dateTime", None),
        (("20250317081500.123",), "dateTime", "Europe/Paris"),
        (("12345678", "23456789"), "string", None),
        (("2025", "2024"), "string", None),
        (("20250317", "x"), "string", None),
    ],
)
def test_times_are_found_by_what_they_are(tmp_path: Path, texts: tuple[str, ...], kind: str, zone: str | None) -> None:
    path = tmp_path / "lot.hl7"
    content = "".join(message(f"PID|1||||||{text}", number=str(number)) for number, text in enumerate(texts))
    path.write_text(content, encoding="utf-8")
    (model,) = models_of(inspected(str(path)))
    element = next(element for element in model.elements if element.column == "PID.7")
    assert (element.type, element.zone) == (kind, zone)
    assert element.format == ("hl7" if kind != "string" else None)


def test_a_text_file_of_messages_is_named_by_its_scheme(tmp_path: Path) -> None:
    path = tmp_path / "dump.txt"
    path.write_text(message(PATIENT), encoding="utf-8")
    assert models_of(inspected(f"hl7://{path}"))[0].name == "Dump"


def test_a_file_without_a_whole_message_has_no_model(tmp_path: Path) -> None:
    path = tmp_path / "a.hl7"
    path.write_text("MSH|", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        inspected(str(path))
    assert caught.value.code == "FM750"
