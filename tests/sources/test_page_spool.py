"""Rows that wait come back as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest

from fhirmap.errors import ConfigError
from fhirmap.records import CalendarText
from fhirmap.sources.page_spool import PageSpool
from fhirmap.sources.sql_cells import BrokenText, ZeroFilled


def test_rows_come_back_in_order_with_their_types() -> None:
    row = (1, "é", None, Decimal("1.50"), CalendarText("2026-01-02"), BrokenText(b"\xff"), ZeroFilled("007"), b"\0")
    spool = PageSpool("s")
    spool.put((number, *row) for number in range(1201))
    found = list(spool.rows())
    assert found == [(number, *row) for number in range(1201)]
    assert [type(cell) for cell in found[-1]] == [int, *map(type, row)]
    assert str(found[-1][7]) == "007"
    spool.close()
    spool.close()


def test_no_rows() -> None:
    with closing(PageSpool("s")) as spool:
        spool.put(())
        assert list(spool.rows()) == []


def test_what_the_rows_raise_is_passed_on() -> None:
    def broken() -> Iterator[tuple[int]]:
        yield (1,)
        raise ConfigError("FM707", source="s")

    with closing(PageSpool("s")) as spool, pytest.raises(ConfigError, match="FM707"):
        spool.put(broken())


def test_no_space_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    spool = PageSpool("s")

    def full(_: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool._file, "write", full)
    with closing(spool), pytest.raises(ConfigError) as caught:
        spool.put([(1,)])
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM724", "space")
