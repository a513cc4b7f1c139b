"""What every kind of source is to those who read it."""

from __future__ import annotations

import inspect

import pytest

from fhirmap.sources import Source as Public
from fhirmap.sources.files.file_source import FileSource
from fhirmap.sources.joined import JoinedSource
from fhirmap.sources.protocol import Source
from fhirmap.sources.sql_table import SqlTable

METHODS = ("columns", "check", "records", "count", "close", "__enter__", "__exit__")


def test_the_package_shows_the_same_protocol() -> None:
    assert Public is Source
    assert [name for name in METHODS if name not in vars(Source)] == []


@pytest.mark.parametrize("kind", [SqlTable, FileSource, JoinedSource])
@pytest.mark.parametrize("method", METHODS)
def test_each_source_has_the_methods_of_the_protocol(kind: type, method: str) -> None:
    wanted = inspect.signature(getattr(Source, method)).parameters
    assert list(inspect.signature(getattr(kind, method)).parameters) == list(wanted)
