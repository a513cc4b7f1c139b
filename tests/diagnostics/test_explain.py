"""`explain`: a code's page for a terminal."""

from __future__ import annotations

import pytest

from fhirmap.diagnostics.explain import UnknownCode, explain


@pytest.mark.parametrize("written", ["FM150", "fm150", " 150 "])
def test_the_page_of_a_code(written: str) -> None:
    shown = explain(written)
    assert shown.startswith("FM150: Unknown column (error)\n\nThe map reads a column")
    assert "\nwrong:\n    model Pose from table 'poses'" in shown
    assert "\nfhirmap says:\n    error[FM150]" in shown
    assert "```" not in shown and "+++" not in shown


def test_an_unknown_code_names_its_neighbours() -> None:
    with pytest.raises(UnknownCode, match="there is no code `FM15O`; did you mean FM") as caught:
        explain("FM15O")
    assert "FM150" in caught.value.nearest
    with pytest.raises(UnknownCode, match=r"there is no code `poses`$"):
        explain("poses")
