"""The secret with which keys that look like a person's number are shown (`texts.shown_keys`), made once for a journal.

It is a row of `fhirmap_meta`: the same key has the same hash as long as the journal lives, in all processes.
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import Connection, exc, select

from fhirmap.journal.schema import meta

__all__ = ["key_secret"]

_NAME = "key_secret"
_HELD = select(meta.c.value).where(meta.c.name == _NAME)


def key_secret(connection: Connection, *, create: bool) -> bytes:
    """The journal's secret, made where there is none and ``create``; empty otherwise."""
    found = connection.execute(_HELD).scalar()
    if found is None and create:
        try:
            with connection.begin_nested():
                connection.execute(meta.insert().values(name=_NAME, value=secrets.token_hex(32)))
        except exc.IntegrityError:
            pass  # another process was first
        found = connection.execute(_HELD).scalar()
    if found is None:
        return b""
    try:
        return bytes.fromhex(found)
    except ValueError:  # a damaged row: keys have other hashes than before, the same ones for as long as it stays so
        return hashlib.sha256(found.encode(errors="replace")).digest()
