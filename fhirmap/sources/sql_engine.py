"""How a database is opened to be read: read-only where it is a file, with limits on how long it may not answer."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from fhirmap.errors import ConfigError
from fhirmap.sources.address import Address
from fhirmap.sources.sql_cells import set_sessions, text_or_bytes
from fhirmap.sources.sql_errors import make_engine, translated
from fhirmap.texts import Text

__all__ = ["engine_of"]

_CONNECT_S = 10
_LOCK_S = 5
_ANSWER_S = 1800
"""How long a server may send nothing: a statement that sorts a large table gives its first row late."""
_KEEPALIVE = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6, "tcp_user_timeout": 120_000}
"""How PostgreSQL's client sees that the server is not reachable any more. Units: seconds; milliseconds for the last."""


def engine_of(address: Address, zone: str = "") -> sa.Engine:
    """An engine that reads ``address``, its sessions as `sql_cells` has them; SQLite is opened read-only.

    ``zone``: the model's time zone, where it has one.

    Raises: ConfigError FM700-FM702, FM710.
    """
    if address.path is not None:
        return _sqlite_engine(address, address.path)
    with translated(address.shown):
        try:
            url = sa.make_url(address.url)
        except (sa.exc.ArgumentError, ValueError):
            raise ConfigError("FM700", source=address.shown, variant="url") from None
        if address.password:
            url = url.set(password=address.password)
        options: dict[str, object] = {}
        if url.get_backend_name() in ("postgresql", "mysql", "mariadb"):
            options["connect_timeout"] = _CONNECT_S
        if url.get_backend_name() == "postgresql":
            # From the first answer on: a database without an encoding gives its own version as bytes otherwise.
            options["client_encoding"] = "UTF8"
            options |= _KEEPALIVE
        if url.get_backend_name() in ("mysql", "mariadb"):
            options["charset"] = "utf8mb4"
            options |= {"read_timeout": _ANSWER_S, "write_timeout": _ANSWER_S}
        given = {name for name in options if name in url.query}
        engine = make_engine(url, connect_args={k: v for k, v in options.items() if k not in given})
        if engine.dialect.name == "postgresql" and engine.dialect.driver == "psycopg":
            sa.event.listen(engine, "do_connect", _connect_impatiently)
        set_sessions(engine, zone)
        return engine


def _connect_impatiently(_dialect: object, _record: object, given: Sequence[Any], named: Mapping[str, Any]) -> object:
    """What SQLAlchemy would do, with a limit on how long the server may not answer."""
    from fhirmap.sources.postgresql_connection import ImpatientConnection

    connection = ImpatientConnection.connect(*given, **named)
    connection.answer_s = _ANSWER_S
    return connection


def _sqlite_engine(address: Address, path: Path) -> sa.Engine:
    if not path.exists():
        raise ConfigError("FM701", source=address.shown, path=str(path))
    if not path.is_file():
        raise ConfigError("FM702", source=address.shown, reason=Text("reasons.not_a_file"))

    def connect() -> sqlite3.Connection:
        uri = f"file:{quote(str(path.resolve()))}?mode=ro{'&immutable=1' if _is_still(path) else ''}"
        connection = sqlite3.connect(uri, uri=True, timeout=_LOCK_S, isolation_level=None, check_same_thread=False)
        connection.text_factory = text_or_bytes
        return connection

    return make_engine("sqlite://", creator=connect)


def _is_still(path: Path) -> bool:
    """A copy in WAL mode in a folder that cannot be written: SQLite opens it only as a file that does not change."""
    if os.access(path.parent, os.W_OK) or path.with_name(f"{path.name}-wal").exists():
        return False
    with suppress(OSError), path.open("rb") as file:
        return file.read(20)[18:20] == b"\x02\x02"
    return False
