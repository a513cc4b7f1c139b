"""Written models: parsed back, and records read through them."""

from __future__ import annotations

from typing import Any

from fhirmap.compilation.maps import compile_map
from fhirmap.inspection.inspection import inspect_source
from fhirmap.inspection.text import sketches_to_text
from fhirmap.language.nodes import Model
from fhirmap.language.parser import parse
from fhirmap.sources import open_source


def inspected(url: str, table: str | None = None, **options: Any) -> str:
    """The blocks that `fhirmap inspect` writes; the text says what the sketches say."""
    sketches = inspect_source(url, table, **options)
    text = sketches_to_text(sketches)
    assert models_of(text) == [sketch.model() for sketch in sketches]
    return text


def models_of(text: str) -> list[Model]:
    tree, diagnostics = parse(text, "written.map")
    assert [entry.message for entry in diagnostics] == [], text
    return list(tree.models)


def round_trip(url: str, text: str, faulty: int = 0) -> list[dict[str, Any]]:
    """Records read through the written model: each element copied into a logical target of the same shape.

    ``faulty``: how many faults the model's remarks announce.
    """
    first = models_of(text)[0]
    elements = "".join(f"  `{e.name}` : {e.type} 0..{'*' if e.maximum is None else 1}\n" for e in first.elements)
    rules = "".join(f"  src.`{e.name}` as v -> tgt.`{e.name}` = v;\n" for e in first.elements)
    target = f"model Copy {{\n{elements}}}\n"
    group = f"group copy(source src : {first.name}, target tgt : Copy) {{\n{rules}}}\n"
    transformer = compile_map(text + target + group)
    assert transformer.store is not None
    with open_source(url, transformer.store) as source:
        assert [entry.message for entry in source.check() if entry.is_error] == []
        results = [transformer(record.values) for record in source.records()]
    # A word of absence in a text is a warning: the author declares it with `null`.
    faults = [(fault.code, fault.columns) for result in results for fault in result.faults if fault.severity == "error"]
    assert len(faults) == faulty, faults
    return [result.resource or {} for result in results]
