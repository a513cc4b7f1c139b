"""`python bill_of_materials.py FILE CONSTRAINTS`: does a CycloneDX bill list what constraints pin for this platform,
in these versions, each with a licence? What it does not is said, and the command ends with 1.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PIN = re.compile(r"^(?P<pin>[A-Za-z0-9][A-Za-z0-9._-]*\s*==[^\\#\n]*?)\s*(?:--hash\S*|\\|#.*)?$", re.MULTILINE)
_BROUGHT_BY_THE_ENVIRONMENT = frozenset({"pip", "setuptools", "wheel"})


def faults(bill: Mapping[str, Any], constraints: str) -> Iterator[str]:
    """What the bill lacks, has too much, or says otherwise."""
    if bill.get("bomFormat") != "CycloneDX":
        yield "no CycloneDX bill"
    found = {canonicalize_name(entry["name"]): entry for entry in bill.get("components", ())}
    pinned = dict(_pins(constraints))
    for name in sorted(pinned.keys() - found.keys()):
        yield f"{name} is pinned and not in the bill"
    for name, entry in sorted(found.items()):
        if name in _BROUGHT_BY_THE_ENVIRONMENT:
            continue
        if name not in pinned:
            yield f"{name} is in the bill and not pinned"
        elif entry.get("version") != pinned[name]:
            yield f"{name} is pinned to {pinned[name]}, and is {entry.get('version')} in the bill"
        if not entry.get("licenses"):
            yield f"{name} has no licence"


def _pins(constraints: str) -> Iterator[tuple[str, str]]:
    """Name and version of what is pinned for the platform and Python of this process."""
    for found in _PIN.finditer(constraints):
        requirement = Requirement(found["pin"])
        if requirement.marker is None or requirement.marker.evaluate():
            [version] = requirement.specifier
            yield canonicalize_name(requirement.name), version.version


if __name__ == "__main__":
    said = list(faults(json.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]).read_text(encoding="utf-8")))
    print("\n".join(said) or f"{sys.argv[1]}: what is pinned, in its versions, with licences")
    sys.exit(1 if said else 0)
