"""The first map of a project: models of what the source holds, rules that its names suggest, tables to fill in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fhirmap.compilation.files import shipped_folder
from fhirmap.inspection.names import pascal_case
from fhirmap.inspection.sketch import ElementSketch, ModelSketch
from fhirmap.inspection.text import sketches_to_text
from fhirmap.language import nodes
from fhirmap.language.node_text import element_to_text
from fhirmap.language.parser import parse
from fhirmap.runner.toml_text import TomlText
from fhirmap.texts import text

__all__ = ["FirstGoal", "first_goal", "first_map"]

_DATES = ("date", "dateTime", "instant")


@dataclass(frozen=True, slots=True)
class TargetCodes:
    """The code system of an element, and its codes."""

    system: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FirstGoal:
    """What the first map works towards: a shared model, its elements, usual names of columns for them, its codes."""

    url: str
    group: str
    model: nodes.Model
    taken: frozenset[str]
    usual: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, TargetCodes]
    sample: str
    target: str


@dataclass(frozen=True, slots=True)
class _Match:
    """An element of the goal and what the source holds for it, by its path from the record."""

    target: nodes.ModelElement
    path: tuple[str, ...]
    sketch: ElementSketch


def first_goal() -> FirstGoal:
    """The goal of every first map, which `maps/lib/init.toml` describes."""
    path = shipped_folder("maps") / "lib" / "init.toml"
    root = TomlText(path, str(path)).root()
    file = shipped_folder("maps") / "lib" / root.text("map")
    tree, _ = parse(file.read_text(encoding="utf-8"), str(file))
    wanted = root.text("model")
    model = next(model for model in tree.models if model.name == wanted)
    usual, codes = root.section("usual"), root.section("codes")
    tables = {entry.name: codes.section(entry.name) for entry in model.elements}
    return FirstGoal(
        root.text("url"),
        root.text("group"),
        model,
        frozenset(model.name for model in tree.models),
        {element.name: usual.texts(element.name) for model in tree.models for element in model.elements},
        {name: TargetCodes(table.text("system"), table.texts("codes")) for name, table in tables.items()},
        root.text("sample"),
        root.text("target"),
    )


def first_map(name: str, sketches: Sequence[ModelSketch], goal: FirstGoal) -> str:
    """The text of the map: it is right, and says what is still to be written.

    Only what a rule reads is part of a model: every other column is there as a comment, to be put to use.
    """
    models = [sketch.model() for sketch in sketches]
    first = models[0]
    found = _matches(sketches, goal)
    missing = [entry.name for entry in goal.model.elements if entry.name not in ("id", *(m.target.name for m in found))]
    scope = next(
        (e.name for e in first.elements if first.store and e.column in first.store.key), first.elements[0].name
    )
    used = {(), (scope,), *(match.path[:depth] for match in found for depth in range(1, len(match.path) + 1))}
    tables = [_table(name, match, goal.codes[match.target.name]) for match in found if _is_translated(match, goal)]
    rules = [_rule(match, goal) for match in found]
    if not rules:
        rules = [f'    src.{element_to_text(scope)} as v -> tgt.id = {_as_text(first, scope)} "id";\n']
    wanted = "\n".join(f"//   src.… as v -> tgt.{entry} = v;" for entry in missing)
    heading = "// --- {} " + "-" * 100
    codes = f"{heading.format(text('scaffold.codes'))}\n\n{''.join(tables)}" if tables else ""
    return f"""\
/// url = 'https://{name}.example/fhir/StructureMap/{name}'
/// name = '{pascal_case(name)}'
/// title = '{text("scaffold.title")}'
/// status = 'draft'

imports "{goal.url}"

{codes}{heading.format(text("scaffold.source"))}

// {text("scaffold.unread")}
{_models_text(sketches, used)}

{heading.format(text("scaffold.rules"))}

// {text("scaffold.scope")}
group {goal.group}(source src : {first.name}, target tgt : {goal.model.name}) {{
  src where ({element_to_text(scope)}.exists()) then {{
{"".join(rules)}  }} "in-scope";
}}

// {text("scaffold.still_to_write")}
{wanted}
"""


# --- models -----------------------------------------------------------------------------------------------------------


def _models_text(sketches: Sequence[ModelSketch], used: set[tuple[str, ...]]) -> str:
    """The models, with what no path of ``used`` leads to as comments."""
    by_name = {sketch.name: sketch for sketch in sketches}
    read: dict[str, set[str]] = {}

    def follow(sketch: ModelSketch, path: tuple[str, ...]) -> None:
        held = read.setdefault(sketch.name, set())
        for entry in sketch.elements:
            inner = (*path, entry.element.name)
            if not entry.is_proposal and inner in used:
                held.add(entry.element.name)
                if entry.element.type in by_name and len(inner) < 8:
                    follow(by_name[entry.element.type], inner)

    follow(sketches[0], ())
    blocks = []
    for sketch in sketches:
        kept = read.get(sketch.name)
        elements = [
            replace(entry, is_proposal=kept is not None and entry.element.name not in kept)
            if not entry.is_proposal
            else entry
            for entry in sketch.elements
        ]
        shown = replace(sketch, elements=elements)
        block = sketches_to_text([shown]).strip()
        blocks.append(block if kept is not None else "\n".join(f"// {line}".rstrip() for line in block.splitlines()))
    return "\n\n".join(blocks)


# --- rules ------------------------------------------------------------------------------------------------------------


def _matches(sketches: Sequence[ModelSketch], goal: FirstGoal) -> list[_Match]:
    """For each element of the goal the column that is named as usual, where there is one."""
    by_name = {sketch.name: sketch for sketch in sketches}
    held = {path[-1]: (path, entry) for path, entry in reversed(list(_paths(sketches[0], by_name, ())))}
    found = []
    for target in goal.model.elements:
        usual = (*goal.usual.get(target.name, ()), target.name)
        fitting = (held[name] for name in usual if name in held and _fits(target, held[name][1].element))
        match = next(fitting, None)
        if match is not None and target.name != "id":
            found.append(_Match(target, *match))
    return found


def _paths(
    sketch: ModelSketch, by_name: Mapping[str, ModelSketch], prefix: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], ElementSketch]]:
    """Primitive elements that occur at most once, below this model and what it joins once."""
    for entry in sketch.elements:
        if entry.is_proposal or entry.element.maximum != 1:
            continue
        path = (*prefix, entry.element.name)
        below = by_name.get(entry.element.type)
        if below is None:
            yield path, entry
        elif len(prefix) < 3:
            yield from _paths(below, by_name, path)


def _fits(target: nodes.ModelElement, element: nodes.ModelElement) -> bool:
    if target.type in _DATES:
        return element.type in _DATES
    return target.type in ("string", "code") and element.type in ("string", "code", "integer")


def _rule(match: _Match, goal: FirstGoal) -> str:
    path, name = ".".join(element_to_text(part) for part in match.path), match.target.name
    value = _value(match.target, match.sketch.element)
    if _is_translated(match, goal):
        value = f"translate(v, '#{match.path[-1]}', 'code')"
    return f'    src.{path} as v -> tgt.{name} = {value} "{name}";\n'


def _value(target: nodes.ModelElement, element: nodes.ModelElement) -> str:
    if target.type == "date" and element.type != "date":
        return "(v.toString().substring(0, 10).toDate())"
    return "(v.toString())" if element.type == "integer" else "v"


def _as_text(model: nodes.Model, name: str) -> str:
    element = next(entry for entry in model.elements if entry.name == name)
    return "v" if element.type == "string" else "(v.toString())"


# --- code tables ------------------------------------------------------------------------------------------------------


def _is_translated(match: _Match, goal: FirstGoal) -> bool:
    """Does the target take codes that the source does not hold already?"""
    known = goal.codes[match.target.name].codes
    return bool(known) and not (match.sketch.codes and set(match.sketch.codes) <= set(known))


def _table(name: str, match: _Match, target: TargetCodes) -> str:
    """A concept map with the codes that the column holds, each to be completed; until then its records are invalid."""
    column = match.path[-1]
    entries = [f"  // s:{_code(code)} - t:…\n" for code in match.sketch.codes] or ["  // s:… - t:…\n"]
    lines = [
        f"// {text('scaffold.complete', codes=', '.join(target.codes))}\n",
        f'conceptmap "{column}" {{\n',
        f'  prefix s = "urn:{name}:{column}"\n',
        f'  prefix t = "{target.system}"\n',
        "  unmapped for s = error\n",
    ]
    return "".join([*lines, *entries, "}\n\n"])


def _code(code: str) -> str:
    return code if code.isidentifier() and code.isascii() else f'"{code}"'
