"""A target: the folder that holds a contract's map and definitions, named in `target.toml`. Three ship with fhirmap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fhirmap.compilation.files import shipped_folder
from fhirmap.diagnostics import Diagnostic, Span, suggestion
from fhirmap.errors import ConfigError, ProjectError
from fhirmap.runner.toml_text import TomlSection, TomlText

if TYPE_CHECKING:
    from fhirmap.sinks import AnswerWords

SEVERITIES = ("off", "warning", "error")


@dataclass(frozen=True, slots=True)
class TargetRule:
    """``[[rules]]``: a constraint of our own beside the contract: an expression that must hold, its severity."""

    key: str
    severity: str
    human: str
    expression: str
    element: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """A contract and the map that produces it, as data.

    ``map``: the map's file. ``operation``, ``profile``: definition files (None: the map's own target type).
    ``definitions``: files and folders of definitions, by default the folder of that name. ``severities``: what this
    target sets for the contract's rules, before the project does. ``endpoint``: path below the receiver's base.
    ``limit_key``: FHIRPath of what the rate limit counts by. ``receipt``: FHIRPath over the receiver's answer, of the
    identifier that it gave, the best place first. ``answers``: what of the receiver's words is shown as it is.
    """

    name: str
    folder: Path
    map: Path
    operation: Path | None = None
    profile: Path | None = None
    definitions: tuple[Path, ...] = ()
    rules: tuple[TargetRule, ...] = ()
    severities: Mapping[str, str] = field(default_factory=dict)
    endpoint: str = ""
    sink: str = "fhir-operation"
    limit_key: str = ""
    receipt: tuple[str, ...] = ()
    answers: AnswerWords | None = None


def shipped(kind: str, marker: str) -> tuple[str, ...]:
    """Names of the shipped folders of ``kind`` that hold a file ``marker``."""
    folder = shipped_folder(kind)
    return tuple(sorted(entry.parent.name for entry in folder.glob(f"*/{marker}"))) if folder.is_dir() else ()


def find_target(name: str, folder: Path) -> Path:
    """The folder that ``name`` means: a path from the project's folder, else a shipped target.

    Raises: ConfigError FM740 where there is neither, with the nearest shipped name.
    """
    beside = folder / Path(name).expanduser()
    if (beside / "target.toml").is_file():
        return beside
    bundled = shipped_folder("maps") / name
    if "/" not in name and (bundled / "target.toml").is_file():
        return bundled
    known = shipped("maps", "target.toml")
    raise ConfigError("FM740", target=name, **suggestion(name, known))


def read_target(folder: Path, allowed: Iterable[Path] = ()) -> Target:
    """The target that ``folder``/target.toml describes. Its files are in its folder, among the maps that ship, or in
    the folders ``allowed``.

    Raises: ProjectError with every fault of the file; ConfigError FM730, FM731.
    """
    path = folder / "target.toml"
    file = TomlText(path, str(path))
    root = file.root()
    roots = [around.resolve() for around in (folder, shipped_folder("maps"), *allowed)]
    target = Target(
        name=root.text("name", folder.name),
        folder=folder,
        map=existing_path(file, root, "map", folder, required=True) or path,
        operation=existing_path(file, root, "operation", folder),
        profile=existing_path(file, root, "profile", folder),
        definitions=existing_paths(file, root, "definitions", folder) or _default_definitions(folder),
        rules=tuple(_rule(section) for section in root.sections("rules")),
        severities=root.section("severities").mapping(choices=SEVERITIES),
        endpoint=root.text("endpoint"),
        sink=root.text("sink", "fhir-operation"),
        limit_key=root.raw_text("limit_key"),
        receipt=_receipt(root.section("receipt")),
        answers=_answers(root.section("answers")),
    )
    root.done()
    files: list[tuple[str, Path | None]] = [
        ("map", target.map),
        ("operation", target.operation),
        ("profile", target.profile),
    ]
    for key, place in [*files, *(("definitions", entry) for entry in target.definitions)]:
        if place is not None and not any(place.resolve().is_relative_to(around) for around in roots):
            file.report("FM739", (key,), variant="outside", path=str(place))
    _raise_errors(file.diagnostics)
    return target


def _default_definitions(folder: Path) -> tuple[Path, ...]:
    beside = folder / "definitions"
    return (beside,) if beside.is_dir() else ()


def _receipt(section: TomlSection) -> tuple[str, ...]:
    found = section.texts("identifier")
    section.done()
    return found


def _answers(section: TomlSection) -> AnswerWords:
    from fhirmap.sinks import AnswerWords

    found = AnswerWords(section.texts("texts"), section.texts("words"))
    section.done()
    return found


def _rule(section: TomlSection) -> TargetRule:
    rule = TargetRule(
        key=section.text("key", required=True),
        severity=section.text("severity", "error", choices=SEVERITIES),
        human=section.raw_text("human", required=True),
        expression=section.raw_text("expression", required=True).strip(),
        element=section.raw_text("element"),
        span=section.span("expression"),
    )
    section.done()
    return rule


def _raise_errors(found: list[Diagnostic]) -> None:
    """Raises ProjectError where an error is among ``found``."""
    if any(entry.is_error for entry in found):
        raise ProjectError(found)


def existing_paths(file: TomlText, section: TomlSection, key: str, folder: Path) -> tuple[Path, ...]:
    """Files and folders that a list of paths or patterns names; FM739 for an entry that names none."""
    found: list[Path] = []
    for pattern in section.texts(key):
        matches = _matches(pattern, folder)
        if not matches:
            file.report("FM739", (*section.path, key), path=pattern)
        found += matches
    return tuple(dict.fromkeys(found))


def _matches(pattern: str, folder: Path) -> list[Path]:
    plain = folder / Path(pattern).expanduser()
    if plain.exists():
        return [plain]
    if Path(pattern).is_absolute() or "*" not in pattern:
        return []
    return sorted(folder.glob(pattern))


def existing_path(
    file: TomlText, section: TomlSection, key: str, folder: Path, *, required: bool = False
) -> Path | None:
    """The path that a setting names, from ``folder``; FM739 where nothing is there."""
    name = section.text(key, required=required)
    if not name:
        return None
    path = folder / name
    if not path.exists():
        file.report("FM739", (*section.path, key), path=name)
    return path
