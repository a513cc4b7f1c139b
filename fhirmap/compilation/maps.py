"""One call each: parse a map, check maps, compile maps, load definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from fhirmap.compilation.contract import target_contract
from fhirmap.compilation.program import MapSource, check_maps, map_text
from fhirmap.compilation.transformers import transformer_of
from fhirmap.compiler.validator.contract import Contract
from fhirmap.diagnostics import Diagnostic, MapText
from fhirmap.language.nodes import Map
from fhirmap.language.parser import parse as parse_text
from fhirmap.model.definition import Definitions
from fhirmap.runtime.transformer import Transformer
from fhirmap.signatures import FunctionSignature

__all__ = ["check", "compile_map", "parse"]


def parse(source: str | Path | MapText, name: str | None = None) -> tuple[Map, tuple[Diagnostic, ...]]:
    """The tree of a map, and what is wrong with its syntax. ``name``: what it is called; a string is then its text.

    Raises: ConfigError FM760 where a file cannot be read.
    """
    text = map_text(source, name)
    return parse_text(text.text, text.name)


def check(  # noqa: PLR0913 - named settings of a public function
    *sources: MapSource,
    name: str | None = None,
    folder: str | Path | None = None,
    imports: Iterable[str | Path] = (),
    definitions: Definitions | Iterable[str | Path] | None = None,
    functions: Mapping[str, FunctionSignature] | None = None,
    fhir_version: str | None = None,
) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a map, or with several that are stages of one another; empty where all is well.

    A source is a file, a text or a tree. A string with a line break or a brace is a text, any other a path; with
    ``name`` it is a text in any case, shown under that name. ``folder``: where the files are that a text names (code
    tables, queries), and maps that it imports: an editor gives the folder of the buffer's file, and the buffer counts
    in place of that file. ``imports``: files or folders of maps that may be imported, besides the library that fhirmap
    brings. ``definitions``: files or folders of StructureDefinitions, ValueSets and ConceptMaps, or what
    `load_definitions` gave. ``functions``: what maps may call, by name; those of the installed plug-ins by default.
    ``fhir_version``: STU3, R4, R4B or R5; by default what the `uses` of the maps name, else R4.

    Raises: ConfigError FM760 where a file cannot be read.

    Example:
        >>> [entry.code for entry in check("group a(source x) { }", name="buffer.map")]
        ['FM114']
    """
    maps = check_maps(
        *sources,
        name=name,
        folder=folder,
        imports=imports,
        definitions=definitions,
        functions=functions,
        fhir_version=fhir_version,
    )
    return maps.diagnostics


def compile_map(  # noqa: PLR0913 - named settings of a public function
    *sources: MapSource,
    name: str | None = None,
    folder: str | Path | None = None,
    imports: Iterable[str | Path] = (),
    definitions: Definitions | Iterable[str | Path] | None = None,
    functions: Mapping[str, FunctionSignature] | None = None,
    fhir_version: str | None = None,
    contract: Contract | None = None,
    validate: bool = True,
) -> Transformer:
    """A `Transformer` of a map: compile once, call for every record.

    Several maps are stages: the first fills the model that the second begins with. The other options are those of
    `check`. Results are validated against ``contract`` (`contract_of`), or the structure that the map's target names;
    ``validate=False`` leaves that to the caller.

    Raises: MapError with every diagnostic, where the map cannot run; ConfigError FM760 where a file cannot be read.
    """
    maps = check_maps(
        *sources,
        name=name,
        folder=folder,
        imports=imports,
        definitions=definitions,
        functions=functions,
        fhir_version=fhir_version,
    )
    wanted = None if not validate or maps.has_errors else contract or target_contract(maps.checked)
    return transformer_of(maps, contract=wanted)
