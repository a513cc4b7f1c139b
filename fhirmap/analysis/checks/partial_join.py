"""FM280: rows joined on a part of the key, so that they are those of several records."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.stores import joined_name
from fhirmap.diagnostics import Diagnostic, listed


def partial_join(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each repeating child of a record that is joined on some of the key's columns (FM280).

    A child of at most one row is looked up, often by a part of the key: that is no fault.
    """
    models = {use.node.name: use.node for use in checked.declared_models()}
    for use in checked.declared_models():
        key = use.node.store.key if use.node.store else ()
        for element in use.node.elements:
            if element.join is None or element.maximum == 1:
                continue
            own = {parent for _, parent in element.join.on}
            missing = tuple(column for column in key if column not in own)
            if missing and own & set(key):
                child = models.get(element.type)
                table = joined_name(element.join, child) if child is not None else element.join.table
                args = {"table": table, "joined": len(key) - len(missing), "count": len(key)}
                args |= {"columns": listed(missing), "added": ", ".join(f"'{column}'" for column in missing)}
                yield Diagnostic("FM280", element.join.span, args)
