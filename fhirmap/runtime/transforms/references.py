"""References and identifiers: reference, pointer, uuid, id, cp.

Spec: FML, transforms.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

from fhirmap.data import MapValue
from fhirmap.errors import TransformFailed
from fhirmap.runtime.context import RecordRun
from fhirmap.runtime.lists import present
from fhirmap.texts import Text

_V2_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
_PHONE = re.compile(r"[0-9+().\-\s]+", re.ASCII)


def uuid() -> str:
    """A random UUID in lower case.

    Spec: FML, transforms, uuid.
    """
    return str(uuid4())


def reference(resource: MapValue, run: RecordRun, position: str) -> str | None:
    """`Type/id` of a resource. One of the result is given an id where it has none: another one written later is a fault
    of the record. For one of the input that has none, the same is made up all through a run. ``position``: of the
    transform.

    Raises: ``TransformFailed`` FM450 where it is no resource.
    Spec: FML, transforms, reference.
    """
    if resource is None:
        return None
    if not isinstance(resource, dict) or "resourceType" not in resource:
        raise TransformFailed("FM450", function="reference", what=Text("values.a_resource"))
    return f"{resource['resourceType']}/{_id_of(resource, run, position)}"


def pointer(resource: MapValue, run: RecordRun, position: str) -> str | None:
    """`urn:uuid:` and the id of a resource, or the one that it gets as by `reference`.

    Raises: ``TransformFailed`` FM450 where it is no resource.
    Spec: FML, transforms, pointer.
    """
    if resource is None:
        return None
    if not isinstance(resource, dict) or "resourceType" not in resource:
        raise TransformFailed("FM450", function="pointer", what=Text("values.a_resource"))
    return f"urn:uuid:{_id_of(resource, run, position)}"


def _id_of(resource: dict[str, Any], run: RecordRun, position: str) -> str:
    made: str | None = resource.get("id")
    if made is not None:
        return made
    if run.is_given(resource):
        # The record is only read: what it lacks is known to this run alone.
        return run.made_ids.setdefault(id(resource), uuid())
    made = resource["id"] = uuid()
    run.refer(resource, made, position)
    return made


def identifier(system: MapValue, value: MapValue, kind: MapValue = None) -> dict[str, Any] | None:
    """An Identifier: `id(system, value[, type])`; None without a value.

    Spec: FML, transforms, id; the type is a code of HL7 v2 table 0203.

    Example:
        >>> identifier("urn:oid:1.2.3", "42")
        {'system': 'urn:oid:1.2.3', 'value': '42'}
    """
    if value is None or value == "":
        return None
    coding = present({"system": _V2_TYPES, "code": kind})
    return present({"type": {"coding": [coding]} if "code" in coding else None, "system": system, "value": value})


def contact_point_of(system: MapValue, value: MapValue) -> dict[str, Any] | None:
    """A ContactPoint: `cp(system, value)`; None without a value.

    Spec: FML, transforms, cp.
    """
    held = present({"system": system, "value": value})
    return held if "value" in held else None


def contact_point(first: MapValue) -> dict[str, Any] | None:
    """A ContactPoint: `cp(value)`, whose system is guessed from the value.

    Spec: FML, transforms, cp.

    Example:
        >>> contact_point("mailto:a@b.example")
        {'system': 'email', 'value': 'a@b.example'}
    """
    if first is None or first == "":
        return None
    text = str(first)
    if text in ("mailto:", "tel:"):
        return None
    if text.startswith("mailto:") or ("@" in text and not text.startswith(("http://", "https://"))):
        return {"system": "email", "value": text.removeprefix("mailto:")}
    if text.startswith(("http://", "https://")):
        return {"system": "url", "value": text}
    if text.startswith("tel:") or _PHONE.fullmatch(text):
        return {"system": "phone", "value": text.removeprefix("tel:")}
    return {"system": "other", "value": text}
