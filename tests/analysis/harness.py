"""Checks a map text as `fhirmap check` would: with reference maps, reference definitions and plug-in functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

from fhirmap.analysis.check import check
from fhirmap.analysis.checks.unknown_column import Lacking, unknown_columns
from fhirmap.analysis.strict import extensions
from fhirmap.analysis.workspace import load
from fhirmap.diagnostics import Diagnostic, MapText, suggestion
from fhirmap.diagnostics.render import ordered
from fhirmap.functions import bundle, identity, udi
from fhirmap.interchange.packages import load_definitions
from fhirmap.language.parser import parse
from fhirmap.model.definition import Definitions
from fhirmap.runtime.functions import functions_of
from fhirmap.signatures import FunctionSignature

MAPS = Path(__file__).resolve().parents[2] / "maps"
REFERENCE = MAPS / "renacot" / "definitions"
Tables = Mapping[str, Collection[str]]


@cache
def definitions() -> Definitions:
    """The base types, and the profile, operation and value sets of the published contract."""
    found, diagnostics = load_definitions([REFERENCE])
    assert not diagnostics
    return found


@cache
def library() -> tuple[MapText, ...]:
    """The maps that may be imported."""
    return tuple(MapText(path.name, path.read_text(encoding="utf-8")) for path in sorted((MAPS / "lib").glob("*.map")))


@cache
def functions() -> Mapping[str, FunctionSignature]:
    """The plug-in functions that fhirmap brings along."""
    return {entry.name: entry for module in (bundle, identity, udi) for entry in functions_of(module)}


def lacking(tables: Tables) -> Lacking:
    """What a source with these columns says of a table or column that it does not have."""

    def missing(table: str, column: str) -> Diagnostic | None:
        if table not in tables:
            return Diagnostic("FM703", **suggestion(table, tables))
        return (
            None if not column or column in tables[table] else Diagnostic("FM704", **suggestion(column, tables[table]))
        )

    return missing


def diagnose(
    *texts: str,
    names: Sequence[str] = ("example.map", "target.map"),
    tables: Tables | None = None,
    files: Mapping[str, bytes] | None = None,
    known: Definitions | None = None,
    maps: Mapping[str, str] | None = None,
    strict: bool = False,
) -> tuple[Diagnostic, ...]:
    """What is wrong with a map, or with the stages of a project in order.

    ``tables``: the columns that the source has, where one is at hand. ``files``: what is beside the map. ``maps``:
    further maps that may be imported. ``strict``: as with ``--strict-fml``.
    """
    parsed = [parse(text, name) for text, name in zip(texts, names, strict=False)]

    def read(_map: str, file: str) -> bytes:
        if files is None or file not in files:
            raise FileNotFoundError(2, "no such file", file)
        return files[file]

    more = [MapText(name, text) for name, text in (maps or {}).items()]
    program = load(parsed, library=(*library(), *more), read=read)
    checked, found = check(program, known or definitions(), functions())
    live = unknown_columns(checked, lacking(tables)) if tables is not None else ()
    portable = extensions(checked) if strict else ()
    return ordered([*found, *live, *portable])


def codes(diagnostics: Sequence[Diagnostic]) -> list[str]:
    """Their codes, in order."""
    return [entry.code for entry in diagnostics]
