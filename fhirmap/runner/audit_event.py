"""Entries of the audit log as FHIR R4 AuditEvents.

Spec: hl7.org/fhir/R4/auditevent.html. Types are those of DICOM (application started and stopped), of FHIR's own
`audit-event-type` (a request) and of the record life cycle (ISO 21089) for what is done with what is kept. An entity is
what an entry has of a request: its key as reports show it, digests, status; never a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fhirmap.data import JsonValue
from fhirmap.journal import AuditAct, AuditRecord

__all__ = ["audit_event", "audit_line", "moment"]

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_REST = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_INTERACTION = "http://hl7.org/fhir/restful-interaction"
_LIFE_CYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_SOURCE_TYPE = "http://terminology.hl7.org/CodeSystem/security-source-type"
_APPLICATION_SERVER = "4"
_ACTIVITY = (_DICOM, "110100")

# Of each act: system and code of its type, of its subtype, and the action (C, U, D or E).
_KINDS: Mapping[AuditAct, tuple[tuple[str, str], tuple[str, str], str]] = {
    AuditAct.OPENED: (_ACTIVITY, (_DICOM, "110120"), "E"),
    AuditAct.RUN_STARTED: (_ACTIVITY, (_DICOM, "110120"), "E"),
    AuditAct.EXCHANGED: ((_REST, "rest"), (_INTERACTION, "operation"), "E"),
    AuditAct.LOST: ((_REST, "rest"), (_INTERACTION, "operation"), "E"),
    AuditAct.RUN_ENDED: (_ACTIVITY, (_DICOM, "110121"), "E"),
    AuditAct.ARCHIVED: ((_LIFE_CYCLE, "archive"), (_LIFE_CYCLE, "archive"), "U"),
    AuditAct.ACKNOWLEDGED: ((_LIFE_CYCLE, "attest"), (_LIFE_CYCLE, "attest"), "U"),
    AuditAct.RELEASED: ((_LIFE_CYCLE, "reactivate"), (_LIFE_CYCLE, "reactivate"), "U"),
    AuditAct.MIGRATED: ((_LIFE_CYCLE, "transform"), (_LIFE_CYCLE, "transform"), "U"),
    AuditAct.ADOPTED: ((_LIFE_CYCLE, "merge"), (_LIFE_CYCLE, "merge"), "U"),
    AuditAct.RESTORED: ((_LIFE_CYCLE, "restore"), (_LIFE_CYCLE, "restore"), "U"),
    AuditAct.REKEYED: ((_LIFE_CYCLE, "encrypt"), (_LIFE_CYCLE, "encrypt"), "U"),
    AuditAct.PURGED: ((_LIFE_CYCLE, "destroy"), (_LIFE_CYCLE, "destroy"), "D"),
    AuditAct.CONFIRMED: ((_LIFE_CYCLE, "attest"), (_LIFE_CYCLE, "attest"), "U"),
}
_SUCCESS, _MINOR, _SERIOUS = "0", "4", "8"
_SENT = ("request", "payload-sha256", "attempt")
_ANSWERED = ("state", "status", "code", "identifier-system", "identifier", "answer-sha256")


def audit_line(one: AuditRecord) -> dict[str, JsonValue]:
    """An entry as one object, with who wrote it."""
    opening = one.opening
    who = {name: opening.get(name) for name in ("project", "target", "user", "host", "pid", "version")}
    place = {"chain": one.chain, "seq": one.seq, "at": moment(one.at), "act": str(one.act)}
    return {**place, **who, **one.body, "digest": one.digest}


def audit_event(one: AuditRecord) -> dict[str, JsonValue]:
    """An entry as an AuditEvent, whose id is the entry's place in the log."""
    kind, sub, action = _KINDS[one.act]
    opening = one.opening
    host = str(opening.get("host", ""))
    return {
        "resourceType": "AuditEvent",
        "id": f"{one.chain}-{one.seq}",
        "type": {"system": kind[0], "code": kind[1]},
        "subtype": [{"system": sub[0], "code": sub[1]}],
        "action": action,
        "recorded": moment(one.at),
        "outcome": _outcome(one),
        "agent": [
            {
                "who": {"display": str(one.body.get("by") or opening.get("user"))},
                "altId": str(opening.get("user")),
                "requestor": True,
                "network": {"address": host, "type": "1"},
            }
        ],
        "source": {
            "site": host,
            "observer": {"display": f"fhirmap {opening.get('version')} ({opening.get('project')})"},
            "type": [{"system": _SOURCE_TYPE, "code": _APPLICATION_SERVER}],
        },
        "entity": [*_entities(one), _of_log(one)],
    }


def moment(at: float) -> str:
    """A time as FHIR's `instant`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _outcome(one: AuditRecord) -> str:
    if one.act is AuditAct.RUN_ENDED:
        code = one.body.get("exit_code")
        return _SUCCESS if code == 0 else _MINOR if code == 1 else _SERIOUS
    if one.act is AuditAct.EXCHANGED:
        answers = one.body.get("answers", ())
        return _SUCCESS if all(answer[4] == "accepted" for answer in answers) else _MINOR
    return _MINOR if one.act is AuditAct.LOST else _SUCCESS


def _entities(one: AuditRecord) -> list[dict[str, JsonValue]]:
    """What the entry is about, record by record, as far as it has any."""
    body = one.body
    if one.act is AuditAct.EXCHANGED:
        left = [_entity(line[0], dict(zip(_SENT, line[1:], strict=True))) for line in body["sent"]]
        names = (*_SENT, *_ANSWERED)
        came = [_entity(line[0], dict(zip(names, line[1:], strict=True))) for line in body["answers"]]
        return came + left
    if one.act is AuditAct.LOST:
        return [_entity(key, {"attempt": number}) for key, number in body["records"]]
    return [_entity(key, {}) for key in body.get("keys", ())]


def _of_log(one: AuditRecord) -> dict[str, JsonValue]:
    """The rest of the entry, and its digest, by which it is found in the log."""
    rest = {name: value for name, value in one.body.items() if name not in ("answers", "sent", "records", "keys")}
    return _entity(str(one.act), {**rest, "entry-sha256": one.digest})


def _entity(name: str, details: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {"name": name}
    shown = [{"type": kind, "valueString": _text(value)} for kind, value in details.items() if _text(value)]
    return {**found, "detail": shown} if shown else found


def _text(value: Any) -> str:  # noqa: ANN401 - a value of JSON
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(one)}" for name, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_text(one) for one in value)
    return "" if value is None else str(value)
