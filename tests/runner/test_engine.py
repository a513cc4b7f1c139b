"""A project ready to work: when the same record makes the same entry."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from fhirmap.runner.engine import Engine, build_engine
from fhirmap.runner.project_file import load_project

MAP = """
uses "http://hl7.org/fhir/StructureDefinition/Patient" as target
model Row from csv key 'id' {{
  id   : string 1..1 from 'id'
  day  : date   0..1 from 'day' format 'dd/MM/yy'
}}
group row(source src : Row, target tgt : Patient) {{
  src.id as v -> tgt.id = v "id";
  {rule}
}}
"""
ROOT = Path(__file__).resolve().parents[2]
PLAIN = 'src.day as v -> tgt.birthDate = v "day";'


def engine(folder: Path, rule: str = PLAIN, rules: str = "") -> Engine:
    folder.mkdir(exist_ok=True)
    (folder / "own.map").write_text(MAP.format(rule=rule), encoding="utf-8")
    (folder / "rows.csv").write_text("id;day\n1;01/02/03\n", encoding="utf-8")
    (folder / "fhirmap.toml").write_text(
        '[project]\nname = "p"\n[map]\nsource = "own.map"\n[source]\nurl = "csv:///rows.csv"\n'
        f'[sink]\nkind = "ndjson"\npath = "out.ndjson"\n{rules}',
        encoding="utf-8",
    )
    return build_engine(load_project(folder))


def test_the_same_map_makes_the_same_and_another_does_not(tmp_path: Path) -> None:
    first = engine(tmp_path).made_by
    assert first and len(first) == 32
    assert engine(tmp_path).made_by == first
    assert engine(tmp_path, PLAIN.replace('"day"', '"birth"')).made_by not in ("", first)


@pytest.mark.parametrize(
    "rule",
    [
        'src -> tgt.birthDate = (today()) "day";',
        'src where (day < today()) -> tgt.birthDate = (day) "day";',
        'src -> tgt.deceased = (now()) "day";',
        "src where (now().toString() > '2') -> tgt.active = true \"day\";",
        'src where (timeOfDay() > @T12:00) -> tgt.active = true "day";',
        'src -> tgt.language = uuid() "day";',
        'src -> tgt.language = reference(tgt) "day";',
        'src -> tgt.language = pointer(tgt) "day";',
    ],
)
def test_what_asks_for_the_time_or_draws_an_id_need_not_make_the_same(tmp_path: Path, rule: str) -> None:
    assert engine(tmp_path, rule).made_by == ""


def test_a_function_that_is_not_fhirmaps_own_need_not_make_the_same(tmp_path: Path) -> None:
    found = engine(tmp_path, 'src.id as v -> tgt.language = lotNumber(v) "day";')
    assert found.made_by
    assert found.compiled.foreign == frozenset()
    others = replace(found.compiled, foreign=frozenset(("elsewhere.functions", "os.path")))
    assert replace(found, compiled=others).made_by, "it is installed, and the map does not call it"
    source = found.transformer.source.replace("from fhirmap.functions.identity import", "from os.path import")
    source = source.replace("import lot_number as", "import basename as")
    transformer = type(found.transformer)(source, found.digest, store=found.transformer.store)
    assert replace(found, compiled=others, transformer=transformer).made_by == ""


def test_the_century_of_a_year_of_two_digits_depends_on_the_year(tmp_path: Path, monkeypatch: Any) -> None:
    first = engine(tmp_path)
    assert first.made_by

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return super().now(tz).replace(year=2040, day=1)

    monkeypatch.setattr("fhirmap.runner.engine.datetime", Later)
    assert engine(tmp_path).made_by not in ("", first.made_by)


def test_nothing_else_of_the_runtime_asks_for_the_time_or_draws() -> None:
    """What a map may call and `made_by` does not know of: another module that does so has to be added to it."""
    asking = re.compile(r"\b(now|today|utcnow|time|monotonic|uuid1|uuid4|urandom|random|getrandbits|token_\w+)\(")
    found = set()
    for package in ("runtime", "functions"):
        for path in (ROOT / "fhirmap" / package).rglob("*.py"):
            calls = {node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
            if any(asking.match(f"{ast.unparse(call).rpartition('.')[2]}(") for call in calls):
                found.add(path.relative_to(ROOT / "fhirmap").as_posix())
    years_of_two_digits = {"runtime/transforms/dates.py", "functions/udi/parts.py"}
    assert found == {"runtime/fhirpath/environment.py", "runtime/transforms/references.py"} | years_of_two_digits
