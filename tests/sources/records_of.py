"""Records read through a map's model and copied into a target of the same shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhirmap.compilation.maps import compile_map
from fhirmap.diagnostics import Diagnostic
from fhirmap.language.parser import parse
from fhirmap.runner.verdict import mapped
from fhirmap.sources import open_source


@dataclass
class Read:
    """What became of a record: its values as the model reads them, and the codes of its faults with their variant."""

    key: str
    origin: str
    values: dict[str, Any]
    faults: list[str]
    superseded: bool


@dataclass
class ReadSource:
    """What a source said before it was read, and its records."""

    checks: list[Diagnostic]
    records: list[Read]

    @property
    def current(self) -> dict[str, dict[str, Any]]:
        """The values of each key's current record."""
        return {record.key: record.values for record in self.records if not record.superseded}


def read_model(source: str | Path, models: str, others: Mapping[str, str] | None = None) -> ReadSource:
    """The records of ``source`` as the first of ``models`` reads them. ``others``: sources by name, that it joins."""
    tree, diagnostics = parse(models, "a.map")
    assert [entry.message for entry in diagnostics] == []
    first = tree.models[0]
    elements = "".join(f"  `{e.name}` : {e.type} 0..{'*' if e.maximum is None else 1}\n" for e in first.elements)
    rules = "".join(f"  src.`{e.name}` as v -> tgt.`{e.name}` = v;\n" for e in first.elements)
    group = f"group copy(source src : {first.name}, target tgt : Copy) {{\n{rules}}}\n"
    transformer = compile_map(f"{models}\nmodel Copy {{\n{elements}}}\n{group}")
    assert transformer.store is not None
    with open_source(str(source), transformer.store, others) as opened:
        checks, found = opened.check(), []
        for record in opened.records():
            result = mapped(record, transformer)
            faults = [re.sub(r" $", "", f"{fault.code} {fault.variant}") for fault in result.faults]
            found.append(Read(record.key, record.origin, result.resource or {}, faults, record.superseded))
    return ReadSource(checks, found)
