"""What a Reference points to, as far as it says so itself, and whether its element takes that.

A relative reference names its type, and so does an absolute one whose end is `Type/id`; `#id` is a contained resource,
and another URL may be an entry of the Bundle around. Of all others nothing is known, and nothing is said.

Spec: FHIR R4, references.html, Literal References.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from fhirmap.fhir_types import ANY_RESOURCE, LITERAL_REFERENCE, REFERENCE_BEGINNING
from fhirmap.runtime.validation.reporting import Visit
from fhirmap.texts import Listing

_LITERAL = re.compile(LITERAL_REFERENCE)
_WITHOUT_ID = re.compile(REFERENCE_BEGINNING)


def literal_type(reference: str) -> str:
    """The type that a literal reference names; empty where it names none.

    Example:
        >>> literal_type("Patient/1"), literal_type("https://a.example/fhir/Device/2/_history/1"), literal_type("urn:x")
        ('Patient', 'Device', '')
    """
    found = _LITERAL.fullmatch(reference)
    return found["type"] if found is not None else ""


def check_reference(
    value: object, name: str, targets: Collection[str], is_resource: Callable[[str], bool], visit: Visit
) -> None:
    """Report a Reference that points to a type which is not among ``targets`` (none: any), that contradicts its own
    `type`, or that names a type and no id (FM514). ``name``: of its element.
    """
    if not isinstance(value, dict):
        return
    reference, said = value.get("reference"), value.get("type")
    pointed = _pointed(reference, is_resource, visit) if isinstance(reference, str) else ""
    allowed = () if ANY_RESOURCE & set(targets) else targets
    for found in dict.fromkeys((pointed, said if isinstance(said, str) else "")):
        if found and is_resource(found) and allowed and found not in allowed:
            expected = Listing(tuple(sorted(allowed)), joint="lists.or")
            visit.report("FM514", "reference", name=name, given=found, expected=expected)
            return
    if pointed and isinstance(said, str) and is_resource(said) and said != pointed:
        visit.report("FM514", "reference", "type", name=name, given=pointed, expected=said)


def _pointed(reference: str, is_resource: Callable[[str], bool], visit: Visit) -> str:
    if reference.startswith("#"):
        return _type_of(_contained(reference[1:], visit.resource))
    found = literal_type(reference)
    if found and is_resource(found):
        return found
    bare = _WITHOUT_ID.fullmatch(reference)
    if bare is not None and is_resource(bare["type"]):
        visit.report("FM514", "reference", "id", type=bare["type"])
        return bare["type"]
    return _type_of(_entry(reference, visit.root))


def _contained(wanted: str, resource: object) -> object:
    held = resource.get("contained") if isinstance(resource, dict) else None
    items = held if isinstance(held, list) else ()
    return next((entry for entry in items if isinstance(entry, dict) and entry.get("id") == wanted), None)


def _entry(url: str, root: object) -> object:
    held = root.get("entry") if isinstance(root, dict) else None
    items = held if isinstance(held, list) else ()
    found = (entry.get("resource") for entry in items if isinstance(entry, dict) and entry.get("fullUrl") == url)
    return next(found, None)


def _type_of(resource: object) -> str:
    return str(resource.get("resourceType", "")) if isinstance(resource, dict) else ""
