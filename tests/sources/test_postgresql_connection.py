"""A server that sends nothing for too long is given up."""

from __future__ import annotations

import os
from time import monotonic

import pytest

from fhirmap.sources.postgresql_connection import ImpatientConnection, NoAnswerError

URL = os.environ.get("FHIRMAP_TEST_POSTGRESQL", "").replace("+psycopg", "")


@pytest.mark.skipif(not URL, reason="FHIRMAP_TEST_POSTGRESQL names no server")
def test_an_answer_that_comes_late_and_one_that_does_not_come() -> None:
    with ImpatientConnection.connect(URL) as connection:
        connection.answer_s = 5
        assert connection.execute("SELECT 1 FROM pg_sleep(0.3)").fetchone() == (1,)
        connection.answer_s = 0.3
        start = monotonic()
        with pytest.raises(NoAnswerError):
            connection.execute("SELECT pg_sleep(60)")
        assert connection.closed
    assert monotonic() - start < 60
