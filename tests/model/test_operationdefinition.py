"""An operation's input as a profile of Parameters."""

from __future__ import annotations

from tests.model.profiles import MARCH, children, load


def test_an_operation_is_a_profile_of_its_input() -> None:
    definitions = load(MARCH)
    operation = definitions.operation("associer-implants-procedure")
    assert operation is not None
    assert (operation.type, operation.system, operation.resources) == (True, False, ("Procedure",))
    nir = children(definitions, operation.url, "parameter:identifiantsPartiesPrenantes", "part:nir")
    assert [ref.name for ref in nir["value"].types] == ["Identifier"]
    assert nir["part"].maximum == 0
    day = children(definitions, operation.url, "parameter:procedureInfo", "part:dateIntervention")["value"]
    assert [ref.name for ref in day.types] == ["date"]
    assert "operationOutcome" not in [entry.name for entry in children(definitions, operation.url)["parameter"].slices]
