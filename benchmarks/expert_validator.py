"""The declaration's contract as an expert would check it by hand: only what it says of this one resource, in one pass.

``rules`` are those of fhirmap's own profile, besides the registry's. It knows no positions: a fault is a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeGuard

from benchmarks.hand_written import SHOULDER_SYSTEM, SIDE_SYSTEM, SNOMED, TYPE_SYSTEM
from fhirmap.functions.identity import finess_luhn_valid, nir_key_valid, rpps_luhn_valid
from fhirmap.functions.udi import udi_check_valid

_HIP, _KNEE, _SHOULDER = "47458005", "19063003", "239468007"
_HIP_TYPES = ("PH_CUPULE", "PH_INSERT", "PH_ANNEAU", "PH_TIGE", "PH_COL", "PH_TETE")
_KNEE_TYPES = ("PG_FEMORAL", "PG_BASETIBIALE", "PG_PLATEAUTIBIAL", "PG_PATELLAIRE")
_SHOULDER_TYPES = ("PE_TIGE_HUMERALE", "PE_TETE_HUMERALE", "PE_GLENOIDE", "PE_INSERT_GLENOIDIEN")
_FIXATION = "FIXATION"
_CODES: Mapping[str, frozenset[tuple[str, str]]] = {
    "typeProcedure": frozenset((SNOMED, code) for code in (_HIP, _KNEE, _SHOULDER)),
    "lateralite": frozenset((SIDE_SYSTEM, code) for code in ("DROITE", "GAUCHE", "BILATERALE")),
    "peType": frozenset((SHOULDER_SYSTEM, code) for code in ("ANATOMIQUE", "INVERSE")),
    "type": frozenset((TYPE_SYSTEM, code) for code in (*_HIP_TYPES, *_KNEE_TYPES, *_SHOULDER_TYPES, _FIXATION)),
}
_PIECES: Mapping[str, tuple[int, int, frozenset[str]]] = {
    _HIP: (2, 6, frozenset((*_HIP_TYPES, _FIXATION))),
    _KNEE: (3, 5, frozenset((*_KNEE_TYPES, _FIXATION))),
    _SHOULDER: (4, 5, frozenset((*_SHOULDER_TYPES, _FIXATION))),
}
"""How few and how many implants a procedure has, and of which types."""
_NIR = re.compile(r"[12][0-9]{2}(?:0[1-9]|1[0-2])(?:2[AB]|[0-9]{2})[0-9]{8}")
_NUMBERS: Mapping[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "nir": (_NIR, nir_key_valid),
    "rpps": (re.compile("[0-9]{11}"), rpps_luhn_valid),
    "finessGeographique": (re.compile("[0-9]{9}"), finess_luhn_valid),
}
_ONCE = frozenset((*_NUMBERS, "dateIntervention", "typeProcedure", "lateralite", "peType"))
_NEEDED = frozenset((*_NUMBERS, "dateIntervention", "typeProcedure"))
_PIECE_TEXTS = frozenset(("fournisseur", "udi", "lot", "reference", "description"))
_PIECE_NEEDED = frozenset(("udi", "lot", "type"))
_LONGEST = 1 << 20


def check(resource: Mapping[str, Any], faults: list[str], *, rules: bool) -> None:
    """Put what is wrong with a declaration in ``faults``."""
    seen: dict[str, object] = {}
    kinds: list[object] = []
    labels: list[tuple[object, object]] = []
    for entry in resource["parameter"]:
        name = entry["name"]
        if len(entry) != 2:
            faults.append(name)
        elif name == "implants":
            _check_piece(entry["part"], kinds, labels, faults, rules=rules)
        elif name in seen or name not in _ONCE:
            faults.append(name)
        else:
            seen[name] = _parameter(name, entry, faults, rules=rules)
    if not seen.keys() >= _NEEDED:
        faults.append("required")
    procedure = seen.get("typeProcedure")
    if isinstance(procedure, str) and procedure in _PIECES:
        least, most, types = _PIECES[procedure]
        if not least <= len(labels) <= most:
            faults.append("count")
        if rules and not types.issuperset(kinds):
            faults.append("types")
    if "peType" in seen and procedure != _SHOULDER:
        faults.append("peType")
    if rules and len(set(labels)) != len(labels):
        faults.append("twice")


def _parameter(name: str, entry: Mapping[str, Any], faults: list[str], *, rules: bool) -> object:
    number = _NUMBERS.get(name)
    if number is not None:
        text = entry.get("valueString")
        if not _is_text(text) or not number[0].fullmatch(text) or (rules and not number[1](text)):
            faults.append(name)
        return text
    if name == "dateIntervention":
        try:
            return date.fromisoformat(entry["valueDateTime"])
        except (KeyError, ValueError):
            faults.append(name)
            return None
    return _code(name, entry.get("valueCodeableConcept"), faults)


def _check_piece(
    parts: list[Mapping[str, Any]],
    kinds: list[object],
    labels: list[tuple[object, object]],
    faults: list[str],
    *,
    rules: bool,
) -> None:
    seen: dict[str, object] = {}
    for part in parts:
        name = part["name"]
        if name in seen or len(part) != 2:
            faults.append(name)
        elif name == "type":
            seen[name] = _code(name, part.get("valueCodeableConcept"), faults)
            kinds.append(seen[name])
        else:
            seen[name] = text = part.get("valueString")
            if name not in _PIECE_TEXTS or not _is_text(text):
                faults.append(name)
    if not seen.keys() >= _PIECE_NEEDED:
        faults.append("required")
    label = seen.get("udi")
    if rules and isinstance(label, str) and not udi_check_valid(label):
        faults.append("udi")
    labels.append((label, seen.get("lot")))


def _code(name: str, concept: object, faults: list[str]) -> object:
    """The one code of a concept that has nothing else but the words for it."""
    if type(concept) is dict and len(concept) == 1:
        codings = concept.get("coding")
        if type(codings) is list and len(codings) == 1 and type(codings[0]) is dict:
            coding = codings[0]
            code = coding.get("code")
            is_whole = len(coding) == 2 or (len(coding) == 3 and _is_text(coding.get("display")))
            if is_whole and (coding.get("system"), code) in _CODES[name]:
                return code
    faults.append(name)
    return None


def _is_text(value: object) -> TypeGuard[str]:
    return type(value) is str and value >= "!" and value.isprintable() and len(value) <= _LONGEST
