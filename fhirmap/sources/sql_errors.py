"""What a database says, as a `ConfigError` that names the thing. The one place that reads SQLAlchemy's and drivers'
errors.

A server's text may quote a cell (`invalid input syntax for integer: "…"`), so it is never passed on: only its class,
its SQLSTATE or number, and where the fault is in the SQL itself, the name or token it stumbled over, which is in
the map.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from fhirmap.errors import ConfigError
from fhirmap.texts import Text

_STUMBLED = re.compile(
    r"no such (?:column|table|function): ([\w.\"]+)"
    r"|near \"([^\"]{1,40})\": syntax"
    r"|(?:column|relation|function) \"?([\w.]+)\"?(?:\([^)]*\))? does not exist"
    r"|Unknown column '([^']{1,80})'"
    r"|operator does not exist: ([\w ]+ \S{1,3} [\w ]+)"
)
_LOGIN_STATES = {"28P01", "28000"}
_EXTRAS = {"psycopg": "postgresql", "pymysql": "mariadb"}
"""Driver -> the extra of fhirmap that installs it."""
_LOGIN_NUMBERS = {1045, 1044, 1698, 1142, 1143}
_HOST_NUMBERS = {2002, 2003, 2005, 1040, 1203}
_NO_OPERATOR = "42883"
_COMPARED = re.compile(r": (\S[^:\n]*) (?:=|<>|<|>|<=|>=) (\S[^:\n]*)$", re.MULTILINE)
"""`operator does not exist: text = date`, in whatever language the server has its messages."""
_LOST_NUMBERS = {2006, 2013, 2055, 1317, 1927, 1053, 1152, 1158, 1159, 1160, 1161}
_STOPPED = {
    "25P03": "server_closed",
    "40001": "other_transaction",
    "40P01": "other_transaction",
    "55P03": "table_altered",
    "57014": "statement_timeout",
    1205: "table_altered",
    1213: "other_transaction",
    1412: "tables_changed",
    1969: "statement_timeout",
    3024: "statement_timeout",
}
"""SQLSTATE, or number of MySQL and MariaDB -> why the server stopped a statement, where trying again may help."""


@contextmanager
def translated(shown: str, what: str = "") -> Iterator[None]:
    """Turns whatever the database raises inside into a ConfigError FM70x-72x; ``what`` names what was being read."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, ImportError) as error:
        raise config_error(error, shown, what) from None


def config_error(error: Exception, shown: str, what: str = "") -> ConfigError:
    """The ConfigError for one exception of SQLAlchemy or a driver."""
    if isinstance(error, ImportError | NoSuchModuleError):
        driver = getattr(error, "name", None) or ""
        variant = _EXTRAS.get(driver, "") if driver else "unknown"
        return ConfigError("FM710", source=shown, driver=driver, variant=variant)
    origin = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = str(origin)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        is_silent = type(origin).__name__ == "NoAnswerError" or "timed out" in text
        return ConfigError("FM724", source=shown, reason=Text(f"reasons.server_{'silent' if is_silent else 'closed'}"))
    if isinstance(origin, sqlite3.Error):
        return _sqlite(origin, text, shown, what)
    state = str(getattr(origin, "sqlstate", None) or "")
    number = origin.args[0] if origin.args and isinstance(origin.args[0], int) else 0
    return _server(text, state, number, shown, what, type(origin).__name__)


def _sqlite(error: sqlite3.Error, text: str, shown: str, what: str) -> ConfigError:
    if "locked" in text or "busy" in text:
        return ConfigError("FM707", source=shown)
    if "not a database" in text or "malformed" in text or "encrypted" in text:
        return ConfigError("FM706", source=shown)
    if "unable to open" in text or "disk I/O" in text or "readonly" in text:
        return ConfigError("FM702", source=shown, reason=Text("reasons.sqlite_cannot_open"))
    stumbled = _stumbled(text)
    if stumbled or "syntax error" in text or "incomplete input" in text or "misuse" in text:
        return ConfigError("FM715", what=what or shown, near=stumbled or Text("reasons.its_end"), source=shown)
    return ConfigError("FM724", source=shown, reason=getattr(error, "sqlite_errorname", "") or type(error).__name__)


def _server(text: str, state: str, number: int, shown: str, what: str, kind: str) -> ConfigError:  # noqa: PLR0913 - what drivers say of one refusal
    refusals = ("authentication failed", "no password supplied", "not permitted to log in", "no pg_hba.conf entry")
    refused = any(words in text for words in refusals) or re.search(r'role "[^"]*" does not exist', text) is not None
    if state in _LOGIN_STATES or number in (1045, 1698) or refused:
        return ConfigError("FM709", source=shown)
    if state == "3D000" or number == 1049 or ('database "' in text and "does not exist" in text):
        return ConfigError("FM708", source=shown, variant="database")
    if state == "42501" or number in _LOGIN_NUMBERS:
        return ConfigError("FM725", source=shown, what=what or Text("reasons.a_table"))
    compared = _COMPARED.search(text) if state == _NO_OPERATOR else None
    if compared:
        one, other = (name.strip('"') for name in compared.groups())
        return ConfigError("FM715", variant="types", what=what or shown, source=shown, one=one, other=other)
    stumbled = _stumbled(text)
    if state.startswith("42") or number in (1064, 1054, 1146, 1305) or stumbled:
        return ConfigError("FM715", what=what or shown, near=stumbled or Text("reasons.its_sql"), source=shown)
    unreachable = not state and kind in ("OperationalError", "ConnectionTimeout", "InterfaceError") and number == 0
    if number in _HOST_NUMBERS or state.startswith("53") or unreachable:
        return ConfigError("FM708", source=shown, reason=_network_reason(text))
    stopped = _STOPPED.get(state) or _STOPPED.get(number)
    if stopped is not None:
        return ConfigError("FM724", source=shown, reason=Text(f"reasons.{stopped}"))
    if state.startswith(("08", "57")) or number in _LOST_NUMBERS:
        return ConfigError("FM724", source=shown, reason=Text("reasons.server_closed"))
    return ConfigError(
        "FM724",
        source=shown,
        reason=f"SQLSTATE {state}" if state else Text("reasons.error_number", {"number": number or kind}),
    )


def _network_reason(text: str) -> Text:
    for found, reason in (
        ("refused", "refused"),
        ("resolve", "host_not_found"),
        ("not known", "host_not_found"),
        ("translate host", "host_not_found"),
        ("timeout", "transport_timeout"),
        ("timed out", "transport_timeout"),
        ("too many", "too_many_connections"),
        ("SSL", "tls"),
        ("certificate", "tls"),
    ):
        if found in text:
            return Text(f"reasons.{reason}")
    return Text("reasons.transport_connect")


def _stumbled(text: str) -> str:
    found = _STUMBLED.search(text)
    return next((group for group in found.groups() if group), "").strip('"') if found else ""


def make_engine(url: sa.URL | str, **options: object) -> sa.Engine:
    """``sqlalchemy.create_engine`` without a pool."""
    return sa.create_engine(url, poolclass=sa.NullPool, **options)
