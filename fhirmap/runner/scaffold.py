"""`fhirmap init`: a project folder to start from, or a copy of a shipped establishment."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fhirmap.compilation.files import shipped_folder
from fhirmap.diagnostics import suggestion
from fhirmap.errors import ConfigError
from fhirmap.inspection import ModelSketch, inspect_source, sketches_to_text
from fhirmap.inspection.names import pascal_case
from fhirmap.language import nodes
from fhirmap.language.node_text import element_to_text
from fhirmap.language.parser import parse
from fhirmap.runner.atomic_file import write_atomically
from fhirmap.runner.project import FILE
from fhirmap.runner.target import find_target, shipped
from fhirmap.runner.toml_text import TomlText
from fhirmap.sources.address import Address, mask, parse_address
from fhirmap.texts import os_reason, text

__all__ = ["copy_example", "init_project"]

_LEFT_OUT = shutil.ignore_patterns("journal.db*", "*.db-wal", "*.db-shm", "reports", "__pycache__", "*.part")
_IGNORED = "journal.db*\nreports/\n"
_DATES = ("date", "dateTime", "instant")


@dataclass(frozen=True, slots=True)
class _Goal:
    """What the first map works towards: a shared model, its elements, and usual names of columns for them."""

    url: str
    group: str
    model: nodes.Model
    taken: frozenset[str]
    usual: Mapping[str, tuple[str, ...]]
    sample: str
    target: str


def copy_example(name: str, folder: Path) -> Path:
    """A copy of a shipped establishment in ``folder``, ready to run.

    Raises: ConfigError FM747 (no such example), FM746 (the folder holds something), FM744.
    """
    known = shipped("examples", FILE)
    if name not in known:
        raise ConfigError("FM747", example=name, **suggestion(name, known))
    _must_be_free(folder)
    try:
        shutil.copytree(shipped_folder("examples") / name, folder, dirs_exist_ok=True, ignore=_LEFT_OUT)
    except (OSError, shutil.Error) as error:
        raise _unwritable(folder, error) from None
    return folder


def init_project(
    folder: Path, source_url: str | None = None, table: str | None = None, target: str | None = None
) -> tuple[Path, ...]:
    """The files of a new project in ``folder``: one that `check` accepts, its map written from ``source_url``'s layout.

    ``target``: a shipped target or a folder; by default the one that `maps/lib/init.toml` names.
    Without a source there is a small sample to look at. A password in the URL is not written: the file refers to a
    variable in its place.
    Raises: ConfigError FM746, FM744, FM740 (no such target), FM70x, FM703, FM750, FM751 (source).
    """
    _must_be_free(folder)
    name = re.sub(r"[^a-z0-9-]+", "-", folder.resolve().name.lower()).strip("-") or "project"
    goal = _goal()
    target = target or goal.target
    find_target(target, folder)
    if source_url is None:
        copy_example(goal.sample, folder)
        file = folder / FILE
        text = re.sub(r'(?m)^name = ".*"$', f'name = "{name}"', file.read_text(encoding="utf-8"))
        _write({FILE: re.sub(r'(?m)^target = ".*"$', f'target = "{target}"', text), ".gitignore": _IGNORED}, folder)
        return tuple(sorted(entry for entry in folder.rglob("*") if entry.is_file()))
    address = parse_address(source_url)
    sketches = inspect_source(address, table, taken=goal.taken)
    files = {
        FILE: _project_text(name, _written_url(address, source_url, folder), target),
        f"{name}.map": _map_text(name, sketches, goal),
        ".gitignore": _IGNORED,
    }
    _write(files, folder)
    return tuple(folder / relative for relative in files)


def _write(files: Mapping[str, str], folder: Path) -> None:
    try:
        for relative, text in files.items():
            write_atomically(folder / relative, text.encode())
    except OSError as error:
        raise _unwritable(folder, error) from None


def _must_be_free(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError("FM746", folder=str(folder))


def _unwritable(folder: Path, error: OSError | shutil.Error) -> ConfigError:
    return ConfigError("FM744", path=str(folder), reason=os_reason(error, "not_writable"))


def _goal() -> _Goal:
    path = shipped_folder("maps") / "lib" / "init.toml"
    root = TomlText(path, str(path)).root()
    file = shipped_folder("maps") / "lib" / root.text("map")
    tree, _ = parse(file.read_text(encoding="utf-8"), str(file))
    usual = root.section("usual")
    wanted = root.text("model")
    return _Goal(
        root.text("url"),
        root.text("group"),
        next(model for model in tree.models if model.name == wanted),
        frozenset(model.name for model in tree.models),
        {element.name: usual.texts(element.name) for model in tree.models for element in model.elements},
        root.text("sample"),
        root.text("target"),
    )


def _written_url(address: Address, given: str, folder: Path) -> str:
    """The source as the project file names it: files from its folder, a password by reference."""
    if address.path is not None:
        path = address.path.resolve()
        return Path(os.path.relpath(path, folder.resolve())).as_posix()
    return mask(given).replace(":***@", ":${SOURCE_PASSWORD}@")


def _project_text(name: str, source: str, target: str) -> str:
    return f"""\
[project]
name = "{name}"

[map]
source = "{name}.map"
# {text("scaffold.target")}
target = "{target}"

[source]
url = {_toml(source)}

[sink]
# {text("scaffold.sink")}
#   url = "https://…"
#   [sink.auth]
#   kind = "client_credentials"
#   token_url = "https://…/connect/token"
#   client_id = "{name}"
#   client_secret = "${{CLIENT_SECRET}}"
url = "simulator"

[journal]
path = "journal.db"
"""


def _toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# --- the map ----------------------------------------------------------------------------------------------------------


def _map_text(name: str, sketches: Sequence[ModelSketch], goal: _Goal) -> str:
    models = [sketch.model() for sketch in sketches]
    first = models[0]
    rules, missing = _rules(first, {model.name: model for model in models}, goal)
    scope = next(
        (e.name for e in first.elements if first.store and e.column in first.store.key), first.elements[0].name
    )
    wanted = "\n".join(f"//   src.… as v -> tgt.{entry} = v;" for entry in missing)
    heading = "// --- {} " + "-" * 100
    return f"""\
/// url = 'https://{name}.example/fhir/StructureMap/{name}'
/// name = '{pascal_case(name)}'
/// title = '{text("scaffold.title")}'
/// status = 'draft'

imports "{goal.url}"

{heading.format(text("scaffold.source"))}

{sketches_to_text(sketches).strip()}

{heading.format(text("scaffold.rules"))}

// {text("scaffold.scope")}
group {goal.group}(source src : {first.name}, target tgt : {goal.model.name}) {{
  src where ({element_to_text(scope)}.exists()) then {{
{rules}  }} "in-scope";
}}

// {text("scaffold.still_to_write")}
{wanted}
"""


def _rules(first: nodes.Model, models: Mapping[str, nodes.Model], goal: _Goal) -> tuple[str, list[str]]:
    """A rule for each element whose column is named as usual, and the elements that are left."""
    held = {path.rpartition(".")[2]: (path, element) for path, element in reversed(list(_paths(first, models, "")))}
    lines: list[str] = []
    missing: list[str] = []
    for target in goal.model.elements:
        usual = (*goal.usual.get(target.name, ()), target.name)
        found = next((held[name] for name in usual if name in held and _fits(target, held[name][1])), None)
        if found is None or target.name == "id":
            missing.append(target.name)
            continue
        path, element = found
        lines.append(f'    src.{path} as v -> tgt.{target.name} = {_value(target, element)} "{target.name}";\n')
    if not lines:
        lines.append(f'    src.{element_to_text(first.elements[0].name)} as v -> tgt.id = (v.toString()) "id";\n')
    return "".join(lines), [name for name in missing if name != "id"]


def _paths(
    model: nodes.Model, models: Mapping[str, nodes.Model], prefix: str
) -> Iterator[tuple[str, nodes.ModelElement]]:
    """Primitive elements that occur at most once, below this model and what it joins once."""
    for element in model.elements:
        if element.maximum != 1:
            continue
        path = f"{prefix}{element_to_text(element.name)}"
        below = models.get(element.type)
        if below is None:
            yield path, element
        elif prefix.count(".") < 3:
            yield from _paths(below, models, f"{path}.")


def _fits(target: nodes.ModelElement, element: nodes.ModelElement) -> bool:
    if target.type in _DATES:
        return element.type in _DATES
    return target.type in ("string", "code") and element.type in ("string", "code", "integer")


def _value(target: nodes.ModelElement, element: nodes.ModelElement) -> str:
    if target.type == "date" and element.type != "date":
        return "(v.toString().substring(0, 10).toDate())"
    return "(v.toString())" if element.type == "integer" else "v"
