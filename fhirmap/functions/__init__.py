"""Functions that maps may call beyond FHIRPath: identities and UDIs. Each is pure, typed, documented, and fast.

They are found by the same entry points (group ``fhirmap.functions``) as those of other packages: a module whose marked
functions are listed. Nothing here keeps state, reads a file or knows a record; nothing is loaded before a map uses it.
"""
