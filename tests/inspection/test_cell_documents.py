"""Documents in cells; that what is written is also read is in `test_sql_models`."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from fhirmap.inspection.cell_documents import DocumentSketch, documents_of
from fhirmap.inspection.names import UniqueNames
from fhirmap.sources.sql_types import ColumnKind
from tests.inspection.written import inspected, round_trip


def test_texts_are_documents_if_all_are() -> None:
    assert documents_of(['{"a": 1}', None, " ", "[]"], ColumnKind.TEXT) == [{"a": 1}]
    assert documents_of(['{"a": 1}', "[sic]"], ColumnKind.TEXT) == []
    assert documents_of(['{"a": 1}', "{"], ColumnKind.DOCUMENT) == [{"a": 1}]
    assert documents_of(["x"], ColumnKind.TEXT) == []


def test_keys_that_are_data_are_no_elements() -> None:
    sketch = DocumentSketch("Europe/Paris", UniqueNames(), UniqueNames(), ColumnKind.DOCUMENT)
    sketch.add("doc", "doc", [{f"patient {n}": n} for n in range(101)])
    [entry] = sketch.elements
    assert (entry.is_proposal, str(entry.remark)) == (True, "101 different keys: name the ones you need, '….key'")


def test_a_list_in_a_text_is_read_as_rows(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, lots TEXT, poses TEXT)")
        connection.exec_driver_sql("""INSERT INTO t VALUES (1, '["L1", "L2"]', '[{"lot": "A"}]'), (2, '[]', NULL)""")
    engine.dispose()
    text = inspected(str(tmp_path / "a.db"))
    assert round_trip(str(tmp_path / "a.db"), text) == [
        {"id": "1", "lots": [{"value": "L1"}, {"value": "L2"}], "poses": [{"lot": "A"}]},
        {"id": "2"},
    ]
