"""Records of a real database read through a model: what is checked, then values and faults of each record."""

from __future__ import annotations

from typing import Any

from fhirmap.compilation.maps import compile_map
from fhirmap.errors import MapError
from fhirmap.runtime.transformer import Transformer
from fhirmap.sources import open_source


def transformer_of(table: str, elements: str, key: str = "id", extra: str = "") -> Transformer:
    """A map that copies every element of a model of ``table``; ``extra``: models below it."""
    names = [line.split(":")[0].strip() for line in elements.strip().splitlines()]
    names = [name for name in names if name]
    model = f"model M from table '{table}' key '{key}' {{\n{elements}\n}}\n{extra}\n"
    rules = "".join(f"  src.{name} as v -> tgt.{name} = v;\n" for name in names)
    return compile_map(f"{model}group g(source src : M, target tgt) {{\n{rules}}}\n")


def checked(url: str, table: str, elements: str, key: str = "id", extra: str = "") -> list[str]:
    """Codes of what the map or its source lacks."""
    try:
        transformer = transformer_of(table, elements, key, extra)
    except MapError as error:
        return [entry.code for entry in error.diagnostics if entry.is_error]
    assert transformer.store is not None
    with open_source(url, transformer.store) as source:
        return [f"{entry.code} {entry.variant}".strip() for entry in source.check()]


def read_all(
    url: str, table: str, elements: str, key: str = "id", extra: str = ""
) -> list[tuple[str, dict[str, Any], list[str]]]:
    """Key (or origin), values as the model reads them, and faults as `FM410 M.day` of every record."""
    transformer = transformer_of(table, elements, key, extra)
    assert transformer.store is not None
    found = []
    with open_source(url, transformer.store) as source:
        for record in source.records():
            read = transformer.read(record.values)
            faults = [f"{fault.code} {fault.element}".strip() for fault in (*record.faults, *read.faults)]
            found.append((record.key or record.origin, dict(read.values), faults))
    return found
