"""The runner: a project folder on one side, the engine, a source, the journal and a sink on the other.

`project` reads `fhirmap.toml` into frozen values (every fault of the file at once); `ingest` takes records from the
source to the journal; `deliver` from the journal to the sink; `archive` writes identifiers back; `preview` shows what
would be sent; `report` counts. Invariants: nothing is read or sent before project, map and source layout are found
sound; a verdict is given in one place (`verdict.classify`), so what `preview` shows is what `run` does; secrets are
looked up when they are used, by reference, and no text shows them. Absent on purpose: anything about one registry,
which is data under `maps/`.
"""
