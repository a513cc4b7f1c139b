"""Every command's `--json` output has the keys and types that docs/reference/json.toml describes, and no others."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fhirmap.cli import COMMANDS, commands
from fhirmap.cli.journal import JOURNAL_COMMANDS
from fhirmap.cli.journal import command as journal
from tests.pace import without_limit
from tests.sinks.keys import P384, private_pem

ROOT = Path(__file__).resolve().parents[2]
DESCRIBED: dict[str, Any] = tomllib.loads((ROOT / "docs" / "reference" / "json.toml").read_text(encoding="utf-8"))
SHAPES: dict[str, Any] = DESCRIBED["shapes"]
PYTHON_TYPES = {"string": str, "boolean": bool, "null": type(None), "any": object}

# In this order, so that a later command finds what an earlier one made. `p`: the pharmacy's export, `v`: Valmorel.
RUNS = """
init --example export-pharmacie p
init --example ch-valmorel v
(no limit)
check p
check wrong.map
check twice.map
check absent
compile p
compile p -o made.py
compile coded --explain
doctor p --offline
explain
explain FM204
fmt p --check
functions
inspect p/data/export.csv
lineage p
preview p
preview coded
preview p --row 000000901
preview p --row 000000909
preview v --row 15
preview p --row 000000909 --trace
preview p --row 000000901 --trace --values
status p
run v
run stopped
report v
metrics v
audit verify v
audit verify v --head none
status v
status v --records
status v --key 25
plan v
(cancel)
plan v
run v
status v
status v --withdrawn
status v --key 1
acknowledge 1 --why cancelled --project v
run coded
(map)
plan coded
run coded
retry v --refused
keys signing
journal verify v
journal backup copy.db v
journal purge v --state accepted --older-than 1d --dry-run
run sealed
journal rekey sealed
journal restore copy.db v
journal adopt v
journal confirm v
journal migrate v
export any.map
import StructureMap.json
transform any.map any.json
transform any.map bad.json
""".strip().splitlines()
# The simulator serves until it is interrupted, a run stops early for a server that refuses it: tests/registry and
# tests/runner do that.
NOT_RUN = ("simulator", "served", "stop", "shared_identifier", "unwritten", "migration", "journal_finding")

MAP = """\
/// url = 'https://example.org/fhir/StructureMap/any'
/// name = 'Any'
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target

conceptmap "sex" {
  prefix s = "http://hl7.org/fhir/administrative-gender"
  prefix t = "urn:t"
  s:male - t:M
}

group main(source src : Patient, target tgt : Basic) {
  src.id as v check ($this != 'bad') log ('seen') -> tgt.id = v "id";
  src.gender as v -> tgt.language = translate(v, '#sex', 'code') "sex";
}
"""
CODED = """\
/// url = 'https://example.org/fhir/StructureMap/coded'
/// name = 'Coded'
model Row from csv key 'id' {
  id : string 1..1
  side : code 0..1
}
model Result {
  id : string 0..1
  side : code 0..1
}
conceptmap "side" {
  prefix s = "urn:s"
  prefix t = "urn:t"
  s:D - t:R
}
group main(source src : Row, target tgt : Result) {
  src.id as v -> tgt.id = v "id";
  src.side as v -> tgt.side = translate(v, '#side', 'code') "side";
  src where (id.combine(side).count() > 2) -> tgt.side = 'R' "goes-by-items";
}
"""

SIGNING = """\
kind = "fhir-operation"
url = "https://registry.example"
[sink.auth]
kind = "client_credentials"
method = "private_key_jwt"
client_id = "c"
private_key = { file = "key.pem" }
"""


SEALED = """\
kind = "ndjson"
path = "out.ndjson"
[journal]
encryption_keys = [{ file = "data.key" }]
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], list[str]]:
    """The keys that the runs printed, as ``shape.key``, and what of their output is not as described."""
    folder = tmp_path_factory.mktemp("outputs")
    _write_files(folder)
    met: set[str] = set()
    faults = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("FHIRMAP_LANG", "en")
        for line in RUNS:
            if line.startswith("("):
                _change(folder, line)
                continue
            words = line.split()
            done = CliRunner().invoke(commands, [*words, "--json"], standalone_mode=False)
            # What is wrong is shown by the entry point, which the runner does not go through.
            printed = done.stdout if done.exception is None else _whole_process(folder, [*words, "--json"])
            if words[0] == "export":
                (folder / "StructureMap.json").write_text(json.dumps(json.loads(printed)["resource"]), encoding="utf-8")
            type_ = f"{DESCRIBED['commands'][_command_of(line)]['type']} or wrong"
            faults += [f"$ fhirmap {line}: {fault}" for fault in unlike(json.loads(printed), type_, "", met)]
    return met, faults


def _command_of(line: str) -> str:
    words = line.split()
    return " ".join(words[:2]) if words[0] == "journal" else words[0]


def _change(folder: Path, what: str) -> None:
    """What the hospital does between two commands: it sends faster, an operation is cancelled, or the map changes."""
    if what == "(no limit)":
        without_limit(folder / "v")
    elif what == "(cancel)":
        with closing(sqlite3.connect(folder / "v" / "data" / "sih.sqlite")) as connection:
            connection.execute("UPDATE INTERVENTION SET statut = 'A' WHERE id_intervention = 1")
            connection.commit()
    else:
        file = folder / "coded" / "coded.map"
        file.write_text(file.read_text(encoding="utf-8").replace("tgt.id = v", "tgt.id = (%v & 'x')"), encoding="utf-8")


def _whole_process(folder: Path, words: list[str]) -> str:
    command = [sys.executable, "-m", "fhirmap", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=60).stdout


def _write_files(folder: Path) -> None:
    (folder / "any.map").write_text(MAP, encoding="utf-8")
    (folder / "wrong.map").write_text(MAP.replace("tgt.id", "tgt.idd"), encoding="utf-8")
    (folder / "twice.map").write_text(MAP + MAP[MAP.index("group") :], encoding="utf-8")
    (folder / "any.json").write_text('{"resourceType": "Patient", "id": "1", "gender": "other"}', encoding="utf-8")
    (folder / "bad.json").write_text('{"resourceType": "Patient", "id": "bad"}', encoding="utf-8")
    for name, sink in (
        ("coded", 'kind = "ndjson"\npath = "out.ndjson"'),
        ("signing", SIGNING),
        ("sealed", SEALED),
        ("stopped", 'kind = "fhir-transaction"\nurl = "http://127.0.0.1:9/fhir"\n[limits]\nattempts = 1'),
    ):
        (folder / name).mkdir()
        (folder / name / "coded.map").write_text(CODED, encoding="utf-8")
        (folder / name / "data.csv").write_text("sep=,\nid,side\n1,D\n2,X\n", encoding="utf-8")
        settings = f'[map]\nsource = "coded.map"\n[source]\nurl = "data.csv"\n[sink]\n{sink}\n'
        (folder / name / "fhirmap.toml").write_text(settings, encoding="utf-8")
    (folder / "sealed" / "data.key").write_text("00" * 32, encoding="utf-8")
    (folder / "signing" / "key.pem").write_text(private_pem(P384), encoding="utf-8")


def test_outputs_are_as_described(seen: tuple[set[str], list[str]]) -> None:
    assert seen[1] == []


def test_each_key_that_is_described_is_printed(seen: tuple[set[str], list[str]]) -> None:
    described = {f"{name}.{key.rstrip('?')}" for name, shape in SHAPES.items() for key in shape["keys"]}
    assert {name for name in described - seen[0] if name.partition(".")[0] not in NOT_RUN} == set()


def test_every_command_with_the_option_is_described() -> None:
    with_json = set()
    context = commands.make_context("fhirmap", ["check"])
    for name in (*COMMANDS, *(f"journal {name}" for name in JOURNAL_COMMANDS)):
        first, _, second = name.partition(" ")
        command = journal.get_command(context, second) if second else commands.get_command(context, first)
        assert command is not None
        if any("--json" in parameter.opts for parameter in command.params):
            with_json.add(name)
    assert set(DESCRIBED["commands"]) == with_json
    run = {_command_of(line) for line in RUNS if not line.startswith("(")}
    assert with_json - run == {"registry"}


def test_a_key_too_many_too_few_or_of_another_type_is_found() -> None:
    assert list(unlike({"released": 1}, "released", "", set())) == []
    assert list(unlike({"released": "1"}, "released", "", set())) == [".released: '1' is no integer"]
    assert list(unlike({"released": True}, "released", "", set())) == [".released: True is no integer"]
    assert list(unlike({"released": 1, "more": 1}, "released", "", set())) == [": keys more too many"]
    assert list(unlike({}, "released", "", set())) == [": keys released too few"]
    assert list(unlike([{"released": 1}, 2], "list of released", "", set())) == ["[1]: 2 is no released"]


# --- types as docs/reference/json.toml writes them --------------------------------------------------------------------


def unlike(value: object, type_: str, path: str, met: set[str]) -> Iterator[str]:
    """How ``value`` differs from ``type_``; what is met of shapes is added to ``met``."""
    results = []
    for form in type_.split(" or "):
        found: set[str] = set()
        faults = list(_unlike_form(value, form, path, found))
        if not faults:
            met |= found
            return
        results.append(faults)
    yield from min(results, key=len)


def _unlike_form(value: object, form: str, path: str, met: set[str]) -> Iterator[str]:
    kind, _, inner = form.partition(" of ")
    if kind == "list" and isinstance(value, list):
        for number, item in enumerate(value):
            yield from unlike(item, inner, f"{path}[{number}]", met)
    elif kind == "map" and isinstance(value, dict):
        for key, item in value.items():
            yield from unlike(item, inner, f"{path}.{key}", met)
    elif form in SHAPES and isinstance(value, dict):
        yield from _unlike_shape(value, form, path, met)
    elif form == "integer" or form == "number":
        allowed = int if form == "integer" else (int, float)
        if not isinstance(value, allowed) or isinstance(value, bool):
            yield f"{path}: {value!r} is no {form}"
    elif not isinstance(value, PYTHON_TYPES.get(form, ())):
        yield f"{path}: {value!r} is no {form}"


def _unlike_shape(value: dict[str, Any], name: str, path: str, met: set[str]) -> Iterator[str]:
    shape = SHAPES[name]
    inherited = SHAPES[shape["extends"]]["keys"] if "extends" in shape else {}
    keys = {key.rstrip("?"): (type_, key.endswith("?")) for key, (type_, _) in {**inherited, **shape["keys"]}.items()}
    if extra := sorted(value.keys() - keys):
        yield f"{path}: keys {', '.join(extra)} too many"
    if missing := sorted(key for key, (_, is_optional) in keys.items() if not is_optional and key not in value):
        yield f"{path}: keys {', '.join(missing)} too few"
    for key in value.keys() & keys:
        yield from unlike(value[key], keys[key][0], f"{path}.{key}", met)
        met.add(f"{name}.{key}")
