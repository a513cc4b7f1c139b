"""A transformer is a value: shared by threads, pickled by its text, written out, and never touching its record."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

import fhirmap
from fhirmap.compilation.files import shipped_folder
from fhirmap.compiler.validator.contract import contract_of
from fhirmap.interchange.packages import load_definitions

RENACOT = shipped_folder("maps") / "renacot"
RECORD = {
    "nir": "284051012345678",
    "rpps": "12345678901",
    "finess": "123456789",
    "date": "2025-03-25",
    "procedure": "19063003",
    "side": "DROITE",
    "implants": [
        {"rank": 1, "type": "PG_FEMORAL", "lot": "L1", "label": {"humanReadable": "(01)1", "problems": ["odd"]}},
        {"rank": 2, "type": "PG_BASETIBIALE", "lot": "L2", "label": {"humanReadable": "(01)2"}},
        {"rank": 3, "type": "PG_PLATEAUTIBIAL", "lot": "L3", "label": {"humanReadable": "(01)3"}},
    ],
}


def renacot() -> fhirmap.Transformer:
    definitions, _ = load_definitions([RENACOT / "definitions"])
    contract = contract_of(definitions, operation=definitions.operation("associer-implants-registre"))
    return fhirmap.compile_map(RENACOT / "renacot.map", definitions=definitions, contract=contract)


def test_a_record_in_a_resource_out() -> None:
    result = renacot()(RECORD)
    assert result.valid
    assert result.resource is not None
    parameters = result.resource["parameter"]
    assert [entry["name"] for entry in parameters[:5]] == [
        "nir", "rpps", "finessGeographique", "dateIntervention", "typeProcedure",
    ]  # fmt: skip
    assert parameters[3] == {"name": "dateIntervention", "valueDateTime": "2025-03-25"}
    assert [note.text for note in result.notes] == ["implant 1, label: odd"]


def test_the_callers_record_is_only_read() -> None:
    record = deepcopy(RECORD)
    result = renacot()(record)
    assert result.resource is not None
    result.resource["parameter"].clear()
    assert record == RECORD


def test_a_pickle_carries_the_text() -> None:
    original = renacot()
    copy = pickle.loads(pickle.dumps(original))
    assert copy.source == original.source
    assert copy.digest == original.digest
    assert copy.store == original.store
    assert copy(RECORD) == original(RECORD)


def test_a_pickled_transformer_knows_the_maps_places() -> None:
    transformer = fhirmap.compile_map(
        'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'
        "model Person { born : string }\n"
        "group person(source src : Person, target tgt : Patient) {\n"
        "  src.born as b -> tgt.birthDate = toDate(b, 'yyyy') \"born\";\n"
        "}\n"
    )
    bad = {"born": "x"}
    expected = [("FM451", "<string>:4:20")]
    assert [(fault.code, fault.position) for fault in transformer(bad).faults] == expected
    copy = pickle.loads(pickle.dumps(transformer))
    assert [(fault.code, fault.position) for fault in copy(bad).faults] == expected


def test_threads_share_one_transformer() -> None:
    transformer = renacot()
    records = [{**RECORD, "id": f"r{number}", "side": "GAUCHE" if number % 2 else "DROITE"} for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(transformer, records))
    assert found == [transformer(record) for record in records]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_map_gives_the_result_of_each_record_in_order(workers: int) -> None:
    transformer = renacot()
    records = [{**RECORD, "side": "GAUCHE" if number % 2 else "X", "date": f"{number:04}"} for number in range(450)]
    expected = [transformer(record) for record in records]
    assert list(transformer.map(iter(records), workers=workers)) == expected
    assert list(transformer.map([], workers=workers)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_map_takes_records_as_results_are_taken(workers: int) -> None:
    taken: list[int] = []

    def records() -> Iterator[dict[str, Any]]:
        for number in range(100_000):
            taken.append(number)
            yield RECORD
        raise AssertionError("so many are not asked for")

    results = renacot().map(records(), workers=workers)
    assert [next(results).valid for _ in range(3)] == [True, True, True]
    assert len(taken) <= (3 if workers == 1 else 200 * (2 * workers + 1))


@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_records_raise_comes_through(workers: int) -> None:
    def records() -> Iterator[dict[str, Any]]:
        yield from [RECORD] * 250
        raise LookupError("the records")

    results = renacot().map(records(), workers=workers)
    assert len([next(results) for _ in range(250)]) == 250
    with pytest.raises(LookupError, match="the records"):
        next(results)


def test_fewer_workers_than_one_are_a_mistake_at_once() -> None:
    with pytest.raises(ValueError, match="0"):
        renacot().map([], workers=0)


def test_the_same_map_gives_the_same_text() -> None:
    assert renacot().source == renacot().source


def test_a_written_out_module_needs_the_runtime_alone(tmp_path: Path) -> None:
    """Run where nothing but Python and the modules it names is imported: no parser, templates or database."""
    (tmp_path / "written.py").write_text(renacot().source, encoding="utf-8")
    root = str(Path(fhirmap.__file__).resolve().parent.parent)
    program = (
        "import sys, json\n"
        f"sys.path[:0] = [{root!r}, {str(tmp_path)!r}]\n"
        "import written\n"
        f"result = written._transform({RECORD!r}, False)\n"
        "third = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)\n"
        "ours = {name.split('.')[1] for name in sys.modules if name.startswith('fhirmap.')}\n"
        "print(json.dumps([result.valid, sorted(third), sorted(ours)]))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    valid, third, ours = json.loads(ran.stdout)
    assert valid
    assert not {"lark", "jinja2", "markupsafe", "sqlalchemy", "fhir", "pydantic", "click", "httpx2", "msgspec"} & set(
        third
    )
    assert not {"compiler", "analysis", "language", "model", "runner"} & set(ours)


IN_THREADS = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
sys.path[:0] = sys.argv[1:3]
import written
records = json.load(sys.stdin)
with ThreadPoolExecutor(8) as pool:
    results = list(pool.map(lambda record: written._transform(record, False), records))
is_locked = getattr(sys, "_is_gil_enabled", lambda: True)()
print(json.dumps([is_locked, [[found.valid, found.resource, len(found.faults)] for found in results]]))
"""


@pytest.mark.parametrize("python", ["python", "python3.13t", "python3.14t"])
def test_a_written_out_module_gives_the_same_in_threads_of_any_python(tmp_path: Path, python: str) -> None:
    """Those whose name ends in `t` run threads at the same time, with no lock of the interpreter around them."""
    program = sys.executable if python == "python" else shutil.which(python)
    if program is None:
        pytest.skip(f"no {python} on the PATH: a Python whose threads run at the same time")
    transformer = renacot()
    (tmp_path / "written.py").write_text(transformer.source, encoding="utf-8")
    records = [{**RECORD, "side": "GAUCHE" if number % 2 else "X", "nir": f"{number:015}"} for number in range(400)]
    root = str(Path(fhirmap.__file__).resolve().parent.parent)
    ran = subprocess.run(
        [program, "-I", "-c", IN_THREADS, root, str(tmp_path)],
        input=json.dumps(records),
        capture_output=True,
        text=True,
        check=True,
    )
    is_locked, found = json.loads(ran.stdout)
    assert is_locked is not python.endswith("t")
    expected = [transformer(record) for record in records]
    assert found == [[result.valid, result.resource, len(result.faults)] for result in expected]


def test_importing_fhirmap_imports_nothing_of_it() -> None:
    program = "import sys, fhirmap\nprint(sorted(name for name in sys.modules if name.startswith('fhirmap')))\n"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['fhirmap', 'fhirmap.version']"


RESERVED = (
    "read", "read_row", "transform", "validate", "judge", "places", "traced", "MARKS", "PLACES", "TRACE", "FILES",
    "STAMPED", "_read", "_places", "_transform", "_validate", "run", "row", "faults",
)  # fmt: skip


@pytest.mark.parametrize("word", RESERVED)
def test_a_group_may_be_called_as_what_a_transformer_offers(word: str) -> None:
    transformer = fhirmap.compile_map(
        'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'
        "model Row from csv key 'id' { id : string 1..1  born : date 0..1 }\n"
        f'group main(source src : Row, target tgt : Patient) {{ src then {word}(src, tgt) "all"; }}\n'
        f"group {word}(source src : Row, target tgt : Patient) {{\n"
        "  src.id as v -> tgt.id = v;\n"
        "  src.born as b -> tgt.birthDate = b;\n"
        "}\n"
    )
    row = {"id": "7", "born": "1951-02-03"}
    assert transformer(row).resource == {"resourceType": "Patient", "id": "7", "birthDate": "1951-02-03"}
    read = transformer.read({**row, "born": "soon"})
    assert read.values == {"id": "7"}
    assert [fault.columns for fault in read.faults] == [("born",)]
    assert transformer.places["Patient.birthDate"][1] == ("born",)
    assert transformer.validate({"resourceType": "Patient", "id": "7"}).valid


def test_reading_a_record_of_another_shape_is_a_fault_of_it() -> None:
    transformer = fhirmap.compile_map(
        'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'
        "model Row { id : string }\n"
        "group main(source src : Row, target tgt : Patient) { src.id as v -> tgt.id = v; }\n"
    )
    read = transformer.read("not a row")  # type: ignore[arg-type]
    assert (read.values, [fault.code for fault in read.faults]) == ({}, ["FM438"])


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("%src.active", "true"),
        ("1.50", "1.50"),
        ("%src.name.exists() and false", "false"),
        ("%src.name", '{"family": "É"}'),
        ("1 'kg' + 500 'g'", '{"value": "1500", "unit": "g", "system": "http://unitsofmeasure.org", "code": "g"}'),
    ],
)
def test_a_note_has_values_as_fhir_writes_them(expression: str, text: str) -> None:
    patient = 'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as'
    rules = f"src -> tgt.id = 'x'; src log ({expression});"
    transformer = fhirmap.compile_map(
        f"{patient} source\n{patient} target\ngroup main(source src : Patient, target tgt : Patient) {{ {rules} }}",
        validate=False,
    )
    found = transformer({"resourceType": "Patient", "active": True, "name": [{"family": "É"}]})
    assert [note.text for note in found.notes] == [text]
