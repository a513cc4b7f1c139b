"""A result as a model of fhir.resources: on request, and never quoting what it does not accept."""

from __future__ import annotations

import subprocess
import sys

import pytest

import fhirmap
from fhirmap.errors import ConfigError, ValidationFailed

CANARY = "CANARY-284051012345678"


def test_a_resource_becomes_a_model() -> None:
    model = fhirmap.as_model({"resourceType": "Patient", "id": "1", "birthDate": "1950-01-01"})
    assert type(model).__module__.startswith("fhir.resources.R4B")
    assert model.birthDate.isoformat() == "1950-01-01"


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient", "birthDate": CANARY},
        {"resourceType": "Patient", "gendr": CANARY},
        {"resourceType": "Nothing"},
    ],
)
def test_what_the_library_does_not_accept(resource: dict[str, str]) -> None:
    with pytest.raises(ValidationFailed) as caught:
        fhirmap.as_model(resource)
    assert caught.value.code == "FM456"
    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_versions() -> None:
    assert type(fhirmap.as_model({"resourceType": "Patient"}, fhir_version="R5")).__module__.startswith(
        "fhir.resources.pat"
    )
    with pytest.raises(ConfigError):
        fhirmap.as_model({"resourceType": "Patient"}, fhir_version="R9")


def test_nothing_else_imports_the_library() -> None:
    program = (
        "import sys, fhirmap\n"
        "models = 'model A { x : string }\\nmodel B { x : string }\\n'\n"
        "fhirmap.compile_map(models + 'group g(source s : A, target t : B) { s.x as v -> t.x = v; }')\n"
        "print('fhir.resources' in sys.modules or 'pydantic' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_without_the_extra_it_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fhir.resources.R4B", None)
    with pytest.raises(ConfigError) as caught:
        fhirmap.as_model({"resourceType": "Patient"})
    assert caught.value.code == "FM797"
    assert "pip install 'fhirmap[models]'" in caught.value.diagnostic().hint_text
