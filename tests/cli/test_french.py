"""The main commands in French, end to end: what a French analyst reads has no English left in it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fhirmap.cli import COMMANDS
from fhirmap.cli.journal import JOURNAL_COMMANDS
from tests.cli.conftest import Done, Receiver, Tiny, as_process, in_process, outcome

ENGLISH = re.compile(
    r"\b(?:the|is|are|was|were|of|and|not|no|with|from|for|this|that|has|have|cannot|must|record|records|accepted|refused|"
    r"invalid|pending|deferred|sent|sending|ready|unchanged|scope|error|warning|hint|why|value|missing|required|last|next|"
    r"report|found|written|archived|identifiers|unknown|which|where|to|be|by|an|one|each|only|when|it)\b",
    re.IGNORECASE,
)
CODE = re.compile(
    r"`[^`]*`"
    r"|--[\w-]+(?: [a-z]+\b)?|\b(?:fhirmap|curl|cat|python) [^\n]*?(?=  |\n|$)"  # options and commands
    r"|\b[a-z]+-[a-z-]+\b"  # names of a map's rules
    r"|\S*[/.\\_:=\[{]\S*"  # paths, columns, addresses, keys
)
"""What is the same in each language."""


@pytest.fixture(autouse=True)
def french(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FHIRMAP_LANG", "fr")
    yield


def left_over(text: str) -> list[str]:
    """English words outside code and the lines of maps."""
    lines = [line for line in text.splitlines() if not re.match(r"\s*\d* *\|", line)]
    lines = [re.sub(rf"^  (?:{'|'.join([*COMMANDS, *JOURNAL_COMMANDS])}) ", "", line) for line in lines]
    return ENGLISH.findall(CODE.sub(" ", "\n".join(lines)))


def in_french(*arguments: str | Path, code: int = 0) -> Done:
    done = in_process(*arguments)
    assert done.code == code, done
    assert left_over(done.out + done.err) == [], done.out + done.err
    return done


def test_english_is_found() -> None:
    assert left_over("2 records are pending\n `the` --state refused /the/of\n 3 | src.of\n") == [
        "records",
        "are",
        "pending",
    ]


@pytest.mark.parametrize("name", ["", *COMMANDS, *(f"journal {name}" for name in JOURNAL_COMMANDS)])
def test_help(name: str) -> None:
    done = in_french(*name.split(), "--help")
    assert ("Utilisation :" in done.out.replace("\u00a0", " ")) and ("Exemples" in done.out or not name)


@pytest.mark.parametrize("before", [True, False])
def test_the_option_before_or_after_the_command(monkeypatch: pytest.MonkeyPatch, before: bool) -> None:
    monkeypatch.setenv("FHIRMAP_LANG", "en")
    words = ["--lang", "fr", "run", "--help"] if before else ["run", "--help", "--lang=fr"]
    assert "Exemples" in in_process(*words).out
    assert "Examples" in in_process("run", "--help").out
    assert os.environ["FHIRMAP_LANG"] == "en"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuch"],
        ["statsu"],
        ["run", "--jsn"],
        ["run", "nowhere-at-all"],
        ["run", ".", "too", "much"],
        ["run", "--source"],
        ["run", "--debug=yes"],
        ["retry", "."],
        ["preview", "--row", "1", "--all"],
        ["status", "--state", "perdu"],
        ["registry", "--port", "99999"],
        ["inspect"],
        ["functions", "nirWithKe"],
        ["explain", "FM999"],
        ["--lang", "de", "run"],
    ],
)
def test_a_wrong_call(arguments: list[str]) -> None:
    in_french(*(entry.replace("too", "trop") for entry in arguments), code=2)
    (found,) = json.loads(in_process(*arguments, "--json").out)["diagnostics"]
    assert found["severity"] == "error"
    assert left_over(found["message"]) == []


def test_a_wrong_map(tiny: Callable[..., Tiny]) -> None:
    project = tiny()
    path = project.folder / "tiny.map"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("src.lot", "src.lott").replace("'name', p.value", "'name', p.valeur"), encoding="utf-8"
    )
    done = in_french("check", project.folder, code=2)
    assert "lott" in done.out


def test_a_project_from_its_first_day(tiny: Callable[..., Tiny], receiver: Callable[..., Receiver]) -> None:
    refusal = outcome(422, "Aucune intervention ne correspond.", "Parameters.parameter[0]")
    project = tiny().to(receiver(lambda _number, _body: refusal).url)
    folder = project.folder
    in_french("status", folder)
    in_french("doctor", folder, "--offline")
    in_french("check", folder)
    in_french("preview", folder)
    in_french("preview", folder, "--row", "1")
    in_french("lineage", folder)
    done = in_french("run", folder, code=1)
    assert "lus 3 = acceptés" in done.out.replace("accepté 0", "acceptés 0")
    assert "refusés 3" in done.out
    for words in ([], ["--refused"], ["--key", "1"], ["--records"]):
        in_french("status", folder, *words)
    in_french("report", folder)
    (page,) = (folder / "reports").glob("*.html")
    html = page.read_text(encoding="utf-8")
    assert '<html lang="fr">' in html
    assert left_over(re.sub(r"(?s)<(style|script)>.*?</\1>|<[^>]*>", " ", html)) == []
    in_french("retry", folder, "--refused")


def test_a_report_is_shown_in_the_language_of_who_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "ch"
    in_process("init", "--example", "export-pharmacie", folder, "--lang", "en")
    shown = in_process("run", folder, "--lang", "en")
    lines = [line for line in shown.out.splitlines() if "report:" not in line]
    again = in_process("report", folder, "--lang", "en").out
    assert all(line in again for line in lines), again
    shown_in_french = in_process("report", folder).out
    # What the map's own notes and messages say is in the map's language.
    own = re.compile(r"(?ms)^  à vérifier .*?(?=^  \S|\Z)|1x the date of the operation cannot be read")
    assert left_over(own.sub("", shown_in_french)) == [], shown_in_french


def test_what_stops_a_run(tiny: Callable[..., Tiny], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_french("run", tmp_path, code=2)
    project = tiny()
    project.data.unlink()
    in_french("run", project.folder, code=3)
    client = 'client_id = "a"\nclient_secret = "${SECRET}"'
    auth = f'kind = "client_credentials"\ntoken_url = "http://127.0.0.1:1/token"\n{client}'
    monkeypatch.setenv("SECRET", "s")
    unreachable = tiny("csv").to("http://127.0.0.1:1/fhir", auth=auth)
    in_french("run", unreachable.folder, code=3)
    in_french("doctor", unreachable.folder, code=3)


def test_states_and_keys_of_json_are_the_same(tiny: Callable[..., Tiny]) -> None:
    folder = tiny().folder
    report = json.loads(in_process("run", folder, "--json").out)
    assert report["ledger"]["accepted"] == 3
    assert left_over(" ".join(report["lines"])) == []
    assert json.loads(in_process("status", folder, "--json").out)["states"] == {"accepted": 3}
    assert json.loads(in_process("preview", folder, "--json").out)["verdicts"] == {"sendable": 3}
    findings = json.loads(in_process("doctor", folder, "--json").out)["findings"]
    assert {finding["state"] for finding in findings} <= {"ok", "warn", "skip", "FAIL"}


def test_a_new_project_has_french_comments(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    data = tiny("csv").data
    in_french("init", tmp_path / "nouveau", "--source", data)
    texts = [
        path.read_text(encoding="utf-8")
        for path in (tmp_path / "nouveau").iterdir()
        if path.suffix in (".toml", ".map")
    ]
    comments = [line for text in texts for line in text.splitlines() if re.match(r"\s*(#|//) [A-ZÀ-Ý]", line)]
    assert comments and left_over("\n".join(comments)) == []


def test_functions() -> None:
    in_french("functions")
    for entry in json.loads(in_process("functions", "--json").out):
        words = entry["doc"].partition("Exemple")[0]
        assert left_over(words) == [], entry["name"]
        assert words != entry["summary"] + "\n\n" or "Exemple" in entry["doc"]


def test_a_thread_of_the_command_speaks_french_too(tiny: Callable[..., Tiny]) -> None:
    project = tiny().to("http://127.0.0.1:1/fhir")
    done = as_process("run", project.folder, "--lang", "fr", env={"FHIRMAP_LANG": "en"})
    assert done.code == 3
    assert left_over(done.out) == []
