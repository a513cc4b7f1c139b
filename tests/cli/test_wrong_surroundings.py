"""Surroundings of a run that are wrong: files, disks, databases, networks. Named, with the exit code, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fhirmap.journal import Journal
from tests.cli.certificates import Authority
from tests.cli.conftest import PYTHON, Done, Receiver, Tiny, accepted, in_process, outcome, several, start, unfolded

Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]


def run(project: Tiny, *more: str | Path) -> Done:
    return in_process("run", project.folder, *more)


def stopped_by(done: Done, code: str, *words: str) -> None:
    """A run that read and kept everything, could not send, and said why."""
    assert done.code == 3, done
    assert f"stopped: {code} " in done.out, done
    shown = unfolded(done.out)
    assert "= hint:" in shown
    for word in words:
        assert word in shown, (word, done)
    assert "Traceback" not in done.out + done.err


# ---- disks and rights ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unshared() -> list[str]:
    """What a command line begins with whose next word is a shell script that mounts what no other process sees."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rm", "true"], capture_output=True).returncode:
        pytest.skip("this system allows no mounts of our own")
    return [unshare, "-rm", "sh", "-ec"]


@pytest.fixture
def mounted(unshared: list[str]) -> Callable[..., Done]:
    """``mounted(script, *arguments)``: the command after those mounts."""

    def within(script: str, *arguments: str | Path) -> Done:
        command = [*unshared, script, "sh", *PYTHON, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)
        return Done(done.returncode, done.stdout, done.stderr)

    return within


def read_only(*paths: Path) -> str:
    mounts = [f"mount --bind {path} {path} && mount -o remount,ro,bind {path}" for path in paths]
    return " && ".join([*mounts, 'exec "$@"'])


MANY = [(str(number), "151024610204372", "DURAND" * 30, "1951-02-03", f"L{number}") for number in range(900)]


def test_the_disk_of_the_journal_is_full_and_then_has_space(tiny: Make, mounted: Callable[..., Done]) -> None:
    project = tiny().write(MANY).configure(journal='path = "small/journal.db"')
    small = project.folder / "small"
    small.mkdir()
    again = f'("$@" && exit 9 || test $? = 3) && mount -o remount,size=40m {small} && exec "$@"'
    done = mounted(f"mount -t tmpfs -o size=300k none {small} && {again}", "run", project.folder)
    assert done.code == 0, done
    assert "error[FM803]" in done.err
    assert "no disk space left" in done.err
    assert "small/journal.db" in done.err
    assert "Traceback" not in done.err
    assert "read 900 = accepted 900 " in done.out
    assert len(project.sent) == 900, "nothing twice, nothing lost"


def test_the_disk_of_the_output_is_full_and_then_has_space(tiny: Make, mounted: Callable[..., Done]) -> None:
    project = tiny().write(MANY).configure(sink='kind = "ndjson"\npath = "small/out.ndjson"')
    small = project.folder / "small"
    small.mkdir()
    done = mounted(f'mount -t tmpfs -o size=100k none {small} && exec "$@"', "run", project.folder)
    stopped_by(done, "FM619", "small/out.ndjson", "no space left", "pending 900")
    assert run(project).code == 0
    assert len((small / "out.ndjson").read_text(encoding="utf-8").splitlines()) == 900


def test_a_folder_that_may_only_be_read(tiny: Make, unshared: list[str]) -> None:
    project = tiny().configure(journal='path = "state/journal.db"')
    folder = project.folder
    (folder / "state").mkdir()
    mount = [*unshared, read_only(folder / "state", folder), "sh"]
    done = several(
        ["preview", folder],
        ["preview", folder, "--records", folder / "records.csv"],
        ["compile", folder, "-o", folder / "tiny.py"],
        ["doctor", folder],
        before=mount,
    )
    assert (done[0].code, done[0].err) == (0, ""), "nothing is written by a preview"
    done[1].reported("FM744", 2, "records.csv", "read-only")
    done[2].reported("FM744", 2, "tiny.py`", "read-only")
    assert done[3].code == 3
    assert "state/journal.db: its folder" in unfolded(done[3].out)
    (refused,) = several(["run", folder], before=[*unshared, read_only(folder / "state"), "sh"])
    refused.reported("FM805", 3, "state/journal.db", "read-only", "write access")
    assert project.sent == []


def test_reports_that_cannot_be_written_undo_nothing(tiny: Make) -> None:
    project = tiny()
    (project.folder / "reports").write_text("", encoding="utf-8")
    done = run(project)
    assert done.code == 0
    assert "the report could not be written" in done.out
    assert "read 3 = accepted 3 " in done.out


def test_files_without_rights(tiny: Make) -> None:
    project = tiny().configure(journal='path = "state/journal.db"')
    (project.folder / "state").mkdir(mode=0o500)
    # root reads and writes whatever it likes unless it gives that right up
    humble = [] if os.getuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if humble and shutil.which("setpriv") is None:
        pytest.skip("root has all rights here, and no setpriv to give them up")

    unread, unset = tiny("csv"), tiny("json")
    unread.data.chmod(0)
    (unset.folder / "fhirmap.toml").chmod(0)
    done = several(["run", project.folder], ["run", unread.folder], ["check", unset.folder], before=humble)
    done[0].reported("FM805", 3, "state/journal.db", "permission denied")
    done[1].reported("FM702", 3, "stays.csv", "permission denied", "account that runs fhirmap")
    done[2].reported("FM730", 2, "fhirmap.toml", "permission denied")


# ---- databases -------------------------------------------------------------------------------------------------------


@pytest.fixture
def locked() -> Iterator[Callable[[Path, str], None]]:
    """``locked(path, "exclusive")``: another program has the database."""
    held: list[sqlite3.Connection] = []

    def hold(path: Path, how: str) -> None:
        held.append(sqlite3.connect(path, isolation_level=None))
        held[-1].execute(f"begin {how}")

    yield hold
    for connection in held:
        connection.close()


def test_databases_that_another_program_has(
    tiny: Make, tmp_path: Path, locked: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # each waits some seconds for the other program
    monkeypatch.setattr("fhirmap.sources.sql_engine._LOCK_S", 0.05)
    monkeypatch.setitem(Journal.open.__func__.__kwdefaults__, "busy_timeout_s", 0.05)  # type: ignore[attr-defined]
    source, journal = (tiny("sqlite", tmp_path / name) for name in ("source", "journal"))
    assert run(journal).code == 0
    locked(source.data, "exclusive")
    locked(journal.folder / "journal.db", "immediate")
    run(source).reported("FM707", 3, "stays.sqlite", "locked by another program")
    assert not (source.folder / "journal.db").exists()
    run(journal).reported("FM801", 3, "journal.db", "locked by another process")


def test_a_journal_that_is_none(tiny: Make) -> None:
    project = tiny()
    journal = project.folder / "journal.db"
    journal.write_bytes(b"\xa5" * 20_000)
    for command in ("run", "status"):
        in_process(command, project.folder).reported("FM804", 3, "journal.db", "damaged", "backup")
    assert journal.read_bytes() == b"\xa5" * 20_000, "what may still be rescued is left alone"
    journal.unlink()
    journal.mkdir()
    run(project).reported("FM800", 3, "journal.db", "is a directory")
    project.configure(journal='path = "nowhere/journal.db"')
    run(project).reported("FM800", 3, "nowhere/journal.db`", "no such file or directory")
    assert project.sent == []


def test_a_damaged_page_of_the_journal(tiny: Make) -> None:
    project = tiny()
    assert run(project).code == 0
    path = project.folder / "journal.db"
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xa5" * (len(raw) - 4096)
    path.write_bytes(raw)
    run(project).reported("FM804", 3, "journal.db", "damaged")
    assert len(project.sent) == 3


def test_a_journal_of_a_later_version(tiny: Make) -> None:
    project = tiny()
    assert run(project).code == 0
    with closing(sqlite3.connect(project.folder / "journal.db")) as connection, connection:
        connection.execute("update fhirmap_meta set value = '99' where name = 'version'")
    run(project).reported("FM806", 3, "version 99")


def test_a_second_run_at_the_same_time(tiny: Make, receiver: Receiving) -> None:
    import threading

    arrived, go_on = threading.Event(), threading.Event()

    def slow(number: int, _body: bytes) -> Any:
        arrived.set()
        go_on.wait(20)
        return accepted(number)

    at = receiver(slow)
    project = tiny().to(at.url)
    first = start("run", project.folder)
    assert arrived.wait(20)
    try:
        run(project).reported("FM802", 3, "another run", "journal.db")
        status = in_process("status", project.folder)
        assert status.code == 0, "looking is allowed meanwhile"
        assert "sending" in status.out
    finally:
        go_on.set()
    out, _ = first.communicate(timeout=30)
    assert first.returncode == 0
    assert "accepted 3" in out
    assert len(at.received) == 3


def test_an_archive_that_may_only_be_read_is_written_by_the_next_run(
    tiny: Make, receiver: Receiving, mounted: Callable[..., Done]
) -> None:
    project = tiny().to(
        receiver().url,
        archive__table='table = "RECU"\ncreate = true\nkey_column = "id"\n'
        'system_column = "s"\nvalue_column = "v"\nstate_column = "e"',
        archive__csv='path = "kept/recu.csv"',
    )
    (project.folder / "kept").mkdir()

    def table() -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(project.data)) as connection:
            if not connection.execute("select 1 from sqlite_master where name = 'RECU'").fetchall():
                return []
            return connection.execute("select id, s, v, e from RECU order by id").fetchall()

    csv = project.folder / "kept" / "recu.csv"
    stopped_by(mounted(read_only(project.data), "run", project.folder), "FM808", "RECU", "is read-only")
    assert table() == []
    stopped_by(mounted(read_only(csv.parent), "run", project.folder), "FM808", "recu.csv", "read-only")
    assert not csv.exists()
    assert not list(csv.parent.iterdir())
    done = run(project)
    assert done.code == 0
    assert "unchanged 3" in done.out
    assert "identifiers archived" in done.out
    identifiers = [f"R-{number:05}" for number in (1, 2, 3)]
    assert sorted(row[2] for row in table()) == identifiers
    assert {(row[1], row[3]) for row in table()} == {("urn:registry", "complet")}
    lines = csv.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "key;system;value;state;time;previous"
    assert sorted(line.split(";")[2] for line in lines[1:]) == identifiers
    before = (table(), csv.read_bytes())
    assert run(project).code == 0
    assert (table(), csv.read_bytes()) == before, "writing back twice changes nothing"


def test_an_archive_table_that_lacks_a_column_stops_before_anything_is_sent(tiny: Make, receiver: Receiving) -> None:
    at = receiver()
    project = tiny().to(at.url, archive__table='table = "STAY"\nkey_column = "id"\nvalue_column = "registre"')
    run(project).reported("FM796", 2, "STAY", "registre")
    assert at.received == []


# ---- the network -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9/fhir", "connection refused"),
        ("https://no-such-host.invalid/fhir", "host name not known"),
    ],
)
def test_a_receiver_that_is_not_there(tiny: Make, url: str, words: str) -> None:
    project = tiny().to(url)
    done = run(project)
    stopped_by(done, "FM620", url, words, "pending 3", "[sink] url")
    status = in_process("status", project.folder)
    assert status.code == 0
    assert "no connection to the receiver" in status.out
    doctor = in_process("doctor", project.folder)
    assert doctor.code in (0, 3)


def test_a_proxy_that_is_not_there(tiny: Make, receiver: Receiving, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    at = receiver()
    project = tiny().to(at.url)
    project.configure(sink=project.settings["sink"] + '\nproxy = "http://user:Canary-proxy@127.0.0.1:9"')
    done = run(project)
    stopped_by(done, "FM620", "by way of the proxy `127.0.0.1:9`", "connection refused")
    assert "Canary-proxy" not in done.out + done.err
    assert "FM737" in done.err, "a secret in plain text is a warning"
    doctor = in_process("doctor", project.folder, "--offline").out
    assert f"proxy 127.0.0.1:9 (of [sink] proxy) for {at.url}" in unfolded(doctor)
    assert "Canary-proxy" not in doctor
    monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    assert "NO_PROXY names it" in unfolded(in_process("doctor", project.folder, "--offline").out)
    monkeypatch.delenv("NO_PROXY")
    project.configure(sink=project.settings["sink"].replace("http://user", "user"))
    run(project).reported("FM791", 2, "proxy")
    assert at.received == []


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


def test_an_authority_that_is_unknown_until_it_is_named(
    tiny: Make, receiver: Receiving, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINY_SECRET", "Canary-secret")
    at = receiver(context=authority.server())
    project = tiny().to(at.url)
    stopped_by(run(project), "FM610", f"127.0.0.1:{at.port}", "unknown authority", "[sink.tls] ca")
    project.to(at.url, auth=at.auth())
    stopped_by(run(project), "FM610", f"127.0.0.1:{at.port}", "unknown authority")
    assert (at.received, at.tokens_asked) == ([], [])
    doctor = in_process("doctor", project.folder)
    assert doctor.code == 3
    assert "unknown authority" in doctor.out
    project.to(at.url, auth=at.auth(), tls=f'ca = "{authority.ca}"')
    assert in_process("doctor", project.folder).code == 0
    done = run(project)
    assert done.code == 0
    assert "accepted 3" in done.out
    assert len([body for body in at.received if body]) == 3


def test_certificates_of_another_time_and_another_host(
    tiny: Make, receiver: Receiving, authority: Authority, tmp_path: Path
) -> None:
    tls = f'ca = "{authority.ca}"'
    expired = receiver(context=authority.server(ended_days_ago=2))
    stopped_by(run(tiny().to(expired.url, tls=tls)), "FM610", "expired", "clock")
    other = receiver(context=authority.server(host="registre.example"))
    stopped_by(run(tiny("csv").to(other.url, tls=tls)), "FM610", "not valid for '127.0.0.1'", "use the host name")
    plain = receiver()
    project = tiny("json").to(plain.url.replace("http:", "https:"), tls=tls)
    stopped_by(run(project), "FM610", "no TLS version in common", "http://")
    assert (expired.received, other.received, plain.received) == ([], [], [])
    text = tmp_path / "no.pem"
    text.write_text("no certificate", encoding="utf-8")
    run(project.to(plain.url, tls=f'ca = "{text}"')).reported("FM790", 2, "no.pem", "no PEM certificate")
    run(project.to(plain.url, tls='ca = "nowhere.pem"')).reported("FM739", 2, "nowhere.pem", "fhirmap.toml:")


# ---- the identity server ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ((200, b"<html>Portail</html>", "text/html"), "FM613", "it is not JSON"),
        ((200, b'{"token": "x"}', "json"), "FM613", "holds no access_token"),
        (
            (400, b'{"error": "invalid_client", "error_description": "Canary-secret"}', "json"),
            "FM612",
            "invalid_client",
        ),
        ((401, b"<html>Canary-secret</html>", "text/html"), "FM612", "status 401"),
        ((302, b"", "text/html"), "FM613", "it is not the token endpoint"),
    ],
    ids=["html", "no-token", "invalid-client", "401-html", "redirect"],
)
def test_an_identity_server_that_gives_no_token(
    tiny: Make, receiver: Receiving, monkeypatch: pytest.MonkeyPatch, answer: Any, code: str, words: str
) -> None:
    monkeypatch.setenv("TINY_SECRET", "Canary-secret")
    at = receiver(identity=lambda _number, _body: answer)
    done = run(tiny().to(at.url, auth=at.auth()))
    stopped_by(done, code, f"127.0.0.1:{at.port}", words, "pending 3")
    assert "Canary-secret" not in done.out + done.err
    assert at.received == []


@pytest.mark.parametrize(
    ("asked", "granted", "words"),
    [
        ("implant", None, "a token; scope implant was asked for, and the answer names none"),
        ("implant", "implant other", "a token for scope implant other"),
        ("implant nothere", "implant", "a token for implant, without nothere"),
        ("nothere", "", "a token for no scope, without nothere"),
        ("", None, "a token"),
    ],
)
def test_doctor_says_which_scope_the_token_has(
    tiny: Make, receiver: Receiving, monkeypatch: pytest.MonkeyPatch, asked: str, granted: str | None, words: str
) -> None:
    monkeypatch.setenv("TINY_SECRET", "Canary-secret")
    answer = {"access_token": "t", "token_type": "Bearer"} | ({} if granted is None else {"scope": granted})
    at = receiver(identity=lambda _number, _body: (200, json.dumps(answer).encode(), "json"))
    auth = at.auth().replace('scope = "implant"', f'scope = "{asked}"' if asked else "")
    done = in_process("doctor", tiny().to(at.url, auth=auth).folder)
    assert unfolded(done.out).count("token endpoint") == 1
    state = "warn" if "without" in words else "ok"
    assert f"{state} token endpoint {at.token_url}: {words}" in unfolded(done.out)


def test_an_identity_server_that_is_down(tiny: Make, receiver: Receiving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINY_SECRET", "Canary-secret")
    at = receiver()
    project = tiny().to(at.url, auth=at.auth().replace(f":{at.port}/token", ":9/token"))
    stopped_by(run(project), "FM611", "127.0.0.1:9", "connection refused", "token_url")
    project.to(at.url, auth=at.auth())
    assert run(project).code == 0, "the next run goes on"
    assert (len(at.received), len(at.tokens_asked)) == (3, 1)


def test_secrets_that_are_not_there(tiny: Make, receiver: Receiving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINY_SECRET", raising=False)
    at = receiver()
    project = tiny().to(at.url, auth=at.auth())
    run(project).reported("FM736", 2, "TINY_SECRET", "sink.auth.client_secret", "export TINY_SECRET")
    assert in_process("check", project.folder).code == 0, "a map can be worked on without the secret"
    assert in_process("preview", project.folder).code == 0
    doctor = in_process("doctor", project.folder)
    assert doctor.code == 2
    assert "TINY_SECRET" in doctor.out
    run(project.to(at.url, auth=at.auth('{file = "nowhere"}'))).reported("FM738", 2, "nowhere")
    assert not (project.folder / "journal.db").exists()


# ---- answers that end a run ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [(401, "FM614", "refuses the token"), (403, "FM615", "scope"), (302, "FM618", "redirects")],
)
def test_an_answer_that_no_other_record_would_change(
    tiny: Make, receiver: Receiving, status: int, code: str, words: str
) -> None:
    at = receiver(lambda _number, _body: (status, b"<html></html>", "text/html"))
    project = tiny().to(at.url, limits="rate_per_s = 500\nconcurrency = 1")
    stopped_by(run(project), code, words, "pending 3")
    assert len(at.received) == 1


def test_refused_records_are_exit_1_and_can_be_released(tiny: Make, receiver: Receiving) -> None:
    answers = {1: outcome(422, "Aucune intervention"), 2: outcome(400, "Champ manquant")}
    at = receiver(lambda number, _body: answers.get(number) or accepted(number))
    project = tiny().to(at.url, limits="rate_per_s = 500\nconcurrency = 1")
    done = run(project)
    assert done.code == 1
    assert "422: Aucune intervention" in done.out
    assert run(project).code == 0 or len(at.received) == 3, "nothing is sent again by itself"
    assert "released 1" in in_process("retry", project.folder, "--refused", "--reason", "422").out
    assert "accepted 1" in run(project).out
    assert len(at.received) == 4
