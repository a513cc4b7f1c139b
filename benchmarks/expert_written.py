"""The yardstick of `hand_written`, as somebody writes it who counts every call: the same resource and remarks.

Cells are trimmed where they are used, tables have their codings ready, and nothing is kept that no later line reads.
What a map's functions do (`parse_udi`, `nir_with_key` …) both call alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks import hand_written as plain
from fhirmap.functions.identity import finess_number, lot_number, nir_with_key, rpps_number, spreadsheet_exponent
from fhirmap.functions.udi import parse_udi, udi_from_gtin

_NOTHING: Mapping[str, Any] = {}
_ACTS = {f"{joint}{act}": code for joint, code in plain.JOINTS.items() for act in ("KA", "LA")}
"""The first four letters of an act in scope -> its procedure."""


def _parameter(name: str, system: str, code: str, display: str | None = None) -> dict[str, Any]:
    coding = (
        {"system": system, "code": code} if display is None else {"system": system, "code": code, "display": display}
    )
    return {"name": name, "valueCodeableConcept": {"coding": [coding]}}


def declaration(row: Mapping[str, Any]) -> tuple[dict[str, Any] | None, list[str]]:
    """As `hand_written.declaration`."""
    remarks: list[str] = []
    status = row["statut"]
    if status is None or status.strip() != "R":
        return None, remarks
    for act in row["actes"]:
        held = act["code_ccam"]
        if held is not None and (procedure := _ACTS.get(held.strip()[:4])) is not None:
            break
    else:
        return None, remarks
    parameters: list[dict[str, Any]] = []
    put = parameters.append
    for patient in row["patient"]:
        if (number := patient["nir"]) is not None and (number := number.strip()):
            key = patient["cle_nir"]
            if found := nir_with_key(number, key.strip() or None if key is not None else None):
                put({"name": "nir", "valueString": found})
    for surgeon in row["operateur"]:
        if (number := surgeon["rpps"]) is not None and (number := number.strip()) and (found := rpps_number(number)):
            put({"name": "rpps", "valueString": found})
    for site in row["site"]:
        if (
            (number := site["finess_geo"]) is not None
            and (number := number.strip())
            and (found := finess_number(number))
        ):
            put({"name": "finessGeographique", "valueString": found})
    day = None
    if (start := row["date_debut"]) is not None and (start := start.strip()):
        day = f"{start[:4]}-{start[4:6]}-{start[6:8]}"
        put({"name": "dateIntervention", "valueDateTime": day})
    put(_parameter("typeProcedure", plain.SNOMED, procedure, plain.JOINT_DISPLAYS[procedure]))
    side = row["cote"]
    if side is not None and (found := plain.SIDES.get(side.strip())) is not None:
        put(_parameter("lateralite", plain.SIDE_SYSTEM, found))
    else:
        remarks.append("side-unknown")
    shoulder = row["typ_pe"]
    if shoulder is not None and (found := plain.SHOULDERS.get(shoulder.strip())) is not None:
        put(_parameter("peType", plain.SHOULDER_SYSTEM, found))
    seen: set[tuple[str | None, ...]] = set()
    for pose in row["poses"]:
        parts = _implant(pose, day, seen, remarks)
        if parts is not None:
            put({"name": "implants", "part": parts})
    return {"resourceType": "Parameters", "meta": {"profile": [plain.PROFILE]}, "parameter": parameters}, remarks


def _implant(
    pose: Mapping[str, Any], day: str | None, seen: set[tuple[str | None, ...]], remarks: list[str]
) -> list[dict[str, Any]] | None:
    """As `hand_written.implant`."""
    lot, serial, scanned = pose["num_lot"], pose["num_serie"], pose["code_barre"]
    lot = lot.strip() if lot is not None else None
    serial = serial.strip() if serial is not None else None
    scanned = scanned.strip() if scanned is not None else None
    label: Mapping[str, Any] = _NOTHING
    if scanned:
        label = parse_udi(scanned, lot or None, serial or None) or _NOTHING
    lot = lot_number(lot) if lot else None
    serial = lot_number(serial) if serial else None
    on_label = label.get
    piece_serial = serial or on_label("serial")
    piece = (pose["id_article"], lot, piece_serial)
    if piece in seen:
        if piece_serial:
            remarks.append("scanned-twice")
            return None
        remarks.append("same-lot")
    seen.add(piece)
    problems = on_label("problems")
    if problems and any(problem != "check-digit" for problem in problems):
        remarks.append("label-problem")
    label_lot = on_label("lot")
    if lot and label_lot and label_lot != lot:
        remarks.append("lot-differs")
    expiry = pose["date_peremption"]
    expiry = (expiry.strip() if expiry is not None else None) or on_label("expiry")
    if expiry and day and expiry < day:
        remarks.append("expired")
    articles = pose["article"]
    article = articles[0] if articles else _NOTHING
    udi = on_label("humanReadable")
    if not udi:
        gtin = article.get("gtin")
        if gtin is not None and (gtin := gtin.strip()):
            udi = udi_from_gtin(gtin, lot, serial)
            remarks.append("udi-made")
        elif scanned and not spreadsheet_exponent(scanned):
            udi = scanned
    parts: list[dict[str, Any]] = []
    put = parts.append
    for maker in article.get("fournisseur", ()):
        if (name := maker["raison_sociale"]) is not None and (name := name.strip()):
            put({"name": "fournisseur", "valueString": name})
    if udi:
        put({"name": "udi", "valueString": udi})
    if number := lot or label_lot or piece_serial:
        put({"name": "lot", "valueString": number})
    if (text := article.get("ref_fabricant")) is not None and (text := text.strip()):
        put({"name": "reference", "valueString": text})
    if (text := article.get("famille")) is not None and (code := plain.TYPES.get(text.strip())) is not None:
        put(_parameter("type", plain.TYPE_SYSTEM, code, plain.TYPE_DISPLAYS[code]))
    if (text := article.get("libelle")) is not None and (text := text.strip()):
        put({"name": "description", "valueString": text})
    return parts
