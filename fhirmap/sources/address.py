"""Where a source is: a database URL or a file, with its password masked when shown."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from fhirmap.errors import ConfigError

SUFFIXES = {
    ".sqlite": "sql",
    ".sqlite3": "sql",
    ".db": "sql",
    ".db3": "sql",
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".ndjson": "json",
    ".jsonl": "json",
}
_WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
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
    """A place to read from. ``kind``: sql, csv, json, or a plug-in's scheme. ``shown`` is safe to print, ``url`` is
    not.

    ``path``: the file, for SQLite, CSV and JSON; for a plug-in, what comes after ``scheme://`` as a path from the
    project's folder. ``password``: kept apart from ``url`` when it comes from a reference.
    """

    kind: str
    shown: str
    url: str = field(default="", repr=False)
    path: Path | None = None
    password: str = field(default="", repr=False)


def mask(text: str) -> str:
    """``text`` with the password of a URL replaced: `postgresql://reader:***@host/db`."""
    masked = _PASSWORD.sub(r"\1:***", text)
    return re.sub(r"(?i)([?&](?:password|passwd|pwd)=)[^&]*", r"\1***", masked)


def parse_address(
    text: str, folder: Path | None = None, *, password: str = "", schemes: Collection[str] = ()
) -> Address:
    """The address that ``text`` means: a URL, or the path of a file from ``folder`` (its suffix shows the kind).

    Raises: ConfigError FM700 for a scheme or suffix that nothing reads.
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
    if scheme in ("file", "csv", "json", "ndjson"):
        return _file(rest, text, folder, "" if scheme == "file" else scheme.replace("nd", ""))
    if scheme.split("+")[0] == "sqlite":
        return _file(rest.removeprefix("/").split("?")[0], text, folder, "sql")
    if scheme.split("+")[0] in _DRIVERS:
        return Address("sql", mask(text), f"{_DRIVERS.get(scheme, scheme)}://{rest}", password=password)
    raise ConfigError("FM700", source=mask(text), variant="scheme", scheme=scheme)


def _file(path_text: str, shown: str, folder: Path | None, kind: str = "") -> Address:
    path = _from(folder, path_text)
    found = kind or SUFFIXES.get(path.suffix.lower(), "")
    if not found:
        variant = "no_suffix"
        if path.suffix:
            variant = "workbook" if path.suffix.lower() in _WORKBOOKS else "suffix"
        raise ConfigError("FM700", source=shown, variant=variant, suffix=path.suffix)
    return Address(found, shown, path=path)


def _from(folder: Path | None, path_text: str) -> Path:
    path = Path(path_text).expanduser()
    return path if folder is None or path.is_absolute() else folder / path
