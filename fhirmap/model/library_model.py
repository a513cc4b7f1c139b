"""A result as a model of fhir.resources, for programs that want one; the library is imported here, on request."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, TypeAlias

from fhirmap.errors import ConfigError, ValidationFailed

_PACKAGES: Mapping[str, str] = {
    "STU3": "fhir.resources.STU3",
    "R4": "fhir.resources.R4B",
    "R4B": "fhir.resources.R4B",
    "R5": "fhir.resources",
}


LibraryModel: TypeAlias = Any
"""An instance of a class of fhir.resources, which this package does not require."""


def as_model(resource: Mapping[str, Any], *, fhir_version: str = "R4") -> LibraryModel:
    """The resource as an instance of its fhir.resources class (R4 by the library's R4B, which serves it).

    Raises: ``ValidationFailed`` FM456 where that library does not accept it; its own words would quote the data.
    ``ConfigError`` FM457 for a FHIR version it has no models of, FM797 where the extra `models` is not installed.
    """
    package = _PACKAGES.get(fhir_version)
    if package is None:
        raise ConfigError("FM457", version=fhir_version)
    try:
        from pydantic import ValidationError

        import_module(package)
    except ModuleNotFoundError:
        raise ConfigError("FM797", library="fhir.resources", extra="models") from None
    name = str(resource.get("resourceType", ""))
    try:
        module = import_module(f"{package}.{name.lower()}")
        model = getattr(module, name)
    except (ImportError, AttributeError):
        raise ValidationFailed("FM456", variant="type", type=name) from None
    try:
        return model.model_validate(dict(resource))
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        path = ".".join(str(part) for part in faults[0]["loc"])
        raise ValidationFailed("FM456", count=len(faults), path=f"{name}.{path}") from None
