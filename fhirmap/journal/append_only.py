"""Statements by which a database refuses to change or remove an entry of the audit log.

A guard against accidents and against programs that were never meant to touch it: who may change the tables can remove
it, which is what the chain is for.
"""

from __future__ import annotations

__all__ = ["append_only"]

_ON_SQLITE = """
CREATE TRIGGER fhirmap_audit_no_{lower} BEFORE {event} ON fhirmap_audit
BEGIN SELECT RAISE(ABORT, 'fhirmap_audit is append-only'); END
"""
_ON_POSTGRESQL = (
    """
CREATE OR REPLACE FUNCTION fhirmap_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'fhirmap_audit is append-only'; END$$
""",
    """
CREATE TRIGGER fhirmap_audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fhirmap_audit
FOR EACH STATEMENT EXECUTE FUNCTION fhirmap_audit_refuse()
""",
)


def append_only(dialect: str) -> tuple[str, ...]:
    """The statements for a kind of database, as SQLAlchemy calls it."""
    if dialect == "sqlite":
        return tuple(_ON_SQLITE.format(lower=event.lower(), event=event) for event in ("UPDATE", "DELETE"))
    return _ON_POSTGRESQL
