"""The pipeline as a programmer would write it by hand: SQLite to NDJSON, with a plain journal. What `pipeline` starts
as a process, as its yardstick; it reports its CPU time.

The resource is `hand_written.declaration`'s. The journal has a row for each record, in batches of one transaction: key,
digest, payload, state; then each batch is written and its rows are settled. It has no checks of cells, validates
nothing, knows no revisions, faults or fingerprints, and cannot resume.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from benchmarks.hand_written import declaration

_OPERATIONS = """
SELECT i.id_intervention, i.statut, i.date_debut, i.cote, i.typ_pe, p.nir, p.cle_nir, o.rpps, e.finess_geo
FROM INTERVENTION i LEFT JOIN PATIENT p USING (id_patient) LEFT JOIN PRATICIEN o ON o.id_prat = i.id_operateur
LEFT JOIN ETABLISSEMENT e USING (id_etab) ORDER BY i.id_intervention
"""
_ACTS = """
SELECT id_intervention, code_ccam FROM ACTE_CCAM WHERE principal = 'O' AND activite = '1'
ORDER BY id_intervention, id_acte
"""
_IMPLANTS = """
SELECT p.id_intervention, p.id_article, p.num_lot, p.num_serie, p.date_peremption, p.code_barre, a.ref_fabricant,
a.libelle, a.gtin, a.famille, f.raison_sociale
FROM POSE_DMI p LEFT JOIN ARTICLE_DMI a USING (id_article) LEFT JOIN FOURNISSEUR f USING (id_fourn)
WHERE p.mouvement = 'P' AND COALESCE(p.supprime, 0) = 0 ORDER BY p.id_intervention, p.rang, p.id_pose
"""
_JOURNAL = """
CREATE TABLE entry (id INTEGER PRIMARY KEY, key TEXT NOT NULL, digest TEXT NOT NULL, state TEXT NOT NULL,
payload BLOB NOT NULL, remarks TEXT NOT NULL, changed_at REAL NOT NULL, UNIQUE (key, digest))
"""
_READY = "INSERT INTO entry (key, digest, payload, remarks, changed_at, state) VALUES (?, ?, ?, ?, ?, 'ready')"
_ACCEPTED = "UPDATE entry SET state = 'accepted', changed_at = ? WHERE key = ? AND digest = ?"
_BATCH = 200


def rows(source: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each intervention's key and row, with its rows of other tables."""
    connection = sqlite3.connect(source)
    acts = groupby(connection.execute(_ACTS), key=itemgetter(0))
    implants = groupby(connection.execute(_IMPLANTS), key=itemgetter(0))
    for number, status, start, side, shoulder, nir, key, rpps, finess in connection.execute(_OPERATIONS):
        found_acts, found = next(acts, (None, iter(()))), next(implants, (None, iter(())))
        assert found_acts[0] == found[0] == number  # each intervention that is generated has both
        row = {"statut": status, "date_debut": start, "cote": side, "typ_pe": shoulder}
        row["patient"] = [{"nir": nir, "cle_nir": key}]
        row["operateur"], row["site"] = [{"rpps": rpps}], [{"finess_geo": finess}]
        row["actes"] = [{"code_ccam": code} for _, code in found_acts[1]]
        row["poses"] = [
            {
                "id_article": article,
                "num_lot": lot,
                "num_serie": serial,
                "date_peremption": expiry,
                "code_barre": label,
                "article": [
                    {
                        "ref_fabricant": reference,
                        "libelle": text,
                        "gtin": gtin,
                        "famille": family,
                        "fournisseur": [{"raison_sociale": supplier}],
                    }
                ],
            }
            for _, article, lot, serial, expiry, label, reference, text, gtin, family, supplier in found[1]
        ]
        yield str(number), row
    connection.close()


def main(folder: str) -> None:
    """Read, map, journal and write; print how many, and the CPU time of this process."""
    place = Path(folder)
    journal = sqlite3.connect(place / "by-hand.db")
    journal.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_JOURNAL}")
    accepted = 0
    source = rows(place / "sih.sqlite")
    with (place / "by-hand.ndjson").open("wb") as lines:
        while batch := list(islice(source, _BATCH)):
            entries: list[tuple[str, str, bytes, str, float]] = []
            for key, row in batch:
                resource, remarks = declaration(row)
                payload = json.dumps(resource, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
                digest = hashlib.sha256(payload).hexdigest()
                entries.append((key, digest, payload, json.dumps(remarks), time.time()))
            with journal:
                journal.executemany(_READY, entries)
            lines.write(b"".join([payload + b"\n" for _, _, payload, _, _ in entries]))
            lines.flush()
            with journal:
                journal.executemany(_ACCEPTED, [(time.time(), key, digest) for key, digest, *_ in entries])
            accepted += len(batch)
    journal.close()
    print(json.dumps({"read": accepted, "accepted": accepted, "cpu_s": time.process_time()}))


if __name__ == "__main__":
    main(sys.argv[1])
