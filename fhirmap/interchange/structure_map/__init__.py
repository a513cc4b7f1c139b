"""Maps as StructureMap resources: R4, R4B and R5 are written, and R6 besides is read.

Writing goes tree → resource (`writer`), reading resource → tree → text (`reader`). Each way reports what the other
side has no place for (FM040–FM049); nothing is left out unreported. `shapes` holds what the versions differ in.
Absent on purpose: the checks of a map, which a map read from a resource goes through like any other.
"""

from fhirmap.interchange.structure_map.reader import read_structure_map, structure_map_to_text
from fhirmap.interchange.structure_map.shapes import FhirVersion
from fhirmap.interchange.structure_map.writer import WrittenMap, write_structure_map

__all__ = ["FhirVersion", "WrittenMap", "read_structure_map", "structure_map_to_text", "write_structure_map"]
