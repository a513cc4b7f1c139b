"""Sources: a hospital's tables, CSV and JSON files, opened and read as a stream of `Record`.

`open_source(address, plan)` gives a `SqlTable`, a `FileSource` (`files/`), or a `JoinedSource` of several. Each has
``check()`` (everything the plan names and the store lacks, as diagnostics, nothing read beyond the layout),
``records(keys)`` (the records in a stable order) and ``close()``. Invariants: memory does not grow with the store;
nothing is ever written to it; one consistent snapshot a reading; what one record has wrong is a `Fault` on that record,
what makes the store unusable is one `ConfigError` FM70x-72x that names the thing and never a cell's value nor a
password. Absent on purpose: any knowledge of FHIR or of a map's tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from fhirmap.diagnostics import suggestion
from fhirmap.errors import ConfigError
from fhirmap.plugins import BUILT_IN, find_plugins, load
from fhirmap.source_plan import SourcePlan
from fhirmap.sources.address import Address, parse_address
from fhirmap.sources.protocol import Source, SourceFactory

__all__ = ["Address", "Source", "SourceFactory", "open_source", "parse_address", "plugin_schemes"]

GROUP = "fhirmap.sources"


def plugin_schemes() -> tuple[str, ...]:
    """Schemes of URLs that plug-ins read; the built-in kinds have rules of their own."""
    return tuple(sorted(find_plugins(GROUP).keys() - BUILT_IN[GROUP].keys()))


def open_source(address: Address | str, plan: SourcePlan, others: Mapping[str, Address | str] | None = None) -> Source:
    """The source at ``address`` for ``plan``: what the entry point of the address's kind opens, loaded now.

    ``others``: where the rows are that are joined to the plan's, by the names of their sources. Without it they are
    where the plan's own rows are.

    Raises: ConfigError FM700 (address), FM716 (the plan is for another kind), FM701-FM710 (cannot be opened), FM749 (a
    plug-in cannot be loaded), FM769 (a source is not among ``others``).
    """
    if not plan.shape.has_stores:
        return _open(address, plan)

    from fhirmap.sources.joined import JoinedSource, without_stores

    def open_store(store: SourcePlan) -> Source:
        where = (others or {}).get(store.source, address if store.source == plan.source else None)
        if where is None:
            raise ConfigError("FM769", source=store.source, **suggestion(store.source, others or {}))
        return _open(where, store)

    return JoinedSource(_open(address, replace(plan, shape=without_stores(plan.shape))), plan, open_store)


def _open(address: Address | str, plan: SourcePlan) -> Source:
    """The source of a plan all of whose rows are in one place."""
    where = parse_address(address) if isinstance(address, str) else address
    wanted = "sql" if plan.kind.is_sql else "file"
    there = where.kind if where.kind == "sql" else where.format
    is_other = where.kind != wanted if "sql" in (wanted, where.kind) else where.format not in (None, plan.kind)
    if where.kind in ("sql", "file") and is_other:
        raise ConfigError(
            "FM716", source=where.shown, kind=there or "file", model=plan.shape.model, wanted=plan.kind.value
        )
    plugin = find_plugins(GROUP).get(where.kind)
    if plugin is None:
        raise ConfigError("FM700", source=where.shown, variant="scheme", scheme=where.kind)
    return cast(SourceFactory, load(plugin))(where, plan)
