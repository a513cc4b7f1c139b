"""Conditions of SQL on rows of files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest

from fhirmap.errors import ConfigError
from fhirmap.records import Fault, TreeText
from fhirmap.runtime.reading import UnreadDocument
from fhirmap.source_plan import RowLayout, SourceColumn, SourceKind, SourcePlan
from fhirmap.sources.files.row_filter import RowFilter, filter_of


def keeps(where: str, row: Mapping[str, Any], **options: Any) -> bool:
    found = RowFilter(where, **options)
    faults: list[Fault] = []
    kept = found.keeps([row[name] for name in found.names], faults)
    assert not faults
    return kept


def refused(where: str, **options: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        RowFilter(where, what="Pose", position="a.map:3:5", **options)
    return caught.value


def test_a_condition_reads_the_columns_that_it_names() -> None:
    found = RowFilter("type = '02' and [10-11] <> \"Code lot\" and upper(`état`) like 'x%' -- [no] column")
    assert found.names == ("type", "10-11", "Code lot", "état")
    assert RowFilter("TYPE = '1' or type = '2'").names == ("TYPE",)
    assert RowFilter("1 = 1").names == ()


@pytest.mark.parametrize(
    ("where", "cell", "kept"),
    [
        ("c = '0012'", "0012", True),
        ("c = '12'", "0012", False),
        ("c = 12", "0012", False),
        ("c = 0", "0", True),
        ("c = 'a'", "  a ", True),
        ("c is null", "  ", True),
        ("c is null", None, True),
        ("c is null", "SANS", True),
        ("c <> 'x'", None, False),
        ("not (c = 'x')", "", False),
        ("c in ('a', 'b') -- or c", "b", True),
        ("c between 'a' and 'c'", "b", True),
        ("length(c) > 3", "abcd", True),
        ("cast(c as numeric) > 9", "10", True),
        ("c = 'L''été'", "L'été", True),
        ("c = '12'", 12, True),
        ("c = 12", 12.0, True),
        ("c = '12.5'", Decimal("12.50"), False),
        ("c = '12.50'", Decimal("12.50"), True),
        ("c = 'true'", True, True),
        ("c = '2025-03-12'", datetime(2025, 3, 12), True),
        ("c = '2025-03-12'", date(2025, 3, 12), True),
        ("c >= '2025-03-12 08:00'", datetime(2025, 3, 12, 8, 30), True),
        ("c = '123456789012345678901'", 123456789012345678901, True),
        ("c = 'x'", TreeText(" x ", {"@code": "y"}), True),
        ("c = 'x'", ["x"], True),
        ("c is null", [], True),
        ("c is not null", {"code": "x"}, True),
        ("c is distinct from 'x'", "y", True),
    ],
)
def test_a_cell_is_a_text_without_blanks_and_a_blank_one_is_null(where: str, cell: Any, kept: bool) -> None:
    assert keeps(where, {"c": cell}, nulls=("SANS",)) is kept


@pytest.mark.parametrize(
    ("where", "cell", "kept"),
    [
        ("c > 9", "10", True),
        ("c = 12", "0012", True),
        ("c = '12'", "0012", True),
        ("c = 1234.5", "1 234,50", True),
        ("c > 9", 10, True),
        ("c > 9", Decimal("9.5"), True),
        ("c > 9", None, False),
        ("c between 9 and 11", "10", True),
    ],
)
def test_a_column_that_a_numeric_element_reads_is_a_number(where: str, cell: Any, kept: bool) -> None:
    assert keeps(where, {"c": cell}, numeric=("C",), decimal=",", thousands=" ") is kept


def test_positions_of_a_line_of_fixed_width_are_columns() -> None:
    found = RowFilter("[10-11] = '02' and [10..11] <> '03' and [28] = 'A'", is_fixed=True)
    assert found.names == ("10-11", "28-28")
    assert found.keeps(["02", "A"], [])
    assert not found.keeps(["03", "A"], [])
    assert RowFilter("[2] = 'a'").names == ("2",)


def test_a_plan_says_which_columns_are_numbers() -> None:
    columns = (SourceColumn("Qté", "a.map:1:3", "q", "decimal"), SourceColumn("lot", "a.map:2:3", "lot", "string"))
    plan = SourcePlan(
        SourceKind.CSV, "", (), RowLayout("Pose", columns), where="qté > 9 and lot = '007'", decimal=",", nulls=("-",)
    )
    found = filter_of(plan)
    assert found is not None
    assert found.keeps(["10,5", "007"], [])
    assert not found.keeps(["-", "007"], [])
    assert filter_of(SourcePlan(SourceKind.CSV, "", (), RowLayout("Pose", columns))) is None


@pytest.mark.parametrize(
    ("where", "variant", "near"),
    [
        ("", "row_end", None),
        ("type =", "row_near", ")"),
        ("type = '02", "row_near", "'"),
        ("(type = '02'", "row_end", None),
        ("type = '02') or (1 = 1", "row_near", ")"),
        ("type = '02') --", "row_near", ")"),
        ("a b", "row_near", "b"),
        ("a = 1; drop table r", "row_near", ";"),
        ("a = ?", "row_near", "?"),
        ("a = :a", "row_near", ":"),
        ("[OBX[3.1=LOT].5] = 'A'", "row_brackets", None),
        ("OBX[3.1=LOT].5 = 'A'", "row_brackets", None),
        ("a = 'x' and [items[0]] = '1'", "row_brackets", None),
        ("a = 'OBX[0]' and [b] = = 1", "row_near", "="),
        ("a = 'OBX[1]' and and b", "row_near", "and"),
        ("`OBX[1]` = = 'x'", "row_near", "="),
        ("poses.type = '02'", "row_dotted", "poses.type"),
        ("a in (select b)", "row_select", "select"),
        ("a = 'x' union select 1", "row_select", "select"),
        ("lenght(a) = 2", "row_function", "lenght"),
        ("load_extension('x')", "row_function", "load_extension"),
        ("random() > 0", "row_function", "random"),
        ("count(*) > 1", "row_function", "count"),
        ("max(a) = '1'", "row_near", None),
        ("rang > 9", "row_order", None),
        ("9 < rang", "row_order", None),
        ("rang between 1 and 9", "row_order", None),
        ("actif = true", "row_truth", "true"),
        ("a match 'b'", "row_end", None),
        (" and ".join(f"c{number} = '1'" for number in range(600)), "row_long", None),
    ],
)
def test_what_is_no_condition_on_one_row_is_refused_where_the_map_has_it(
    where: str, variant: str, near: str | None
) -> None:
    error = refused(where)
    found = error.diagnostic()
    assert (found.code, found.variant, found.args["position"]) == ("FM715", variant, "a.map:3:5")
    if near is not None:
        assert found.args["near"] == near


def test_the_hint_of_a_path_with_brackets_works() -> None:
    hint = refused("[OBX[3.1=LOT].5] = 'A'").diagnostic().hint_text
    condition = hint.partition('where "')[2].partition('"')[0]
    assert RowFilter(condition).names == ("OBX[3.1=LOT].5",)


def test_a_misspelt_function_is_named_with_the_one_that_is_meant() -> None:
    assert "`length`" in refused("lenght(a) = 2").diagnostic().hint_text


@pytest.mark.parametrize(
    ("where", "cell", "variant"),
    [
        ("c > 9", "dix", "number"),
        ("c > 9", "1,5", "number"),
        ("c > 9", "inf", "number"),
        ("c = 9", ["1", "2"], "several"),
        ("c = 9", UnreadDocument(b"x"), "several"),
        ("abs(-9223372036854775807 - c) = 1", 1, ""),
    ],
)
def test_a_row_of_which_it_cannot_be_said_is_kept_with_a_fault(where: str, cell: Any, variant: str) -> None:
    found = RowFilter(where, ("c",), what="Pose", position="a.map:3:5")
    faults: list[Fault] = []
    assert found.keeps([cell], faults)
    (fault,) = faults
    assert (fault.code, fault.variant, fault.columns, fault.position) == ("FM776", variant, ("c",), "a.map:3:5")
    assert str(cell) not in str(fault.args)


def test_a_filter_is_asked_by_several_threads() -> None:
    found = RowFilter("c = 'a'")
    kept: list[bool] = []
    threads = [Thread(target=lambda: kept.append(found.keeps(["a"], []))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept == [True] * 3
