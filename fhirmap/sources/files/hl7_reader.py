"""Messages of HL7 v2 (ER7) as rows: each message, or each segment of one name with the segments that follow it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from fhirmap.data import RawValue
from fhirmap.diagnostics import Diagnostic
from fhirmap.records import Fault, TreeText
from fhirmap.runtime.reading import UnreadDocument, at
from fhirmap.source_plan import SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.hl7_messages import Charset, Hl7Message, LostLines, messages, proved_charset
from fhirmap.sources.files.hl7_paths import FieldReads
from fhirmap.sources.files.hl7_tree import Segment, SegmentGroup
from fhirmap.sources.files.source_files import SourceFile, reading

__all__ = ["Hl7Reader"]

_LOOKED_AT = 50
"""Rows in which `check` looks for components that are left out."""


class Hl7Reader:
    """The messages of a file, in its order.

    Shape: segments by name, a list where a message has several; of `path 'OBR'`, the fields of an OBR by number and
    the segments up to the next one by name, those before the first OBR under `..`. See `hl7_tree`.
    """

    def __init__(self, file: SourceFile, plan: SourcePlan) -> None:
        self._file = file
        self._plan = plan
        self._charset: tuple[tuple[int, int], Charset] | None = None

    # --- layout -------------------------------------------------------------------------------------------------------

    def names(self) -> Collection[str]:
        """Every path to a segment, a field or a component that some record has."""
        found: dict[str, None] = {}
        for row in self.rows(()):
            _gather("", row.cells, found)
        return found

    def check(self, needed: Mapping[str, str]) -> list[Diagnostic]:
        """Values beside which components are left out (FM786), and paths inside the segments of child rows that no
        record has (FM726); those of ``needed`` are the source's to look for."""
        lacking = {read.steps: read for read in self._reads(needed).all if read.name not in needed}
        beside: dict[str, Fault] = {}
        count = 0
        for row in self.rows(needed):
            for steps in [steps for steps in lacking if _holds(at(row.cells, steps))]:
                del lacking[steps]
            if count < _LOOKED_AT:
                beside |= {fault.columns[0]: fault for fault in row.faults if fault.code == "FM786"}
            elif not lacking:
                break
            count += not row.is_lost
        found = [self._said("FM786", name, fault.position, "source") for name, fault in beside.items()]
        there = list(self.names()) if count and lacking else []
        for read in lacking.values() if count else ():
            near = [name for name in there if f"{read.segment}." in name] or there
            found.append(replace(self._said("FM726", read.name, read.place, ""), **naming.like(read.name, near)))
        return found

    def _said(self, code: str, name: str, place: str, variant: str) -> Diagnostic:
        shown = self._file.shown
        args = {"table": shown, "source": shown, "column": name, "position": place or self._plan.position}
        return Diagnostic(code, args=args, variant=variant)

    # --- reading ------------------------------------------------------------------------------------------------------

    def rows(self, needed: Collection[str]) -> Iterator[FileRow]:
        """Every record, and lines that are no message.

        Raises: ConfigError FM701, FM702, FM705, FM784 (the file has no message).
        """
        reads, number = self._reads(needed), 0
        with reading(self._file):
            for found in messages(self._file, self._proved()):
                if isinstance(found, LostLines):
                    number += 1
                    yield FileRow({}, f":{found.line}", number, [found.fault], is_lost=True)
                    continue
                for row in self._of_message(found, reads):
                    number += 1
                    row.number = number
                    yield row

    def _reads(self, needed: Collection[str]) -> FieldReads:
        return FieldReads(self._plan, needed)

    def _proved(self) -> Charset:
        stamp = self._file.stamp()
        if self._charset is None or self._charset[0] != stamp:
            self._charset = stamp, proved_charset(self._file, self._plan.encoding)
        return self._charset[1]

    def _of_message(self, message: Hl7Message, reads: FieldReads) -> Iterator[FileRow]:
        faults = [*message.faults, *reads.field_faults(message)]
        root = self._plan.name
        starts = [place for place, (_, segment) in enumerate(message.segments) if segment.text[:3] == root]
        before = message.segments[: starts[0]] if starts else message.segments
        tree = _tree(before)
        if not root:
            yield _row(message.line, tree, faults, reads)
        elif not starts:
            fault = Fault("FM784", rule="line", args={"line": message.line, "name": root}, variant="lacking")
            yield _row(message.line, {"..": tree}, [*faults, fault], reads)
        for place, end in pairwise([*starts, len(message.segments)]):
            line, own = message.segments[place]
            members = _tree(message.segments[place + 1 : end])
            yield _row(line, SegmentGroup(own, {**members, "..": tree}), list(faults), reads)


def _row(line: int, cells: Mapping[str, Any], faults: list[Fault], reads: FieldReads) -> FileRow:
    return FileRow(cells, f":{line}", 0, [*faults, *reads.left_out(cells)])


def _tree(segments: list[tuple[int, Segment]]) -> dict[str, Any]:
    """Segments by name, a list of those that have the same."""
    tree: dict[str, Any] = {}
    for _, segment in segments:
        name = segment.text[:3]
        held = tree.get(name)
        if held is None:
            tree[name] = segment
        elif type(held) is list:
            held.append(segment)
        else:
            tree[name] = [held, segment]
    return tree


def _holds(found: RawValue) -> bool:
    return bool(found) and not isinstance(found, UnreadDocument)


def _gather(prefix: str, held: Any, found: dict[str, None]) -> None:  # noqa: ANN401 - any part of a message
    """The paths in ``held``, which is at ``prefix``."""
    if isinstance(held, list):
        for item in held:
            _gather(prefix, item, found)
        return
    if prefix:
        found[prefix] = None
    members = held.members if isinstance(held, TreeText) else held if isinstance(held, Mapping) else {}
    for name in members:
        if name == "..":
            above: dict[str, None] = {}
            _gather("", members[name], above)
            found |= dict.fromkeys(f"../{path}" for path in above)
        else:
            _gather(f"{prefix}.{name}" if prefix else name, members[name], found)
