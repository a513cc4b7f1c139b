"""Names that nothing declares: reported with what may have been meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from fhirmap.analysis.other_release import element_of_other_release
from fhirmap.analysis.scope import Scope
from fhirmap.analysis.typed import Unit
from fhirmap.diagnostics import Severity, Span, Subject, SubjectKind, Suggestion, nearest, suggestion
from fhirmap.fhir_types import OPEN_TYPES, PRIMITIVES
from fhirmap.model.definition import FHIR_URL, Element, TypeRef
from fhirmap.model.fhir import VERSIONS, release_of_url, releases_with, type_names
from fhirmap.texts import Listing, Text

PRIMITIVE_PARTS = frozenset(("value", "id", "extension"))
"""What a primitive has below it in FHIR's JSON: its value in the map's words, and its sibling `_x`."""
_ELEMENT_NAME = re.compile(r"\w+")


def unknown_variable(  # noqa: PLR0913 - the parts of a diagnostic
    scope: Scope, name: str, span: Span, names: Iterable[str], hint: Text | None = None, variant: str = ""
) -> None:
    """Report a name that is no variable (FM104)."""
    about, like = Subject(SubjectKind.VARIABLE, name), suggestion(name, names)
    scope.report("FM104", span, hint, variant=variant, about=about, like=like, name=name)


def unknown_element(
    scope: Scope, ref: TypeRef, name: str, span: Span, given: Mapping[str, Element] | None = None
) -> None:
    """Report a name that is no element of a type (FM204), unless the type may hold any. ``given``: its elements, where
    the definitions do not say.
    """
    children = scope.definitions.children(ref) if given is None else given
    is_model = ref.structure in scope.models
    if not children and not is_model and not scope.definitions.is_primitive(ref.name):
        return
    structure = scope.definitions.structure(ref.structure or ref.name)
    if ref.name in OPEN_TYPES or (structure is not None and structure.abstract):
        return
    # No structure of FHIR can hold `group!` or `section4.5`: the map means others than those that are known.
    severity = None if _ELEMENT_NAME.fullmatch(name) else Severity.WARNING
    about = Subject(SubjectKind.ELEMENT, name, frozenset((ref.structure,)))
    like = suggestion(name, children)
    hint = None if is_model else element_of_other_release(scope.definitions, (ref,), name)
    scope.report("FM204", span, hint, severity=severity, about=about, like=like, type=ref.name, name=name)


def unknown_type(scope: Scope, unit: Unit, name: str, span: Span) -> None:
    """An unknown type: an error where it is but a name, a warning where a `uses` gives an unknown URL."""
    uses = next((entry for entry in unit.tree.uses if name in (entry.alias, entry.url)), None) or scope.uses_called(
        unit, name
    )
    if uses is not None:
        urls = [entry.url for entry in scope.definitions.structures() if entry.url.startswith("http")]
        hint = _other_release(scope, uses.url)
        found = _near_url(uses.url, (*urls, *_base_urls(scope, uses.url))) if hint is None else None
        # Nearly the address of a structure that is known: nothing at all would be checked against it.
        severity = Severity.ERROR if found or hint else None
        if not any(entry.code == "FM117" and entry.span == uses.url_span for entry in scope.diagnostics):
            like = Suggestion(meant=found, known=())
            way, name = "read" if uses.mode in ("source", "queried") else "", uses.alias or uses.url
            where = uses.url_span
            scope.report("FM117", where, hint, severity=severity, like=like, variant=way, url=uses.url, name=name)
        return
    own = scope.type_names(unit)
    loaded = (entry.name for entry in scope.definitions.structures())
    known = (*own, *loaded, *sorted(PRIMITIVES), *type_names(scope.definitions.fhir_version))
    missing = scope.unknown_structure(unit)
    found = nearest(name, own) or (nearest(name, known) if missing is None else None)
    bare = [entry for entry in unit.tree.uses if entry.alias is None]
    hint = None
    url = scope.url_to_import(unit, name)
    if url is not None:
        found, hint = None, Text("hints.import_it", {"url": url})
    elif found is None and missing is not None:
        hint = Text("hints.load_definitions", {"url": missing})
    elif found is None and len(bare) == 1:
        args = {"line": bare[0].span.line, "name": name, "mode": bare[0].mode}
        hint = Text("hints.name_structure", args)
    elsewhere = _other_release(scope, FHIR_URL + name)
    if elsewhere is not None and name not in own:
        found, hint = None, elsewhere
    about = Subject(SubjectKind.MODEL, name)
    like = Suggestion(meant=found, known=())
    scope.report("FM107", span, hint, about=about, like=like, name=name)


def _base_urls(scope: Scope, url: str) -> Iterable[str]:
    """The addresses of FHIR's types, as ``url`` would write them: with the number of its release where it has one."""
    folder = url.rpartition("/")[0] + "/"
    release = release_of_url(url)
    prefix = FHIR_URL if release is None else folder
    return (prefix + entry for entry in type_names(release or scope.definitions.fhir_version))


def _other_release(scope: Scope, url: str) -> Text | None:
    """Which releases have a type of FHIR that this one lacks."""
    folder, _, name = url.rpartition("/")
    release = release_of_url(url)
    others = releases_with(name) if release is not None or f"{folder}/" == FHIR_URL else ()
    if not others:
        return None
    newest = others[-1]
    args = {
        "release": release or scope.definitions.fhir_version,
        "name": name,
        "others": Listing(others, joint="lists.and"),
        "newest": newest,
        "url": f"http://hl7.org/fhir/{VERSIONS[newest]}/StructureDefinition/{name}",
    }
    return Text("hints.other_release", args)


def _near_url(url: str, known: Iterable[str]) -> str | None:
    """The known address that ``url`` nearly is: another name in the same folder, or the same name in another one."""
    folder, _, name = url.rpartition("/")
    names: dict[str, str] = {}
    for entry in known:
        place, _, last = entry.rpartition("/")
        if last == name and _is_misspelt(folder, place):
            return entry
        if place == folder:
            names[last] = entry
    found = nearest(name, names)
    return names[found] if found else None


def _is_misspelt(folder: str, known: str) -> bool:
    """Is it the folder of an address with a slip in it? Each part of it is the known one, or nearly.

    Another server, or another folder of the same one, holds structures of its own under the same names.
    """
    parts, known_parts = folder.split("/"), known.split("/")
    return len(parts) == len(known_parts) and all(
        part == wanted or nearest(part, (wanted,)) is not None
        for part, wanted in zip(parts[1:], known_parts[1:], strict=True)
    )
