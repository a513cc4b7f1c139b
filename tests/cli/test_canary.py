"""No value of a source is in what a command writes, whatever holds it: a cell, a line, a key, a name, broken text.

By design some commands show values, and are not asked here: `preview --row`, `preview --trace --values`,
`transform`, the payloads of a run (`out.ndjson`, the journal's entries), and the codes that `init` lists for a
table to be filled in. A record's key is shown everywhere: the keys here are `K1`, `K2`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from fhirmap.runner.first_map import first_goal
from tests.cli.conftest import Done, in_process

NUMBERS = ["151024610204372", "2600575238001", "175122A11100173"]
SPACED = ["1 51 02 46 102 043 72", "2\u00a060 05 75 238 001", "1 75 12 2A 111 001 73"]
NAMES = ["CANARDEAU", "Zcanarÿ", "O'Canary"]
PERSON = f"{NAMES[0]} Anne-Marie"
BORN = ["1951-02-13", "17/05/1960", "19751219"]
LOTS = ["LOTCANARY01", "(01)02999600100013(17)300511(10)LOTCANARY02", "LOTCANARY03"]
FREE = "Reprise de prothèse, Mme CANARDEAU prévenue le jour même"
COLUMNS = ("id", "nir", "name", "born", "lot")
ROWS = [
    dict(zip(COLUMNS, row, strict=True)) for row in zip(("K1", "K2", "K3"), NUMBERS, NAMES, BORN, LOTS, strict=True)
]

MAP = """\
/// url = 'https://tiny.example/fhir/StructureMap/tiny'
/// name = 'Tiny'

uses "http://hl7.org/fhir/StructureDefinition/Parameters" alias Parameters as target

model Stay from {store} {{
  id   : string  1..1 from {id}
  nir  : string  1..1 from {nir}
  name : integer 0..1 from {name}
  born : date    0..1 from {born} format 'dd/MM/yyyy'
  lot  : string  0..1 from {lot}
}}

conceptmap "names" {{
  prefix s = "urn:names"
  prefix t = "urn:others"
  unmapped error
  s:A - t:B
}}

group tiny(source src : Stay, target tgt : Parameters) {{
  src.nir as v where (nirKeyValid($this).not()) log ('wrong') -> tgt.parameter as p, p.name = 'n', p.value = v "nir";
  src.name as v -> tgt.parameter as p, p.name = 'name', p.value = v "name";
  src.born as v -> tgt.parameter as p, p.name = 'born', p.value = v "born";
  src.lot as v -> tgt.parameter as p, p.name = 'lot', p.value = translate(v, '#names', 'code') "lot";
}}
"""


def spellings() -> Iterator[str]:
    """Each value in the forms in which it might get out."""
    for number in (*NUMBERS, *SPACED):
        yield number
        yield number.replace("\u00a0", " ")
        yield "".join(number.split())[:13]
    yield from (*NAMES, *BORN, "1960-05-17", "1975-12-19", "13/02/1951", *LOTS, "02999600100013", FREE)
    yield "canar"  # whatever was not thought of


def found_in(text: str, where: str) -> None:
    """Fails where a value is in ``text``, with what is around it."""
    folded = text.casefold()
    for value in spellings():
        at = folded.find(value.casefold())
        assert at < 0, (where, value, text[max(0, at - 200) : at + 200])


@dataclass(frozen=True)
class Held:
    """A source of one kind. ``store``: how a map says it; ``places``: how it says where each element is."""

    file: str
    store: str
    content: bytes
    places: Mapping[str, str] = field(default_factory=dict)
    url: str = ""

    def map(self) -> str:
        """The map's text."""
        return MAP.format(**{"store": self.store, **{name: f"'{name}'" for name in COLUMNS}, **self.places})


def csv(*lines: str, encoding: str = "utf-8", lot: str = "lot") -> Held:
    content = ("\r\n".join(lines) + "\r\n").encode(encoding)
    return Held("stays.csv", "csv key 'id' delimiter ';'", content, {"lot": f"'{lot}'"})


def document(content: object, store: str = "json path 'stays' key 'id'", lot: str = "lot") -> Held:
    held = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    return Held("stays.json", store, held, {"lot": f"'{lot}'"})


def lines(*content: object) -> Held:
    held = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in content]
    return Held("stays.ndjson", "json key 'id'", b"\n".join(held) + b"\n")


HEAD = ";".join(COLUMNS)
BODY = [";".join(row.values()) for row in ROWS]
CSV: Mapping[str, Held] = {
    "cells": csv(HEAD, *BODY),
    "no line of names": csv(*BODY),
    "one line": csv(BODY[0]),
    "no line of names, spaced": csv(*(f"K{n};{number};{FREE}" for n, number in enumerate(SPACED, 1))),
    "people alone": csv(f"{NAMES[0]}-Roy;oui", f"{NAMES[1]};non", f"{NAMES[2]};non"),
    "one person": csv(f"{NAMES[0]};Zoé;F"),
    "a title": csv(f"Patient;{NAMES[0]};{SPACED[0]};;", HEAD, *BODY),
    "a value among the names": csv(f"{HEAD};{NUMBERS[0]};{BORN[0]};{SPACED[2]}", *(f"{line};;;" for line in BODY)),
    "a name that is not there": csv(HEAD, *BODY, lot="lto"),
    "no line of names, none of them": csv(*BODY, lot="159024610204372"),
    "a quote that is not closed": csv(HEAD, *(line.replace(";", ';"', 3) for line in BODY)),
    "a quote that is not closed, in the names": csv(f'"{HEAD}', *BODY),
    "too many fields": csv(HEAD, *(f"{line};{line}" for line in BODY)),
    "another delimiter": csv(*(line.replace(";", "|") for line in (HEAD, *BODY))),
    "another encoding": csv(HEAD, *BODY, encoding="cp1252"),
    "a wide encoding": csv(HEAD, *BODY, encoding="utf-16-le"),
    "a mark of the delimiter": csv("sep=;", *BODY),
    "bytes of nothing": Held("stays.csv", "csv key 'id'", b"\0\xff".join(line.encode() for line in BODY)),
}
BROKEN = b'{"stays": [' + json.dumps(ROWS[0]).encode()
JSON: Mapping[str, Held] = {
    "cells": document({"stays": ROWS}),
    "a key that is a number": document({"stays": [{**row, row["nir"]: {"lot": row["lot"]}} for row in ROWS]}),
    "records by number": document({"stays": {row["nir"]: row for row in ROWS}}),
    "records by number, at the top": document({row["nir"]: row for row in ROWS}, "json key 'id'"),
    "lists by number": document({row["nir"]: [row] for row in ROWS}),
    "lists by day": document({BORN[0]: {SPACED[0]: [ROWS[0]]}}),
    "records by name below": document(
        {"stays": [{"id": "K1", "nir": {NUMBERS[0]: {BORN[1]: 1}}, SPACED[1]: [{"a": 1}]}]}
    ),
    "a path that is not there": document({"stay": ROWS, NUMBERS[0]: ROWS}),
    "a path that is not there, by person": document({"stay": ROWS, PERSON: ROWS}),
    "records by person": document({"stays": {row["name"]: row for row in ROWS}}),
    "records by person, below": document({"stays": [{**row, "by": {row["name"]: {"lot": 1}}} for row in ROWS]}),
    "records by person, at the top": document({row["name"]: row for row in ROWS}, "json key 'id'"),
    "one record by person": document({"stays": {PERSON: ROWS[0]}}),
    "one record by person, at the top": document({PERSON: ROWS[0]}),
    "lists by person": document({row["name"]: [row] for row in ROWS}),
    "values by person, at the top": document({row["name"]: row["lot"] for row in ROWS}, "json key 'id'"),
    "values by person": document({"stays": [{"id": "K1", "lots": {PERSON: LOTS[0]}}]}),
    "a name that is not there": document({"stays": [{**row, row["nir"]: 1} for row in ROWS]}, lot="159024610204372"),
    "ends early": document(BROKEN),
    "ends in a text": document(BROKEN[:-40]),
    "a comma too many": document(json.dumps({"stays": ROWS}).replace('", "name"', '",, "name"').encode()),
    "a key twice": document(json.dumps({"stays": ROWS}).replace('"name"', '"nir"').encode()),
    "objects for texts": document({"stays": [{**row, "name": {"family": row["name"]}, "lot": [row]} for row in ROWS]}),
    "texts for records": document({"stays": [*NUMBERS, *NAMES]}),
    "other types": document({"stays": [{**row, "nir": int(NUMBERS[0]), "born": 19510213} for row in ROWS]}),
    "bytes of nothing": document(json.dumps({"stays": ROWS}).encode().replace(b"CANARDEAU", b"CANARDEAU\xff\0")),
    "a text": document(json.dumps(NUMBERS[0]).encode()),
}
NDJSON: Mapping[str, Held] = {
    "cells": lines(*ROWS),
    "a key that is a number": lines(*({**row, row["nir"]: row["lot"]} for row in ROWS)),
    "a key that is a person": lines(*({"id": row["id"], row["name"]: {"lot": row["lot"]}} for row in ROWS)),
    "broken": lines(ROWS[0], json.dumps(ROWS[1]).encode()[:-9], b'"151024610204372"', b"CANARDEAU", ROWS[2]),
}


def database(rows: list[dict[str, str]], *, lot: str = "lot", store: str = "table 'STAY' key 'id'") -> Held:
    """A SQLite file, as bytes."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table STAY (id text primary key, nir text, name text, born text, lot text)")
        for row in rows:
            connection.execute(f"insert into STAY values ({', '.join('?' * len(row))})", [*row.values()])
        connection.commit()
        return Held("stays.sqlite", store, connection.serialize(), {"lot": f"'{lot}'"}, "sqlite:///stays.sqlite")


SQLITE: Mapping[str, Held] = {
    "cells": database(ROWS),
    "a name that is not there": database(ROWS, lot="lto"),
    "a condition": database(ROWS, store="table 'STAY' key 'id' where \"cast(nir as integer) > name and born > lot\""),
    "no database": Held("stays.sqlite", "table 'STAY' key 'id'", BODY[0].encode(), url="sqlite:///stays.sqlite"),
}


def xml(*entries: str, root: str = "stays", head: str = "", path: str = "stays.stay") -> Held:
    """A document of XML; the entries as they are."""
    content = f"{head}<{root}>" + "\n".join(entries) + f"</{root}>"
    return Held("stays.xml", f"xml path '{path}' key 'id'", content.encode())


STAY = [
    f"<stay><id>{row['id']}</id>" + "".join(f"<{name}>{row[name]}</{name}>" for name in COLUMNS[1:]) + "</stay>"
    for row in ROWS
]
XML: Mapping[str, Held] = {
    "cells": xml(*STAY),
    "attributes": xml(*(f'<stay id="{row["id"]}" name="{row["name"]}" n{row["nir"]}="{row["nir"]}"/>' for row in ROWS)),
    "elements by number": xml(
        *(f"<n{row['nir']}>{entry}</n{row['nir']}>" for row, entry in zip(ROWS, STAY, strict=True))
    ),
    "a path that is not there": xml(*STAY, path="stays.stays"),
    "text between elements": xml(
        *(f"{row['nir']} {row['name']} {entry}" for row, entry in zip(ROWS, STAY, strict=True))
    ),
    "an end that is no end": xml(STAY[0], STAY[1].replace("</name>", "</CANARDEAU>")),
    "an entity that is not there": xml(STAY[0].replace("CANARDEAU", "&CANARDEAU;")),
    "entities of its own": xml(STAY[0], head='<!DOCTYPE stays [<!ENTITY CANARDEAU "CANARDEAU">]>'),
    "an attribute twice": xml(STAY[0].replace("<stay>", '<stay CANARDEAU="1" CANARDEAU="2">')),
    "a prefix that is not there": xml(
        STAY[0].replace("<lot>", "<CANARDEAU:lot>").replace("</lot>", "</CANARDEAU:lot>")
    ),
    "ends early": Held("stays.xml", "xml path 'stays.stay' key 'id'", f"<stays>{STAY[0]}{STAY[1][:-60]}".encode()),
    "no document": Held("stays.xml", "xml path 'stays.stay' key 'id'", "\n".join(BODY).encode()),
    "another encoding": Held(
        "stays.xml", "xml path 'stays.stay' key 'id'", f"<stays>{STAY[1]}</stays>".encode("cp1252")
    ),
    "elements for texts": xml(STAY[0].replace("CANARDEAU", "<n151024610204372>CANARDEAU</n151024610204372>")),
}
SEGMENTS = {"id": "'PID.3'", "nir": "'PID.18'", "name": "'PID.5.1'", "born": "'PID.7'", "lot": "'OBX.5'"}


def hl7(*messages: str, encoding: str = "utf-8") -> Held:
    """Messages of HL7 v2, with a carriage return after each segment."""
    content = "\r".join(message.replace("\n", "\r") for message in messages) + "\r"
    return Held("stays.hl7", "hl7 key 'PID.3'", content.encode(encoding), SEGMENTS)


MESSAGES = [
    f"MSH|^~\\&|BLOC|CHU|REG|CHU|20250322||ORU^R01|{row['id']}|P|2.5\n"
    f"PID|1||{row['id']}||{row['name']}^Jean||{row['born']}|M|||||||||||{row['nir']}\n"
    f"OBR|1\nOBX|1|ST|LOT||{row['lot']}"
    for row in ROWS
]
HL7: Mapping[str, Held] = {
    "cells": hl7(*MESSAGES),
    "segments that are none": hl7(MESSAGES[0], *BODY, MESSAGES[1]),
    "segments by number": hl7(MESSAGES[0], f"{NUMBERS[0]}|{NAMES[0]}", f"Z12|{NUMBERS[1]}"),
    "no head": hl7(*(message.partition("\n")[2] for message in MESSAGES)),
    "a head cut short": hl7(MESSAGES[0], MESSAGES[1].replace("MSH|^~\\&|BLOC", "MSH|CANARDEAU"), MESSAGES[2]),
    "another encoding": hl7(*MESSAGES, encoding="cp1252"),
    "no messages": Held("stays.hl7", "hl7 key 'PID.3'", "\n".join(BODY).encode(), SEGMENTS),
}
WIDTHS = {"id": 2, "nir": 15, "name": 12, "born": 10, "lot": 14}
PLACES = {"id": "1..2", "nir": "3..17", "name": "18..29", "born": "30..39", "lot": "40..53"}


def fixed(*content: str) -> Held:
    """Lines of fixed width."""
    return Held("stays.txt", "fixed key '1-2'", "\r\n".join([*content, ""]).encode(), PLACES)


LINES = ["".join(row[name][:width].ljust(width) for name, width in WIDTHS.items()) for row in ROWS]
FIXED: Mapping[str, Held] = {
    "cells": fixed(*LINES),
    "short lines": fixed(LINES[0], LINES[1][:20], LINES[2]),
    "other lines": fixed(*BODY),
    "bytes of nothing": Held("stays.txt", "fixed key '1-2'", b"\xff\0".join(line.encode() for line in LINES), PLACES),
}


def sheet(*rows: Sequence[object], name: str = "Poses", more: str = "", store: str = "sheet key 'id'") -> Held:
    """A workbook with one sheet, or an empty one more."""
    held = BytesIO()
    book = xlsxwriter.Workbook(held, {"in_memory": True})
    page = book.add_worksheet(name)
    for place, row in enumerate(rows):
        for column, cell in enumerate(row):
            page.write(place, column, cell)
    if more:
        book.add_worksheet(more).write(0, 0, NUMBERS[0])
    book.close()
    return Held("stays.xlsx", store, held.getvalue())


CELLS = [tuple(row.values()) for row in ROWS]
SHEET: Mapping[str, Held] = {
    "cells": sheet(COLUMNS, *CELLS),
    "no row of names": sheet(*CELLS),
    "one row": sheet(CELLS[0]),
    "one person": sheet((NAMES[0], "Zoé", "F")),
    "a title": sheet((f"Patient {NAMES[0]}", SPACED[0]), (), COLUMNS, *CELLS),
    "a value among the names": sheet((*COLUMNS, NUMBERS[0], BORN[1]), *((*row, 1, 2) for row in CELLS)),
    "numbers": sheet(COLUMNS, *((row[0], int(NUMBERS[0]), row[2], 19510213, 29991.5) for row in CELLS)),
    "errors": sheet(COLUMNS, *((*row[:2], "=1/0", "=NA()", row[4]) for row in CELLS)),
    "several sheets": sheet(COLUMNS, *CELLS, name=NUMBERS[0], more=BORN[0]),
    "a sheet that is not there": sheet(COLUMNS, *CELLS, name=NUMBERS[0], store="sheet 'Poses' key 'id'"),
    "sheets by person": sheet(COLUMNS, *CELLS, name=PERSON, more=NAMES[1]),
    "one sheet by person": sheet(COLUMNS, *CELLS, name=PERSON),
    "one sheet by person, called by its number": sheet(COLUMNS, *CELLS, name=NAMES[0], store="sheet 1 key 'id'"),
    "no such sheet, by person": sheet(COLUMNS, *CELLS, name=PERSON, more=NAMES[1], store="sheet 'Poses' key 'id'"),
    "a total": sheet(COLUMNS, *CELLS, ("Total", NUMBERS[0], NAMES[0], "", LOTS[0])),
    "no workbook": Held("stays.xlsx", "sheet key 'id'", "\n".join(BODY).encode()),
}


def parquet(rows: Sequence[Mapping[str, object]]) -> Held:
    """A Parquet file."""
    held = BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), held)
    return Held("stays.parquet", "parquet key 'id'", held.getvalue())


PARQUET: Mapping[str, Held] = {
    "cells": parquet(ROWS),
    "columns by number": parquet([{**row, NUMBERS[0]: row["nir"], BORN[1]: 1} for row in ROWS]),
    "objects by number": parquet([{**row, "name": {NUMBERS[0]: row["name"], "lot": 1}} for row in ROWS]),
    "no Parquet": Held("stays.parquet", "parquet key 'id'", "\n".join(BODY).encode()),
}


def zipped(*held: Held, store: str) -> Held:
    """An archive of several files."""
    content = BytesIO()
    with ZipFile(content, "w") as archive:
        for number, entry in enumerate(held, 1):
            archive.writestr(f"part-{number}{Path(entry.file).suffix}", entry.content)
    return Held("stays.zip", store, content.getvalue(), held[0].places)


ARCHIVE: Mapping[str, Held] = {
    "cells": zipped(CSV["cells"], store="csv key 'id'"),
    "no line of names": zipped(CSV["cells"], CSV["no line of names"], store="csv key 'id'"),
    "a broken file": zipped(JSON["cells"], JSON["ends early"], store="json path 'stays' key 'id'"),
    "no archive": Held("stays.zip", "csv key 'id'", "\n".join(BODY).encode()),
}
KINDS = {
    "csv": CSV,
    "json": JSON,
    "ndjson": NDJSON,
    "sqlite": SQLITE,
    "xml": XML,
    "hl7": HL7,
    "fixed": FIXED,
    "sheet": SHEET,
    "parquet": PARQUET,
    "archive": ARCHIVE,
}
SOURCES = {f"{kind}: {name}": held for kind, entries in KINDS.items() for name, held in entries.items()}
EVERY = list(SOURCES)


@pytest.fixture
def project(tmp_path: Path) -> Callable[[Held], Path]:
    """A project of its own for a source, with a sink to a file."""

    def make(held: Held) -> Path:
        folder = tmp_path / "project"
        folder.mkdir()
        (folder / held.file).write_bytes(held.content)
        (folder / "tiny.map").write_text(held.map(), encoding="utf-8")
        (folder / "fhirmap.toml").write_text(
            '[project]\nname = "tiny"\n\n[map]\nsource = "tiny.map"\n\n'
            f'[source]\nurl = "{held.url or held.file}"\n\n[sink]\nkind = "ndjson"\npath = "out.ndjson"\n',
            encoding="utf-8",
        )
        return folder

    return make


COMMANDS = [
    ["check"],
    ["check", "--json"],
    ["check", "--one-line"],
    ["preview"],
    ["preview", "--json"],
    ["preview", "--row", "K1", "--trace"],
    ["doctor"],
    ["lineage"],
    ["lineage", "--json"],
    ["plan"],
    ["run", "--debug"],
    ["run", "--json"],
    ["status", "--records"],
    ["status", "--json"],
    ["status", "--key", "K1"],
    ["status", "--invalid", "--json"],
    ["report"],
    ["report", "--json"],
]
IN_FRENCH = ("check", "preview", "run", "status")


@pytest.fixture(scope="module", autouse=True)
def _one_goal() -> Iterator[None]:
    """What `init` works towards is the same for each source: the shared model is parsed once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fhirmap.runner.scaffold.first_goal", cache(first_goal))
        yield


def searched(done: Done, where: str) -> Done:
    """The command wrote no value, and did not break."""
    found_in(done.out, f"{where}: stdout")
    found_in(done.err, f"{where}: stderr")
    assert "Traceback" not in done.err, (where, done.err)
    return done


@pytest.mark.parametrize("name", EVERY)
def test_commands_of_a_project(name: str, project: Callable[[Held], Path]) -> None:
    held = SOURCES[name]
    folder = project(held)
    for command, *options in COMMANDS:
        for language in ("en", "fr") if command in IN_FRENCH and not options else ("en",):
            searched(in_process(command, folder, *options, "--lang", language), f"{command} {options} {language}")
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in (held.file, "out.ndjson") and not path.name.startswith("journal.db"):
            found_in(path.read_bytes().decode("utf-8", "replace"), path.name)
        found_in(path.name, "the name of a file")
    found_in(journal_texts(folder / "journal.db"), "journal")


@pytest.mark.parametrize("name", EVERY)
def test_commands_that_look_at_a_source(name: str, project: Callable[[Held], Path], tmp_path: Path) -> None:
    held = SOURCES[name]
    folder = project(held)
    url = f"sqlite:///{folder / held.file}" if held.url else str(folder / held.file)
    for options in ([], ["--json"], ["--lang", "fr"], ["--name", "Stay", "--encoding", "cp1252"]):
        searched(in_process("inspect", url, *options), f"inspect {options}")
    for language in ("en", "fr"):
        target = tmp_path / f"new-{language}"
        done = searched(in_process("init", target, "--source", url, "--lang", language), f"init {language}")
        for path in target.rglob("*") if done.code == 0 else ():
            if path.is_file():
                found_in(path.read_text(encoding="utf-8"), path.name)


def journal_texts(path: Path) -> str:
    """What the journal holds as text, but for payloads and what was answered."""
    if not path.exists():
        return ""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        found = []
        for table in tables:
            rows = connection.execute(f'select * from "{table}"')
            found += [f"{table}: {cell}" for row in rows for cell in row if isinstance(cell, str)]
    return "\n".join(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_of_each_kind_is_one_that_is_read(kind: str, project: Callable[[Held], Path]) -> None:
    found = json.loads(in_process("preview", project(KINDS[kind]["cells"]), "--json").out)
    assert found["read"] == 3
    assert found["verdicts"] == {"invalid": 3}
