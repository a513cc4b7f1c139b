"""From the place an OperationOutcome names to the element of our payload, with slice names in place of indexes.

``Parameters.parameter[6].part[1].value`` and ``/f:Parameters/f:parameter[7]/f:part[2]`` both become
``Parameters.parameter:implants.part:lot.value[x]`` and ``Parameters.parameter:implants.part:lot``, the form that
lineage knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fhirmap.data import JsonValue

__all__ = ["element_of"]

_STEP = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9]*)(?P<choice>\[x\])?(?::(?P<slice>[\w-]+))?(?:\[(?P<index>[0-9]{1,6})\])?"
    r"(?:\.where\(\s*name\s*=\s*'(?P<where>[^']*)'\s*\))?(?:\.(?:first|single)\(\))?(?:\.ofType\([^)]*\))?"
)


def element_of(place: str, resource: Mapping[str, Any]) -> str:
    """The element that a FHIRPath or XPath ``place`` names in ``resource``; empty where it cannot be followed.

    Spec: FHIR R4 OperationOutcome.issue.expression (simple FHIRPath), .location (XPath, counted from 1).
    """
    is_xpath = "/" in place
    text = place.strip().lstrip("/").replace("f:", "").replace("/", ".") if is_xpath else place.strip()
    node: Any = resource
    steps: list[str] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None or not match.group():
            return ""
        position = match.end()
        if position < len(text):
            if text[position] != ".":
                return ""
            position += 1
        name = match["name"]
        if not steps:
            steps.append(str(resource.get("resourceType", "")))
            if name == steps[0]:
                continue
        index = None if match["index"] is None else int(match["index"]) - is_xpath
        node, step = _follow(node, name, index, match["slice"] or match["where"])
        if not step:
            return ""
        steps.append(step)
    return ".".join(steps)


def _follow(node: JsonValue, name: str, index: int | None, slice_name: str | None) -> tuple[Any, str]:
    """The child and its step; an empty step where there is no such child."""
    if not isinstance(node, dict):
        return None, ""
    if name not in node:
        choice = next((key for key in node if key.startswith(name) and key[len(name) : len(name) + 1].isupper()), None)
        if choice is not None:
            return node[choice], f"{name}[x]"
        return None, name if index is None and slice_name is None else ""
    child = node[name]
    if not isinstance(child, list):
        is_choice = name.startswith("value") and name[5:6].isupper()
        return child, "value[x]" if is_choice else name
    if slice_name is not None:
        child = [item for item in child if isinstance(item, dict) and item.get("name") == slice_name]
    if index is None and len(child) > 1:
        return child[0], f"{name}:{slice_name}" if slice_name else name
    if not 0 <= (index or 0) < len(child):
        return None, f"{name}:{slice_name}" if slice_name else ""
    item = child[index or 0]
    found = item.get("name") if isinstance(item, dict) else None
    return item, f"{name}:{found}" if isinstance(found, str) else name
