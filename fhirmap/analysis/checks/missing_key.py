"""FM160: a model that reads a store without saying what makes a record."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.stores import models_joined_by_their_store
from fhirmap.diagnostics import Diagnostic


def missing_key(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each stored model without `key` (FM160). Rows that are joined need none."""
    joined = models_joined_by_their_store(use.node for use in checked.declared_models())
    for use in checked.declared_models():
        store = use.node.store
        if store is not None and not store.key and use.node.name not in joined:
            yield Diagnostic("FM160", store.span, {"model": use.node.name})
