"""Groups that the type of an item calls for."""

from __future__ import annotations

import pytest

from fhirmap.errors import TransformFailed
from fhirmap.runtime.chosen_groups import refusing
from fhirmap.runtime.context import RecordRun


def test_a_group_with_an_error_refuses_its_item() -> None:
    with pytest.raises(TransformFailed, match="FM408"):
        refusing("name", "m.map:1:1")({}, {}, RecordRun())
