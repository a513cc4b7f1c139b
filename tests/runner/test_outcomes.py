"""What records come to, before the journal: the same from a pickled maker, without the project's files."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from fhirmap.runner.engine import build_engine
from fhirmap.runner.ingest import maker_of
from fhirmap.runner.outcomes import canonical_json
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_the_same_content_has_the_same_bytes_and_decimals_keep_their_digits() -> None:
    left = {"b": [{"y": 1, "x": Decimal("1.50")}], "a": "é"}
    right = {"a": "é", "b": [{"x": Decimal("1.50"), "y": 1}]}
    assert canonical_json(left) == canonical_json(right) == '{"a":"é","b":[{"x":1.50,"y":1}]}'.encode()


@pytest.mark.parametrize("name", [entry.name for entry in sorted(EXAMPLES.iterdir()) if entry.is_dir()])
def test_a_pickled_maker_gives_the_same(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("journal*", "reports"))
    engine = build_engine(load_project(folder))
    with open_project_source(engine.project, engine.plan) as source:
        records = list(source.records())
    maker = maker_of(engine)
    pickled = pickle.dumps((maker.outcomes, maker.read_parts, records))
    expected = maker.outcomes(records)
    assert any(outcome.limit_key for outcome in expected)
    assert any(outcome.faults for outcome in expected)
    read = [maker.read(record) for record in records]
    shutil.rmtree(folder)
    outcomes, parts, again = pickle.loads(pickled)
    assert outcomes(again) == expected
    seen = [(found.parts(), parts(record.values)) for found, record in zip(read, again, strict=True) if found]
    assert seen
    assert all(here == there for here, there in seen)


def test_a_worker_loads_neither_journal_nor_compiler() -> None:
    program = (
        "import sys, fhirmap.runner.outcomes, fhirmap.runner.read_parts, fhirmap.runner.result_maker\n"
        "import fhirmap.runtime.workers, fhirmap.runner.columns\n"
        "print(*sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert {"fhirmap.runtime.transformer", "msgspec"} <= loaded
    assert not [
        name for name in loaded if name.startswith(("sqlalchemy", "fhirmap.journal", "fhirmap.language", "lark"))
    ]
    assert not {"httpx2", "ssl", "authlib", "click"} & loaded
