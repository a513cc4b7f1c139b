"""Another operation is a folder of data: an OperationDefinition, a target.toml and a map. Not a line of Python."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhirmap.cli import main
from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "examples" / "clinique-sainte-aubierge"

OPERATION = {
    "resourceType": "OperationDefinition",
    "url": "https://suivi.example/OperationDefinition/declarer-pose",
    "name": "DeclarerPose",
    "status": "draft",
    "kind": "operation",
    "affectsState": True,
    "code": "declarer-pose",
    "resource": ["Procedure"],
    "system": False,
    "type": True,
    "instance": False,
    "parameter": [
        {"name": "patient", "use": "in", "min": 1, "max": "1", "type": "Identifier"},
        {"name": "jour", "use": "in", "min": 1, "max": "1", "type": "date"},
        {"name": "cote", "use": "in", "min": 0, "max": "1", "type": "code"},
        {
            "name": "piece",
            "use": "in",
            "min": 3,
            "max": "4",
            "part": [
                {"name": "numero", "use": "in", "min": 1, "max": "1", "type": "string"},
                {"name": "lot", "use": "in", "min": 0, "max": "1", "type": "string"},
            ],
        },
        {"name": "recu", "use": "out", "min": 1, "max": "1", "type": "Identifier"},
    ],
}
RECEIPT = {"system": "https://suivi.example/recus", "value": "RECU-7731"}
TARGET = """map = "declarer-pose.map"
operation = "definitions/declarer-pose.json"
endpoint = "Procedure/$declarer-pose"
sink = "fhir-operation"
limit_key = "parameter.where(name = 'patient').value.system"
"""
MAP = """/// url = 'https://suivi.example/StructureMap/declarer-pose'
/// name = 'DeclarerPose'

uses "https://suivi.example/OperationDefinition/declarer-pose" alias Declaration as target
imports "https://fhirmap.dev/StructureMap/intervention"

group declaration(source src : Intervention, target tgt : Declaration) {
  src.nir as v -> tgt.parameter as p, p.name = 'patient', p.value = create('Identifier') as id,
    id.system = 'urn:oid:1.2.250.1.213.1.4.8', id.value = v "nir";
  src.date as v -> tgt.parameter as p, p.name = 'jour', p.value = v "date";
  src.side as v -> tgt.parameter as p, p.name = 'cote', p.value = v "side";
  src.implants as i -> tgt.parameter as p, p.name = 'piece' then piece(i, p) "implants";
}

group piece(source i : Implant, target p) {
  i.label.deviceIdentifier as v -> p.part as part, part.name = 'numero', part.value = v "number";
  i.lot as v -> p.part as part, part.name = 'lot', part.value = v "lot";
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "clinique"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("journal.db*", "reports", "*.csv"))
    target = folder / "declarer-pose"
    (target / "definitions").mkdir(parents=True)
    (target / "definitions" / "declarer-pose.json").write_text(json.dumps(OPERATION), encoding="utf-8")
    (target / "target.toml").write_text(TARGET, encoding="utf-8")
    (target / "declarer-pose.map").write_text(MAP, encoding="utf-8")
    settings = folder / "fhirmap.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('target = "renacot"', 'target = "./declarer-pose"'), encoding="utf-8")
    return folder


def command(arguments: list[str]) -> object:
    """Exit code of a command."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    return left.value.code


def test_its_map_is_checked_against_it(project: Path) -> None:
    assert command(["check", str(project)]) == 0
    file = project / "declarer-pose" / "declarer-pose.map"
    file.write_text(MAP.replace("p.name = 'jour', p.value = v", "p.name = 'jour', p.value = 12"), encoding="utf-8")
    assert command(["check", str(project)]) == 2


def test_its_messages_and_its_faults(project: Path) -> None:
    transform = build_engine(load_project(project)).transformer
    case = {
        "caseId": "1",
        "state": "COMPLETED",
        "patient": {"nationalId": {"type": "NIR", "value": "2500838960568", "key": "67"}},
        "procedure": {"side": 2, "codes": [{"scheme": "CCAM", "value": "NFKA007"}]},
        "startedAt": "2025-05-26T22:15:00Z",
        "devices": [{"slot": "femoral", "status": "IMPLANTED", "udi": "+ZN02TI980L0/$$3281225B3748741S"}] * 3,
    }
    result = transform(case)
    assert result.resource is not None
    assert [fault for fault in result.faults if fault.severity == "error"] == []
    names = [parameter["name"] for parameter in result.resource["parameter"]]
    assert names == ["patient", "jour", "cote", "piece", "piece", "piece"]
    assert result.resource["parameter"][1] == {"name": "jour", "valueDate": "2025-05-27"}
    few = transform(case | {"devices": [{"status": "IMPLANTED", "lot": "L"}], "startedAt": None})
    reported = {(fault.rule, fault.element.rpartition(":")[2]) for fault in few.faults if fault.severity == "error"}
    assert reported == {("required", "jour"), ("cardinality", "piece"), ("required", "numero")}


def test_a_run_sends_to_its_endpoint_and_keeps_what_it_answers(
    project: Path, raw_server: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    body = json.dumps({"resourceType": "Parameters", "parameter": [{"name": "recu", "valueIdentifier": RECEIPT}]})
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n\r\n"
    server = raw_server((head + body).encode())
    settings = project / "fhirmap.toml"
    text = settings.read_text(encoding="utf-8")
    there = f'url = "{server.url}/fhir"\nauth.kind = "none"\n[limits]\nrate_per_s = 100'
    settings.write_text(text.replace('url = "simulator"', there), encoding="utf-8")
    assert command(["preview", str(project), "--all", "--records", str(project / "lines.csv")]) == 1
    with (project / "lines.csv").open(encoding="utf-8", newline="") as lines:
        ready = sum(row["verdict"].startswith("sendable") for row in csv.DictReader(lines, delimiter=";"))
    assert ready > 0
    command(["run", str(project)])
    assert f"accepted {ready} " in " ".join(capsys.readouterr().out.split())
    assert {request.split(b" ")[1] for request in server.requests} == {b"/fhir/Procedure/$declarer-pose"}
    with (project / "renacot.csv").open(encoding="utf-8", newline="") as archive:
        assert archive.read().count(RECEIPT["value"]) == ready
