"""The pipeline as a programmer would write it by hand: SQLite to NDJSON, with a plain journal. What `pipeline` starts
as a process, as its yardstick; it reports its CPU time.

The resource is `hand_written.declaration`'s. The journal keeps the promises that fhirmap's keeps of a batch: it is
committed before the batch leaves that it is being sent, and after it is on the disk that it was, with an event of each.
There are no checks of cells, nothing is validated, and it knows no revisions, faults or fingerprints.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

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
payload BLOB NOT NULL, remarks TEXT NOT NULL, changed_at REAL NOT NULL, UNIQUE (key, digest));
CREATE INDEX entry_state ON entry (state, id);
CREATE TABLE event (id INTEGER PRIMARY KEY, entry_id INTEGER NOT NULL, name TEXT NOT NULL, at REAL NOT NULL)
"""
_KNOWN = "SELECT key, digest FROM entry WHERE key IN ({})"
_READY = "INSERT INTO entry (key, digest, payload, remarks, changed_at, state) VALUES (?, ?, ?, ?, ?, 'ready')"
_DUE = "SELECT id, payload FROM entry WHERE state = 'ready' ORDER BY id LIMIT ?"
_STATE = "UPDATE entry SET state = ?, changed_at = ? WHERE id = ?"
_EVENT = "INSERT INTO event (entry_id, name, at) VALUES (?, ?, ?)"
_BATCH = 500
_ENCODER = msgspec.json.Encoder(order="deterministic")


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


def put(journal: sqlite3.Connection, batch: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """The records that the journal does not know, ready to be sent."""
    now = time.time()
    entries = []
    for key, row in batch:
        resource, remarks = declaration(row)
        payload = _ENCODER.encode(resource)
        entries.append((key, hashlib.sha256(payload).hexdigest(), payload, json.dumps(remarks), now))
    with journal:
        places = ",".join("?" * len(batch))
        known = set(journal.execute(_KNOWN.format(places), [key for key, _ in batch]))
        journal.executemany(_READY, [entry for entry in entries if entry[:2] not in known])


def send(journal: sqlite3.Connection, lines: BinaryIO) -> int:
    """A batch of what is ready, written; how many."""
    with journal:
        due = journal.execute(_DUE, (_BATCH,)).fetchall()
        note(journal, due, "sending")
    lines.write(b"".join([payload + b"\n" for _, payload in due]))
    lines.flush()
    os.fsync(lines.fileno())
    with journal:
        note(journal, due, "accepted")
    return len(due)


def note(journal: sqlite3.Connection, due: Sequence[tuple[int, bytes]], state: str) -> None:
    """What has become of the entries, and when."""
    now = time.time()
    journal.executemany(_STATE, [(state, now, number) for number, _ in due])
    journal.executemany(_EVENT, [(number, state, now) for number, _ in due])


def main(folder: str) -> None:
    """Read, map, journal and write; print how many, and the CPU time of this process."""
    place = Path(folder)
    journal = sqlite3.connect(place / "by-hand.db")
    journal.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_JOURNAL}")
    read = accepted = 0
    source = rows(place / "sih.sqlite")
    with (place / "by-hand.ndjson").open("wb") as lines:
        while batch := list(islice(source, _BATCH)):
            put(journal, batch)
            read += len(batch)
            accepted += send(journal, lines)
    journal.close()
    print(json.dumps({"read": read, "accepted": accepted, "unchanged": 0, "cpu_s": time.process_time()}))


if __name__ == "__main__":
    main(sys.argv[1])
