"""`fhirmap.toml`: everything wrong with it at once, each with its place; secrets by reference, never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError, ProjectError
from fhirmap.runner.project import Project
from fhirmap.runner.project_file import load_project, read_project
from fhirmap.runner.secret import Secret
from fhirmap.runner.target import find_target, read_target, shipped

GOOD = """\
[project]
name = "chu"

[map]
source = "own.map"
target = "here"
imports = ["lib/*.map"]

[source]
url = "postgresql://reader:${PASSWORD}@db/bloc"

[rules]
"nir-key" = "error"

[sink]
kind = "fhir-operation"
url = "https://registry.example/fhir"
timeout_s = 12.5
proxy = "http://proxy:3128"
[sink.auth]
kind = "client_credentials"
method = "client_secret_basic"
token_url = "https://id.example/token"
client_id = "chu"
client_secret = { file = "secret.txt" }
scope = "implant"
[sink.tls]
ca = "ca.pem"

[limits]
rate_per_s = 2
concurrency = 1
backoff_s = 0
uncertain = "hold"

[journal]
path = "var/journal.db"

[archive.table]
table = "recu"
key_column = "id"
value_column = "numero"
[archive.csv]
path = "recu.csv"

[records]
"implants" = "parameter.count()"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "here").mkdir()
    for name in ("own.map", "lib/a.map", "ca.pem", "here/t.map"):
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / "here" / "target.toml").write_text(
        'map = "t.map"\nendpoint = "$op"\nlimit_key = "id"\n', encoding="utf-8"
    )
    (tmp_path / "secret.txt").write_text("s3cret:%+é\n", encoding="utf-8")
    (tmp_path / "secret.txt").chmod(0o600)
    return tmp_path


def project(folder: Path, text: str = GOOD, **environ: str) -> Project:
    (folder / "fhirmap.toml").write_text(text, encoding="utf-8")
    return load_project(folder, environ=environ)


def faults(folder: Path, text: str) -> list[tuple[str, str, str]]:
    (folder / "fhirmap.toml").write_text(text, encoding="utf-8")
    _, found = read_project(folder, environ={})
    return [(d.code, d.span.position.rpartition("toml:")[2] if d.span else "", d.hint_text) for d in found]


def test_a_whole_project(folder: Path) -> None:
    found = project(folder, PASSWORD="p@ss:w/ôrd%")
    assert found.name == "chu"
    assert found.map.source == folder / "own.map"
    assert found.map.imports == (folder / "lib" / "a.map",)
    assert found.map.target is not None
    assert (found.map.target.name, found.map.target.endpoint) == ("here", "$op")
    assert found.severities == {"nir-key": "error"}
    assert (found.limits.rate_per_s, found.limits.concurrency, found.limits.uncertain) == (2, 1, "hold")
    assert found.journal.path == folder / "var" / "journal.db"
    assert found.archive.table is not None
    assert (found.archive.table.table, found.archive.csv) == ("recu", folder / "recu.csv")
    assert [(column.name, column.expression) for column in found.records] == [("implants", "parameter.count()")]
    assert found.warnings == ()
    settings = found.sink_settings()
    assert (settings.kind, settings.endpoint, settings.transport.timeout_s) == ("fhir-operation", "$op", 12.5)
    assert settings.credentials is not None
    assert settings.credentials.client_secret == "s3cret:%+é"
    assert settings.transport.tls.ca == folder / "ca.pem"


def test_a_password_of_any_characters_goes_into_the_url(folder: Path) -> None:
    import sqlalchemy as sa

    address = project(folder, PASSWORD="p@ss:w/ôrd%").source_address()
    assert sa.make_url(address.url).password == "p@ss:w/ôrd%"
    assert address.shown == "postgresql://reader:***@db/bloc"


def test_no_text_shows_a_secret(folder: Path) -> None:
    found = project(folder, PASSWORD="hunter2")
    address = found.source_address()
    settings = found.sink_settings()
    for shown in (repr(found), str(found), repr(address), str(address.shown), repr(settings), repr(found.source.url)):
        assert "hunter2" not in shown
        assert "s3cret" not in shown
    assert str(Secret("a", "x")) == "***"


def test_a_variable_that_is_not_set_stops_only_what_needs_it(folder: Path) -> None:
    found = project(folder, GOOD.replace("https://id.example", "${IDENTITY}"))
    with pytest.raises(ConfigError) as caught:
        found.source_address()
    assert (caught.value.code, "PASSWORD" in str(caught.value)) == ("FM736", True)
    with pytest.raises(ProjectError) as missing:
        found.require_environment()
    (entry,) = missing.value.diagnostics
    assert entry.span is not None
    assert (entry.args["variable"], entry.span.line) == ("IDENTITY", 23)
    (folder / "secret.txt").unlink()
    with pytest.raises(ConfigError) as unread:
        found.sink_settings()
    assert (unread.value.code, "secret.txt" in str(unread.value)) == ("FM738", True)


def test_every_fault_is_reported_at_once_with_its_place(folder: Path) -> None:
    text = (
        GOOD.replace('name = "chu"', "name = 3")
        .replace('source = "own.map"', 'source = "owm.map"')
        .replace('target = "here"', 'target = "renaco"')
        .replace('"error"', '"eror"')
        .replace("timeout_s", "tiemout_s")
        .replace("client_secret_basic", "client_secret_basik")
        .replace('client_id = "chu"\n', "")
        .replace("rate_per_s = 2", "rate_per_s = -2")
        .replace("concurrency = 1", 'concurrency = "1"')
        .replace("[journal]", "[jurnal]")
        .replace('key_column = "id"\n', "")
    )
    assert faults(folder, text) == [
        ("FM733", "2:1", ""),
        ("FM739", "5:1", ""),
        ("FM740", "6:1", "did you mean `renacot`?"),
        ("FM735", "13:1", "did you mean `error`?"),
        ("FM732", "18:1", "did you mean `timeout_s`?"),
        ("FM734", "20:2", "add it to fhirmap.toml"),
        ("FM735", "22:1", "did you mean `client_secret_basic`?"),
        ("FM735", "30:1", ""),
        ("FM733", "31:1", ""),
        ("FM732", "35:2", "did you mean `journal`?"),
        ("FM734", "38:2", "add it to fhirmap.toml"),
    ]


def test_a_literal_secret_is_a_warning_and_works(folder: Path) -> None:
    text = GOOD.replace('{ file = "secret.txt" }', '"open"').replace("${PASSWORD}", "pw")
    found = project(folder, text)
    assert [(d.code, d.span.line if d.span else 0) for d in found.warnings] == [("FM737", 10), ("FM737", 25)]
    settings = found.sink_settings()
    assert settings.credentials is not None and settings.credentials.client_secret == "open"
    assert not any("open" in d.message + d.hint_text or "pw" in d.message for d in found.warnings)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("[map\n", "1:"),
        ("[map]\nsource = own.map\n", "2:"),
        ('a = "x\n', "1:"),
        ("[a]\n[a]\n", "2:"),
        ('[map]\nsource = "own\\u0000.map"\n', "2:"),
        ('[source]\nurl = "a\\u0000.csv"\n', "2:"),
        ('[x]\ny = ["a", "\\u0000"]\n', "2:"),
    ],
)
def test_broken_toml_is_reported_with_its_place(folder: Path, text: str, position: str) -> None:
    (folder / "fhirmap.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_project(folder)
    span = caught.value.diagnostic().span
    assert caught.value.code == "FM731"
    assert span is not None and f"fhirmap.toml:{position}" in span.position


def test_a_project_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_project(tmp_path / "nowhere")
    assert caught.value.code == "FM730"
    (tmp_path / "a.map").write_text("")
    with pytest.raises(ConfigError, match="this command takes the folder"):
        load_project(tmp_path / "a.map")
    (tmp_path / "fhirmap.toml").write_bytes(b'[project]\nname = "caf\xe9"\n')
    with pytest.raises(ConfigError) as encoded:
        load_project(tmp_path)
    assert (encoded.value.code, "line 2" in str(encoded.value)) == ("FM731", True)


def test_another_source_of_the_same_layout(folder: Path) -> None:
    (folder / "fhirmap.toml").write_text(GOOD, encoding="utf-8")
    addresses = (("other.sqlite", "sql"), ("b.csv", "file"), ("postgresql://u@h/d", "sql"), ("x.ndjson", "file"))
    for given, kind in addresses:
        assert load_project(folder, source=given, environ={}).source_address().kind == kind
    with pytest.raises(ConfigError) as caught:
        load_project(folder, source="ftp://x", environ={}).source_address()
    assert caught.value.code == "FM700"


def test_files_are_found_from_the_projects_folder(folder: Path) -> None:
    found = project(folder, '[map]\nsource = "own.map"\n[source]\nurl = "sqlite:///data/sih.sqlite"\n')
    assert found.source_address().path == folder / "data" / "sih.sqlite"
    assert found.name == folder.name
    assert (found.sink.kind, found.map.target) == ("ndjson", None)


SOURCES = """\
[map]
source = "own.map"
[source]
url = "a.csv"
[sources.surgeons]
url = "postgresql://reader@db/rh"
password_file = "secret.txt"
[sources.stock]
url = "stock.sqlite"
"""


def test_further_sources_have_addresses_of_their_own(folder: Path) -> None:
    found = project(folder, SOURCES)
    assert set(found.sources) == {"surgeons", "stock"}
    surgeons = found.source_address("surgeons")
    assert (surgeons.kind, surgeons.password) == ("sql", "s3cret:%+é")
    assert found.source_address("stock").path == folder / "stock.sqlite"
    assert found.source_address().path == folder / "a.csv"
    with pytest.raises(ConfigError) as caught:
        found.source_address("surgeon")
    assert (caught.value.code, caught.value.diagnostic().meant) == ("FM769", "surgeons")


def test_another_address_for_a_source_by_its_name(folder: Path) -> None:
    (folder / "fhirmap.toml").write_text(SOURCES, encoding="utf-8")
    found = load_project(folder, source=("stock=other=1.csv", "b.csv"), environ={})
    assert [found.source_address(name).shown for name in ("", "stock")] == ["b.csv", "other=1.csv"]
    assert [bool(found.source_name(name)) for name in ("", "stock", "surgeons")] == [True, True, False]
    assert load_project(folder, source="stock=./stock.sqlite", environ={}).source_name("") == ""
    with pytest.raises(ProjectError) as caught:
        load_project(folder, source="stok=b.csv", environ={})
    (entry,) = caught.value.diagnostics
    assert (entry.code, entry.variant, entry.meant) == ("FM769", "given", "stock")


def test_a_project_whose_models_all_name_their_source_needs_none_of_its_own(folder: Path) -> None:
    found = project(folder, '[map]\nsource = "own.map"\n[sources.a]\nurl = "a.csv"\n')
    assert not found.has_own_source
    with pytest.raises(ConfigError) as caught:
        found.source_address()
    assert (caught.value.code, "source.url" in str(caught.value)) == ("FM734", True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[sources.a]\nurl = "ftp://a"\n', [("FM700", "5:1")]),
        ('[sources.a]\nurk = "a.csv"\n', [("FM732", "5:1")]),
        ("[sources.a]\n", [("FM734", "4:2")]),
        ('[sources]\nb = "b.csv"\na = { url = "a.csv" }\n', [("FM732", "5:1")]),
        ('[sources.a]\nurl = "postgresql://u:pw@h/d"\n', [("FM737", "5:1")]),
    ],
)
def test_what_is_wrong_with_a_further_source(folder: Path, text: str, found: list[tuple[str, str]]) -> None:
    own = '[map]\nsource = "own.map"\n'
    first = f"{own}source_ = 1\n"
    assert first
    assert [entry[:2] for entry in faults(folder, f"{own}\n{text}")] == found


@pytest.mark.parametrize(("table", "key"), [("sources", "url"), ("source", "uri")])
def test_what_is_missing_by_a_misspelt_name_is_reported_once(folder: Path, table: str, key: str) -> None:
    found = faults(folder, f'[map]\nsource = "own.map"\n[{table}]\n{key} = "a.csv"\n')
    assert [entry[0] for entry in found] == ["FM732"]


def test_text_in_multi_line_values_is_no_key(folder: Path) -> None:
    text = (
        'a = """\n[map]\nsource = 3\n"""\nb = [\n  "x = 1",\n  "y"]\n'
        '[map]\n  source = "own.map"\nbad = 1\n[source]\nurl = "a.csv"\n'
    )
    assert [entry[:2] for entry in faults(folder, text)] == [("FM732", "1:1"), ("FM732", "5:1"), ("FM732", "10:1")]


def test_files_of_a_target_are_beside_it_or_in_the_project_or_where_the_project_allows(tmp_path: Path) -> None:
    project, common = tmp_path / "project", tmp_path / "common"
    for place in (project / "mine", common):
        place.mkdir(parents=True)
    (common / "a.map").write_text("SECRET", encoding="utf-8")
    (project / "mine" / "target.toml").write_text('map = "../../common/a.map"\n', encoding="utf-8")
    for allowed in ((), (project,)):
        with pytest.raises(ProjectError) as caught:
            read_target(find_target("mine", project), allowed)
        assert [(d.code, d.variant) for d in caught.value.diagnostics] == [("FM739", "outside")]
    assert read_target(find_target("mine", project), (common,)).map.samefile(common / "a.map")
    (project / "in.map").write_text("", encoding="utf-8")
    (project / "mine" / "target.toml").write_text('map = "../in.map"\n', encoding="utf-8")
    assert read_target(find_target("mine", project), (project,)).map.samefile(project / "in.map")


def test_targets_are_found_by_path_and_by_name(tmp_path: Path) -> None:
    assert "renacot" in shipped("maps", "target.toml")
    for name in shipped("maps", "target.toml"):
        target = read_target(find_target(name, tmp_path))
        assert target.map.is_file()
        assert target.name == name
    wrong = tmp_path / "mine"
    wrong.mkdir()
    (wrong / "target.toml").write_text(
        'mpa = "a.map"\n[[rules]]\nkey = "k"\nseverity = "bad"\nhuman = "h"\n', encoding="utf-8"
    )
    with pytest.raises(ProjectError) as caught:
        read_target(find_target("mine", tmp_path))
    assert [(d.code, d.span.line if d.span else 0) for d in caught.value.diagnostics] == [
        ("FM734", 0),
        ("FM735", 4),
        ("FM734", 2),
        ("FM732", 1),
    ]


KEYS = '[map]\nsource = "own.map"\n[source]\nurl = "data.csv"\n[journal]\nencryption_keys = '


def test_the_keys_of_the_journal_are_references(folder: Path) -> None:
    listed = '["${NEW}", { env = "OLD" }, { file = "old.key" }, { keyring = "fhirmap/night" }]'
    assert faults(folder, KEYS + listed) == []
    found, _ = read_project(folder, environ={"NEW": "n3w", "OLD": "0ld"})
    assert found is not None
    keys = found.journal.encryption_keys
    assert [key.reveal() for key in keys[:2]] == ["n3w", "0ld"]
    assert (keys[2].file, keys[3].keyring) == (folder / "old.key", "fhirmap/night")
    assert "n3w" not in repr(found)


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        ('["a literal key"]', "FM737"),
        ('"${KEY}"', "FM733"),
        ("[1]", "FM733"),
        ('[{ keyring = "no-user" }]', "FM735"),
        ('[{ keyring = "/user" }]', "FM735"),
        ('[{ keyring = "a/b", file = "c" }]', "FM735"),
        ("[{}]", "FM735"),
        ('[{ fil = "c" }]', "FM732"),
    ],
)
def test_what_is_no_list_of_references(folder: Path, listed: str, code: str) -> None:
    assert code in [found[0] for found in faults(folder, KEYS + listed)]


def test_a_keyring_is_for_keys_of_the_journal_alone(folder: Path) -> None:
    text = '[map]\nsource = "own.map"\n[source]\nurl = "data.csv"\n[journal]\naudit_key = { keyring = "a/b" }'
    assert "FM732" in [found[0] for found in faults(folder, text)]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 100_000 + "]" * 100_000,
        "x = " + "[" * 100 + "]" * 100,
        "x" + ".x" * 2_000 + " = 1",
        "x = " + "9" * 5_000,
    ],
)
def test_what_nests_too_deeply_or_is_too_long_a_number_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "fhirmap.toml").write_text(text)
    with pytest.raises(ConfigError, match="FM731"):
        read_project(tmp_path)


def test_a_secret_is_not_read_from_a_pipe_or_a_device(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ConfigError, match="FM738"):
            Secret("sink.auth.client_secret", file=file).reveal()


@pytest.mark.parametrize("value", ["1e308", "inf", "nan", "9" * 400])
@pytest.mark.parametrize("key", ["rate_per_s", "concurrency", "attempts", "backoff_s", "timeout_s"])
def test_a_number_out_of_all_proportion_is_reported(tmp_path: Path, key: str, value: str) -> None:
    table = "sink" if key == "timeout_s" else "limits"
    (tmp_path / "fhirmap.toml").write_text(f"[{table}]\n{key} = {value}\n")
    _, diagnostics = read_project(tmp_path)
    wrong = [entry for entry in diagnostics if entry.args.get("setting") == f"{table}.{key}"]
    assert {entry.code for entry in wrong} <= {"FM733", "FM735"} and wrong
