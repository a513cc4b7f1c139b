"""Functions that maps may call beyond FHIRPath: identities and UDIs. Each is pure, typed, documented, and fast.

They come in by the same entry points (group ``fhirmap.functions``) as a stranger's: a module whose marked functions are
listed. Nothing here keeps state, reads a file or knows a record; nothing is loaded before a map that uses it.
"""
