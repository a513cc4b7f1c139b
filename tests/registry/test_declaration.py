"""What is wrong with a declaration."""

from __future__ import annotations

from typing import Any

from tests.registry.declarations import STRICT, call, knee


def test_several_things_wrong_are_reported_at_once(registry: Any) -> None:
    receipt = call(registry(STRICT), knee(nir=None, rpps={"valueString": "1"}))
    assert len(receipt.issues) == 2
    assert receipt.issues[1].element == "Parameters.parameter:rpps.value[x]"
