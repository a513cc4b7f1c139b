"""Addresses: what kind of source a text means, and that no password is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.sources.address import mask, parse_address


@pytest.mark.parametrize(
    ("text", "kind", "path"),
    [
        ("data/sih.sqlite", None, "/p/data/sih.sqlite"),
        ("sqlite:///data/sih.db", None, "/p/data/sih.db"),
        ("sqlite:////srv/sih", None, "/srv/sih"),
        ("sqlite+pysqlite:///a.b", None, "/p/a.b"),
    ],
)
def test_databases_in_files(text: str, kind: None, path: str) -> None:
    found = parse_address(text, Path("/p"))
    assert (found.kind, found.format, found.path) == ("sql", kind, Path(path))


@pytest.mark.parametrize(
    ("text", "format_", "path"),
    [
        ("export.CSV", "csv", "/p/export.CSV"),
        ("csv:///srv/export.dat", "csv", "/srv/export.dat"),
        ("cases.ndjson", "json", "/p/cases.ndjson"),
        ("file:///srv/cases.json", "json", "/srv/cases.json"),
        ("ndjson://cases.txt", "json", "/p/cases.txt"),
        ("poses.XLSX", "sheet", "/p/poses.XLSX"),
        ("poses.ods", "sheet", "/p/poses.ods"),
        ("lettres/*.xml", "xml", "/p/lettres/*.xml"),
        ("lot.hl7.gz", "hl7", "/p/lot.hl7.gz"),
        ("poses.parquet", "parquet", "/p/poses.parquet"),
        ("fichcomp.txt", None, "/p/fichcomp.txt"),
        ("fixed://fichcomp.txt", "fixed", "/p/fichcomp.txt"),
        ("exports", None, "/p/exports"),
        ("exports.zip", None, "/p/exports.zip"),
    ],
)
def test_files(text: str, format_: str | None, path: str) -> None:
    found = parse_address(text, Path("/p"))
    assert (found.kind, found.format, found.path) == ("file", format_, Path(path))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("mysql://u@h/d", "mysql+pymysql://u@h/d"),
        ("mariadb://u@h/d", "mariadb+pymysql://u@h/d"),
    ],
)
def test_servers(text: str, url: str) -> None:
    assert parse_address(text).url == url


def test_a_scheme_that_nothing_reads() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_address("ftp://x/y")
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM700", "scheme")


@pytest.mark.parametrize("password", ["s3cret", "s3cret@x", "a:s3cret", "s3cret/y@"])
def test_no_password_is_shown(password: str) -> None:
    for url in (f"postgresql://u:{password}@h:5432/d", f"mssql://h/d?user=u&password={password.replace('@', '%40')}"):
        found = parse_address(url, password=password)
        assert "s3cret" not in mask(url) + found.shown + repr(found)
