"""The door for Python programs: parse, check and compile maps given as files, texts or trees.

What reads files on the way from a map to a `Transformer` is here; analysis and compiler below get text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhirmap.errors import ConfigError, MapError
from fhirmap.runtime.transformer import Transformer

if TYPE_CHECKING:
    from fhirmap.analysis.typed import Checked
    from fhirmap.compiler.profile import Contract
    from fhirmap.diagnostics import Diagnostic, MapText
    from fhirmap.language import nodes
    from fhirmap.model.definition import Definitions


_SHIPPED = "fhirmap/maps/"
"""How the maps that come with fhirmap are named, in every installation alike: the name stands in diagnostics, in faults
and in generated modules."""


def parse(source: str | Path, name: str | None = None) -> tuple[nodes.Map, tuple[Diagnostic, ...]]:
    """The tree of a map, given as a path or as its text, and what is wrong with its syntax."""
    from fhirmap.language.parser import parse as parse_text

    text, shown = _text_of(source)
    return parse_text(text, name or shown)


def check(
    *sources: str | Path | nodes.Map,
    imports: Iterable[str | Path] = (),
    definitions: Definitions | Iterable[str | Path] | None = None,
    functions: Mapping[str, Any] | None = None,
) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a map, or with several that are stages of one another; empty where all is well."""
    return checked_map(*sources, imports=imports, definitions=definitions, functions=functions)[1]


def compile_map(
    *sources: str | Path | nodes.Map,
    imports: Iterable[str | Path] = (),
    definitions: Definitions | Iterable[str | Path] | None = None,
    functions: Mapping[str, Any] | None = None,
    contract: Contract | None = None,
    validate: bool = True,
) -> Transformer:
    """A `Transformer` of a map: compile once, call for every record.

    Several maps are stages: the first fills the model that the second begins with. A text is told from a path by its
    line breaks. ``imports``: files or folders of maps that may be imported, besides the library that fhirmap brings.
    ``definitions``: files or folders of StructureDefinitions, ValueSets and ConceptMaps, or a loaded tank.
    Results are validated against ``contract`` (`fhirmap.compiler.profile.contract_of`), or the structure that the
    map's target names; ``validate=False`` leaves that to the caller.

    Raises: ``MapError`` with every diagnostic, where the map cannot run.
    """
    checked, diagnostics = checked_map(*sources, imports=imports, definitions=definitions, functions=functions)
    return transformer_of(checked, diagnostics, contract=(contract or target_contract(checked)) if validate else None)


def target_contract(checked: Checked) -> Contract | None:
    """What the map's own target structure demands of results; None where the map names none, or a logical model."""
    from fhirmap.compiler.profile import Contract

    last = checked.stages[-1].target if checked.stages else None
    structure = checked.definitions.structure(last.structure or last.name) if last else None
    if structure is None or structure.kind == "logical":
        return None
    return Contract(checked.definitions, (structure.url,))


def compile_stages(sources: Sequence[str | Path | nodes.Map], **options: Any) -> Transformer:
    """As `compile_map`, the stages as a sequence."""
    return compile_map(*sources, **options)


def transformer_of(
    checked: Checked,
    diagnostics: Sequence[Diagnostic] = (),
    *,
    contract: Contract | None = None,
    trace: bool = False,
) -> Transformer:
    """The `Transformer` of a checked program. ``trace``: one for `fhirmap.runtime.trace.Tracer`, slower and longer.

    Raises: ``MapError`` where ``diagnostics`` hold an error.
    """
    from fhirmap.compiler.build import compile_checked

    if any(entry.is_error for entry in diagnostics):
        raise MapError(diagnostics)
    compiled = compile_checked(checked, validator=_validator(contract, checked.functions), trace=trace)
    return Transformer(
        compiled.text,
        compiled.digest,
        name=compiled.name,
        store=compiled.store,
        code=compiled.code,
        files=compiled.files,
        texts=compiled.texts,
    )


def checked_map(
    *sources: str | Path | nodes.Map,
    imports: Iterable[str | Path] = (),
    definitions: Definitions | Iterable[str | Path] | None = None,
    functions: Mapping[str, Any] | None = None,
) -> tuple[Checked, tuple[Diagnostic, ...]]:
    """The checked program of a map and its imports, and all its diagnostics, in text order."""
    from fhirmap.analysis.check import check as check_program
    from fhirmap.analysis.workspace import load
    from fhirmap.diagnostics.render import ordered
    from fhirmap.language.parser import parse as parse_text

    found: list[Diagnostic] = []
    trees: list[nodes.Map] = []
    for source in sources:
        if isinstance(source, str | Path):
            text, name = _text_of(source)
            tree, diagnostics = parse_text(text, name)
            trees.append(tree)
            found += diagnostics
        else:
            trees.append(source)
    tank, loading = _definitions(definitions)
    program, gathering = load(trees, library=library(imports), read=read_beside)
    known = built_in_functions() if functions is None else functions
    checked, checking = check_program(program, tank, known, syntax=found)
    return checked, ordered([*found, *loading, *gathering, *checking])


def library(imports: Iterable[str | Path] = ()) -> tuple[MapText, ...]:
    """Maps that may be imported: those of ``imports`` (files or folders), then fhirmap's own library."""
    texts = []
    for entry in imports:
        path = Path(entry)
        found = sorted([*path.glob("**/*.map"), *path.glob("**/*.fml")]) if path.is_dir() else [path]
        texts += [_map_text(file, str(file)) for file in found]
    own = shipped_folder("maps") / "lib"
    texts += [_map_text(file, map_name(file)) for file in sorted(own.glob("*.map"))]
    return tuple(texts)


def map_name(path: Path) -> str:
    """The name that a map's file is shown by: `fhirmap/maps/…` where fhirmap itself found it there, else as given."""
    shipped = shipped_folder("maps")
    return f"{_SHIPPED}{path.relative_to(shipped).as_posix()}" if path.is_relative_to(shipped) else str(path)


def map_path(name: str) -> Path:
    """The file that `map_name` named."""
    return shipped_folder("maps") / name.removeprefix(_SHIPPED) if name.startswith(_SHIPPED) else Path(name)


def shipped_folder(kind: str) -> Path:
    """`maps` or `examples` of this checkout, or where the wheel keeps them (`fhirmap/_maps`, `fhirmap/_examples`)."""
    package = Path(__file__).resolve().parent
    installed = package / f"_{kind}"
    return installed if installed.is_dir() else package.parent / kind


def read_beside(name: str, file: str) -> bytes:
    """A file that a map names: it lies beside the map. Raises: ``OSError``."""
    return (map_path(name).parent / file).read_bytes()


@cache
def built_in_functions() -> Mapping[str, Any]:
    """Signatures of the functions of installed plug-ins, by name.

    Raises: ``ConfigError`` where two of them clash.
    """
    from fhirmap.plugins import find_plugins, load
    from fhirmap.runtime.functions import functions_of

    found: dict[str, Any] = {}
    for plugin in find_plugins("fhirmap.functions").values():
        found.update({entry.name: entry for entry in functions_of(load(plugin))})
    return found


def _definitions(
    given: Definitions | Iterable[str | Path] | None,
) -> tuple[Definitions, tuple[Diagnostic, ...]]:
    from fhirmap.interchange.packages import load_definitions
    from fhirmap.model.definition import Definitions as Tank

    if isinstance(given, Tank):
        return given, ()
    return load_definitions([Path(entry) for entry in given or ()])


def _validator(contract: Contract | None, functions: Mapping[str, Any]) -> str:
    if contract is None:
        return ""
    from fhirmap.compiler.profile import lower_contract, render_validator

    plan, diagnostics = lower_contract(contract, functions)
    if any(entry.is_error for entry in diagnostics):
        raise MapError(diagnostics)
    return render_validator(plan)


def _text_of(source: str | Path) -> tuple[str, str]:
    """Text and name: a string with a line break or a brace is a text, any other a path."""
    if isinstance(source, str) and ("\n" in source or "{" in source):
        return source, "<string>"
    return read_map(Path(source)), map_name(Path(source))


def _map_text(path: Path, name: str) -> MapText:
    from fhirmap.diagnostics import MapText

    return MapText(name, read_map(path))


def read_map(path: Path) -> str:
    """The text of a map's file, without a byte order mark.

    Raises: ``ConfigError`` FM760 where it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError("FM760", file=str(path), reason=error.strerror or "cannot be read") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError("FM760", file=str(path), reason=f"not UTF-8, first on line {line}") from None
