"""The command as a person runs it, a small project to break, and a receiver that answers whatever a test wants."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

PYTHON = [sys.executable, "-m", "fhirmap"]
NIR = "151024610204372"


def unfolded(shown: str) -> str:
    """What was written as one line: lines that are too long for a screen go on in the next one."""
    return " ".join(shown.split())


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    def reported(self, code: str, exit_code: int, *names: str) -> Done:
        """It stopped with this fault and exit code, named these things, and did not break."""
        assert "Traceback" not in self.out + self.err
        assert self.code == exit_code, self
        assert f"error[{code}]" in self.err, self
        shown = unfolded(self.err)
        for name in names:
            assert name in shown, (name, self)
        return self


def in_process(*arguments: str | Path) -> Done:
    """The command, where a process of its own would add nothing."""
    from fhirmap.cli import main

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return Done(int(left.value.code or 0), out.getvalue(), err.getvalue())


def start(*arguments: str | Path, env: Mapping[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
    """The command as a process that goes on."""
    return subprocess.Popen(
        [*PYTHON, *(str(argument) for argument in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, **(env or {})},
        **options,
    )


def as_process(*arguments: str | Path, env: Mapping[str, str] | None = None, **options: Any) -> Done:
    """The command as a process, to its end."""
    process = start(*arguments, env=env, **options)
    out, err = process.communicate(timeout=120)
    return Done(process.returncode, out, err)


SEVERAL = """
import contextlib, io, json, sys
from fhirmap.cli import main
found = []
for arguments in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as left:
            found.append((left.code or 0, out.getvalue(), err.getvalue()))
json.dump(found, sys.stdout)
"""


def several(*commands: Sequence[str | Path], before: Sequence[str] = ()) -> list[Done]:
    """Several commands in one process, whose command line begins with ``before``: with other rights, other mounts."""
    listed = json.dumps([[str(argument) for argument in command] for command in commands])
    command = [*before, sys.executable, "-c", SEVERAL, listed]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    return [Done(*entry) for entry in json.loads(done.stdout)]


@pytest.fixture(autouse=True)
def _tries_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command of this process that finds no identity server asks again without waiting."""
    from fhirmap.sinks.oauth import TokenSource

    defaults = TokenSource.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "sleep", lambda _: None)


# ---- a project -------------------------------------------------------------------------------------------------------

STORES = {
    "sqlite": "table 'STAY' key 'id'",
    "csv": "csv key 'id' delimiter ';'",
    "json": "json path 'stays' key 'id'",
}
_MAP = """\
/// url = 'https://tiny.example/fhir/StructureMap/tiny'
/// name = 'Tiny'

uses "http://hl7.org/fhir/StructureDefinition/Parameters" alias Parameters as target

model Stay from {store} {{
  id   : string 1..1 from 'id'
  nir  : string 1..1 from 'nir'
  name : string 0..1 from 'name'
  born : date   0..1 from 'born' format 'yyyy-MM-dd'
  lot  : string 0..1 from 'lot'
}}
{declarations}
group tiny(source src : Stay, target tgt : Parameters) {{
  src.nir as v{note} -> tgt.parameter as p, p.name = 'nir', p.value = v "nir";
  src.name as v -> tgt.parameter as p, p.name = 'name', p.value = v "name";
  src.born as v -> tgt.parameter as p, p.name = 'born', p.value = v "born";
  src.lot as v -> tgt.parameter as p, p.name = 'lot', p.value = v "lot";
{rules}}}
"""


def tiny_map(store: str, *, note: str = "", rules: str = "", declarations: str = "") -> str:
    """The map of stays in a store, with a note about each number, rules and declarations besides."""
    return _MAP.format(store=store, note=note and f" {note}", rules=rules, declarations=declarations)


FILES = {"sqlite": "stays.sqlite", "csv": "stays.csv", "json": "stays.json"}
COLUMNS = ("id", "nir", "name", "born", "lot")
ROWS: list[tuple[str | None, ...]] = [
    ("1", NIR, "DURAND", "1951-02-03", "L1001"),
    ("2", "260057523800129", "MARTIN", "1960-05-04", "L1002"),
    ("3", "175127511100173", "PETIT", "1975-12-05", "L1003"),
]


@dataclass
class Tiny:
    """A small project: three stays, no contract, written to a file unless a receiver is given."""

    folder: Path
    kind: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / FILES[self.kind]

    @property
    def sent(self) -> list[dict[str, Any]]:
        """What the file sink holds."""
        path = self.folder / "out.ndjson"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    @property
    def ledger(self) -> dict[str, int]:
        """The last run's, from its report."""
        page = max((self.folder / "reports").glob("*.json"))
        found: dict[str, int] = json.loads(page.read_text(encoding="utf-8"))["ledger"]
        return found

    def configure(self, **sections: str) -> Tiny:
        """Writes the project file; each section's text replaces or adds to what it has."""
        self.settings.update(sections)
        lines = []
        for name, text in self.settings.items():
            lines += [f"[{name.replace('__', '.')}]", text, ""]
        (self.folder / "fhirmap.toml").write_text("\n".join(lines), encoding="utf-8")
        return self

    def write(self, rows: Sequence[tuple[str | None, ...]]) -> Tiny:
        """Writes the source's rows."""
        self.data.unlink(missing_ok=True)
        if self.kind == "sqlite":
            with sqlite3.connect(self.data) as connection:
                connection.execute("create table STAY (id text primary key, nir text, name text, born text, lot text)")
                connection.executemany("insert into STAY values (?, ?, ?, ?, ?)", rows)
            connection.close()
        elif self.kind == "csv":
            lines = [";".join(COLUMNS), *(";".join(cell or "" for cell in row) for row in rows)]
            self.data.write_text("\n".join(lines) + "\n", encoding="utf-8")
        else:
            stays = [{name: cell for name, cell in zip(COLUMNS, row, strict=True) if cell is not None} for row in rows]
            self.data.write_text(json.dumps({"stays": stays}), encoding="utf-8")
        return self

    def to(self, url: str, *, auth: str = "", tls: str = "", limits: str = "", **more: str) -> Tiny:
        """Sends to a receiver, quickly and without a second try unless asked."""
        sections = {
            "sink": f'kind = "fhir-operation"\nurl = "{url}"\ntimeout_s = 30\nconnect_timeout_s = 10',
            "limits": limits or "rate_per_s = 500\nattempts = 1\nbackoff_s = 0",
            **more,
        }
        if auth:
            sections["sink__auth"] = auth
        if tls:
            sections["sink__tls"] = tls
        return self.configure(**sections)


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Tiny]:
    """``tiny("csv")``: a project in a folder of its own."""

    def make(kind: str = "sqlite", folder: Path | None = None) -> Tiny:
        folder = folder or tmp_path / f"tiny-{kind}"
        folder.mkdir(parents=True)
        (folder / "tiny.map").write_text(tiny_map(STORES[kind]), encoding="utf-8")
        found = Tiny(folder, kind).write(ROWS)
        url = f"sqlite:///{FILES[kind]}" if kind == "sqlite" else FILES[kind]
        return found.configure(
            project='name = "tiny"',
            map='source = "tiny.map"',
            source=f'url = "{url}"',
            sink='kind = "ndjson"\npath = "out.ndjson"',
        )

    return make


# ---- a receiver ------------------------------------------------------------------------------------------------------

Answer = tuple[int, bytes, str]
"""Status, body, content type."""


def token(text: str = "a-token") -> Answer:
    return 200, json.dumps({"access_token": text, "token_type": "Bearer", "expires_in": 3600}).encode(), "json"


def accepted(number: int) -> Answer:
    parameters = [{"name": "idRegistre", "valueIdentifier": {"system": "urn:registry", "value": f"R-{number:05}"}}]
    return 200, json.dumps({"resourceType": "Parameters", "parameter": parameters}).encode(), "fhir+json"


def outcome(status: int, words: str, expression: str = "") -> Answer:
    issue = {"severity": "error", "code": "processing", "diagnostics": words}
    found = {
        "resourceType": "OperationOutcome",
        "issue": [issue | ({"expression": [expression]} if expression else {})],
    }
    return status, json.dumps(found).encode(), "fhir+json"


@dataclass
class Receiver:
    """A registry and an identity server on loopback."""

    url: str
    token_url: str
    received: list[bytes]
    tokens_asked: list[bytes]
    port: int

    def auth(self, secret: str = '"${TINY_SECRET}"') -> str:
        return (
            f'kind = "client_credentials"\ntoken_url = "{self.token_url}"\nclient_id = "tiny"\n'
            f'client_secret = {secret}\nscope = "implant"'
        )


Answering = Callable[[int, bytes], Answer]


@pytest.fixture
def receiver() -> Iterator[Callable[..., Receiver]]:
    """``receiver(answer, token=…, context=…)``: ``answer(number, body)`` to each declaration; TLS with a context."""
    started: list[ThreadingHTTPServer] = []

    def make(
        answer: Answering = lambda number, _body: accepted(number),
        *,
        identity: Answering = lambda _number, _body: token(),
        context: ssl.SSLContext | None = None,
    ) -> Receiver:
        received: list[bytes] = []
        asked: list[bytes] = []
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # an answer is written in two parts

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                of_token = self.path.startswith("/token")
                with lock:
                    held = asked if of_token else received
                    held.append(body)
                    number = len(held)
                status, content, kind = (identity if of_token else answer)(number, body)
                self.send_response(status)
                self.send_header("Content-Type", kind if "/" in kind else f"application/{kind}")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that does not trust us hangs up

        server = Server(("127.0.0.1", 0), Handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        started.append(server)
        port = server.server_address[1]
        base = f"{'https' if context else 'http'}://127.0.0.1:{port}"
        return Receiver(f"{base}/fhir", f"{base}/token", received, asked, port)

    yield make
    for server in started:
        server.shutdown()
        server.server_close()
