"""Names for the entries of a Bundle."""

from __future__ import annotations

from fhirmap.runtime.functions import FhirUri, function


@function
def numbered_uuid(number: int) -> FhirUri:
    """A `urn:uuid:` that is the same on every run: for entries of a Bundle that name one another by their position.

    Example:
        >>> numbered_uuid(12)
        'urn:uuid:00000000-0000-4000-8000-000000000012'
    """
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
