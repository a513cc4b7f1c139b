"""The fictitious data of the examples: written by this script, the same on every run.

    python tests/examples/example_data.py            writes examples/*/data/

Nothing is real: NIR communes 950-989 and establishments 99… do not exist, GTINs are of the range kept for internal use,
makers and people are invented. Each row is there for a reason, given beside it.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from fhirmap.functions.identity import nir_key

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
GS = "\x1d"


def luhn(body: str) -> str:
    """``body`` with its Luhn digit."""
    total = sum(sum(divmod(int(digit) * (2 if index % 2 == 0 else 1), 10)) for index, digit in enumerate(body[::-1]))
    return body + str(-total % 10)


def gtin(body: str) -> str:
    """Thirteen digits with their GTIN check digit."""
    total = sum(int(digit) * (3 if index % 2 == 0 else 1) for index, digit in enumerate(body))
    return body + str(-total % 10)


def hibc(text: str) -> str:
    """A HIBC label with its check character."""
    signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
    return text + signs[sum(map(signs.index, text)) % 43]


# --- ch-valmorel: tables of a theatre software ------------------------------------------------------------------------

SCHEMA = """
CREATE TABLE ETABLISSEMENT (id_etab INTEGER PRIMARY KEY, nom TEXT, finess_geo TEXT, finess_jur TEXT);
CREATE TABLE FOURNISSEUR (id_fourn INTEGER PRIMARY KEY, raison_sociale TEXT);
CREATE TABLE ARTICLE_DMI (id_article INTEGER PRIMARY KEY, ref_fabricant TEXT, libelle TEXT,
  id_fourn INTEGER REFERENCES FOURNISSEUR, gtin TEXT, code_lpp TEXT, famille TEXT, perime_gere INTEGER);
CREATE TABLE PRATICIEN (id_prat INTEGER PRIMARY KEY, nom TEXT, prenom TEXT, rpps TEXT, specialite TEXT, actif INTEGER);
CREATE TABLE PATIENT (id_patient INTEGER PRIMARY KEY, ipp TEXT, nom_naissance TEXT, nom_usage TEXT, prenom TEXT,
  sexe TEXT, ddn TEXT, nir TEXT, cle_nir TEXT, statut_ins TEXT);
CREATE TABLE INTERVENTION (id_intervention INTEGER PRIMARY KEY, num_sejour TEXT, id_patient INTEGER REFERENCES PATIENT,
  id_operateur INTEGER REFERENCES PRATICIEN, id_etab INTEGER REFERENCES ETABLISSEMENT, date_debut TEXT, date_fin TEXT,
  cote TEXT, typ_pe TEXT, statut TEXT, libelle TEXT, maj TEXT);
CREATE TABLE ACTE_CCAM (id_acte INTEGER PRIMARY KEY, id_intervention INTEGER REFERENCES INTERVENTION, code_ccam TEXT,
  activite TEXT, phase TEXT, principal TEXT);
CREATE TABLE POSE_DMI (id_pose INTEGER PRIMARY KEY, id_intervention INTEGER REFERENCES INTERVENTION,
  id_article INTEGER REFERENCES ARTICLE_DMI, rang INTEGER, num_lot TEXT, num_serie TEXT, date_peremption TEXT,
  code_barre TEXT, qte INTEGER, mouvement TEXT, supprime INTEGER, date_saisie TEXT);
CREATE TABLE RENACOT_RECU (id_intervention INTEGER PRIMARY KEY, systeme TEXT, identifiant TEXT, etat TEXT,
  recu_le TEXT, precedents TEXT);
CREATE INDEX IX_POSE ON POSE_DMI(id_intervention);
CREATE INDEX IX_ACTE ON ACTE_CCAM(id_intervention);
"""

MAKERS = ("Arthéo SAS", "Lithos Implants", "Ormandie Ortho", "Vercors Medical")
CATALOGUE = {
    "FEM": "Composant fémoral",
    "EMB": "Embase tibiale",
    "PLA": "Insert tibial polyéthylène",
    "ROT": "Bouton rotulien",
    "CUP": "Cupule à double mobilité",
    "INS": "Insert de cupule",
    "ANN": "Croix de soutien",
    "TIG": "Tige fémorale sans ciment",
    "COL": "Col modulaire",
    "TET": "Tête céramique 32 mm",
    "THU": "Tige humérale courte",
    "TEH": "Tête humérale",
    "GLE": "Embase glénoïdienne",
    "IGL": "Insert glénoïdien",
    "CIM": "Ciment à la gentamicine",
    "VIS": "Vis à os spongieux",
    "ZZZ": "Kit de pose",
}
FAMILIES = tuple(CATALOGUE)
KNEE, HIP, SHOULDER = ("FEM", "EMB", "PLA"), ("CUP", "INS", "TIG", "TET"), ("THU", "TEH", "GLE", "IGL")
SURGEONS = (
    ("Aubernon", "Maëlle", luhn("1099900031")),
    ("Quintrec", "Yannig", luhn("1099900042")),
    ("Sérurier", "Béatrice", luhn("1099900053")),
)


@dataclass
class Placed:
    """One row of POSE_DMI. ``label``: gs1, none, or the raw text; ``lot`` None: the column is empty."""

    family: str
    lot: str | None = ""
    serial: str | None = None
    label: str = "gs1"
    expiry: str = "2030-06-30"
    quantity: int = 1
    movement: str = "P"
    deleted: int = 0


@dataclass
class Operation:
    """One operation and why it is there."""

    why: str
    act: str
    placed: tuple[Placed, ...]
    side: str | None = "D"
    state: str = "R"
    nir: str = ""
    key: str | None = "right"
    shoulder_type: str | None = None
    begins: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


def parts(families: tuple[str, ...], *more: Placed) -> tuple[Placed, ...]:
    return tuple(Placed(family) for family in families) + more


OPERATIONS = (
    # Twenty-four that the registry takes, some with a remark.
    Operation("a knee", "NFKA007", parts(KNEE)),
    Operation("a hip", "NEKA020", parts(HIP), "G"),
    Operation("an anatomic shoulder", "MEKA008", parts(SHOULDER), "G", shoulder_type="ANA"),
    Operation("a reverse shoulder", "MEKA008", parts(SHOULDER), shoulder_type="INV"),
    Operation("a knee with its patella", "NFKA008", parts((*KNEE, "ROT")), "G"),
    Operation("a hip with cement", "NEKA012", parts(HIP, Placed("CIM"))),
    Operation("Corsica, 2A", "NEKA020", parts(HIP), "G", nir="250042A951137"),
    Operation("Corsica, 2B, and no key: it is computed", "NFKA007", parts(KNEE), nir="147112B962218", key=None),
    Operation("NIR with spaces", "NFKA007", parts(KNEE), "G", nir="2 61 09 61 973 045"),
    Operation("overseas", "NEKA010", parts(HIP), nir="1530397415083"),
    Operation("key off by one: a remark", "NFKA008", parts(KNEE), "G", key="wrong"),
    Operation("no lot in its column, a serial number", "NFKA007", (*parts(KNEE[1:]), Placed("FEM", None, "SN40817"))),
    Operation("the lot is on the label alone", "NEKA020", (*parts(HIP[1:]), Placed("CUP", None)), "G"),
    Operation(
        "no barcode: UDI made of the catalogue's GTIN", "NFKA007", (*parts(KNEE[1:]), Placed("FEM", label="none"))
    ),
    Operation("side not known", "NEKA020", parts(HIP), "N"),
    Operation("both knees", "NFKA007", parts(KNEE), "B"),
    Operation("two screws on one row", "NEKA020", parts(HIP, Placed("VIS", quantity=2)), "G"),
    Operation(
        "one piece scanned twice",
        "NFKA007",
        (*parts(KNEE[:2]), Placed("PLA", "H774120", "SN70215"), Placed("PLA", "H774120", "SN70215")),
    ),
    Operation("two screws of one lot", "NEKA020", parts(HIP, Placed("VIS", "V310077"), Placed("VIS", "V310077")), "G"),
    Operation("a deleted row", "NEKA020", parts(HIP, Placed("TET", deleted=1))),
    Operation("opened, not implanted", "NFKA007", parts(KNEE, Placed("PLA", movement="N")), "G"),
    Operation("a revision: old liner out, new one in", "NELA001", parts(HIP, Placed("INS", "INCONNU", movement="E"))),
    Operation(
        "separator lost by the scanner", "NFKA008", (*parts(KNEE[:2]), Placed("PLA", "B410066", "SN5512", "no-gs"))
    ),
    Operation("ten to midnight", "NEKA020", parts(HIP), "G", begins="20251014235000"),
    # One that the surgeon has not entered yet.
    Operation("refused: not in the registry", "NFKA007", parts(KNEE), nir="1640775958301"),
    # Four that must not leave.
    Operation("no lot anywhere", "NEKA020", (*parts(HIP[:3]), Placed("TET", None, label="no-lot"))),
    Operation("no lot anywhere", "NFKA007", (*parts(KNEE[:2]), Placed("PLA", "N/A", label="no-lot")), "G"),
    Operation("half a knee: two pieces", "NFKA006", parts(("FEM", "PLA"))),
    Operation("temporary number", "NEKA020", parts(HIP), "G", nir="7480661962177"),
    # Three that are no matter of the registry's.
    Operation("removal", "NEGA002", (Placed("TIG", "INCONNU", movement="E"),), "G"),
    Operation("cancelled", "NFKA007", (), state="A"),
    Operation("planned", "NEKA020", (), "G", state="P"),
    # Two that the registry is asked for in vain: it is away for a while.
    Operation("503", "NEKA020", (*parts(HIP[:3]), Placed("TET", "Z503001")), "G"),
    Operation("503", "NFKA007", (*parts(KNEE[:2]), Placed("PLA", "Z503002"))),
)


def article_of(family: str, number: int) -> int:
    return FAMILIES.index(family) * 2 + 1 + number % 2


def article_gtin(article: int) -> str:
    return gtin(f"02999{4 + article % 5}{article:07d}")


def label_of(placed: Placed, article: int, lot: str, order: int) -> str | None:
    """The raw scan: prefix or none, expiry before the lot or after it."""
    day = placed.expiry[2:].replace("-", "")
    code = article_gtin(article)
    if placed.label == "none":
        return None
    if placed.label == "no-lot":
        return f"01{code}17{day}"
    if placed.label == "no-gs":
        return f"01{code}17{day}10{lot}21{placed.serial}"
    if placed.serial and placed.lot is None:
        return f"01{code}17{day}21{placed.serial}"
    if placed.serial:
        return f"]d201{code}17{day}10{lot}{GS}21{placed.serial}"
    return (f"]d201{code}17{day}10{lot}", f"01{code}17{day}10{lot}", f"]d201{code}10{lot}{GS}17{day}")[order % 3]


def write_valmorel(path: Path) -> None:
    """The tables of ch-valmorel."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as base:
        base.executescript(SCHEMA)
        base.execute(
            "INSERT INTO ETABLISSEMENT VALUES (1, 'CH de Valmorel-sur-Orne', ?, ?)",
            (luhn("99000031"), luhn("99000032")),
        )
        base.executemany("INSERT INTO FOURNISSEUR VALUES (?, ?)", enumerate(MAKERS, 1))
        for family, title in CATALOGUE.items():
            for size in (0, 1):
                article = article_of(family, size)
                row = (article, f"{family}-{300 + 7 * article}-{size + 1}", f"{title} T{size + 1}", article % 4 + 1)
                base.execute(
                    "INSERT INTO ARTICLE_DMI VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
                    (*row, article_gtin(article), f"31{article:05d}", family),
                )
        for number, (name, first, rpps) in enumerate(SURGEONS, 1):
            base.execute(
                "INSERT INTO PRATICIEN VALUES (?, ?, ?, ?, 'Chirurgie orthopédique', 1)", (number, name, first, rpps)
            )
        pose = 0
        for number, operation in enumerate(OPERATIONS, 1):
            _write_operation(base, number, operation)
            for rank, placed in enumerate(operation.placed, 1):
                pose += 1
                _write_pose(base, pose, number, rank, placed)
    base.close()


def _write_operation(base: sqlite3.Connection, number: int, operation: Operation) -> None:
    female = number % 2
    nir = operation.nir or f"{1 + female}{40 + number}{number % 12 + 1:02d}619{50 + number % 39}{100 + number * 7:03d}"
    computed = nir_key(nir)
    key = None if operation.key is None else computed
    if operation.key == "wrong":
        key = f"{int(computed or 0) % 97 + 1:02d}"
    digits = nir.replace(" ", "")
    born = f"{number % 27 + 1:02d}/{digits[3:5]}/19{digits[1:3]}"
    patient = (
        number,
        f"88{number:04d}",
        f"Dupatient{number:02d}",
        None,
        "Camille",
        "FM"[not female],
        born,
        nir,
        key,
        "VALI",
    )
    base.execute("INSERT INTO PATIENT VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", patient)
    begins = (
        operation.begins or f"2025{number % 11 + 1:02d}{number % 26 + 1:02d}{8 + number % 8:02d}{number % 4 * 15:02d}00"
    )
    ends = f"{begins[:8]}{min(int(begins[8:10]) + 1, 23):02d}5900"
    row = (number, f"25{number:06d}", number, number % 3 + 1, 1, begins, ends, operation.side, operation.shoulder_type)
    base.execute(
        "INSERT INTO INTERVENTION VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, operation.state, operation.why, ends),
    )
    for activity, principal in (("1", "O"), ("4", "N")):
        base.execute(
            "INSERT INTO ACTE_CCAM (id_intervention, code_ccam, activite, phase, principal) VALUES (?, ?, ?, '0', ?)",
            (number, operation.act, activity, principal),
        )


def _write_pose(base: sqlite3.Connection, pose: int, number: int, rank: int, placed: Placed) -> None:
    article = article_of(placed.family, number)
    lot = placed.lot or f"{'KRVL'[pose % 4]}{620000 + pose * 137}"
    column = None if placed.lot is None else lot
    label = label_of(placed, article, lot, pose)
    row = (
        pose,
        number,
        article,
        rank,
        column,
        placed.serial,
        placed.expiry,
        label,
        placed.quantity,
        placed.movement,
        placed.deleted,
    )
    base.execute("INSERT INTO POSE_DMI VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", row)


# --- clinique-sainte-aubierge: one JSON document a case ---------------------------------------------------------------

SLOTS = {
    "KNEE": ("femoral", "tibial-tray", "bearing"),
    "HIP": ("cup", "liner", "stem", "head"),
    "SHOULDER": ("humeral-stem", "humeral-head", "glenoid", "glenoid-liner"),
}
SLOT_LABELS = {
    "femoral": "Composant fémoral",
    "tibial-tray": "Embase tibiale",
    "bearing": "Insert mobile",
    "cup": "Cupule",
    "liner": "Insert",
    "stem": "Tige fémorale",
    "head": "Tête",
    "humeral-stem": "Tige humérale",
    "humeral-head": "Tête humérale",
    "glenoid": "Glène",
    "glenoid-liner": "Insert de glène",
}
ACTS = {"KNEE": "NFKA007", "HIP": "NEKA020", "SHOULDER": "MEKA008"}
LICS = ("Z1AR", "Z2LI", "Z3OR", "Z4VE")


def case(number: int, joint: str, side: Any, **changes: Any) -> dict[str, Any]:
    """One case; ``changes`` replace parts of it."""
    nir = f"{1 + number % 2}{45 + number}{number % 12 + 1:02d}149{60 + number}{200 + number * 11:03d}"
    made: dict[str, Any] = {
        "caseId": f"CSA-2026{number:03d}",
        "state": "COMPLETED",
        "site": {"name": "Clinique Sainte-Aubierge", "finessGeo": luhn("99100041")},
        "patient": {
            "localId": f"P{7000 + number}",
            "familyName": f"Personne{number:02d}",
            "givenName": "Dominique",
            "nationalId": {"type": "NIR", "value": nir, "key": nir_key(nir)},
            "birthDate": f"19{nir[1:3]}-{nir[3:5]}-11",
        },
        "surgeon": {"rppsNumber": luhn(f"109990107{number % 3}"), "role": "PRIMARY"},
        "procedure": {
            "joint": joint,
            "side": side,
            "implantDesign": None,
            "codes": [{"scheme": "CCAM", "value": ACTS[joint]}],
        },
        "startedAt": f"2025-{number % 11 + 1:02d}-{number + 5:02d}T{7 + number % 6:02d}:30:00Z",
        "devices": [device(number, slot) for slot in SLOTS[joint]],
        "updatedAt": 1760000000000 + number * 86_400_000,
    }
    made["procedure"]["implantDesign"] = changes.pop("design", None)
    return {**made, **changes}


def device(number: int, slot: str, **changes: Any) -> dict[str, Any]:
    """One implant with its HIBC label."""
    place = sum(map(ord, slot)) + number
    reference = f"{slot[:2].upper()}{300 + place % 600}{'LRN'[place % 3]}"
    lot = f"{'GHJK'[place % 4]}{500000 + place * 911 % 400000}"
    month = place % 12 + 1
    made = {
        "slot": slot,
        "status": "IMPLANTED",
        "maker": MAKERS[place % 4],
        "catalogNumber": reference,
        "udi": hibc(f"+{LICS[place % 4]}{reference}0/$$330{month:02d}15{lot}"),
        "lot": lot,
        "serial": None,
        "expiry": f"{month:02d}/2030",
        "label": SLOT_LABELS[slot],
    }
    return {**made, **changes}


def cases() -> Iterator[dict[str, Any]]:
    """The cases of the clinic, each for a reason."""
    yield case(1, "KNEE", 1)
    yield case(2, "HIP", 2)
    yield case(3, "SHOULDER", 1, design="RSA")
    yield case(4, "HIP", 1, startedAt="2025-06-11T22:40:00Z")  # in France it is the 12th
    yield case(5, "KNEE", 9)  # side not recorded
    opened = case(6, "HIP", 2)
    opened["devices"].insert(3, device(6, "head", status="OPENED_NOT_USED", lot="H000001"))
    yield opened
    on_label = case(7, "KNEE", 2)
    on_label["devices"][1] = {**on_label["devices"][1], "lot": None}  # the lot is on the label alone
    yield on_label
    no_number = case(8, "HIP", 1)
    no_number["patient"]["nationalId"] = None  # invalid: no NIR
    yield no_number
    yield case(9, "KNEE", 2, state="DRAFT")  # out of scope
    yield case(10, "KNEE", 2, design="TSA")  # invalid: a shoulder's type on a knee
    first = case(11, "KNEE", 2)
    yield first  # superseded: the side was wrong
    yield {**case(11, "KNEE", 1), "updatedAt": first["updatedAt"] + 3_600_000}


def write_sainte_aubierge(path: Path) -> None:
    """The document of clinique-sainte-aubierge."""
    document = {"vendor": "BlocNote OR", "exportedAt": "2025-12-15T06:00:00Z", "cases": list(cases())}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


# --- export-pharmacie: one line a piece -------------------------------------------------------------------------------

STAY: tuple[str, ...] = (
    "N° séjour",
    "IPP",
    "Nom de naissance",
    "Prénom",
    "Né(e) le",
    "N° Sécu",
    "Date d'intervention",
    "Heure",
)
STAY += ("Code CCAM", "Côté", "Opérateur", "RPPS", "FINESS")
HEADER = (*STAY, "Réf.", "Désignation", "Fournisseur", "Lot", "N° série", "Péremption", "UDI", "Qté", "Famille")
FAMILY_LINES = {
    "knee": (
        ("FEM", "COMPOSANT FÉMORAL GENOU", "Composant fémoral"),
        ("EMB", "EMBASE TIBIALE", "Embase tibiale ; titane"),
        ("PLA", "PLATEAU TIBIAL PE", "Plateau tibial"),
    ),
    "hip": (
        ("CUP", "CUPULE COTYLOÏDIENNE", "Cupule"),
        ("INS", "INSERT COTYLE", "Insert – 32 mm"),
        ("TIG", "TIGE FÉMORALE", "Tige d’appui"),
        ("TET", "TÊTE FÉMORALE CÉRAMIQUE", "Tête"),
    ),
}


def stay(number: int, joint: str, side: str, **changes: str) -> list[dict[str, str]]:
    """The lines of one stay; ``changes`` replace columns."""
    nir = f"{1 + number % 2}{50 + number}{number % 12 + 1:02d}509{70 + number}{300 + number * 13:03d}"
    spaced = f"{nir[0]} {nir[1:3]} {nir[3:5]} {nir[5:7]} {nir[7:10]} {nir[10:13]}"
    common = {
        "N° séjour": f"{900 + number:09d}",
        "IPP": str(600100 + number),
        "Nom de naissance": f"Séjournant{number:02d}",
        "Prénom": "Andréa",
        "Né(e) le": f"15/{nir[3:5]}/19{nir[1:3]}",
        "N° Sécu": f"{spaced} {nir_key(nir)}",
        "Date d'intervention": f"{number + 3:02d}/{number % 12 + 1:02d}/2025",
        "Heure": "09h30",
        "Code CCAM": "NFKA007" if joint == "knee" else "NEKA020",
        "Côté": side,
        "Opérateur": "Dr Élise Nœuvéglise",
        "RPPS": luhn("1099902077"),
        "FINESS": luhn("99200071"),
    }
    lines = []
    for place, (short, family, title) in enumerate(FAMILY_LINES[joint], 1):
        lot = f"{'PQS'[(number + place) % 3]}{410000 + number * 1000 + place * 31}"
        code = gtin(f"029996{number:03d}{place:04d}")
        line = {
            "Réf.": f"{short}/{number * 10 + place:02d}.{400 + place}",
            "Désignation": title,
            "Fournisseur": MAKERS[place % 4],
            "Lot": lot,
            "N° série": "",
            "Péremption": f"{10 + place:02d}/05/2030",
            "UDI": f"(01){code}(17)3005{10 + place:02d}(10){lot}",
            "Qté": "1",
            "Famille": family,
        }
        lines.append({**common, **line, **changes})
    return lines


def stays() -> Iterator[list[dict[str, str]]]:
    """The stays of the export, each for a reason."""
    yield stay(1, "knee", "Droit")
    yield stay(2, "hip", "Gauche")
    yield stay(3, "hip", "Droit", **{"Date d'intervention": "24/09/25"})  # two-digit year
    damaged = stay(4, "knee", "Gauche")
    damaged[1]["Lot"] = "4,41413E+11"  # the spreadsheet's; the label's lot is taken
    yield damaged
    newline = stay(5, "knee", "Droit")
    newline[0]["Désignation"] = "Composant fémoral\n« sans ciment »"
    yield newline
    yield stay(6, "hip", "?")  # side not known
    cut = stay(7, "knee", "Gauche")
    cut[2]["UDI"] = "2,9996E+12"  # invalid: the UDI is lost
    yield cut
    disagreeing = stay(8, "knee", "Gauche")
    disagreeing[2]["Côté"] = "Droit"  # invalid: which of the two?
    yield disagreeing
    yield stay(9, "hip", "Gauche", **{"Date d'intervention": "31/04/2025"})  # invalid: no such day
    yield stay(10, "knee", "Droit", FINESS=luhn("99200071") + " ")


def write_export(path: Path) -> None:
    """The file of export-pharmacie: cp1252, `;`, CRLF."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, HEADER, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    for lines in stays():
        writer.writerows(lines)
    path.write_bytes(text.getvalue().encode("cp1252"))


# --- ch-lanvern: HL7 v2 messages --------------------------------------------------------------------------------------

HL7_PIECES = {
    "hip": ("CUP-52", "INS-52/32", "TIG-11", "TET-32+0"),
    "knee": ("FEM-R5", "EMB-4", "PLA-4-10"),
}
HL7_SIDES = {"D": "24028007^droit^SCT", "G": "7771000^gauche^SCT", "B": "51440002^bilatéral^SCT"}


def hl7_message(number: int, joint: str, side: str, **changes: str) -> list[str]:
    """The segments of one operation's message; ``changes``: control, at, act, day, ins, extra."""
    nir = f"{1 + number % 2}{48 + number}{number % 12 + 1:02d}509{60 + number}{200 + number * 17:03d}"
    ins = changes.get("ins", f"{nir}{nir_key(nir)}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS")
    day = changes.get("day", f"2025{number % 12 + 1:02d}{number + 3:02d}084500")
    at = changes.get("at", f"2025{number % 12 + 1:02d}{number + 3:02d}1705")
    act = changes.get("act", "NEKA020" if joint == "hip" else "NFKA007")
    ipp = "CH-LANVERN&992000784&N"
    operator = f"{luhn('1099903055')}^OPERATEUR^A^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"
    place = f"CH-LANVERN^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^FINEG^^^{luhn('99200078')}"
    segments = [
        f"MSH|^~\\&|BLOC|LANVERN|FHIRMAP|LANVERN|{at}||ORU^R01^ORU_R01|{changes.get('control', 200 + number)}|P|2.9"
        "|||||FRA|UNICODE UTF-8|FR",
        f"PID|1||{800100 + number}^^^{ipp}^PI~{ins}||ESSAI{number:02d}^Loïc^^^^^L||19{nir[1:3]}{nir[3:5]}12|M",
        f"OBR|1||LV-{number:03d}^BLOC|{act}^^CCAM|||{day}",
        f"PRT||UC||OP^^participation|{operator}|||{place}",
    ]
    if side:
        segments.append(f"OBX|1|CWE|20228-3^Cote^LN||{HL7_SIDES[side]}||||||F")
    for rank, reference in enumerate(HL7_PIECES[joint], 1):
        code = gtin(f"029996{number:03d}{rank:04d}")
        lot = f"{'HKL'[(number + rank) % 3]}{520000 + number * 1000 + rank * 37}"
        serial = f"S{number}{rank}07" if reference.startswith("TIG") else ""
        # The separator after a lot of no fixed length, as HL7 escapes it.
        label = f"01{code}173006{10 + rank}10{lot}" + (f"\\X1D\\21{serial}" if serial else "")
        maker = MAKERS[rank % 4]
        fields = ["AD", label, "", "", maker, "", "", reference, code, lot, serial, "", f"203006{10 + rank}"]
        segments.append("DEV|" + "|".join([*fields, "", "", "", "I^Implanted"]))
    if extra := changes.get("extra"):
        segments.append(extra)
    return segments


def hl7_messages() -> Iterator[list[str]]:
    """The messages of ch-lanvern, each for a reason."""
    yield hl7_message(1, "hip", "D")
    yield hl7_message(2, "knee", "G", day="20250304234000")  # local time: still that day
    yield hl7_message(3, "hip", "G")
    # Sent again at night: the other side, and a screw more.
    screw = (
        f"DEV|AD|01{gtin('0299960039999')}10V-55\\T\\12|||{MAKERS[0]}|||VIS-6.5x30|{gtin('0299960039999')}|V-55\\T\\12"
    )
    yield hl7_message(3, "hip", "D", control="213", at="202504062210", extra=f"{screw}|||||||I^Implanted")
    opened = f"DEV|AD||||{MAKERS[1]}|||TET-32+4|{gtin('0299960040009')}|H990001|||||||O^Opened"
    yield hl7_message(4, "hip", "D", extra=opened)  # a head that was opened and not used
    yield hl7_message(5, "knee", "D", ins="")  # invalid: no identity of the patient, but for the hospital's own
    yield hl7_message(6, "knee", "")  # the side is not known
    yield hl7_message(7, "hip", "G", act="NBCA010")  # not in the registry's scope
    yield hl7_message(8, "knee", "G", day="20250231090000")  # invalid: no such day


def write_lanvern(path: Path) -> None:
    """The batch of ch-lanvern: FHS, BHS, the messages, BTS, FTS; segments end with CR."""
    messages = list(hl7_messages())
    head = "|^~\\&|BLOC|LANVERN|FHIRMAP|LANVERN|20250901"
    segments = [segment for message in messages for segment in message]
    lines = [f"FHS{head}", f"BHS{head}", *segments, f"BTS|{len(messages)}", "FTS|1"]
    path.write_bytes("".join(f"{line}\r" for line in lines).encode())


# --- clinique-roc-noir: PMSI files of fixed width, a workbook ------------------------------------------------------

SHEET_NAMES = ("N° séjour", "Côté", "RPPS", "Référence", "Fournisseur", "Famille", "Lot", "Péremption", "UDI", "GTIN")
ROC_PIECES = {
    "hip": (("CUP-50", "Cupule"), ("INS-50/28", "Insert"), ("TIG-9", "Tige"), ("TET-28", "Tête")),
    "knee": (("FEM-L3", "Fémur"), ("EMB-3", "Embase"), ("PLA-3-11", "Plateau")),
}


@dataclass(frozen=True)
class RocStay:
    """A stay. ``acts``: days and codes; ``side`` empty: no line in the workbook."""

    number: int
    joint: str
    side: str
    acts: tuple[tuple[str, str, str], ...]
    has_own_number: bool = True

    @property
    def nadl(self) -> str:
        return f"2500{self.number:04d}"

    @property
    def nir(self) -> str:
        number = self.number
        nir = f"{1 + number % 2}{45 + number}{number % 12 + 1:02d}509{80 + number}{400 + number * 19:03d}"
        return f"{nir}{nir_key(nir)}"


def roc_stays() -> tuple[RocStay, ...]:
    """The stays of clinique-roc-noir, each for a reason."""
    hip, knee = "NEKA020", "NFKA007"
    return (
        RocStay(1, "hip", "D", (("12032025", hip, "1"), ("12032025", hip, "4"))),  # 4: the anaesthetist's
        RocStay(2, "knee", "G", (("13032025", knee, "1"),)),
        RocStay(3, "hip", "G", (("10032025", "YYYY600", "1"), ("14032025", hip, "1"))),  # another act before it
        RocStay(4, "knee", "D", (("17032025", knee, "1"),), has_own_number=False),  # the insured person's: a note
        RocStay(5, "hip", "", (("18032025", "DELF005", "1"),)),  # not in the registry's scope
        RocStay(6, "hip", "D", (("19032025", hip, "1"),)),  # no labels: UDI made of the article number, a note
        RocStay(7, "knee", "", (("20032025", knee, "1"),)),  # invalid: no piece in the workbook
        RocStay(8, "knee", "G", (("31022025", knee, "1"),)),  # invalid: no such day
    )


def write_rum(path: Path) -> None:
    """RUM 022: 177 characters, then diagnoses of 8 and acts of 29; a group's line of another format at the end."""
    lines = []
    for stay_ in roc_stays():
        related = ["E119", "I10"][: stay_.number % 3]
        head = f"{luhn('99200083')}022{stay_.number:<20}{stay_.nadl:<20}{'1':<10}"
        line = f"{head:<118}{len(related):02d}00{len(stay_.acts):03d}"
        line = f"{line:<177}" + "".join(f"{code:<8}" for code in related)
        for day, code, activity in stay_.acts:
            line += f"{f'{day}{code}   0{activity}':<29}"
        lines.append(line)
    lines.append(f"{luhn('99200083')}019{'an older format of the same file':<60}")
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode("latin-1"))


def write_vidhosp(path: Path) -> None:
    """VID-HOSP V016: the insured person's number first, the patient's own from 62."""
    lines = []
    for stay_ in roc_stays():
        parent = RocStay(stay_.number + 8, "", "", ())
        own = stay_.nir if stay_.has_own_number else ""
        insured = stay_.nir if stay_.number % 2 else parent.nir
        birth = f"12{stay_.nir[3:5]}19{stay_.nir[1:3]}"
        line = f"{insured:<19}{birth}{stay_.nir[0]}{stay_.nadl:<20}V016{luhn('99200083')}{own:<15}"
        lines.append(f"{line:<134}")
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode("latin-1"))


def write_poses(path: Path) -> None:
    """The workbook: titles, names on line 4, the number of a stay on its first line, numbers as numbers, a total."""
    import xlsxwriter

    with xlsxwriter.Workbook(path) as workbook:
        workbook.set_properties({"created": datetime(2025, 4, 1)})
        workbook.add_worksheet("Lisez-moi").write(0, 0, "Poses de DMI, mars 2025")
        sheet = workbook.add_worksheet("Poses")
        day = workbook.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write(0, 0, "Clinique du Roc noir, pharmacie")
        sheet.write(1, 0, "Poses de DMI, mars 2025")
        for column, name in enumerate(SHEET_NAMES):
            sheet.write(3, column, name)
        row = 4
        for stay_ in roc_stays():
            for place, (reference, family) in enumerate(ROC_PIECES[stay_.joint] if stay_.side else (), 1):
                if place == 1:
                    sheet.write(row, 0, int(stay_.nadl))
                    sheet.write(row, 1, stay_.side)
                    sheet.write(row, 2, int(luhn("1099904088")))
                lot = f"{'RS'[place % 2]}{61000 + stay_.number * 100 + place}"
                cells = (reference, MAKERS[place % 4], family, lot)
                for column, cell in enumerate(cells, 3):
                    sheet.write(row, column, cell)
                if place % 2:
                    sheet.write_datetime(row, 7, datetime(2030, place, 10 + stay_.number), day)
                else:
                    sheet.write(row, 7, f"{10 + stay_.number}/0{place}/2030")
                code = gtin(f"029996{stay_.number:03d}{place:04d}")
                if stay_.number != 6:
                    sheet.write(row, 8, f"(01){code}(17)300{place}{10 + stay_.number}(10){lot}")
                sheet.write(row, 9, int(code))
                row += 1
        sheet.write(row, 0, "TOTAL")
        sheet.write(row, 9, row - 4)


WRITERS = {
    "ch-valmorel/data/sih.sqlite": write_valmorel,
    "clinique-sainte-aubierge/data/cases.json": write_sainte_aubierge,
    "export-pharmacie/data/export.csv": write_export,
    "ch-lanvern/data/bloc-20250901.hl7": write_lanvern,
    "clinique-roc-noir/data/rum.txt": write_rum,
    "clinique-roc-noir/data/vidhosp.txt": write_vidhosp,
    "clinique-roc-noir/data/poses.xlsx": write_poses,
}

if __name__ == "__main__":
    for name, write in WRITERS.items():
        (EXAMPLES / name).parent.mkdir(parents=True, exist_ok=True)
        write(EXAMPLES / name)
