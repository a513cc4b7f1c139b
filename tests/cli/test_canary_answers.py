"""A receiver that quotes all it knows, and keys that are persons' numbers: no command shows one of them.

`test_canary` has what sources hold. By design `preview --row` shows the cells of a record, and is asked here for its
trace without values; what a map was given to `transform` is its own.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import pytest

from fhirmap.cli import commands
from fhirmap.texts.folded_text import fold
from fhirmap.texts.shown_keys import is_shown_form
from tests.cli.conftest import STORES, Answer, Done, Receiver, Tiny, in_process, tiny_map, token

Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]

SECRETS = {"TINY_SECRET": "Zorglub-s3cret-77", "TINY_TOKEN": "zorglubtoken-0123456789abcdef.XYZ"}
NUMBERS = ["151024610204372", "260057523800129", "175127511100173", "188017938811152"]
NAMES = ["Zorgélub-Brönte", "O'Quetzal", "Wyzniew", "Ng Thi"]
BORN = ["1907-03-09", "1909-08-07", "1911-12-13", "1913-10-11"]
LOTS = ["LOTZORGLUB01", "(01)02999600100013(17)300511(10)ZORGLUB02", "ZORG03", "ZORG04"]
STRANGER = "Dr Pfizznik Théodora"
"""Whom the receiver knows and no payload holds."""
KEYS = [
    NUMBERS[0],
    "2\u00a060\u202f05 75/238.001",
    f"K7|{NUMBERS[2][:13]}",
    "K\x1b[31m8\u202e\x9b",
]
"""Of the records: of three a person's number in three spellings; signs that command a terminal in the last."""


def private() -> Iterator[str]:
    """What must be nowhere, as folded letters."""
    for number in NUMBERS:
        yield number[:13]
    for name in ("Zorgélub", "Brönte", "Quetzal", "Wyzniew", "Pfizznik", "Théodora"):
        yield fold(name).letters
    for born in BORN:
        year, month, day = born.split("-")
        yield from (year + month + day, day + month + year)
    yield from ("lotzorglub", "zorglub", "02999600100013")
    yield from (fold(encoded(value)).letters.strip("=") for value in (*NUMBERS, *NAMES, *BORN, STRANGER))
    yield from (fold(secret).letters for secret in SECRETS.values())


def encoded(value: str) -> str:
    return b64encode(value.encode()).decode()


def searched(text: str, where: str) -> None:
    """Fails where a value is in a text, in whatever spelling."""
    folded = fold(text)
    for value in private():
        at = folded.letters.find(value)
        near = folded.starts[at] if at >= 0 else 0
        assert at < 0, (where, value, text[max(0, near - 200) : near + 100])
    signs = re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text)
    assert signs is None, (where, signs, text[max(0, signs.start() - 200) : signs.start() + 100])


def checked(done: Done, where: str) -> Done:
    """The command wrote none of them, and did not break."""
    searched(done.out, f"{where}: stdout")
    searched(done.err, f"{where}: stderr")
    assert "Traceback" not in done.out + done.err, (where, done)
    return done


def words(body: bytes, number: int) -> str:
    """All that the receiver knows of a record, in spellings that change with the number of the answer."""
    values = {
        part["name"]: part.get("valueString", part.get("valueDate", "")) for part in json.loads(body)["parameter"]
    }
    nir, born, name, lot = (values.get(one, "") for one in ("nir", "born", "name", "lot"))
    year, month, day = born.split("-")
    apart = (nir[0], nir[1:3], nir[3:5], nir[5:7], nir[7:10], nir[10:13], nir[13:])
    between = ["\u00a0", "\u202f", "/", ".", "  ", "\u200b", "&nbsp;", "%20", "-", " \u200b "]
    spelled = [one.join(apart) for one in between]
    months = ["", "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre"]
    months += ["novembre", "décembre"]
    dates = [born, f"{day}/{month}/{year}", f"{day}.{month}.{year[2:]}", f"{int(day)} {months[int(month)]} {year}"]
    dates += [year + month + day, f"{year}\u00a0{month}\u00a0{day}", f"{day}-{month}-{year}"]
    written = [encoded(nir), encoded(name), encoded(born), encoded(STRANGER), quote(quote(name)), quote(quote(nir))]
    written += [f"nomDeNaissance={name.lower()}", f"ddn={year}", f'"family":"{name}"', f"{name.replace(' ', '_')}_3"]
    written += [f"sexe {nir[0]} année {nir[1:3]} mois {nir[3:5]} commune {nir[5:10]} ordre {nir[10:13]}"]
    named = [name, name.upper(), " ".join(reversed(name.split("-"))), name.replace("'", ""), name.lower()]
    return (
        f"Patient {named[number % 5]} né le {dates[number % 7]} ({nir}, {spelled[number % 10]}, {nir[:13]}); {name}: "
        f"lot {lot} inconnu\x1b[2J\r\nBearer {SECRETS['TINY_TOKEN']} {SECRETS['TINY_SECRET']} de {STRANGER}, "
        f"{', '.join(spelled)}; {', '.join(dates)}; {', '.join(named)}, {', '.join(written)}\u202e"
    )


def issues(body: bytes, number: int, **more: Any) -> dict[str, Any]:
    said = words(body, number)
    issue = {"severity": said, "code": said, "diagnostics": said, "expression": [f"Parameters.where(x='{said}')"]}
    detailed = {"severity": "error", "code": "processing", "details": {"text": said, "coding": [{"display": said}]}}
    return {"resourceType": "OperationOutcome", "issue": [issue | more, detailed]}


def of_status(status: int) -> Callable[[int, bytes], Answer]:
    return lambda number, body: (status, json.dumps(issues(body, number)).encode(), "fhir+json")


def identified(number: int, body: bytes) -> Answer:
    """Accepted, with identifiers that repeat what was sent, and words beside."""
    values = {one["name"]: one.get("valueString", "") for one in json.loads(body)["parameter"]}
    value = [values["nir"], f"R/{values['name']}", f"{values['nir'][:1]} {values['nir'][1:13]}"][number % 3]
    outcome = issues(body, number, severity="information")
    outcome["issue"] = outcome["issue"][:1]
    parameter = [{"name": "result", "resource": outcome}, {"name": "idRegistre", "valueIdentifier": {"value": value}}]
    return 200, json.dumps({"resourceType": "Parameters", "parameter": parameter}).encode(), "fhir+json"


ANSWERS: dict[str, Callable[[int, bytes], Answer]] = {
    "identifiers that quote": identified,
    **{str(status): of_status(status) for status in (200, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503)},
    "a page": lambda number, body: (200, f"<html>{words(body, number)}</html>".encode(), "text/html"),
    "cut off": lambda number, body: (200, json.dumps(issues(body, number)).encode()[:-9], "fhir+json"),
    "no resource": lambda number, body: (422, json.dumps({"error": words(body, number)}).encode(), "json"),
}

MAP = tiny_map(
    STORES["sqlite"],
    note="log ('number ' & v & ' is odd')",
    rules="""\
  src.name as v where ($this = 'Ng Thi') -> tgt.parameter as p, p.name = 'wrong', p.value = cast(v, 'integer') "cast";
""",
)


@pytest.fixture
def project(tiny: Make, receiver: Receiving, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Tiny]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    def make(answer: Callable[[int, bytes], Answer]) -> Tiny:
        at = receiver(answer, identity=lambda _n, _b: token(SECRETS["TINY_TOKEN"]))
        made = tiny().to(
            at.url,
            auth=at.auth(),
            limits="rate_per_s = 500\nattempts = 2\nbackoff_s = 0\nconcurrency = 1",
            archive__csv='path = "received.csv"',
            source='url = "sqlite:///stays.sqlite"\ncomplete = true',
        )
        (made.folder / "tiny.map").write_text(MAP, encoding="utf-8")
        return made.write(list(zip(KEYS, NUMBERS, NAMES, BORN, LOTS, strict=True)))

    return make


@pytest.mark.parametrize("kind", ANSWERS)
def test_whatever_the_answer_is(kind: str, project: Callable[..., Tiny]) -> None:
    made = project(ANSWERS[kind])
    folder = made.folder
    for options in (["--debug"], ["--json", "--log-format", "json", "--debug"]):
        checked(in_process("run", folder, *options), f"run {options}")
    for options in ([], ["--records", "--json"], *(["--key", key] for key in KEYS[1:])):
        checked(in_process("status", folder, *options), f"status {options}")
    for page in (folder / "reports").iterdir():
        searched(page.read_text(encoding="utf-8").replace("\t", " "), page.name)
    if kind == "identifiers that quote":
        archived = (folder / "received.csv").read_text(encoding="utf-8")
        assert NUMBERS[0] in archived  # as received: nothing is lost
        assert "FM691" in in_process("status", folder, "--records", "--json").out


def every_command(folder: Path, key: str) -> dict[str, list[list[str]]]:
    """How each command is asked. Those that are not here fail the test."""
    states = ("accepted", "refused", "invalid", "ready", "deferred", "uncertain", "gone")
    place, map_file = str(folder), str(folder / "tiny.map")
    source = f"sqlite:///{folder / 'stays.sqlite'}"
    return {
        "audit": [
            ["verify", place],
            ["verify", place, "--json"],
            ["export", place],
            ["export", place, "--format", "fhir"],
        ],
        "check": [[place], [place, "--json"], [place, "--one-line"]],
        "compile": [[map_file], [map_file, "--explain"]],
        "doctor": [[place, "--offline"], [place, "--offline", "--json"]],
        "explain": [["FM820"], ["FM691", "--json"]],
        "export": [[map_file]],
        "fmt": [[map_file, "--check"]],
        "functions": [[]],
        "import": [[map_file]],
        "init": [[str(folder / "new"), "--source", source]],
        "inspect": [[source]],
        "journal": [
            ["verify", place],
            ["verify", place, "--json"],
            ["backup", str(folder / "copy.db"), place],
            ["purge", place, "--state", "accepted", "--older-than", "0d", "--dry-run"],
            ["confirm", place],
        ],
        "keys": [[place], [place, "--json"]],
        "lineage": [[place], [place, "--json"]],
        "plan": [[place], [place, "--json"]],
        "preview": [
            [place],
            [place, "--json"],
            [place, "--records", str(folder / "records.csv")],
            [place, "--row", key, "--trace"],
            [place, "--row", key, "--trace", "--json"],
            [place, "--row", "key-bcdfghjklmnpqrst", "--trace"],
            [place, "--row", NUMBERS[3]],
        ],
        "report": [[place], [place, "--json"], [place, "--output", str(folder / "page.html")]],
        "retry": [[place, "--key", NUMBERS[3]], [place, "--key", key, "--json"], [place, "--refused", "--json"]],
        "run": [
            [place],
            [place, "--json"],
            [place, "--dry-run"],
            [place, "--resend", "--debug"],
            [place, "--lang", "fr"],
        ],
        "status": [
            [place, *options, *more]
            for options in (
                [],
                ["--records"],
                ["--refused"],
                ["--invalid"],
                ["--pending"],
                ["--withdrawn"],
                ["--in-doubt"],
                *(["--state", state] for state in states),
                *(["--key", one] for one in (key, *KEYS, NUMBERS[3])),
            )
            for more in ([], ["--json"])
        ],
        "acknowledge": [
            [NUMBERS[3], "--why", "x", "--project", place],
            [KEYS[1], "--why", NUMBERS[1], "--project", place, "--json"],
            ["--all", "--in-doubt", "--why", "seen", "--project", place, "--json"],
        ],
        "metrics": [[place]],
        "transform": [[map_file, str(folder / "nothing.json")]],
        "registry": [["--help"]],
    }


def test_every_command_after_all_sorts_of_answers(project: Callable[..., Tiny]) -> None:
    answers = [identified, of_status(422), of_status(500), of_status(500), ANSWERS["a page"]]
    made = project(lambda number, body: answers[number % len(answers)](number, body))
    folder = made.folder
    first = checked(in_process("run", folder, "--debug"), "run")
    assert "FM820" in first.out
    assert "3 of 4 keys" in first.out
    listed = json.loads(in_process("status", folder, "--records", "--json").out)
    hashes = [answer["key"] for answer in listed if is_shown_form(answer["key"])]
    assert len(hashes) == 3
    known = every_command(folder, hashes[0])
    names = commands.list_commands(click.Context(commands))
    assert sorted(names) == sorted(known), "say above how a new command is asked"
    # One that is gone is withdrawn, where it was accepted.
    made.write(list(zip(KEYS, NUMBERS, NAMES, BORN, LOTS, strict=True))[1:])
    for name in names:
        for options in known[name]:
            checked(in_process(name, *options), " ".join([name, *options[:3]]))
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in (".html", ".json", ".txt"):
            searched(path.read_text(encoding="utf-8").replace("\t", " "), path.name)
    searched((folder / "records.csv").read_text(encoding="utf-8"), "records.csv")


def test_a_hash_means_its_record_wherever_a_key_is_taken(project: Callable[..., Tiny]) -> None:
    folder = project(of_status(422)).folder
    in_process("run", folder)
    listed = in_process("status", folder, "--records", "--json")
    hashes = [answer["key"] for answer in json.loads(listed.out)]
    assert [is_shown_form(key) for key in hashes] == [True, True, False, True]
    for key, hashed in zip(sorted(KEYS), hashes, strict=True):
        if not is_shown_form(hashed):
            continue
        assert in_process("status", folder, "--key", hashed).out == in_process("status", folder, "--key", key).out
        assert f"{hashed}   refused" in in_process("status", folder, "--key", key).out
    assert json.loads(in_process("retry", folder, "--key", hashes[0], "--json").out) == {"released": 1}
    shown = in_process("preview", folder, "--row", hashes[1], "--trace", "--json")
    assert json.loads(shown.out)["key"] == hashes[1]
    page = max((folder / "reports").glob("*.json"))
    assert hashes[0] in page.read_text(encoding="utf-8")
    assert hashes[0] in in_process("preview", folder, "--json").out


def test_keys_that_are_numbers_of_persons_are_warned_about_once(project: Callable[..., Tiny]) -> None:
    folder = project(of_status(422)).folder
    found = json.loads(in_process("check", folder, "--json").out)["diagnostics"]
    assert [entry["message"] for entry in found if entry["code"] == "FM820"] == [
        "3 of 4 keys in `id` look like the number of a person"
    ]
    assert "3 of 4 keys" in " ".join(in_process("doctor", folder, "--offline").out.split())
    report = json.loads(in_process("run", folder, "--json").out)
    assert [entry["code"] for entry in report["warnings"]] == ["FM820"]
