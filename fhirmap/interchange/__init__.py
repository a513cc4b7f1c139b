"""What other programs write and read: FHIR documents in JSON and XML, packages of definitions, maps as StructureMap.

Each module is imported where it is needed; a project that reads JSON loads no XML. Nothing here checks a map: one that
was read from a resource goes through the checks like any other.
"""
