"""The source and the sink of the documentation: they keep their contracts, and a project runs with them installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fhirmap.extending import Address, ConfigError, ReceiptState, SinkSettings
from fhirmap.testing import check_sink, check_source, envelope_of, plan_of
from tests.plugins.installed import EXAMPLES, install

MODEL = "model Stay from csv key 'section' { section : string 1..1  born : date 0..1 }"
MAP = (
    'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'
    f"{MODEL}\n"
    "group main(source src : Stay, target tgt : Patient) {\n"
    '  src.section as v -> tgt.id = v "id";\n'
    '  src.born as b -> tgt.birthDate = b "born";\n'
    "}\n"
)
STAYS = "[12]\nborn = 1951-02-03\n\n[13]\nborn = 1960-11-30\n\n[14]\nborn = soon\n"


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ini-source", "webhook-sink"):
        monkeypatch.syspath_prepend(str(EXAMPLES / name))


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """An address that takes what has an id of 12, does not want 13, and is busy for all others."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append({"id": body["id"], "secret": self.headers.get("X-Secret", "")})
            status = {"12": 201, "13": 422}.get(body["id"], 503)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_source_keeps_its_contract(modules: None, tmp_path: Path) -> None:
    from fhirmap_ini import IniFile

    file = tmp_path / "stays.ini"
    file.write_text(STAYS, encoding="utf-8")
    check_source(IniFile, Address("ini", "stays.ini", path=file), plan_of(MODEL), keys=["12", "13", "14"])
    by_birth = plan_of(MODEL.replace("key 'section'", "key 'born'"))
    file.write_text("[12]\nborn = 1951-02-03\n[13]\nborn =\n", encoding="utf-8")
    found = list(IniFile(Address("ini", "stays.ini", path=file), by_birth).records())
    assert [(record.key, len(record.faults)) for record in found] == [("1951-02-03", 0), ("", 1)]


def test_what_the_source_cannot_read_is_named_without_a_value(modules: None, tmp_path: Path) -> None:
    from fhirmap_ini import IniFile

    file = tmp_path / "stays.ini"
    for content, code in ((None, "FM701"), ("born = 1951-02-03\n", "FM702")):
        if content:
            file.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            IniFile(Address("ini", "stays.ini", path=file), plan_of(MODEL))
        assert (caught.value.code, "1951" in str(caught.value)) == (code, False)
    file.write_text("[12]\nnot_born = x\n", encoding="utf-8")
    lacking = IniFile(Address("ini", "stays.ini", path=file), plan_of(MODEL)).check()
    assert [(entry.code, entry.args["column"]) for entry in lacking] == [("FM704", "born")]


def test_the_sink_keeps_its_contract(modules: None, receiver: tuple[str, list[dict[str, str]]]) -> None:
    from fhirmap_webhook import open_sink

    envelopes = [envelope_of({"resourceType": "Patient", "id": name}, name) for name in ("12", "13", "14")]
    states = (ReceiptState.ACCEPTED, ReceiptState.REFUSED, ReceiptState.DEFERRED)
    address, seen = receiver
    settings = SinkSettings("webhook", f"http://hook:hunter2@{address}/in")
    check_sink(open_sink, settings, list(zip(envelopes, states, strict=True)), secrets=["hunter2"])
    assert {entry["secret"] for entry in seen} == {"hunter2"}
    unreachable = SinkSettings("webhook", "http://127.0.0.1:1/in")
    check_sink(open_sink, unreachable, [(envelopes[0], ReceiptState.DEFERRED)])
    with pytest.raises(ConfigError) as caught:
        open_sink(SinkSettings("webhook", "ftp://hook:hunter2@host"))
    assert "hunter2" not in str(caught.value)


def test_a_project_runs_with_both_installed(tmp_path: Path, receiver: tuple[str, list[dict[str, str]]]) -> None:
    address, seen = receiver
    place = tmp_path / "site"
    place.mkdir()
    for name in ("ini-source", "webhook-sink"):
        install(name, place)
    project = tmp_path / "hospital"
    project.mkdir()
    (project / "stays.map").write_text(MAP, encoding="utf-8")
    (project / "stays.ini").write_text(STAYS, encoding="utf-8")
    (project / "fhirmap.toml").write_text(
        '[map]\nsource = "stays.map"\n[source]\nurl = "ini://stays.ini"\n'
        f'[sink]\nkind = "webhook"\nurl = "http://hook:${{HOOK_SECRET}}@{address}/in"\n[limits]\nattempts = 1\n',
        encoding="utf-8",
    )
    paths = os.pathsep.join([str(place), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    surroundings = {**os.environ, "PYTHONPATH": paths, "HOOK_SECRET": "hunter2"}
    found = {}
    for command in ("check", "run", "status"):
        ran = subprocess.run(
            [sys.executable, "-m", "fhirmap", command, str(project), "--json"],
            capture_output=True,
            text=True,
            env=surroundings,
        )
        assert "hunter2" not in ran.stdout + ran.stderr
        found[command] = json.loads(ran.stdout)
    assert found["check"]["diagnostics"] == []
    assert {entry["id"] for entry in seen} == {"12", "13"}
    assert {entry["secret"] for entry in seen} == {"hunter2"}
    states = found["status"]["states"]
    assert (states["accepted"], states["refused"], states["invalid"]) == (1, 1, 1), states
