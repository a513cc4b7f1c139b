"""Columns of `preview --records`: FHIRPath over the result and `%source`."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhirmap.errors import ProjectError
from fhirmap.runner.column_expressions import ExpressionTypes, compile_columns
from fhirmap.runner.columns import RecordsColumn
from fhirmap.runner.project import ColumnSetting
from fhirmap.runtime.steps import StepCount
from tests.compiler.fhirpath.operations import KNOWN, OP

TYPES = ExpressionTypes(KNOWN, None, OP, {})


@pytest.mark.parametrize(
    ("expression", "weight", "text"),
    [
        ("%source.weight * %source.weight", Decimal(3), "9"),
        ("%source.weight * %source.weight", Decimal("9E999999"), ""),
        ("%source.weight | 2.50", Decimal("1.50"), "1.50,2.50"),
    ],
)
def test_a_column_is_empty_where_its_expression_fails(expression: str, weight: Decimal, text: str) -> None:
    (column,) = compile_columns((ColumnSetting("weight", expression),), TYPES)
    assert RecordsColumn(column).text(None, {"weight": weight}) == text


_TEN = "(1|2|3|4|5|6|7|8|9|10)"


@pytest.mark.parametrize(
    "expression",
    [
        _TEN + f".select({_TEN})" * 12 + ".count()",
        "%source.weight.toString()" + ".select($this & $this)" * 60 + ".length()",
        f"{_TEN}.aggregate($total & $this.toString() & $total, 'x')"
        + ".toChars()" * 2
        + ".aggregate($total & 'xx', '')",
    ],
)
def test_a_column_whose_work_multiplies_is_empty(monkeypatch: pytest.MonkeyPatch, expression: str) -> None:
    monkeypatch.setattr(StepCount, "steps_left", 2_000)
    (column,) = compile_columns((ColumnSetting("weight", expression),), TYPES)
    assert RecordsColumn(column).text(None, {"weight": Decimal(12345)}) == ""


def test_a_wrong_column_is_refused_by_its_name() -> None:
    with pytest.raises(ProjectError) as caught:
        compile_columns((ColumnSetting("weight", "%source.weigth"),), TYPES)
    assert [entry.code for entry in caught.value.diagnostics] == ["FM743"]
