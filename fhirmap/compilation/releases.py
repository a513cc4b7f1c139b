"""The release of FHIR that a map is written for, as its `uses` say it: `http://hl7.org/fhir/5.0/…`."""

from __future__ import annotations

from collections.abc import Iterable

from fhirmap.language.nodes import Map
from fhirmap.model.fhir import release_of_url

__all__ = ["DEFAULT_RELEASE", "release_of"]

DEFAULT_RELEASE = "R4"


def release_of(trees: Iterable[Map]) -> str | None:
    """The release of what maps make, else of what they read; None where their `uses` name none, or more than one.

    Names without a version (`create('Patient')`) mean the types of this release.
    """
    uses = [entry for tree in trees for entry in tree.uses]
    for modes in (("target", "produced"), ("source", "queried")):
        found = {release_of_url(entry.url) for entry in uses if entry.mode in modes} - {None}
        if len(found) == 1:
            return found.pop()
    return None
