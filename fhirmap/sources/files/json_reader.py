"""The records of JSON: the entries of a list in a document, what is in them further down, or the lines of NDJSON."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import islice
from typing import IO, Any

import msgspec

from fhirmap.data import JsonValue, PathSteps
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Fault
from fhirmap.runtime.reading import UnreadDocument
from fhirmap.source_plan import SourcePlan, path_steps
from fhirmap.sources import names as naming
from fhirmap.sources.files.document_paths import paths_in
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.json_entries import (
    UnreadEntry,
    decode,
    decode_entries,
    decode_entry,
    decode_in_parts,
    repeats_a_key,
    texts_in,
)
from fhirmap.sources.files.json_scan import JsonOutline, MisplacedSign, NamedTwice, place_in, scan, texts_of
from fhirmap.sources.files.json_walk import JsonWalk, PathFound
from fhirmap.sources.files.look_ups import DocumentLists, HeldLists, Key, LookUps, keys_in, names_above
from fhirmap.sources.files.source_files import SourceFile, Stamp, reading
from fhirmap.sources.files.text_lines import Accents, marked_encoding, open_text, proved_encoding
from fhirmap.sources.key_index import KeyPlaces
from fhirmap.sources.shown_names import member_names
from fhirmap.texts import Text

__all__ = ["JsonReader", "ScannedLists", "entries_of", "entry_at"]

_BATCH = 1 << 15
"""Entries are decoded together, up to so many bytes of them: their values are used while they are in the cache."""
_LARGEST_KEPT = 1 << 20
"""Bytes of a value that is read to see whether the names beside it are keys."""
_MOST_NAMES = 1000
"""Members of an object that are named where another was looked for."""
_PLACES_AT_ONCE = 10_000
_LOOKED_AT = 100
"""Items of a list in which the first name of a path is looked for."""


class JsonReader:
    """The entries of a JSON document, or the lines of NDJSON, as rows.

    Shape: each row is the document's own object; numbers keep their digits (Decimal). What the map reads of the objects
    that a record is in is under `..`: those objects one in the other, with the members that are asked for. What it
    looks up in the document is under the key of its element. A document is read entry by entry and never held whole,
    unless its path leads through no list, or it is not in UTF-8. A line or an entry that cannot be read is a faulty row
    (no JSON, nested too deeply, a key named twice). A document whose brackets or quotes do not balance is an error.
    Raises (all but ``__init__``): ConfigError FM701, FM702, FM705, FM713, FM714.
    """

    def __init__(self, file: SourceFile, plan: SourcePlan) -> None:
        self._file = file
        self._plan = plan
        self._by_line = file.inner_suffix in (".ndjson", ".jsonl")
        self._steps = path_steps(plan.name)
        self._walk = JsonWalk(self._steps)
        self._look_ups = LookUps(plan)
        self._asked = dict.fromkeys((*plan.key, *plan.shape.column_names))
        self._outlines: dict[tuple[object, ...], tuple[Stamp, JsonOutline]] = {}
        self.indexes: dict[object, KeyPlaces] = {}
        """Of the lists that are looked up in: where what has some texts is."""

    # --- layout -------------------------------------------------------------------------------------------------------

    def names(self) -> Mapping[str, bool]:
        """Every dotted path at which some entry holds something, and whether all that do have a list on the way to it,
        or at it."""
        return paths_in(row.cells for row in self.rows(()))

    def check(self, needed: Mapping[str, str]) -> list[Diagnostic]:
        """FM726 where no item of a list has what the path to the records names next."""
        try:
            if next(iter(self.rows(needed)), None) is not None:
                return []
        except ConfigError:  # reading says so again
            return []
        missing = self._walk.missing
        if missing is None:
            return []
        name, there = missing
        shown = self._file.shown
        args = {"table": shown, "source": shown, "column": name, "position": self._plan.position}
        return [Diagnostic("FM726", args=args, **naming.like(name, there.shown, is_all=not there.hidden))]

    # --- rows ---------------------------------------------------------------------------------------------------------

    def rows(self, needed: Collection[str]) -> Iterator[FileRow]:
        """Each record."""
        self._asked |= dict.fromkeys(needed)
        above = names_above(self._plan, self._asked, self._walk.levels)
        # Where keys alone are asked for, nothing is looked up.
        looks_up = self._look_ups.are_any and set(self._plan.shape.column_names) <= set(needed)
        for number, row in enumerate(self._rows(above, looks_up), 1):
            row.number = number
            yield row

    def _rows(self, above: Sequence[Collection[str]], looks_up: bool) -> Iterator[FileRow]:
        self._walk.begin()
        if not self._by_line:
            outline = self._outline(above)
            if outline is not None:
                yield from self._of_document(outline, above, looks_up)
                return
        is_plain = not (self._steps or above or looks_up)
        for number, entry in self._lines():
            if is_plain and type(entry) is dict:
                yield FileRow(entry, f":{number}", 0)
                continue
            if isinstance(entry, UnreadEntry):
                yield self._unread(entry, number, f":{number}")
                continue
            lists = HeldLists(entry) if looks_up else None
            for found in self._walk.entries(entry, self._steps):
                place = f":{number}#/{'/'.join(found.place)}" if found.place else f":{number}"
                yield self._row(found, place, number, above, lists)

    def _of_document(self, outline: JsonOutline, above: Sequence[Collection[str]], looks_up: bool) -> Iterator[FileRow]:
        lead = [step for step in self._steps[: outline.depth] if isinstance(step, str)]
        rest = self._steps[outline.depth :]
        with self._open() as stream:
            outer = self._members(stream, outline)
            lists = ScannedLists(self, stream) if looks_up else None
            if outline.is_list and not rest and not above and lists is None:
                yield from self._of_list(stream, outline, _pointer((*lead, "")))
                return
            for number, entry in self._chosen(stream, outline):
                place = (*lead, str(number)) if outline.is_list else tuple(lead)
                if isinstance(entry, UnreadEntry):
                    yield self._unread(entry, number + 1, _pointer(place))
                    continue
                left = rest[1:] if rest and isinstance(rest[0], int) and outline.is_list else rest
                for found in self._walk.entries(entry, left, place, outer):
                    yield self._row(found, _pointer(found.place), number + 1, above, lists)

    def _of_list(self, stream: IO[bytes], outline: JsonOutline, lead: str) -> Iterator[FileRow]:
        """The entries themselves, of which nothing else is read: the same as below, without a walk for each."""
        for number, entry in enumerate(entries_of(stream, outline)):
            place = f"{lead}{number}"
            if type(entry) is dict:
                yield FileRow(entry, place, 0)
            elif isinstance(entry, UnreadEntry):
                yield self._unread(entry, number + 1, place)
            else:
                for found in self._walk.entries(entry, ()):
                    yield self._row(found, "/".join((place, *found.place)), number + 1, (), None)

    def _chosen(self, stream: IO[bytes], outline: JsonOutline) -> Iterator[tuple[int, JsonValue]]:
        """The entries with their places from 0; the one that the path asks for where it names a place."""
        step = self._steps[outline.depth] if outline.depth < len(self._steps) else None
        if isinstance(step, int) and outline.is_list:
            if step < outline.entries.total:
                yield step, entry_at(stream, outline, step)
            return
        yield from enumerate(entries_of(stream, outline))

    def _row(
        self, found: PathFound, place: str, number: int, above: Sequence[Collection[str]], lists: DocumentLists | None
    ) -> FileRow:
        if not isinstance(found.value, Mapping):
            return FileRow({}, place, 0, [Fault("FM722", rule="record", args={"number": number})], is_lost=True)
        cells = dict(found.value)
        row = FileRow(cells, place, 0)
        if above:
            cells[".."] = _linked(found.above, above)
        if lists is not None:
            self._look_ups.attach(cells, found.above, lists, row.faults)
        return row

    def _unread(self, entry: UnreadEntry, number: int, place: str) -> FileRow:
        why = "_damaged" if entry.is_damaged else "_double" if entry.is_double else ""
        variant = ("line" if self._by_line else "entry") + why
        args = {"line" if self._by_line else "entry": number, "source": self._file.shown}
        fault = Fault("FM713", rule="record", args=args, variant=variant)
        return FileRow({}, place, 0, [fault], is_lost=True, pieces=entry.pieces)

    def _members(self, stream: IO[bytes], outline: JsonOutline) -> tuple[Mapping[str, Any], ...]:
        """The objects on the way to the list, with the members that are read of them."""
        return tuple(
            {name: _readable(_slice(stream, start, end)) for name, (start, end) in members.items()}
            for members in outline.members
        )

    # --- the document -------------------------------------------------------------------------------------------------

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        """The document in UTF-8."""
        with reading(self._file), self._file.open() as stream:
            declared = marked_encoding(stream.read(4)) or self._plan.encoding or "utf-8"
            stream.seek(0)
            if _is_utf8(declared):
                # A packed file cannot be read here and there.
                is_packed = self._look_ups.are_any and self._file.is_packed
                yield BytesIO(stream.read()) if is_packed else stream
            else:
                yield BytesIO(self._in_utf8(stream.read(), declared))

    def _in_utf8(self, raw: bytes, declared: str) -> bytes:
        try:
            return raw.decode(declared).encode()
        except LookupError:
            raise ConfigError("FM705", variant="unknown", encoding=declared, source=self._file.shown) from None
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise self._no_encoding(declared, error.start, line) from None

    def _no_encoding(self, encoding: str, offset: int, line: int) -> ConfigError:
        return ConfigError("FM705", source=self._file.shown, encoding=encoding, offset=offset, line=line)

    def _outline(self, above: Sequence[Collection[str]]) -> JsonOutline | None:
        """Where the entries are; None where the file turns out to be NDJSON."""
        names = _leading_names(self._steps)
        with self._open() as stream:
            outline = self.outline_of(stream, names, list(reversed(above))[: len(names)])
            if outline.trailing is not None:
                if not self._is_ndjson(stream, outline):
                    raise self._broken(stream, outline.trailing, "out_of_place")
                self._by_line = True
                return None
            if outline.damage is not None:
                self._prove_damage(stream, outline)
            self._prove_found(stream, outline, names)
        return outline

    def outline_of(
        self, stream: IO[bytes], names: Sequence[str], wanted: Sequence[Collection[str]] = ()
    ) -> JsonOutline:
        """Where the entries at a path are, looked for once. Raises: ConfigError FM705, FM713."""
        asked = (tuple(names), *(tuple(sorted(some)) for some in wanted))
        stamp = self._file.stamp()
        known = self._outlines.get(asked)
        if known is not None and known[0] == stamp:
            return known[1]
        stream.seek(0)
        try:
            outline = scan(stream, names, wanted)
        except MisplacedSign as error:
            self._prove_whole(stream)
            raise self._broken(stream, error.offset, "ends_early" if error.is_end else "out_of_place") from None
        except NamedTwice as error:
            raise ConfigError("FM713", variant="member_double", source=self._file.shown, name=error.name) from None
        if known is not None:
            self.indexes.clear()
        self._outlines[asked] = stamp, outline
        return outline

    def _broken(self, stream: IO[bytes], offset: int, reason: str) -> ConfigError:
        line, column = place_in(stream, offset)
        return ConfigError("FM713", source=self._file.shown, reason=Text(f"reasons.{reason}"), line=line, column=column)

    def _prove_whole(self, stream: IO[bytes]) -> None:
        """A document without order is in another encoding where it is no UTF-8. Raises: ConfigError FM705."""
        stream.seek(0)
        done, proof = 0, codecs.getincrementaldecoder("utf-8")()
        while chunk := stream.read(_BATCH):
            pending = len(proof.getstate()[0])
            try:
                proof.decode(chunk)
            except UnicodeDecodeError as error:
                raise self._damaged(stream, done - pending + error.start) from None
            done += len(chunk)

    def _damaged(self, stream: IO[bytes], offset: int) -> ConfigError:
        return self._no_encoding("utf-8", offset, place_in(stream, offset)[0])

    def _prove_damage(self, stream: IO[bytes], outline: JsonOutline) -> None:
        """Are the bytes that are no UTF-8 damage here and there? Else the file is in another encoding (FM705)."""
        accents = Accents()
        texts: Iterable[bytes] = _texts_of(stream, outline)
        if outline.entries.total == 1:
            texts = texts_in(next(_texts_of(stream, outline)))
        for text in texts:
            accents.add(text, "utf-8")
        if accents.is_other or not outline.entries.total:
            assert outline.damage is not None
            raise self._damaged(stream, outline.damage)

    def _prove_found(self, stream: IO[bytes], outline: JsonOutline, names: Sequence[str]) -> None:
        """Raises: ConfigError FM714 where there are no entries at the path, nor a list on the way."""
        shown, path = self._file.shown, self._plan.name
        starts = outline.entries.starts
        is_object = not outline.is_list and len(starts) == 1 and _slice(stream, starts[0], starts[0] + 1) == b"{"
        if not outline.found or not (outline.is_list or is_object):
            like = self._like(stream, outline, names)
            raise ConfigError("FM714", source=shown, path=path or Text("reasons.its_top"), **like)
        if outline.is_list and not outline.depth and names:
            first = [entry for entry in islice(entries_of(stream, outline), _LOOKED_AT) if isinstance(entry, Mapping)]
            if first and not any(names[0] in entry for entry in first):
                raise ConfigError("FM714", source=shown, path=path, variant="whole")

    def _like(self, stream: IO[bytes], outline: JsonOutline, names: Sequence[str]) -> naming.Missing:
        """The names of the object at which the path ended, as far as they may be shown: what they hold shows that."""
        members = islice(outline.names.items(), _MOST_NAMES)
        there = member_names([{name: _kept(stream, place) for name, place in members}])
        asked = names[outline.depth] if outline.depth < len(names) else ""
        return naming.like(asked, there.shown, is_all=not there.hidden)

    def _is_ndjson(self, stream: IO[bytes], outline: JsonOutline) -> bool:
        if not outline.is_object:
            return False
        first = _slice(stream, outline.start, outline.end)
        try:
            return b"\n" not in first and isinstance(decode(first), dict)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False

    # --- lines --------------------------------------------------------------------------------------------------------

    def _lines(self) -> Iterator[tuple[int, JsonValue]]:
        """The lines that are not blank, by their numbers from 1."""
        # A line has no names: any may be damaged.
        encoding = proved_encoding(self._file, self._plan.encoding, names=0)
        done = 0
        with reading(self._file):
            for some in self._texts(encoding):
                # A byte-order mark, where files were joined.
                lines = [line.removeprefix(codecs.BOM_UTF8) for line in some]
                numbers = [number for number, line in enumerate(lines, done + 1) if line.strip()]
                texts = [lines[number - done - 1] for number in numbers]
                yield from zip(numbers, decode_entries(texts), strict=True)
                done += len(some)

    def _texts(self, encoding: str) -> Iterator[list[bytes]]:
        """The lines of the file as UTF-8, some at a time; what is no text in its encoding is no UTF-8 either."""
        if encoding in ("utf-8", "utf-8-sig"):
            with self._file.open() as lines:
                while some := lines.readlines(_BATCH):
                    yield some
        else:
            with open_text(self._file, encoding) as text:
                while held := text.readlines(_BATCH):
                    yield [line.encode("utf-8", "surrogatepass") for line in held]

    # --- for inspection -----------------------------------------------------------------------------------------------

    def document(self) -> JsonValue:
        """The whole document, an `UnreadEntry` in the place of what cannot be read; a list of the lines' values for
        NDJSON.
        """
        if not self._by_line and self._outline(()) is not None:
            with self._open() as stream:
                return decode_in_parts(stream.read())
        return list(self.entries())

    def entries(self) -> Iterator[Any]:
        """Every entry of the list, objects or not."""
        outline = None if self._by_line else self._outline(())
        if outline is None:
            for _, entry in self._lines():
                yield from (found.value for found in self._walk.entries(entry, self._steps))
            return
        with self._open() as stream:
            for _, entry in self._chosen(stream, outline):
                rest = self._steps[outline.depth :]
                yield from (found.value for found in self._walk.entries(entry, rest))


# --- entries of a document --------------------------------------------------------------------------------------------


def _slice(stream: IO[bytes], start: int, end: int) -> bytes:
    stream.seek(start)
    return stream.read(end - start)


def entry_at(stream: IO[bytes], outline: JsonOutline, place: int) -> JsonValue:
    """The entry at a place from 0; an `UnreadEntry` where it cannot be read."""
    entries = outline.entries
    part = entries.part_of(place)
    raw = _slice(stream, entries.starts[part], entries.ends[part])
    return decode_entry(texts_of(raw, entries.count(part))[place - entries.firsts[part]])


def entries_of(stream: IO[bytes], outline: JsonOutline) -> Iterator[JsonValue]:
    """All entries in their order."""
    entries = outline.entries
    starts, ends = entries.starts, entries.ends
    part = 0
    while part < len(starts):
        last = part
        while last + 1 < len(starts) and ends[last + 1] - starts[part] < _BATCH:
            last += 1
        start = starts[part]
        raw = _slice(stream, start, ends[last])
        found = _together(raw)
        if found is not None:
            yield from found
        else:
            for one in range(part, last + 1):
                held = raw[starts[one] - start : ends[one] - start]
                yield from map(decode_entry, texts_of(held, entries.count(one)))
        part = last + 1


def _together(raw: bytes) -> list[JsonValue] | None:
    """Entries with commas between them; None where one of them cannot be read."""
    whole = b"[" + raw + b"]"
    try:
        found = decode(whole)
        return None if repeats_a_key(whole, found) else list(found)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _texts_of(stream: IO[bytes], outline: JsonOutline) -> Iterator[bytes]:
    entries = outline.entries
    for part, (start, end) in enumerate(zip(entries.starts, entries.ends, strict=True)):
        yield from texts_of(_slice(stream, start, end), entries.count(part))


def _readable(raw: bytes) -> JsonValue:
    found = decode_entry(raw)
    return UnreadDocument(raw) if isinstance(found, UnreadEntry) else found


def _kept(stream: IO[bytes], place: tuple[int, int]) -> JsonValue:
    """A value of the document; of a large one only whether it is an object or a list."""
    start, end = place
    if end - start > _LARGEST_KEPT:
        return [] if _slice(stream, start, start + 1) == b"[" else {}
    return _readable(_slice(stream, start, end))


def _is_utf8(encoding: str) -> bool:
    return encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")


def _leading_names(steps: PathSteps) -> list[str]:
    """The names at the beginning of a path, before a filter or a place in a list."""
    names: list[str] = []
    for step in steps:
        if not isinstance(step, str):
            break
        names.append(step)
    return names


def _pointer(place: Sequence[str]) -> str:
    text = "/".join(place)
    if "~" in text or text.count("/") >= len(place):
        text = "/".join(name.replace("~", "~0").replace("/", "~1") for name in place)
    return f"#/{text}"


def _linked(above: Sequence[Mapping[str, Any]], wanted: Sequence[Collection[str]]) -> Mapping[str, Any]:
    """The objects that a record is in, the nearest one and the others each under `..` of the one that it holds.

    ``wanted``: the members that are read of each, the nearest one first.
    """
    linked: dict[str, Any] = {}
    for level, held in zip(range(len(above) - 1, -1, -1), above, strict=True):
        names = wanted[level] if level < len(wanted) else ()
        own = {name: held[name] for name in names if name in held}
        linked = {**own, "..": linked} if linked else own
    return linked


# --- lists that are looked up in --------------------------------------------------------------------------------------


class ScannedLists:
    """The lists of a document that is not held: their entries are found again by their places."""

    def __init__(self, reader: JsonReader, stream: IO[bytes]) -> None:
        self._reader = reader
        self._stream = stream
        self._known: dict[tuple[PathSteps, tuple[PathSteps, ...]], tuple[JsonOutline, KeyPlaces]] = {}

    def find(self, path: PathSteps, on: Sequence[PathSteps], key: Key) -> list[Mapping[str, Any]]:
        """As `DocumentLists` says."""
        asked = (path, tuple(on))
        known = self._known.get(asked)
        if known is None:
            known = self._known[asked] = self._looked_for(asked)
        outline, index = known
        found: list[Mapping[str, Any]] = []
        # Texts are kept by their hash alone: what is found by it is compared.
        for place in index.find(key):
            entry = entry_at(self._stream, outline, place)
            found += [item for item in _objects_in(entry, path[outline.depth :]) if key in keys_in(item, on)]
        return found

    def _looked_for(self, asked: tuple[PathSteps, tuple[PathSteps, ...]]) -> tuple[JsonOutline, KeyPlaces]:
        path, on = asked
        outline = self._reader.outline_of(self._stream, _leading_names(path))
        index = self._reader.indexes.get(asked)
        if index is None:
            index = self._reader.indexes[asked] = self._index(outline, path, on)
        return outline, index

    def _index(self, outline: JsonOutline, path: PathSteps, on: Sequence[PathSteps]) -> KeyPlaces:
        """Where the entries are, by what is in them."""
        index = KeyPlaces()
        rest = path[outline.depth :]
        places = (
            (key, place)
            for place, entry in enumerate(entries_of(self._stream, outline))
            for key in {key for item in _objects_in(entry, rest) for key in keys_in(item, on)}
        )
        while some := list(islice(places, _PLACES_AT_ONCE)):
            index.add((key for key, _ in some), (place for _, place in some))
        return index


def _objects_in(entry: JsonValue, path: PathSteps) -> Iterator[Mapping[str, Any]]:
    if not path and type(entry) is dict:
        return iter((entry,))
    found = (found.value for found in JsonWalk(path).entries(entry, path))
    return (value for value in found if isinstance(value, Mapping))
