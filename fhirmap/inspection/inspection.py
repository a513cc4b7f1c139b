"""The models of a source, whatever its kind: the library of each is loaded where it is met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fhirmap.diagnostics.zones import is_zone, zone_suggestion
from fhirmap.errors import ConfigError
from fhirmap.inspection.date_forms import ZONE
from fhirmap.inspection.names import UniqueNames
from fhirmap.inspection.sketch import ModelSketch
from fhirmap.inspection.text_kinds import kind_of_text
from fhirmap.source_plan import SourceKind
from fhirmap.sources import plugin_schemes
from fhirmap.sources.address import SUFFIXES, Address, parse_address
from fhirmap.sources.files.source_files import FileSet

__all__ = ["inspect_source"]


def inspect_source(  # noqa: PLR0913 - named settings of a public function
    address: Address | str,
    table: str | None = None,
    *,
    name: str | None = None,
    encoding: str = "",
    zone: str = ZONE,
    taken: Iterable[str] = (),
) -> tuple[ModelSketch, ...]:
    """The models of a table (or of the only one), a file of rows, or the list at a path of a JSON document.

    ``table``: a table, a sheet of a workbook, or a path.

    The first model is the record's own, the others are what it joins or holds.
    ``name``: of that model, by default the table's. ``encoding``: of a CSV, by default found out. ``zone``: where times
    without offset are local. ``taken``: names that no model may have, since the map imports others so called.

    Raises: ConfigError FM70x (cannot be opened), FM703 (no such table), FM236 (no such zone), FM750
    (no record), FM751 (which table?).
    """
    if not is_zone(zone):
        raise ConfigError("FM236", zone=zone, **zone_suggestion(zone))
    where = parse_address(address, schemes=plugin_schemes()) if isinstance(address, str) else address
    names = UniqueNames(taken)
    # Each kind needs its own libraries: SQLAlchemy is not loaded to read a CSV file.
    if where.kind == "sql":
        from fhirmap.inspection.sql_models import sql_models

        return tuple(sql_models(where, table, name, zone, names))
    if where.kind in plugin_schemes():
        from fhirmap.inspection.plugin_models import plugin_models

        return tuple(plugin_models(where, table, name, zone, names))
    kind = where.format or _kind_inside(where)
    if kind is SourceKind.JSON:
        from fhirmap.inspection.json_models import json_models

        return tuple(json_models(where, table, name, zone, names))
    if kind is SourceKind.HL7:
        from fhirmap.inspection.hl7_models import hl7_models

        return tuple(hl7_models(where, name, encoding, zone, names))
    if kind is SourceKind.FIXED:
        from fhirmap.inspection.fixed_models import fixed_models

        return tuple(fixed_models(where, name, encoding, zone, names))
    if kind is SourceKind.XML:
        from fhirmap.inspection.xml_models import xml_models

        return tuple(xml_models(where, table, name, encoding, zone, names))
    if kind is SourceKind.SHEET:
        from fhirmap.inspection.sheet_models import sheet_models

        return tuple(sheet_models(where, table, name, zone, names))
    if kind is SourceKind.PARQUET:
        from fhirmap.inspection.parquet_models import parquet_models

        return tuple(parquet_models(where, name, zone, names))
    if kind not in (None, SourceKind.CSV) or (kind is None and not _is_text(where)):
        suffix = where.path.suffix if where.path else ""
        raise ConfigError("FM700", source=where.shown, variant="suffix" if suffix else "no_suffix", suffix=suffix)
    from fhirmap.inspection.csv_models import csv_models

    return tuple(csv_models(where, name, encoding, zone, names))


def _kind_inside(address: Address) -> SourceKind | None:
    """What most files of a folder, a pattern or an archive are, by their suffixes; what a text file is."""
    files = FileSet(address)
    kinds = [SUFFIXES.get(file.inner_suffix) for file in files.listing().files] if files.is_several else []
    found = next((kind for kind, _ in Counter(filter(None, kinds)).most_common(1)), None)
    return kind_of_text(files.listing().files[0]) if found is None and _is_text(address) else found


def _is_text(address: Address) -> bool:
    return address.path is not None and address.path.suffix.lower() == ".txt"
