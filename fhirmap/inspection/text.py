"""Model sketches as the text of a map: elements in columns, remarks as comments, proposals as lines commented out."""

from __future__ import annotations

from collections.abc import Iterable

from fhirmap.inspection.sketch import ElementSketch, ModelSketch
from fhirmap.language.node_text import model_element_columns, model_head
from fhirmap.texts import Text

__all__ = ["sketches_to_text"]


def sketches_to_text(sketches: Iterable[ModelSketch]) -> str:
    """The `model` blocks, one after the other."""
    return "\n".join(_block(sketch) for sketch in sketches)


def _block(sketch: ModelSketch) -> str:
    rows = [model_element_columns(entry.element) for entry in sketch.elements if not entry.is_proposal]
    name_width = max((len(name) for name, _, _ in rows), default=0)
    type_width = max((len(kind) for _, kind, _ in rows), default=0)
    lines = [f"// {sketch.remark}"] if sketch.remark else []
    lines += [f"// {Text('inspection.values_as_names', {'count': sketch.hidden})}"] if sketch.hidden else []
    lines.append(model_head(sketch.model()))
    lines += [_line(entry, name_width, type_width) for entry in sketch.elements]
    return "\n".join([*lines, "}", ""])


def _line(entry: ElementSketch, name_width: int, type_width: int) -> str:
    name, kind, clauses = model_element_columns(entry.element)
    lead = "  // " if entry.is_proposal else "  "
    text = f"{lead}{name:<{name_width}} : {kind:<{type_width}} {' '.join(clauses)}"
    return f"{text}  // {entry.remark}" if entry.remark else text
