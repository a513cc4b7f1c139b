"""From files to transformers: maps and definitions are opened, checked together, and compiled.

`files` reads texts and names them; `program` parses and checks maps that run together (`check_maps`, for files and
texts; `load_maps`, for trees at hand); `contract` and `transformers` make Python of what was checked; `maps` holds the
functions of one call that `fhirmap` exports; `mapset` runs any map of a set by its URL. Invariants: analysis and
compiler below get texts, never files; there is one way from stages, library and definitions to a checked program.
Absent on purpose: projects, rows of a source, anything that is sent.
"""
