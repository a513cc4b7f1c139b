"""What a call to the registry says, whichever contract it is written in, and everything that is wrong with its
structure.

Two contracts are understood: the flat parameters of ``associer-implants-registre`` and the nested ones of the March
2025 draft ``associer-implants-procedure``. Both become one `Declaration`, which `pairing` compares with the registry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Declaration", "Problem", "read_draft", "read_published"]

SNOMED = "http://snomed.info/sct"
SIDES = "https://fhir.orthense.com/CodeSystem/lateralite"
IMPLANT_TYPES = "https://fhir.orthense.com/CodeSystem/implant-types"
SHOULDER_TYPES = "https://fhir.orthense.com/CodeSystem/pe-type"

_NIR = re.compile(r"[12][0-9]{2}(0[1-9]|1[0-2])(2[AB]|[0-9]{2})[0-9]{3}[0-9]{3}[0-9]{2}")
_RPPS = re.compile(r"[0-9]{11}")
_FINESS = re.compile(r"[0-9]{9}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?")

SHOULDER = "239468007"
_COUNTS = {"19063003": (3, 5), "47458005": (2, 6), SHOULDER: (4, 5)}
"""Implants that a knee, a hip and a shoulder may have."""

_TYPES = frozenset(
    {
        "FIXATION",
        "PG_FEMORAL",
        "PG_BASETIBIALE",
        "PG_PLATEAUTIBIAL",
        "PG_PATELLAIRE",
        "PH_CUPULE",
        "PH_INSERT",
        "PH_ANNEAU",
        "PH_TIGE",
        "PH_COL",
        "PH_TETE",
        "PE_TIGE_HUMERALE",
        "PE_TETE_HUMERALE",
        "PE_GLENOIDE",
        "PE_INSERT_GLENOIDIEN",
    }
)
_SIDES = frozenset({"DROITE", "GAUCHE", "BILATERALE"})
_SNOMED_SIDES = {"24028007": "DROITE", "7771000": "GAUCHE", "51440002": "BILATERALE"}

Parameter = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: the issue's code, words without any value sent, and the element."""

    code: str
    words: str
    expression: str = ""


@dataclass(frozen=True, slots=True)
class Declaration:
    """Who, by whom, where, when, what, on which side (empty where none was sent), and the lots of the implants."""

    nir: str
    rpps: str
    finess: str
    date: str
    type: str
    side: str
    lots: tuple[str, ...]

    @property
    def identity(self) -> tuple[str, ...]:
        """What two declarations of one operation have in common."""
        return (self.nir, self.rpps, self.finess, self.date, self.type, self.side)


class DeclarationReader:
    """Reads parameters of one level and gathers what is wrong with them."""

    def __init__(self, parameters: list[Parameter], path: str, problems: list[Problem]) -> None:
        self._items = list(enumerate(parameters))
        self._path = path
        self._problems = problems

    def all(self, name: str) -> Iterator[tuple[Parameter, str]]:
        for index, item in self._items:
            if item.get("name") == name:
                yield item, f"{self._path}[{index}]"

    def one(self, name: str, *, required: bool) -> tuple[Parameter, str] | None:
        found = list(self.all(name))
        if not found:
            if required:
                self._problems.append(Problem("required", f"Paramètre {name} absent."))
            return None
        if len(found) > 1:
            self._problems.append(Problem("structure", f"Paramètre {name} : {len(found)} répétitions.", found[1][1]))
        return found[0]

    def text(self, name: str, key: str, pattern: re.Pattern[str] | None = None, *, required: bool = True) -> str:
        found = self.one(name, required=required)
        if found is None:
            return ""
        value = found[0].get(key)
        if key == "valueIdentifier":
            value = value.get("value") if isinstance(value, dict) else None
        if not isinstance(value, str) or not value or (pattern and not pattern.fullmatch(value)):
            problem = Problem("invalid", f"Paramètre {name} : format incorrect.", f"{found[1]}.value")
            self._problems.append(problem)
            return ""
        return value

    def code(self, name: str, accepted: Callable[[str, str], bool], *, required: bool) -> str:
        found = self.one(name, required=required)
        if found is None:
            return ""
        concept = found[0].get("valueCodeableConcept")
        codings = concept.get("coding") if isinstance(concept, dict) else None
        for coding in codings if isinstance(codings, list) else []:
            if isinstance(coding, dict) and accepted(str(coding.get("system")), str(coding.get("code"))):
                return str(coding["code"])
        problem = Problem("code-invalid", f"Paramètre {name} : code hors du jeu de valeurs.", f"{found[1]}.value")
        self._problems.append(problem)
        return ""


def read_published(resource: Mapping[str, Any]) -> tuple[Declaration, list[Problem]]:
    """The declaration of the operation as published, and its problems."""
    problems: list[Problem] = []
    reader = DeclarationReader(_items(resource.get("parameter")), "Parameters.parameter", problems)
    nir = reader.text("nir", "valueString", _NIR)
    rpps = reader.text("rpps", "valueString", _RPPS)
    finess = reader.text("finessGeographique", "valueString", _FINESS)
    date = reader.text("dateIntervention", "valueDateTime", _DATE)
    kind = reader.code("typeProcedure", lambda system, code: system == SNOMED and code in _COUNTS, required=True)
    side = reader.code("lateralite", lambda system, code: system == SIDES and code in _SIDES, required=False)
    shoulder = reader.code(
        "peType",
        lambda system, code: system == SHOULDER_TYPES and code in ("ANATOMIQUE", "INVERSE"),
        required=False,
    )
    if shoulder and kind and kind != SHOULDER:
        problems.append(Problem("invariant", "peType n'est permis que pour une épaule."))
    lots = []
    for implant, path in reader.all("implants"):
        part = DeclarationReader(_items(implant.get("part")), f"{path}.part", problems)
        part.text("udi", "valueString")
        lots.append(part.text("lot", "valueString"))
        part.code("type", lambda system, code: system == IMPLANT_TYPES and code in _TYPES, required=True)
    if not lots:
        problems.append(Problem("required", "Paramètre implants absent."))
    low, high = _COUNTS.get(kind, (1, len(lots)))
    if lots and not low <= len(lots) <= high:
        words = f"Nombre d'implants incorrect : {len(lots)}, de {low} à {high} attendus."
        problems.append(Problem("invariant", words, "Parameters.parameter:implants"))
    return Declaration(nir, rpps, finess, date[:10], kind, side, tuple(lots)), problems


def read_draft(resource: Mapping[str, Any]) -> tuple[Declaration, list[Problem]]:
    """The declaration of the March 2025 draft, and its problems. Its value sets were never closed, so any SNOMED code
    passes."""
    problems: list[Problem] = []
    reader = DeclarationReader(_items(resource.get("parameter")), "Parameters.parameter", problems)
    parties = _parts(reader, "identifiantsPartiesPrenantes", problems)
    procedure = _parts(reader, "procedureInfo", problems)
    nir = parties.text("nir", "valueIdentifier", _NIR)
    rpps = parties.text("rpps", "valueIdentifier", _RPPS)
    finess = parties.text("finessGeo", "valueIdentifier", _FINESS)
    key = "valueDateTime" if any("valueDateTime" in p for p, _ in procedure.all("dateIntervention")) else "valueDate"
    date = procedure.text("dateIntervention", key, _DATE)
    kind = procedure.code("procedureType", lambda system, _code: system == SNOMED, required=True)
    side = procedure.code("cote", lambda system, code: system == SNOMED and code in _SNOMED_SIDES, required=False)
    lots = []
    for implant, path in reader.all("implants"):
        part = DeclarationReader(_items(implant.get("part")), f"{path}.part", problems)
        part.text("fournisseur", "valueString")
        part.text("reference", "valueString")
        lots.append(part.text("lot", "valueString"))
        part.one("implantType", required=True)
    if not lots:
        problems.append(Problem("required", "Paramètre implants absent."))
    return Declaration(nir, rpps, finess, date[:10], kind, _SNOMED_SIDES.get(side, ""), tuple(lots)), problems


def _parts(reader: DeclarationReader, name: str, problems: list[Problem]) -> DeclarationReader:
    found = reader.one(name, required=True)
    if found is None:
        return DeclarationReader([], "", [])
    return DeclarationReader(_items(found[0].get("part")), f"{found[1]}.part", problems)


def _items(found: object) -> list[Parameter]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
