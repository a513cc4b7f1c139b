"""Where a source is: a database URL or a file, with its password masked when shown."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fhirmap.errors import ConfigError
from fhirmap.source_plan import SourceKind

_DATABASES = frozenset({".sqlite", ".sqlite3", ".db", ".db3"})
SUFFIXES: Mapping[str, SourceKind] = {
    ".csv": SourceKind.CSV,
    ".tsv": SourceKind.CSV,
    ".json": SourceKind.JSON,
    ".ndjson": SourceKind.JSON,
    ".jsonl": SourceKind.JSON,
    ".xlsx": SourceKind.SHEET,
    ".xlsm": SourceKind.SHEET,
    ".xlsb": SourceKind.SHEET,
    ".xls": SourceKind.SHEET,
    ".ods": SourceKind.SHEET,
    ".xml": SourceKind.XML,
    ".hl7": SourceKind.HL7,
    ".parquet": SourceKind.PARQUET,
}
"""Suffixes of files that say how they are to be read. Others may be anything: `.txt` is CSV, fixed width or HL7 v2."""
_SCHEMES: Mapping[str, SourceKind | None] = {
    "file": None,
    "ndjson": SourceKind.JSON,
    **{kind.value: kind for kind in SourceKind if not kind.is_sql},
}
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+)://")
# To the last `@`: a password that should have been percent-encoded must not be shown in part.
_PASSWORD = re.compile(r"(://[^/@:]*):.*(?=@)")
_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "oracle": "oracle+oracledb",
    "mssql": "mssql+pyodbc",
}


@dataclass(frozen=True, slots=True)
class Address:
    """A place to read from. ``kind``: sql, file, or a plug-in's scheme. ``shown`` is safe to print, ``url`` is not.

    ``path``: the file, for SQLite and files; a folder, a pattern (`data/*.xml`) or an archive of files; for a plug-in,
    what comes after ``scheme://`` as a path from the project's folder. ``password``: kept apart from ``url`` when it
    comes from a reference. ``format``: what the files are, where their suffix or the scheme says so.
    ``may_be_empty``: a folder, or a pattern, without a file is one without records.
    """

    kind: str
    shown: str
    url: str = field(default="", repr=False)
    path: Path | None = None
    password: str = field(default="", repr=False)
    format: SourceKind | None = None
    may_be_empty: bool = False


def mask(text: str) -> str:
    """``text`` with the password of a URL replaced: `postgresql://reader:***@host/db`."""
    masked = _PASSWORD.sub(r"\1:***", text)
    return re.sub(r"(?i)([?&](?:password|passwd|pwd)=)[^&]*", r"\1***", masked)


def parse_address(
    text: str, folder: Path | None = None, *, password: str = "", schemes: Collection[str] = ()
) -> Address:
    """The address that ``text`` means: a URL, or the path of files from ``folder``.

    Raises: ConfigError FM700 for a scheme that nothing reads.
    Example:
        >>> parse_address("postgresql://reader:secret@db/bloc").shown
        'postgresql://reader:***@db/bloc'
    """
    found = _SCHEME.match(text)
    if found is None:
        return _file(text, text, folder)
    scheme = found.group(1).lower()
    rest = text[found.end() :]
    if scheme in schemes:
        return Address(scheme, mask(text), text, _from(folder, rest), password)
    if scheme in _SCHEMES:
        return _file(rest, text, folder, _SCHEMES[scheme])
    if scheme.split("+")[0] == "sqlite":
        return Address("sql", text, path=_from(folder, rest.removeprefix("/").split("?")[0]))
    if scheme.split("+")[0] in _DRIVERS:
        return Address("sql", mask(text), f"{_DRIVERS.get(scheme, scheme)}://{rest}", password=password)
    raise ConfigError("FM700", source=mask(text), variant="scheme", scheme=scheme)


def _file(path_text: str, shown: str, folder: Path | None, declared: SourceKind | None = None) -> Address:
    path = _from(folder, path_text)
    suffix = path.suffix.lower()
    if declared is None and suffix in _DATABASES:
        return Address("sql", shown, path=path)
    inner = Path(path.stem).suffix.lower() if suffix == ".gz" else suffix
    return Address("file", shown, path=path, format=declared or SUFFIXES.get(inner))


def _from(folder: Path | None, path_text: str) -> Path:
    path = Path(path_text).expanduser()
    return path if folder is None or path.is_absolute() else folder / path
