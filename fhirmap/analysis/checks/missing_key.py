"""FM160: a model that reads a store without saying what makes a record."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic


def missing_key(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each stored model without `key` (FM160)."""
    for use in checked.declared_models():
        store = use.node.store
        if store is not None and not store.key:
            yield Diagnostic("FM160", store.span, {"model": use.node.name})
