"""What a programmer would write by hand for `examples/ch-valmorel` and the target `renacot`: the yardstick.

The same work as the map's: cells trimmed, null tokens, dates, code tables, NIR and UDI through the same functions,
remarks.
"""

from __future__ import annotations

from typing import Any

from fhirmap.functions.identity import finess_number, lot_number, nir_with_key, rpps_number, spreadsheet_exponent
from fhirmap.functions.udi import parse_udi, udi_from_gtin

SNOMED = "http://snomed.info/sct"
PROFILE = "https://fhir.orthense.com/StructureDefinition/InterventionInputParametersBaseProfile"
SIDE_SYSTEM = "https://fhir.orthense.com/CodeSystem/lateralite"
SHOULDER_SYSTEM = "https://fhir.orthense.com/CodeSystem/pe-type"
TYPE_SYSTEM = "https://fhir.orthense.com/CodeSystem/implant-types"
SIDES = {"D": "DROITE", "G": "GAUCHE", "B": "BILATERALE"}
SHOULDERS = {"ANA": "ANATOMIQUE", "INV": "INVERSE"}
JOINTS = {"NE": "47458005", "NF": "19063003", "ME": "239468007"}
JOINT_DISPLAYS = {
    "47458005": "Arthroplasty of the hip",
    "19063003": "Arthroplasty of knee",
    "239468007": "Arthroplasty of shoulder",
}
TYPES = {
    "FEM": "PG_FEMORAL", "EMB": "PG_BASETIBIALE", "PLA": "PG_PLATEAUTIBIAL", "ROT": "PG_PATELLAIRE",
    "CUP": "PH_CUPULE", "INS": "PH_INSERT", "ANN": "PH_ANNEAU", "TIG": "PH_TIGE", "COL": "PH_COL", "TET": "PH_TETE",
    "THU": "PE_TIGE_HUMERALE", "TEH": "PE_TETE_HUMERALE", "GLE": "PE_GLENOIDE", "IGL": "PE_INSERT_GLENOIDIEN",
    "CIM": "FIXATION", "VIS": "FIXATION",
}  # fmt: skip
TYPE_DISPLAYS = {
    "FIXATION": "Vis et autres éléments de fixation (ciments)",
    "PG_FEMORAL": "Composant fémoral",
    "PG_BASETIBIALE": "Base tibiale",
    "PG_PLATEAUTIBIAL": "Plateau tibial",
    "PG_PATELLAIRE": "Composant patellaire",
    "PH_CUPULE": "Cupule",
    "PH_INSERT": "Inserts",
    "PH_ANNEAU": "Anneau de soutien",
    "PH_TIGE": "Tige fémorale",
    "PH_COL": "Col fémoral",
    "PH_TETE": "Tête fémorale",
    "PE_TIGE_HUMERALE": "Tige humérale",
    "PE_TETE_HUMERALE": "Tête humérale",
    "PE_GLENOIDE": "Composant glénoïdien",
    "PE_INSERT_GLENOIDIEN": "Insert glénoïdien",
}


def cell(row: dict[str, Any], column: str) -> str | None:
    """The cell's text without blanks around it, or nothing."""
    value = row.get(column)
    if value is None:
        return None
    text = value.strip() if isinstance(value, str) else str(value)
    return text or None


def only(row: dict[str, Any], child: str) -> dict[str, Any]:
    """The one joined row, or an empty one."""
    rows = row.get(child)
    return rows[0] if rows else {}


def declaration(row: dict[str, Any]) -> tuple[dict[str, Any] | None, list[str]]:
    """The operation's Parameters of one intervention, and the remarks on it."""
    remarks: list[str] = []
    act = next((code for code in (cell(a, "code_ccam") for a in row.get("actes", ())) if code and in_scope(code)), None)
    if cell(row, "statut") != "R" or act is None:
        return None, remarks
    parameters: list[dict[str, Any]] = []

    def text(name: str, value: str | None) -> None:
        if value:
            parameters.append({"name": name, "valueString": value})

    patient = only(row, "patient")
    nir = cell(patient, "nir")
    text("nir", nir_with_key(nir, cell(patient, "cle_nir")) if nir else None)
    rpps = cell(only(row, "operateur"), "rpps")
    text("rpps", rpps_number(rpps) if rpps else None)
    finess = cell(only(row, "site"), "finess_geo")
    text("finessGeographique", finess_number(finess) if finess else None)
    start = cell(row, "date_debut")
    day = f"{start[:4]}-{start[4:6]}-{start[6:8]}" if start else None
    if day:
        parameters.append({"name": "dateIntervention", "valueDateTime": day})
    procedure = JOINTS.get(act[:2])
    if procedure:
        coding = {"system": SNOMED, "code": procedure, "display": JOINT_DISPLAYS[procedure]}
        parameters.append({"name": "typeProcedure", "valueCodeableConcept": {"coding": [coding]}})
    side = SIDES.get(cell(row, "cote") or "")
    if side:
        coding = {"system": SIDE_SYSTEM, "code": side}
        parameters.append({"name": "lateralite", "valueCodeableConcept": {"coding": [coding]}})
    else:
        remarks.append("side-unknown")
    shoulder = SHOULDERS.get(cell(row, "typ_pe") or "")
    if shoulder:
        coding = {"system": SHOULDER_SYSTEM, "code": shoulder}
        parameters.append({"name": "peType", "valueCodeableConcept": {"coding": [coding]}})
    seen: set[tuple[str | None, ...]] = set()
    for pose in row.get("poses", ()):
        parts = implant(pose, day, seen, remarks)
        if parts is not None:
            parameters.append({"name": "implants", "part": parts})
    return {"resourceType": "Parameters", "meta": {"profile": [PROFILE]}, "parameter": parameters}, remarks


def in_scope(code: str) -> bool:
    """Does the act place or replace a hip, knee or shoulder prosthesis?"""
    return code[:2] in JOINTS and code[2:4] in ("KA", "LA")


def implant(
    pose: dict[str, Any], day: str | None, seen: set[tuple[str | None, ...]], remarks: list[str]
) -> list[dict[str, Any]] | None:
    """The parts of one implant; nothing where it is a second scan of the same piece."""
    article = only(pose, "article")
    lot, serial = cell(pose, "num_lot"), cell(pose, "num_serie")
    scanned = cell(pose, "code_barre")
    label: Any = parse_udi(scanned, lot, serial) if scanned else {}
    lot = lot_number(lot) if lot else None
    serial = lot_number(serial) if serial else None
    piece_serial = serial or label.get("serial")
    piece = (cell(pose, "id_article"), lot, piece_serial)
    if piece in seen:
        remarks.append("scanned-twice" if piece_serial else "same-lot")
        if piece_serial:
            return None
    seen.add(piece)
    if any(problem != "check-digit" for problem in label.get("problems", ())):
        remarks.append("label-problem")
    if lot and label.get("lot") and label["lot"] != lot:
        remarks.append("lot-differs")
    expiry = cell(pose, "date_peremption") or label.get("expiry")
    if expiry and day and expiry < day:
        remarks.append("expired")
    udi = label.get("humanReadable")
    gtin = cell(article, "gtin")
    if not udi and gtin:
        udi = udi_from_gtin(gtin, lot, serial)
        remarks.append("udi-made")
    elif not udi and scanned and not spreadsheet_exponent(scanned):
        udi = scanned
    parts: list[dict[str, Any]] = []

    def text(name: str, value: str | None) -> None:
        if value:
            parts.append({"name": name, "valueString": value})

    text("fournisseur", cell(only(article, "fournisseur"), "raison_sociale"))
    text("udi", udi)
    text("lot", lot or label.get("lot") or piece_serial)
    text("reference", cell(article, "ref_fabricant"))
    kind = TYPES.get(cell(article, "famille") or "")
    if kind:
        coding = {"system": TYPE_SYSTEM, "code": kind, "display": TYPE_DISPLAYS[kind]}
        parts.append({"name": "type", "valueCodeableConcept": {"coding": [coding]}})
    text("description", cell(article, "libelle"))
    return parts
