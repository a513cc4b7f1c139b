"""Names of tests: the same in every process, whatever second it is."""

from __future__ import annotations

import gzip

import pytest


@pytest.mark.parametrize(("name", "content"), [("a.gz", gzip.compress(b"a")), ("b.gz", gzip.compress(b"b"))])
def test_bytes_are_no_part_of_a_name(name: str, content: bytes, request: pytest.FixtureRequest) -> None:
    assert gzip.decompress(content)
    assert request.node.name.endswith(f"[{name}-content]")
