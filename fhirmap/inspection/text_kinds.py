"""What a text file is whose name does not say: CSV, lines of fixed width, or messages of HL7 v2."""

from __future__ import annotations

from itertools import islice

from fhirmap.source_plan import SourceKind
from fhirmap.sources.files.csv_text import DELIMITERS
from fhirmap.sources.files.source_files import SourceFile, reading

__all__ = ["kind_of_text"]

_LINES = 50
_NARROW = 20
"""Characters of a line that may well be the one column of a CSV file."""
_MESSAGES = ("MSH", "FHS", "BHS")


def kind_of_text(file: SourceFile) -> SourceKind:
    """The kind that the first lines show: no delimiter of CSV is in lines of fixed width.

    Raises: ConfigError FM701, FM702.
    """
    with reading(file), file.open() as stream:
        # Letters of any width and encoding: only signs that all encodings share are looked for.
        lines = [line.decode("latin-1").replace("\0", "") for line in islice(stream, _LINES)]
    first = next((line.lstrip("\x0b\ufeff\xef\xbb\xbf\xff\xfe") for line in lines if line.strip()), "")
    if first.startswith(_MESSAGES) and not first[3:4].isalnum():
        return SourceKind.HL7
    filled = [line.rstrip("\r\n") for line in lines if line.strip()]
    is_wide = bool(filled) and min(map(len, filled)) > _NARROW
    if is_wide and not any(sign in line for line in filled for sign in DELIMITERS):
        return SourceKind.FIXED
    return SourceKind.CSV
