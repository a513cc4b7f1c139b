"""``python tools/reference.py FOLDER``: write the pages of the reference that are made from the code.

Commands, functions, transforms, FHIRPath, JSON outputs, the API and the codes are described where they are defined;
these pages hold nothing else, so that they are never out of date. `docs/conf.py` calls `write_reference` first.
"""

from __future__ import annotations

import inspect
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path

import click

import fhirmap
from fhirmap import extending, testing
from fhirmap.analysis.expression_functions import FUNCTIONS, FunctionSpec
from fhirmap.analysis.transforms import TRANSFORMS
from fhirmap.cli import COMMANDS, commands, functions
from fhirmap.cli.faults import exit_code
from fhirmap.diagnostics.catalog import codes, page
from fhirmap.plugins import find_plugins, load
from fhirmap.runtime.functions import functions_of
from fhirmap.texts import LANGUAGES, language_of

ROOT = Path(__file__).resolve().parent.parent
FHIRPATH = ROOT / "docs" / "reference" / "fhirpath.toml"
DIFFERENCES = ROOT / "docs" / "reference" / "fhirpath-differences.toml"
FRENCH = ROOT / "docs" / "fr" / "fhirpath.toml"
OUTPUTS = ROOT / "docs" / "reference" / "json.toml"

_WORDS = {
    "commands": {"en": "Commands", "fr": "Commandes"},
    "codes": {"en": "Codes", "fr": "Codes"},
    "functions": {"en": "Functions of plug-ins", "fr": "Fonctions des extensions"},
    "callable": {
        "en": "Callable in expressions (`nirKey(nir)`, `nir.nirKey()`) and as transforms (`tgt.a = nirKey(v)`).",
        "fr": "Utilisables dans les expressions (`nirKey(nir)`, `nir.nirKey()`) et comme fonctions de transformation "
        "(`tgt.a = nirKey(v)`).",
    },
    "wrong": {"en": "Wrong", "fr": "Erroné"},
    "rendered": {"en": "What is reported", "fr": "Ce qui est signalé"},
    "repaired": {"en": "Mended", "fr": "Corrigé"},
    "code": {"en": "code", "fr": "code"},
    "stops": {"en": "Codes that end a run", "fr": "Codes qui terminent une exécution"},
    "exit": {"en": "Exit code", "fr": "Code de sortie"},
    "asks": {"en": "what it asks for", "fr": "ce qu'il demande"},
    "title": {"en": "what it says", "fr": "ce qu'il signale"},
    "severity": {"en": "severity", "fr": "gravité"},
}
_FHIRPATH_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "introduction": "Conditions, computed values and the rules of a contract are FHIRPath 2.0, with functions of "
        "the 3.0 ballot and those of FHIR. Decimals are exact, dates keep their precision, what the specification "
        "leaves open is an empty collection, never a guess. `hasTemplateIdOf`, `%terminologies`, `%factory` and "
        "`%server` need a server or a package of templates: they are refused as unknown (FM251, FM254).",
        "functions": "Functions",
        "columns": "function | gives | does | differs",
        "other": "Where fhirpath.js differs",
        "other_text": "On the cases of fhirmap's own tests, fhirpath.js 5.2.2 with its R4 model gives other results. "
        "`{}` is the empty collection; a code is a fault or a refusal.",
        "other_columns": "expression | fhirmap | fhirpath.js | reason",
        "reference": "Where the reference engine differs",
        "reference_text": "The HL7 Java engine, HAPI's `StructureMapUtilities`, on the same expressions:",
        "value": "value",
        "each": "expression",
        "focus": "value",
        "type": "type",
        "sort": "key",
        "!": "one {}",
        "?": "at most one {}",
        "*": "any number of {}",
        "=same": "the same items",
        "=item": "at most one item",
        "=filtered": "some of the items",
        "=": "depends on its input",
    },
    "fr": {
        "introduction": "Les conditions, les valeurs calculées et les règles d'un contrat sont du FHIRPath 2.0, avec "
        "des fonctions du projet 3.0 et celles de FHIR. Les décimaux sont exacts, les dates gardent leur précision, ce "
        "que la spécification laisse ouvert est une collection vide, jamais une supposition. `hasTemplateIdOf`, "
        "`%terminologies`, `%factory` et `%server` demandent un serveur ou un paquet de modèles\u00a0: ils sont "
        "refusés comme inconnus (FM251, FM254).",
        "functions": "Les fonctions",
        "columns": "fonction | donne | ce qu'elle fait | écart",
        "other": "Là où fhirpath.js diffère",
        "other_text": "Sur les cas des tests de fhirmap, fhirpath.js 5.2.2 avec son modèle R4 donne d'autres "
        "résultats. `{}` est la collection vide\u00a0; un code est une anomalie ou un refus.",
        "other_columns": "expression | fhirmap | fhirpath.js | raison",
        "reference": "Là où le moteur de référence diffère",
        "reference_text": "Le moteur Java de HL7, `StructureMapUtilities` de HAPI, sur les mêmes expressions "
        "([toutes les constructions](moteur-de-reference.md))\u00a0:",
        "value": "valeur",
        "each": "expression",
        "focus": "valeur",
        "type": "type",
        "sort": "clé",
        "!": "un {}",
        "?": "un {} au plus",
        "*": "des {}",
        "=same": "les mêmes éléments",
        "=item": "un élément au plus",
        "=filtered": "une partie des éléments",
        "=": "dépend de son entrée",
    },
}
_REFERENCE_ENGINE = (
    "- `(1 / 3)` has one digit there, 28 here; `(-5).abs()`, `2.power(3)` and `4.sqrt()` give `5.0`, `8.0`, `2.0` "
    "there, `5`, `8` and `2` here.",
    "- `5 'mg' < 1 'g'` is false and `1000 'mg' = 1 'g'` empty there: units are not converted. Here they are.",
    "- `'A b' ~ 'a  B'` is false there; the specification overlooks case and blanks.",
    "- `'yes'.toBoolean()` and `'y'.toBoolean()` are empty there; the specification lists both.",
    "- `gender.type()` is `System.Code` there, `FHIR.code` here.",
    "- `$this` and `%context` are nothing in a target's `( )` there; here they are the item of the rule's one source.",
    "- `where $index = 0` and `name.where($index = 1)` never hold there; here `$index` counts the items from 0.",
    "- `extension` with `value is FHIR.CodeableConcept` never holds there; here it tests the type.",
    "- An extension or id of a primitive is lost there where the value is computed; here it travels with the value.",
    "- `('a' | 'b').contains('a')` is empty there; several texts are a fault here (FM430): the operator "
    "`contains` is meant.",
    "- Unknown elements and variables are empty there, and refused here (FM250, FM254); so is `memberOf` with a "
    "value set that is not at hand (FM434).",
)
_SEVERITIES = {"error": "erreur", "warning": "avertissement", "note": "remarque"}
_STOPPING = ("FM6", "FM7", "FM8", "FM9")
_FAMILIES = (
    ("FM0", "Syntax", "Syntaxe"),
    ("FM1", "Names", "Noms"),
    ("FM2", "Elements and types", "Éléments et types"),
    ("FM3", "Codes and contracts", "Codes et contrats"),
    ("FM4", "Rules that fail on a record", "Règles en échec sur un enregistrement"),
    ("FM5", "Results that break the contract", "Résultats contraires au contrat"),
    ("FM6", "Delivery", "Envoi"),
    ("FM7", "Project, source and surroundings", "Projet, source et environnement"),
    ("FM8", "Journal", "Journal"),
    ("FM9", "Faults of fhirmap itself", "Défauts de fhirmap"),
)


def write_reference(folder: Path) -> None:
    """Write all generated pages into ``folder``; a page that would be the same is left alone."""
    for code in LANGUAGES:
        with language_of(code):
            _write(folder / code / "commands.md", _commands(code))
            _write(folder / code / "functions.md", _functions(code))
            _write(folder / code / "codes" / "index.md", _code_index(code))
            _write(folder / code / "stops.md", _stops(code))
            for name in codes():
                _write(folder / code / "codes" / f"{name}.md", _code_page(name, code))
    with language_of(LANGUAGES[0]):
        _write(folder / "transforms.md", _transforms())
        _write(folder / "json.md", _outputs())
        _write(folder / "api.md", _api())


def write_fhirpath(page: Path, code: str = "en") -> None:
    """Write the page on FHIRPath in a language, which is kept beside what it is made of."""
    _write(page, _fhirpath(code))


def _write(path: Path, lines: Iterable[str]) -> None:
    text = "\n".join(lines) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _commands(code: str) -> Iterator[str]:
    yield f"# {_WORDS['commands'][code]}\n"
    group = click.Context(commands, info_name="fhirmap")
    yield _text_block(commands.get_help(group))
    for name in COMMANDS:
        command = commands.get_command(group, name)
        assert command is not None
        yield f"\n## `fhirmap {name}`\n"
        context = click.Context(command, info_name=name, parent=group)
        yield _text_block(command.get_help(context))
        if isinstance(command, click.Group):
            for second in command.list_commands(context):
                inner = command.get_command(context, second)
                assert inner is not None
                yield f"\n### `fhirmap {name} {second}`\n"
                yield _text_block(inner.get_help(click.Context(inner, info_name=second, parent=context)))


def _text_block(text: str, info: str = "text") -> str:
    return f"```{info}\n{text.rstrip()}\n```"


def _code_index(code: str) -> Iterator[str]:
    yield f"# {_WORDS['codes'][code]}\n"
    for prefix, english, french in _FAMILIES:
        listed = [page(name, code) for name in codes() if name.startswith(prefix)]
        yield f"## {prefix}xx: {english if code == 'en' else french}\n"
        yield f"| {_WORDS['code'][code]} | {_WORDS['title'][code]} | {_WORDS['severity'][code]} |\n|---|---|---|"
        for entry in listed:
            severity = entry.severity if code == "en" else _SEVERITIES[entry.severity]
            yield f"| [{entry.code}]({entry.code}.md) | {_cell(entry.title)} | {severity} |"
        yield ""


def _stops(code: str) -> Iterator[str]:
    """Codes that end a run, by its exit code, with what each asks for."""
    yield f"# {_WORDS['stops'][code]}\n"
    stopping = [name for name in codes() if name[:3] in _STOPPING and page(name).severity == "error"]
    for number in (3, 70, 2):
        yield f"## {_WORDS['exit'][code]} {number}\n"
        yield f"| {_WORDS['code'][code]} | {_WORDS['title'][code]} | {_WORDS['asks'][code]} |\n|---|---|---|"
        for name in stopping:
            if exit_code(name) == number:
                entry = page(name, code)
                hint = entry.text("hint", "", {})
                yield f"| [{name}](codes/{name}.md) | {_cell(entry.title)} | {_cell(hint)} |"
        yield ""


def _code_page(name: str, code: str) -> Iterator[str]:
    entry = page(name, code)
    # Reached by the index alone: hundreds of pages in the navigation of each page would hide the others.
    yield "---\norphan: true\n---\n"
    colon = ": " if code == "en" else "\u00a0: "
    yield f"# {name}{colon}{entry.title}\n"
    yield entry.prose + "\n"
    for info, text in entry.examples.items():
        kind = info.split()[-1]
        heading = _WORDS.get(kind)
        if heading is not None:
            yield f"## {heading[code]}\n"
        yield _text_block(text) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _fhirpath(code: str) -> Iterator[str]:
    words = _FHIRPATH_WORDS[code]
    french = tomllib.loads(FRENCH.read_text(encoding="utf-8"))
    yield "# FHIRPath\n"
    yield words["introduction"] + "\n"
    yield f"## {words['functions']}\n"
    yield f"| {words['columns']} |\n|---|---|---|---|"
    described = tomllib.loads(FHIRPATH.read_text(encoding="utf-8"))
    for name, spec in FUNCTIONS.items():
        does, *differs = (
            french["functions"][name] if code == "fr" else [described[name]["does"], described[name].get("differs", "")]
        )
        cells = (f"`{name}({_arguments(spec, words)})`", _result(spec, words), does, *(differs or [""]))
        yield f"| {' | '.join(map(_cell, cells))} |"
    yield f"\n## {words['other']}\n"
    yield words["other_text"] + "\n"
    yield f"| {words['other_columns']} |\n|---|---|---|---|"
    for entry in tomllib.loads(DIFFERENCES.read_text(encoding="utf-8"))["difference"]:
        reason = french["reasons"][entry["shown"][0][0]] if code == "fr" else entry["reason"]
        for expression, here, there in entry["shown"]:
            shown = (f"`{expression}`", f"`{here or chr(39) * 2}`", f"`{there}`", reason)
            yield f"| {' | '.join(map(_cell, shown))} |"
    yield f"\n## {words['reference']}\n"
    yield words["reference_text"] + "\n"
    yield from [f"- {entry}" for entry in french["engine"]] if code == "fr" else _REFERENCE_ENGINE


def _arguments(spec: FunctionSpec, words: Mapping[str, str]) -> str:
    shown = [words[kind] for kind in spec.arguments[: spec.required]]
    rest = [words[kind] for kind in spec.arguments[spec.required :]]
    if len(rest) > 2:
        return ", ".join([*shown, "…"])
    return ", ".join([*shown, *(f"[{word}]" for word in rest)])


def _result(spec: FunctionSpec, words: Mapping[str, str]) -> str:
    """How `FunctionSpec.result` is said: `Boolean!` is always one, `Boolean?` at most one, `String*` any number."""
    ending = words.get(spec.result[-1:])
    return ending.format(spec.result[:-1]) if ending is not None else words.get(f"={spec.result}", words["="])


def _transforms() -> Iterator[str]:
    yield "# Transforms\n"
    yield "What may be written after `=` in a target, besides a value, a path and `(an expression)`.\n"
    yield "| transform | parameters | gives |\n|---|---|---|"
    for name, (least, most, result) in TRANSFORMS.items():
        count = f"{least} or more" if most is None else str(least) if least == most else f"{least} to {most}"
        yield f"| [`{name}`](#{name.lower()}) | {count} | {result or 'depends on its parameters'} |"
    described = tomllib.loads((ROOT / "docs" / "reference" / "transforms.toml").read_text(encoding="utf-8"))
    for name in TRANSFORMS:
        entry = described[name]
        yield f"\n## {name}\n"
        yield entry["does"]
        yield "\n" + _text_block(entry["example"])
        if "differs" in entry:
            yield f"\n**Differs:** {entry['differs']}"


def _functions(code: str) -> Iterator[str]:
    yield f"# {_WORDS['functions'][code]}\n"
    yield f"{_WORDS['callable'][code]}\n"
    found = [entry for plugin in find_plugins("fhirmap.functions").values() for entry in functions_of(load(plugin))]
    for entry in sorted(found, key=lambda signature: signature.name):
        yield f"\n## {entry.name}\n"
        yield _text_block(entry.display)
        yield "\n" + _docstring(functions.described(entry))


def _outputs() -> Iterator[str]:
    described = tomllib.loads(OUTPUTS.read_text(encoding="utf-8"))
    yield "# JSON outputs\n"
    yield (
        "With `--json` a command prints one JSON document on standard output and nothing else there. Keys and their "
        "types are a promise: a version may add a key, only a major version takes one away or changes its type. "
        "Messages are in the language of the command; codes, states and keys are in none. "
        "A key with *(may be absent)* is there only where it has something to say.\n"
    )
    yield "| command | prints | which is |\n|---|---|---|"
    for name, entry in described["commands"].items():
        yield f"| `fhirmap {name}` | {_type_links(entry['type'], described['shapes'])} | {_cell(entry['does'])} |"
    for name, entry in described["shapes"].items():
        yield f"\n## {name}\n"
        yield entry["does"]
        if "extends" in entry:
            yield f"\nAll keys of {_type_links(entry['extends'], described['shapes'])}, and:"
        yield "\n| key | type | meaning |\n|---|---|---|"
        for key, (type_, meaning) in entry["keys"].items():
            absent = " *(may be absent)*" if key.endswith("?") else ""
            yield f"| `{key.rstrip('?')}`{absent} | {_type_links(type_, described['shapes'])} | {_cell(meaning)} |"


def _type_links(type_: str, shapes: Iterable[str]) -> str:
    """A type of docs/reference/json.toml, its shapes as links to their headings."""
    return " ".join(f"[{word}](#{word})" if word in shapes else word for word in type_.split(" "))


def _api() -> Iterator[str]:
    yield "# The Python interface\n"
    yield (
        "Names are imported from `fhirmap`; what plug-ins need besides, from `fhirmap.extending`; their test kit, from "
        "`fhirmap.testing`. Other modules may change with any version.\n"
    )
    known: set[str] = set()
    for module in (fhirmap, extending, testing):
        yield f"\n## From `{module.__name__}`\n"
        for name in sorted(set(module.__all__) - known, key=str.lower):
            yield from _public(name, getattr(module, name))
        known |= set(module.__all__)


def _public(name: str, value: object) -> Iterator[str]:
    yield f"\n### {name}\n"
    yield _text_block(_signature(name, value), "python")
    if inspect.isclass(value) or inspect.isfunction(value):
        yield "\n" + _docstring(inspect.getdoc(value) or "")
    if inspect.isclass(value):
        yield from _members(value)


class _Written(str):
    """An annotation as it is written; `inspect` shows a text with quotes."""

    def __repr__(self) -> str:
        return str(self)


def _signature(name: str, value: object) -> str:
    if inspect.isclass(value) and issubclass(value, Enum | Exception):
        return f"class {name}({value.__bases__[0].__name__})"
    if not inspect.isroutine(value) and not inspect.isclass(value):
        return f"{name} = {value}"
    shown = f"{'class ' if inspect.isclass(value) else ''}{name}"
    return f"{shown}{_parameters(value)}"


def _parameters(function: Callable[..., object] | None) -> str:
    """The parameters and the result, one parameter a line where they are long."""
    if function is None:
        return "()"
    found = inspect.signature(function)
    plain = [parameter.replace(annotation=_as_written(parameter.annotation)) for parameter in found.parameters.values()]
    result = inspect.Signature.empty if inspect.isclass(function) else _as_written(found.return_annotation)
    signature = found.replace(parameters=plain, return_annotation=result)
    line = str(signature)
    if len(line) < 80:
        return line
    several = [str(signature.replace(parameters=[p], return_annotation=inspect.Signature.empty))[1:-1] for p in plain]
    keyword = next((n for n, p in enumerate(plain) if p.kind is p.KEYWORD_ONLY), None)
    if keyword is not None:
        several = [text.removeprefix("*, ") for text in several]
        if not any(p.kind is p.VAR_POSITIONAL for p in plain):
            several.insert(keyword, "*")
    ending = line[line.rindex(")") :] if " -> " not in line else f") -> {line.rpartition(' -> ')[2]}"
    return "(\n" + "".join(f"    {text},\n" for text in several) + ending


def _as_written(annotation: object) -> object:
    return _Written(annotation) if isinstance(annotation, str) else annotation


def _members(value: type) -> Iterator[str]:
    if issubclass(value, Enum):
        yield "\n" + ", ".join(f"`{member.value}`" for member in value)
        return
    for name, member in vars(value).items():
        if name.startswith("_") or not (inspect.isfunction(member) or isinstance(member, property | classmethod)):
            continue
        function: Callable[..., object] | None = (
            member.fget if isinstance(member, property) else inspect.unwrap(getattr(value, name))
        )
        first = (inspect.getdoc(function) or "").split("\n", 1)[0]
        shown = name if isinstance(member, property) else f"{name}{_parameters(function)}"
        yield f"\n`{' '.join(shown.split())}`\n: {first}"


def _docstring(text: str) -> str:
    """A docstring as Markdown: doctests and tables of code become blocks, the double backquotes of code single ones."""
    lines: list[str] = []
    block: list[str] = []
    for line in [*text.replace("``", "`").splitlines(), ""]:
        if line.startswith("    "):
            block.append(line[4:])
            continue
        if block and line == "" and lines:
            lines += ["", _text_block("\n".join(block)), ""]
            block = []
        lines.append(line)
    return "\n".join(lines).strip()


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]))
    write_fhirpath(ROOT / "docs" / "reference" / "fhirpath.md")
    write_fhirpath(ROOT / "docs" / "fr" / "fhirpath.md", "fr")
