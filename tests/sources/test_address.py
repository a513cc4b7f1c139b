"""Addresses: what kind of source a text means, and that no password is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.sources.address import mask, parse_address


@pytest.mark.parametrize(
    ("text", "kind", "path"),
    [
        ("data/sih.sqlite", "sql", "/p/data/sih.sqlite"),
        ("sqlite:///data/sih.db", "sql", "/p/data/sih.db"),
        ("sqlite:////srv/sih", "sql", "/srv/sih"),
        ("sqlite+pysqlite:///a.b", "sql", "/p/a.b"),
        ("export.CSV", "csv", "/p/export.CSV"),
        ("csv:///srv/export.dat", "csv", "/srv/export.dat"),
        ("cases.ndjson", "json", "/p/cases.ndjson"),
        ("file:///srv/cases.json", "json", "/srv/cases.json"),
    ],
)
def test_files(text: str, kind: str, path: str) -> None:
    found = parse_address(text, Path("/p"))
    assert (found.kind, found.path) == (kind, Path(path))


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


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("ftp://x/y", "scheme"), ("a.docx", "suffix"), ("folder", "no_suffix"), ("a.xlsx", "workbook"),
        ("A.XLS", "workbook"), ("a.ods", "workbook"),
    ],
)  # fmt: skip
def test_what_nothing_reads(text: str, variant: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_address(text)
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM700", variant)


@pytest.mark.parametrize("password", ["s3cret", "s3cret@x", "a:s3cret", "s3cret/y@"])
def test_no_password_is_shown(password: str) -> None:
    for url in (f"postgresql://u:{password}@h:5432/d", f"mssql://h/d?user=u&password={password.replace('@', '%40')}"):
        found = parse_address(url, password=password)
        assert "s3cret" not in mask(url) + found.shown + repr(found)
