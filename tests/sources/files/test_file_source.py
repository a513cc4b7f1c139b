"""Records of the rows of files, whatever their kind; several files."""

from __future__ import annotations
