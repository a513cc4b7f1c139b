"""What commands write for people fits the screen: a terminal, a pipe, and what COLUMNS says."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

import fhirmap.cli
from fhirmap.cli.screen import refilled
from tests.cli.conftest import in_process, unfolded

ROOT = Path(__file__).resolve().parents[2]
SIGNS = re.compile("\x1b\\[[0-9;]*m")
COMMANDS = [
    ["check"],
    ["doctor"],
    ["plan"],
    ["preview"],
    ["preview", "--row", "000000907"],
    ["run"],
    ["plan"],
    ["status"],
    ["status", "--records"],
    ["status", "--invalid"],
    ["status", "--withdrawn"],
    ["status", "--key", "000000907"],
    ["status", "--key", "000000902"],
    ["lineage"],
    ["report"],
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pharmacy's export, with a check that has a message, a warning of `check`, and an invalid map beside it."""
    folder = tmp_path_factory.mktemp("screen") / "p"
    in_process("init", "--example", "export-pharmacie", folder, "--lang", "en")
    file = folder / "export-pharmacie.map"
    text = file.read_text(encoding="utf-8")
    asked = "fewer than four lots: an operation has at least cup, insert, head and stem, and each of them has a lot"
    rule = f'  src check (lignes.where(lot.exists()).count() > 3) "{asked}";\n'
    text = text.replace("  src.lignes as l", rule + "  src.lignes as l")
    file.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_pipe_has_80_columns(project: Path, lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(project)
    for command in COMMANDS:
        done = in_process(*command, "--lang", lang)
        assert "FM900" not in done.err
        lines = (done.out + done.err).splitlines()
        assert lines, command
        assert [line for line in lines if len(SIGNS.sub("", line)) > 80] == [], command


def test_a_wrong_map_fits_too(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    folder = tmp_path / "q"
    shutil.copytree(project, folder)
    monkeypatch.chdir(folder)
    file = Path("export-pharmacie.map")
    file.write_text(file.read_text(encoding="utf-8").replace("l.serie as v", "l.seria as v"), encoding="utf-8")
    done = in_process("check")
    assert done.code == 2
    assert max(map(len, done.out.splitlines())) <= 80
    in_process("preview").reported("FM204", 2)


def test_columns_says_how_wide(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.chdir(project)
    narrow = in_process("preview").out
    assert max(map(len, narrow.splitlines())) <= 60
    monkeypatch.setenv("COLUMNS", "300")
    wide = in_process("preview").out
    assert max(map(len, wide.splitlines())) > 80
    assert unfolded(narrow) == unfolded(wide)
    table = in_process("preview", "--row", "000000902").out.splitlines()
    assert table[1].split() == ["column", "cell", "rule", "element", "value"]
    assert any(line.split()[:1] == ["RPPS"] and "->  rpps" in line for line in table)


def test_a_row_whose_table_is_too_wide_is_a_list(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(project)
    lines = in_process("preview", "--row", "000000902").out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("rpps = "))
    assert lines[at].endswith("   (renacot.map:21 rpps)")
    assert lines[at + 1].startswith("    <- RPPS   ")


def test_reasons_of_a_preview_add_up_and_have_keys(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.chdir(project)
    lines = in_process("preview").out.splitlines()
    assert lines[0].startswith("read 10   ")
    blocks: dict[str, list[str]] = {}
    title = ""
    for line in lines[1:]:
        if re.match(r"  \S", line):
            title = line.strip()
            blocks[title] = []
        else:
            blocks[title].append(line)
    for said, reasons in blocks.items():
        counts = [int(reason.split()[0]) for reason in reasons]
        assert counts == sorted(counts, reverse=True)
        records = int(re.findall(r"\d+", said)[0])
        assert sum(counts) == (int(re.findall(r"\d+", said)[1]) if "reasons" in said else records)
        for count, reason in zip(counts, reasons, strict=True):
            keys = re.findall(r"0000009\d\d", reason)
            more = re.search(r"and (\d+) more\)$", reason)
            assert len(keys) + (int(more[1]) if more else 0) == count, reason
    data = json.loads(in_process("preview", "--json").out)
    assert {reason: len(keys) for reason, keys in data["keys"].items()} == data["reasons"]


def test_paragraphs_are_filled_and_examples_kept() -> None:
    text = "- one two three four\n  five\n- six\n\nseven\neight\n    nine   ten eleven twelve"
    assert list(refilled(text, 12)) == [
        *("- one two", "  three four", "  five", "- six", "", "seven eight"),
        "    nine   ten eleven twelve",
    ]


WRITES_ITSELF = {
    "audit.py",  # lines of the log, through `shown_data`; what is verified has no key
    "compile.py",
    "explain.py",
    "functions.py",
    "import_.py",
    "inspect.py",  # texts of maps and pages, whose line breaks stay
    "keys.py",  # a JWK Set
    "run_log.py",  # events, through `shown_data`
    "screen.py",
}


def test_data_of_records_is_written_by_the_one_function_that_hides_keys() -> None:
    folder = Path(fhirmap.cli.__file__).parent
    found = {path.name for path in folder.glob("*.py") if "json.dumps(" in path.read_text(encoding="utf-8")}
    assert found == WRITES_ITSELF, "use `echo_json`, or say why not"
