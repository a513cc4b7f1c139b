"""fhirmap: FHIR maps over a hospital's own tables, compiled to Python, validated, journalled and sent."""

__version__ = "0.1.0"
