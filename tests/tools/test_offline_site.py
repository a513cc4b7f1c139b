"""A page that loads from the web is found; a link to follow is not one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.offline_site import faults, loaded


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ('<img src="//cdn.example/a.png">', ["//cdn.example/a.png"]),
        ('<link rel="stylesheet" href="https://fonts.example/a.css">', ["https://fonts.example/a.css"]),
        ('<link rel="canonical" href="https://example.org/"><a href="https://example.org/">x</a>', []),
        ('<script src="_static/a.js"></script>', []),
    ],
)
def test_what_a_page_loads(page: str, wanted: list[str]) -> None:
    assert loaded(page) == wanted


def test_the_page_is_named(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<script src="http://cdn.example/x.js">', encoding="utf-8")
    assert list(faults(tmp_path)) == ["index.html loads http://cdn.example/x.js"]
