"""What surrounds an evaluation: the resource, the moment, notes of `trace`, and what the host can look up.

Without a host nothing is fetched: `resolve()` looks inside the resource, `memberOf` and `conformsTo` fail for what
they cannot know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import CodeType
from typing import Any

from fhirmap.data import FhirpathItem, JsonValue
from fhirmap.errors import TransformFailed
from fhirmap.runtime.fhirpath.item import FhirNode, Items, TypeTable, child, is_type, one, plain, system, values
from fhirmap.runtime.fhirpath.strings import text_of
from fhirmap.runtime.fhirpath.temporal import Temporal, from_datetime

_BASE = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(slots=True)
class EvaluationContext:
    """``resource``: `%resource`, as an item. ``member_of``: is a code (or Coding, CodeableConcept) in a value set?

    ``searches``: identity of a list, code of what its items are kept by -> the list, and its items by that.
    ``conforms_to``: does a value conform to a profile? ``resolve``: the resource a reference names. All three answer
    None where it is not known.
    """

    resource: Any = None
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))
    traced: list[tuple[str, list[Any]]] = field(default_factory=list)
    searches: dict[tuple[int, CodeType], tuple[Any, Mapping[Any, list[Any]]]] = field(default_factory=dict)
    member_of: Callable[[Any, str], bool | None] | None = None
    conforms_to: Callable[[Any, str], bool | None] | None = None
    resolve: Callable[[str], dict[str, Any] | None] | None = None


def now(environment: EvaluationContext) -> Items:
    """`now()`: the same moment all through one evaluation."""
    return [from_datetime(environment.moment)]


def today(environment: EvaluationContext) -> Items:
    """`today()`."""
    day = environment.moment.date()
    return [Temporal("date", day.isoformat(), (day.year, day.month, day.day))]


def time_of_day(environment: EvaluationContext) -> Items:
    """`timeOfDay()`."""
    moment = from_datetime(environment.moment)
    clock = moment.text[11:23]
    return [Temporal("time", clock, moment.parts[3:])]


def trace(collection: Items, environment: EvaluationContext, name: Items, projected: Items | None = None) -> Items:
    """`trace`: keeps the values under a name; the collection goes through unchanged."""
    environment.traced.append((text_of(name, "trace") or "", values(collection if projected is None else projected)))
    return collection


def resolve(collection: Items, environment: EvaluationContext, around: Items | None = None) -> Items:
    """`resolve`: what references name, as far as it can be found; the rest is left out.

    ``around``: the resource that the expression is in, with its types, where the caller knows it.
    """
    found: Items = []
    root = next(iter(around or ()), environment.resource)
    for item in collection:
        held = system(item)
        reference = held if isinstance(held, str) else next(iter(values(child(item, "reference"))), None)
        if isinstance(reference, str):
            found.extend(_find(reference, root, environment))
    return found


def member_of(collection: Items, environment: EvaluationContext, value_set: Items) -> Items:
    """`memberOf`: is the code in the value set?

    Raises: ``TransformFailed`` FM434 where the value set is not known here.
    """
    url, coded = text_of(value_set, "memberOf"), one(collection, "memberOf")
    if url is None or coded is None:
        return []
    answer = environment.member_of(plain(coded), url) if environment.member_of else None
    if answer is None:
        raise TransformFailed("FM434", function="memberOf", url=url)
    return [answer]


def conforms_to(collection: Items, environment: EvaluationContext, profile: Items) -> Items:
    """`conformsTo`: of a base type, or of a profile the host can check.

    Raises: ``TransformFailed`` FM434 for a profile that cannot be checked here.
    """
    url = text_of(profile, "conformsTo")
    if url is None or len(collection) != 1:
        return []
    if url.startswith(_BASE) and url.removeprefix(_BASE)[:1].isupper() and "-" not in url:
        return [is_type(collection[0], url.removeprefix(_BASE))]
    answer = environment.conforms_to(plain(collection[0]), url) if environment.conforms_to else None
    if answer is None:
        raise TransformFailed("FM434", function="conformsTo", url=url)
    return [answer]


def extension(collection: Items, url: Items) -> Items:
    """`extension(url)`."""
    wanted = text_of(url, "extension")
    return [
        found
        for item in collection
        for found in child(item, "extension")
        if wanted is not None and values(child(found, "url")) == [wanted]
    ]


def elements(collection: Items, names: list[str]) -> Items:
    """Children by names fixed at compile time."""
    return [found for item in collection for name in names for found in child(item, name)]


def html_checks(collection: Items) -> Items:
    """`htmlChecks`: is the narrative plain XHTML, as FHIR allows it? Empty for what is no text."""
    value = one(collection, "htmlChecks")
    if not isinstance(value, str):
        return []
    # Few maps ask, and a parser of HTML costs each command milliseconds.
    from fhirmap.runtime.fhirpath.narrative import is_plain_narrative

    return [is_plain_narrative(value)]


def _find(reference: str, root: FhirpathItem, environment: EvaluationContext) -> Items:
    held = plain(root) if root is not None else None
    table = root.table if isinstance(root, FhirNode) else TypeTable()
    found: Any = None
    if isinstance(held, dict):
        if reference.startswith("#"):
            wanted = reference[1:]
            found = next((entry for entry in _listed(held, "contained") if entry.get("id") == wanted), None)
            found = held if not wanted or (found is None and held.get("id") == wanted) else found
        else:
            found = next(
                (entry.get("resource") for entry in _listed(held, "entry") if _is_entry(entry, reference)), None
            )
    if found is None and environment.resolve is not None:
        found = environment.resolve(reference)
    if not isinstance(found, dict):
        return []
    return [FhirNode(found, str(found.get("resourceType", "Resource")), table) if isinstance(root, FhirNode) else found]


def _listed(held: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list of a resource.

    Raises: ``TransformFailed`` FM438 where it is no list of objects.
    """
    found = held.get(name, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise TransformFailed("FM438", variant="list", name=name)
    return found


def _is_entry(entry: JsonValue, reference: str) -> bool:
    held = entry.get("resource")
    if not isinstance(held, dict):
        return False
    return entry.get("fullUrl") == reference or f"{held.get('resourceType')}/{held.get('id')}" == reference


def define(known: dict[str, Items], name: Items, value: Items, collection: Items) -> Items:
    """`defineVariable`: keeps a value under a name for what follows; the collection goes through unchanged."""
    known[text_of(name, "defineVariable") or ""] = value
    return collection


def defined(known: dict[str, Items], name: str) -> Items:
    """The value of a defined variable.

    Raises: ``TransformFailed`` FM435 where the name was not defined.
    """
    if name not in known:
        raise TransformFailed("FM435", name=name)
    return known[name]
