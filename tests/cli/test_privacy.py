"""No patient's value and no secret leaves by another door than the payload: everything a run writes is searched."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import (
    STORES,
    Done,
    Receiver,
    Tiny,
    accepted,
    as_process,
    in_process,
    outcome,
    start,
    tiny_map,
    token,
)

Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]

NIRS = [
    "151024610204372",
    "260057523800129",
    "175127511100173",
    "188017938811152",
    "293058123456742",
    "154039940112201",
]
PEOPLE = ["CANARYUS", "Canarisse", "O'Canary", "CANARDEAU", "Zcanarÿ", "CANARELLO"]
BORN = ["1907-03-09", "1909-08-07", "07/08/1911", "1913-10-11", "1914-12-13", "1915-01-16"]
LOTS = ["LOTCANARY01", "(01)02999600100013(17)300511(10)LOTCANARY02", "KNLT03", "KNLT04", "KNLT05", "KNLT06"]
SECRETS = {
    "TINY_SECRET": "Canary:s3cret%+é",
    "TINY_TOKEN_NOTE": "canary-token-0123456789abcdef",
    "TINY_DB": "Canary-db-pw",
    "TINY_PROXY": "Canary-proxy-pw",
}


def spellings() -> Iterator[str]:
    """Each value in the forms in which it might get out."""
    for nir in NIRS:
        yield nir
        yield nir[:13]
        yield f"{nir[0]} {nir[1:3]} {nir[3:5]} {nir[5:7]} {nir[7:10]} {nir[10:13]}"
    for born in BORN:
        yield born
        if "-" in born:
            yield "/".join(reversed(born.split("-")))
    yield from PEOPLE
    yield from LOTS
    yield "02999600100013"
    yield from SECRETS.values()
    yield "Canary%3As3cret"
    yield "canary"  # whatever we have not thought of


def searched(done: Done, where: str, *allowed: str) -> None:
    found_in(done.out, f"{where}: stdout", *allowed)
    found_in(done.err, f"{where}: stderr", *allowed)


def found_in(text: str, where: str, *allowed: str) -> None:
    folded = text.casefold()
    for value in spellings():
        assert value.casefold() not in folded, (where, value, text[max(0, folded.find(value.casefold()) - 200) :][:400])


def searched_files(folder: Path, *allowed: Path) -> None:
    """Every file below, but for the hospital's own and the journal, which is 0600."""
    for path in folder.rglob("*"):
        if path.is_file() and path not in allowed and not path.name.startswith("journal.db"):
            found_in(path.read_bytes().decode("utf-8", "replace"), str(path))
        found_in(path.name, "a file's name")


MAP = tiny_map(
    STORES["sqlite"],
    note="""\
log ('number ' & v & ', ' & v.substring(0, 1) & ' ' & v.substring(1, 2) & ' ' & v.substring(3, 2) & ' '
      & v.substring(5, 2) & ' ' & v.substring(7, 3) & ' ' & v.substring(10, 3))""",
    rules="""\
  src.name as v where ($this = 'CANARDEAU')
    -> tgt.parameter as p, p.name = 'number', p.value = (%v.toInteger().combine(1).single()) "number";
  src.name as v where ($this = 'CANARELLO') -> tgt.parameter as p, p.name = 'cast', p.value = cast(v, 'integer') "cast";
  src.name as v where ($this = 'CANARELLO')
    -> tgt.parameter as p, p.name = 'coded', p.value = translate(v, '#names', 'code') "translate";
  src.lot as v -> tgt.parameter as p, p.name = 'lot', p.value = (parseUdi(%v, 'x', 'y').lot) "udi";
  src.lot as v where (nirWithKey($this, 'x').exists()) -> tgt.parameter as p, p.name = 'key', p.value = v "key";
""",
    declarations="""
conceptmap "names" {
  prefix s = "urn:names"
  prefix t = "urn:others"
  unmapped error
  s:A - t:B
}
""",
)


def quoting(number: int, body: bytes) -> Any:
    """A registry that repeats what it was sent, in other spellings."""
    values = {p["name"]: p.get("valueString", p.get("valueDate", "")) for p in json.loads(body)["parameter"]}
    nir, name, born = values["nir"], values.get("name", ""), values.get("born", "")
    spaced = f"{nir[0]} {nir[1:3]} {nir[3:5]} {nir[5:7]} {nir[7:10]} {nir[10:13]} {nir[13:]}"
    french = "/".join(reversed(born.split("-")))
    lot = values.get("lot", "")
    words = f"Patient {name.lower()} ({nir}, {spaced}, {nir[:13]}) né le {french} / {born}: lot {lot} inconnu"
    if number == 2:
        return 500, words.encode(), "text/plain"
    if number == 3:
        return 200, f"<html>{words}</html>".encode(), "text/html"
    return outcome(422 if number % 2 else 400, words, f"Parameters.parameter.where(value='{nir}').value")


@pytest.fixture
def canary(tiny: Make, receiver: Receiving, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Tiny]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()

    def make(answer: Any = quoting) -> Tiny:
        at = receiver(answer, identity=lambda _n, _b: token(SECRETS["TINY_TOKEN_NOTE"]))
        project = tiny().to(
            at.url,
            auth=at.auth(),
            limits="rate_per_s = 500\nattempts = 2\nbackoff_s = 0",
            archive__csv='path = "recu.csv"',
        )
        (project.folder / "tiny.map").write_text(MAP, encoding="utf-8")
        return project.write([(str(n), *row) for n, row in enumerate(zip(NIRS, PEOPLE, BORN, LOTS, strict=True))])

    return make


def test_a_run_with_every_fault_and_debug_on(canary: Callable[..., Tiny], tmp_path: Path) -> None:
    project = canary()
    done = as_process("run", project.folder, "--debug", "--log-format", "json")
    assert done.code == 1, done
    assert "answered" in done.err
    assert "refused" in done.out
    assert "invalid" in done.out
    searched(done, "run --debug")
    commands = [
        ["status"],
        ["status", "--records"],
        ["status", "--records", "--json"],
        ["status", "--json"],
        *(["status", "--key", str(key), *more] for key in range(6) for more in ((), ("--json",))),
        ["report"],
        ["report", "--json"],
        ["doctor"],
        ["doctor", "--json"],
        ["check"],
        ["check", "--json"],
        ["preview"],
        ["preview", "--json"],
        ["preview", "--records", str(tmp_path / "records.csv")],
        ["retry", "--refused", "--json"],
        ["run", "--json"],
    ]
    for name, *more in commands:
        searched(in_process(name, project.folder, *more), " ".join([name, *more]))
    searched_files(project.folder, project.data, project.folder / "tiny.map")
    searched_files(tmp_path / "tmp")
    found_in((tmp_path / "records.csv").read_text(encoding="utf-8"), "preview --records")


def test_a_row_shown_is_the_one_place_for_values(canary: Callable[..., Tiny]) -> None:
    project = canary()
    assert PEOPLE[0] in in_process("preview", project.folder, "--row", "0").out


def test_a_process_killed_leaves_nothing_but_its_journal(canary: Callable[..., Tiny], tmp_path: Path) -> None:
    def slow(number: int, _body: bytes) -> Any:
        time.sleep(0.5)
        return accepted(number)

    project = canary(slow)
    process = start("run", project.folder, "--debug")
    journal = project.folder / "journal.db"
    deadline = time.monotonic() + 20
    while not (journal.exists() and journal.stat().st_size > 50_000) and time.monotonic() < deadline:
        time.sleep(0.02)
    for path in project.folder.glob("journal.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    process.send_signal(signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    searched(Done(process.returncode, out, err), "killed")
    searched_files(project.folder, project.data, project.folder / "tiny.map")
    searched_files(tmp_path / "tmp")
    assert {stat.S_IMODE(path.stat().st_mode) for path in project.folder.glob("journal.db*")} == {0o600}


def test_reports_are_for_their_owner_alone(tiny: Make) -> None:
    project = tiny()
    assert in_process("run", project.folder).code == 0
    assert {stat.S_IMODE(path.stat().st_mode) for path in (project.folder / "reports").iterdir()} == {0o600}
    assert stat.S_IMODE((project.folder / "out.ndjson").stat().st_mode) == 0o600


def test_a_project_file_that_is_wrong_where_its_secrets_are(tiny: Make) -> None:
    project = tiny().to(
        "http://user:Canary-url@127.0.0.1:9/fhir",
        auth='kind = "client_credentials"\nclient_secret = "Canary-1"\nclient_secrt = "Canary-2"\nmethod = "Canary"',
        source='url = "postgresql://reader:Canary-3@127.0.0.1:9/x"\npasword = "Canary-4"',
    )
    for command in ("run", "check", "doctor", "preview", "status"):
        done = in_process(command, project.folder)
        assert done.code == 2
        assert "FM732" in done.out + done.err
        found_in((done.out + done.err).replace('"Canary"', ""), command)
        found_in(in_process(command, project.folder, "--json").out.replace('Canary"', ""), command)
    project.configure(sink__auth='kind = "client_credentials"\nclient_secret = "Canary-1')
    found_in(in_process("run", project.folder).err, "broken TOML")


@pytest.mark.parametrize("variable", ["FHIRMAP_TEST_POSTGRESQL", "FHIRMAP_TEST_MARIADB"])
def test_what_a_database_quotes_of_a_cell(tiny: Make, variable: str) -> None:
    """`invalid input syntax for type integer: "CANARYUS"` is what a server says; not what we say."""
    import sqlalchemy as sa

    url = os.environ.get(variable)
    if not url:
        pytest.skip(f"{variable} names no server")
    table = f"fhirmap_canary_{os.getpid()}"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    project = tiny().configure(source=f'url = "{url}"')
    path = project.folder / "tiny.map"
    cast = "cast(name as integer) > 0" if "postgres" in url else "exp(710 + length(name)) > 0"
    text = path.read_text(encoding="utf-8").replace("'STAY'", f"'{table}'")
    path.write_text(text.replace("key 'id'", f"key 'id' where \"{cast}\""), encoding="utf-8")
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(
                f"create table {table} (id varchar(20) primary key, nir varchar(20), name varchar(80), "
                "born varchar(20), lot varchar(90))"
            )
            quoted = [NIRS[0], PEOPLE[0], BORN[0], LOTS[0]]
            connection.exec_driver_sql(f"insert into {table} values ('1', '{quoted[0]}', '{quoted[1]}', '', '')")
        done = as_process("run", project.folder, "--debug")
        assert done.code in (2, 3), done
        assert "error[FM7" in done.err
        searched(done, "a database's error")
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"drop table if exists {table}")
