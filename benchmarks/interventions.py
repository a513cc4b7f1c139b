"""Fictitious interventions in the layout of `examples/ch-valmorel`: what the pipeline is measured on."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

SCHEMA = """
CREATE TABLE ETABLISSEMENT (id_etab INTEGER PRIMARY KEY, nom TEXT, finess_geo TEXT, finess_jur TEXT);
CREATE TABLE FOURNISSEUR (id_fourn INTEGER PRIMARY KEY, raison_sociale TEXT);
CREATE TABLE ARTICLE_DMI (id_article INTEGER PRIMARY KEY, ref_fabricant TEXT, libelle TEXT, id_fourn INTEGER, gtin TEXT,
  code_lpp TEXT, famille TEXT, perime_gere INTEGER);
CREATE TABLE PRATICIEN (id_prat INTEGER PRIMARY KEY, nom TEXT, prenom TEXT, rpps TEXT, specialite TEXT, actif INTEGER);
CREATE TABLE PATIENT (id_patient INTEGER PRIMARY KEY, ipp TEXT, nom_naissance TEXT, nom_usage TEXT, prenom TEXT,
  sexe TEXT, ddn TEXT, nir TEXT, cle_nir TEXT, statut_ins TEXT);
CREATE TABLE INTERVENTION (id_intervention INTEGER PRIMARY KEY, num_sejour TEXT, id_patient INTEGER,
  id_operateur INTEGER, id_etab INTEGER, date_debut TEXT, date_fin TEXT, cote TEXT, typ_pe TEXT, statut TEXT,
  libelle TEXT, maj TEXT);
CREATE TABLE ACTE_CCAM (id_acte INTEGER PRIMARY KEY, id_intervention INTEGER, code_ccam TEXT, activite TEXT,
  phase TEXT, principal TEXT);
CREATE TABLE POSE_DMI (id_pose INTEGER PRIMARY KEY, id_intervention INTEGER, id_article INTEGER, rang INTEGER,
  num_lot TEXT, num_serie TEXT, date_peremption TEXT, code_barre TEXT, qte INTEGER, mouvement TEXT,
  supprime INTEGER, date_saisie TEXT);
CREATE INDEX IX_POSE ON POSE_DMI(id_intervention);
CREATE INDEX IX_ACTE ON ACTE_CCAM(id_intervention);
"""
JOINTS = {
    "NFKA007": ("FEM", "EMB", "PLA", "ROT", "CIM"),
    "NEKA020": ("CUP", "INS", "TIG", "TET", "VIS"),
    "MEKA008": ("THU", "TEH", "GLE", "IGL", "CIM"),
}
SURGEONS = ("10999000010", "10999000028", "10999000036", "10999010019", "10999020018")
DIGITS = "0123456789"


def gtin(number: int) -> str:
    """A GTIN-14 of the internal range with its check digit."""
    body = f"02999{number:08d}"
    total = sum(int(digit) * (3 if index % 2 == 0 else 1) for index, digit in enumerate(body))
    return body + str(-total % 10)


def nir(number: int, draw: random.Random) -> tuple[str, str]:
    """A fictitious NIR (commune 950 to 989) and its key."""
    body = f"{draw.choice('12')}{draw.randrange(30, 80):02d}{draw.randrange(1, 13):02d}{draw.randrange(1, 90):02d}"
    body += f"{950 + number % 40:03d}{number % 1000:03d}"
    return body, f"{97 - int(body) % 97:02d}"


def make_database(path: Path, interventions: int, *, seed: int = 20261123) -> None:
    """Write a new SQLite database of ``interventions`` valid interventions of five implants each."""
    draw = random.Random(seed)
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + SCHEMA)
    connection.execute("INSERT INTO ETABLISSEMENT VALUES (1, 'Centre de mesure', '990000127', '990000101')")
    connection.executemany("INSERT INTO FOURNISSEUR VALUES (?, ?)", [(n, f"Fabricant {n}") for n in range(1, 6)])
    families = sorted({family for kinds in JOINTS.values() for family in kinds})
    articles = {family: number for number, family in enumerate(families, 1)}
    connection.executemany(
        "INSERT INTO ARTICLE_DMI VALUES (?, ?, ?, ?, ?, '3100000', ?, 1)",
        [(n, f"REF-{f}", f"Composant {f.lower()} n° {n}", 1 + n % 5, gtin(n), f) for f, n in articles.items()],
    )
    connection.executemany(
        "INSERT INTO PRATICIEN VALUES (?, 'Nom', 'Prénom', ?, 'Chirurgie orthopédique', 1)",
        list(enumerate(SURGEONS, 1)),
    )
    rows = list(_interventions(interventions, articles, draw))
    connection.executemany("INSERT INTO PATIENT VALUES (?,?,?,?,?,?,?,?,?,?)", [row[0] for row in rows])
    connection.executemany("INSERT INTO INTERVENTION VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", [row[1] for row in rows])
    connection.executemany("INSERT INTO ACTE_CCAM VALUES (?,?,?,?,?,?)", [entry for row in rows for entry in row[2]])
    connection.executemany(
        "INSERT INTO POSE_DMI VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", [entry for row in rows for entry in row[3]]
    )
    connection.commit()
    connection.close()


Row = tuple[object, ...]


def _interventions(
    count: int, articles: dict[str, int], draw: random.Random
) -> Iterator[tuple[Row, Row, list[Row], list[Row]]]:
    codes = list(JOINTS)
    for number in range(1, count + 1):
        body, key = nir(number, draw)
        code = codes[number % 3]
        day = f"2025{draw.randrange(1, 13):02d}{draw.randrange(1, 29):02d}"
        patient = (number, f"IPP{number:07d}", "NOM", None, "Prénom", "F", "01/01/1950", body, key, "QUAL")
        kind = draw.choice(("ANA", "INV")) if code == "MEKA008" else None
        side = draw.choice("DG")
        operation = (
            number,
            f"25{number:07d}",
            number,
            1 + number % 5,
            1,
            f"{day}0800{DIGITS[number % 6]}0",
            f"{day}100000",
            side,
            kind,
            "R",
            "",
            f"{day}110000",
        )
        acts: list[Row] = [(number * 2, number, code, "1", "0", "O"), (number * 2 + 1, number, code, "4", "0", "N")]
        implants: list[Row] = []
        for rank, family in enumerate(JOINTS[code], 1):
            lot = f"L{number:06d}{rank}"
            barcode = f"01{gtin(articles[family])}1729063010{lot}"
            implants.append(
                (number * 10 + rank, number, articles[family], rank, lot, None, "2029-06-30", barcode, 1, "P", 0, day)
            )
        yield patient, operation, acts, implants
