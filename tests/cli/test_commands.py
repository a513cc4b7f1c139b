"""Every command alike: help with examples, JSON and nothing else where it is asked for, exit codes, words that help."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fhirmap.cli import COMMANDS
from fhirmap.cli.journal import JOURNAL_COMMANDS
from tests.cli.conftest import Done, Receiver, Tiny, as_process, in_process

ROOT = Path(__file__).resolve().parents[2]
Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]


EVERY = [*COMMANDS, *(f"journal {name}" for name in JOURNAL_COMMANDS)]


@pytest.mark.parametrize("name", EVERY)
def test_help_has_examples_and_json(name: str) -> None:
    done = in_process(*name.split(), "--help")
    assert (done.code, done.err) == (0, "")
    examples = done.out.partition("Examples:")[2]
    assert examples.count(f"fhirmap {name}") >= 2 or name == "compile", "at least two examples"
    assert "--json" in done.out or name == "journal key", "a key goes to a file as it is"


@pytest.mark.parametrize("name", EVERY)
def test_every_command_is_documented(name: str) -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    assert any(f"fhirmap {name}" in page.read_text(encoding="utf-8") for page in pages), f"no page names {name}"


def test_each_command_is_a_file_and_each_file_a_command() -> None:
    shared = {"__init__", "faults", "localized", "progress", "usage"}
    cli = ROOT / "fhirmap" / "cli"
    files = {path.stem for path in cli.glob("*.py")} - shared
    names = {re.sub(r"\W", "_", name) for name in COMMANDS} - {"journal"}
    assert names <= {name.strip("_") for name in files} | files
    assert set(JOURNAL_COMMANDS) == {path.stem for path in (cli / "journal").glob("*.py")} - {"__init__"}


def test_help_imports_no_command_and_no_library_but_click() -> None:
    program = (
        "import sys, contextlib\n"
        "from fhirmap.cli import main\n"
        "with contextlib.suppress(SystemExit):\n"
        "    main(['--help'])\n"
        "heavy = {'lark', 'jinja2', 'sqlalchemy', 'httpx2', 'msgspec', 'rich', 'pydantic', 'authlib', 'uvicorn'}\n"
        "print(sorted(heavy & set(sys.modules)), sorted(n for n in sys.modules if n.startswith('fhirmap')))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    own = [
        *("fhirmap", "fhirmap.cli", "fhirmap.cli.localized", "fhirmap.cli.streams", "fhirmap.collector"),
        *("fhirmap.texts", "fhirmap.version"),
    ]
    assert ran.stdout.splitlines()[-1] == f"[] {own}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch"], "no command `nosuch`"),
        (["statsu"], "did you mean `status`?"),
        (["run", "--jsn"], "did you mean `--json`?"),
        (["run", "nowhere-at-all"], "does not exist"),
        (["retry", "."], "say which: `--refused`"),
        (["preview", "--row", "1", "--all"], "`--row` is for one record"),
        (["status", "--state", "sent"], "`accepted`, `refused`"),
        (["explain", "FM999"], "there is no code `FM999`"),
        (["functions", "nirWithKe"], "did you mean `nirWithKey`?"),
        (["inspect"], "missing argument `URL`"),
        (["registry", "--port", "99999"], "from 0 to 65535"),
        (["compile"], "missing argument `PLACE`"),
        (["init"], "missing argument `FOLDER`"),
    ],
)
def test_a_wrong_call_is_2_with_a_hint(arguments: list[str], words: str) -> None:
    done = in_process(*arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    as_json = in_process(*arguments, "--json")
    assert (as_json.code, as_json.err) == (2, "")
    (found,) = json.loads(as_json.out)["diagnostics"]
    assert found["severity"] == "error"
    assert words in found["message"] + found["hint"]


@pytest.mark.parametrize("name", ["run", "check", "preview", "status", "report", "doctor", "compile"])
def test_a_folder_without_a_project(tmp_path: Path, name: str) -> None:
    done = in_process(name, tmp_path)
    assert done.code == 2
    assert "FM730" in done.out + done.err
    assert "fhirmap init" in done.out + done.err
    as_json = in_process(name, tmp_path, "--json")
    assert (as_json.code, as_json.err) == (2, "")
    json.loads(as_json.out)


@pytest.mark.parametrize(("archives", "count"), [(False, 0), (True, 3)])
def test_identifiers_are_to_be_archived_where_there_is_an_archive(
    tiny: Make, receiver: Receiving, archives: bool, count: int
) -> None:
    project = tiny().to(receiver().url)
    assert in_process("run", project.folder).code == 0
    if archives:
        project.configure(archive__csv='path = "archive.csv"')
    status = json.loads(in_process("status", project.folder, "--json").out)
    assert status["archive_pending"] == count
    assert ("to be archived" in in_process("status", project.folder).out) == archives


def test_before_the_first_run(tiny: Make) -> None:
    project = tiny()
    assert in_process("status", project.folder) == Done(0, "no run yet: fhirmap run\n", "")
    status = json.loads(in_process("status", project.folder, "--json").out)
    assert (status["states"], status["last_run"]) == ({}, None)
    assert json.loads(in_process("status", project.folder, "--records", "--json").out) == []
    in_process("status", project.folder, "--key", "1").reported("FM745", 2, "`1`")
    assert in_process("retry", project.folder, "--refused") == Done(0, "released 0: none matches\n", "")
    assert json.loads(in_process("retry", project.folder, "--key", "1", "--json").out) == {"released": 0}
    in_process("report", project.folder).reported("FM770", 2, "fhirmap run")
    doctor = in_process("doctor", project.folder)
    assert doctor.code == 0
    assert "the first run creates it" in doctor.out
    assert not (project.folder / "journal.db").exists(), "looking makes nothing"


def test_json_is_all_there_is_on_standard_output(tiny: Make, tmp_path: Path) -> None:
    project = tiny()
    commands: list[tuple[str | Path, ...]] = [
        ("check", project.folder),
        ("preview", project.folder),
        ("preview", project.folder, "--row", "1"),
        ("preview", project.folder, "--row", "none"),
        ("run", project.folder),
        ("status", project.folder),
        ("status", project.folder, "--records"),
        ("status", project.folder, "--key", "1"),
        ("retry", project.folder, "--refused"),
        ("report", project.folder),
        ("doctor", project.folder),
        ("compile", project.folder),
        ("compile", project.folder, "-o", tmp_path / "tiny.py"),
        ("inspect", project.data, "STAY"),
        ("inspect", project.data, "STAY", "-o", tmp_path / "stay.map"),
        ("fmt", "--check", project.folder / "tiny.map"),
        ("explain", "FM703"),
        ("functions",),
        ("functions", "nirWithKey"),
        ("init", tmp_path / "new"),
    ]
    for command in commands:
        done = in_process(*command, "--json")
        assert done.code in (0, 1, 2), (command, done)
        json.loads(done.out)
    assert (tmp_path / "tiny.py").read_text(encoding="utf-8").startswith('"""')
    assert (tmp_path / "stay.map").read_text(encoding="utf-8").startswith("model Stay")


def test_plain_lines_where_no_terminal_watches(tiny: Make) -> None:
    done = as_process("run", tiny().folder)
    assert done.code == 0
    assert "\x1b" not in done.out + done.err
    assert "\r" not in done.out + done.err


# ---- inspect and init: what they write works -------------------------------------------------------------------------


def read_by(model: str, tiny_project: Tiny) -> Done:
    """What a map with this model reads."""
    path = tiny_project.folder / "tiny.map"
    text = path.read_text(encoding="utf-8")
    start, end = text.index("model Stay"), text.index("group tiny")
    path.write_text(text[:start] + model + "\n" + text[end:], encoding="utf-8")
    return in_process("preview", tiny_project.folder)


@pytest.mark.parametrize("kind", ["sqlite", "csv", "json"])
def test_an_inspected_model_reads_the_data(tiny: Make, kind: str) -> None:
    project = tiny(kind)
    where = ["STAY"] if kind == "sqlite" else ["stays"] if kind == "json" else []
    done = in_process("inspect", project.data, *where, "--name", "Stay")
    assert done.code == 0, done
    done = read_by(done.out, project)
    assert (done.code, done.out.split()[:4]) == (0, ["read", "3", "sendable", "3"]), done


@pytest.mark.parametrize("variable", ["FHIRMAP_TEST_POSTGRESQL", "FHIRMAP_TEST_MARIADB"])
def test_an_inspected_model_of_a_server_reads_the_data(tiny: Make, variable: str) -> None:
    import sqlalchemy as sa

    url = os.environ.get(variable)
    if not url:
        pytest.skip(f"{variable} names no server")
    table = f"fhirmap_inspect_{os.getpid()}"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(
                f"create table {table} (id integer primary key, nir varchar(20) not null, name varchar(80), "
                "born date, lot varchar(20))"
            )
            connection.exec_driver_sql(
                f"insert into {table} values (1, '151024610204372', 'DURAND', '1951-02-03', null)"
            )
        done = in_process("inspect", url, table, "--name", "Stay")
        assert done.code == 0, done
        done = read_by(done.out, tiny().configure(source=f'url = "{url}"'))
        assert (done.code, done.out.split()[:4]) == (0, ["read", "1", "sendable", "1"]), done
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"drop table if exists {table}")


EXAMPLES = ["ch-lanvern", "ch-valmorel", "clinique-roc-noir", "clinique-sainte-aubierge", "export-pharmacie"]


@pytest.mark.parametrize(
    "options",
    [
        *(["--example", name] for name in EXAMPLES),
        *(["--target", name] for name in ("renacot", "renacot-2025-03", "procedure-device")),
    ],
    ids=lambda options: options[1],
)
def test_a_project_begun_is_accepted_and_previews(tmp_path: Path, options: list[str]) -> None:
    folder = tmp_path / "new"
    assert in_process("init", folder, *options).code == 0
    check = in_process("check", folder)
    assert check.code == 0, check
    preview = in_process("preview", folder, "--json")
    assert preview.code in (0, 1), preview
    assert json.loads(preview.out)["verdicts"]["sendable"] > 0


@pytest.mark.parametrize("kind", ["sqlite", "csv", "json"])
def test_a_project_begun_from_data_runs(tiny: Make, tmp_path: Path, kind: str) -> None:
    project = tiny(kind)
    where = ["--table", "STAY" if kind == "sqlite" else "stays"] if kind != "csv" else []
    folder = tmp_path / "new"
    done = in_process("init", folder, "--source", project.data, *where)
    assert done.code == 0, done
    check = in_process("check", folder)
    assert check.code == 0, check
    run = in_process("run", folder)
    assert run.code == 1, run
    assert "read 3 = " in run.out, "the map is not whole yet: each is invalid, and says for what"
    assert "invalid 3" in run.out


def test_nothing_is_written_over(tiny: Make) -> None:
    project = tiny()
    in_process("init", project.folder).reported("FM746", 2, str(project.folder))
    in_process("init", project.folder / "x", "--example", "nosuch").reported("FM747", 2, "`ch-valmorel`")
    in_process("init", project.folder / "x", "--target", "nosuch").reported("FM740", 2, "`renacot`")
    in_process("init", project.folder / "x", "--source", "nowhere.csv").reported("FM701", 3, "nowhere.csv")
    assert not (project.folder / "x").exists()
