"""Records from a JSON document (a list at a dotted path, or one record) or from NDJSON (one record a line)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from fhirmap.data import JsonValue
from fhirmap.decimals import decimal_text
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Fault, Record
from fhirmap.runtime.reading import at
from fhirmap.source_plan import SourcePlan, path_steps
from fhirmap.sources import names as naming
from fhirmap.sources.address import Address
from fhirmap.sources.files.json_entries import (
    UnreadEntry,
    cut_entries,
    decode,
    decode_entry,
    decode_in_parts,
    repeats_a_key,
    texts_in,
)
from fhirmap.sources.files.text_lines import Accents, open_failure, open_text, proved_encoding
from fhirmap.sources.keys import RecordKeys, revision_column
from fhirmap.sources.revisions import NO_REVISION, Revision, Revisions, number_revision, revision_of
from fhirmap.sources.samples import Sample
from fhirmap.texts import Text

_PLACE = re.compile(r"\(byte (\d+)\)")
_SHOWN = 12


class JsonFile:
    """A JSON document as a stream of records.

    Shape: each record is the document's own object; numbers keep their digits (Decimal). A document is held whole while
    it is read, NDJSON one line at a time. A line or an entry that cannot be read is a faulty record (no JSON, nested
    too deeply, a key named twice). A document whose brackets or quotes do not balance is an error.
    Raises: ConfigError FM701, FM702, FM705, FM713, FM714, FM724.
    """

    def __init__(self, address: Address, plan: SourcePlan) -> None:
        self._address = address
        self._plan = plan
        self._path = address.path or Path(address.url)
        self._keys = RecordKeys(plan)
        self._revision_column = revision_column(plan)
        self._by_line = self._path.suffix.lower() in (".ndjson", ".jsonl")
        self._entries: list[Any] | None = None
        self._document: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget the document."""
        self._entries = None
        self._document = None

    # --- layout -------------------------------------------------------------------------------------------------------

    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """Every dotted path at which some record holds something."""
        return {self._plan.name: tuple(self._paths())}

    def _paths(self) -> dict[str, bool]:
        """Those paths, and whether all records that hold something there have a list on the way to it, or at it."""
        paths: dict[str, bool] = {}
        for _, _, entry in self._documents():
            _gather(entry, paths)
        return paths

    def check(self) -> list[Diagnostic]:
        """Paths that no record has: an error for key and revision, a warning for others, which may be optional."""
        plan = self._plan
        found: list[Diagnostic] = []
        if plan.where:
            args = {"what": self._address.shown, "position": plan.position}
            found.append(Diagnostic("FM715", args=args, variant="file"))
        try:
            there = self._paths()
        except ConfigError as error:
            if error.code != "FM714":
                raise
            entry = error.diagnostic()
            return [*found, replace(entry, args={**entry.args, "position": plan.position})]
        if not there:
            return found
        needed = [*plan.key, *((plan.latest.column,) if plan.latest else ())]
        found += [self._lacking(name, "FM704", plan.position, "json_list") for name in needed if there.get(name)]
        places = {**dict.fromkeys(needed, plan.position)}
        places |= {column.name: column.position or plan.position for column in plan.shape.columns}
        for name, place in places.items():
            steps = path_steps(name)
            plain = ".".join(step for step in steps if isinstance(step, str))
            if name not in there and naming.match(plain, there) is None:
                entry = self._lacking(name, *(("FM704", place, "json") if name in needed else ("FM726", place, "")))
                found.append(replace(entry, **naming.like(name, there)))
        return found

    def _lacking(self, name: str, code: str, position: str, variant: str) -> Diagnostic:
        args = {"table": self._address.shown, "column": name, "source": self._address.shown, "position": position}
        return Diagnostic(code, args=args, variant=variant)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _documents(self) -> Iterator[tuple[str, int, Any]]:
        """Where each entry is, its number from 1, and the entry; an `UnreadEntry` where it is no JSON."""
        if not self._by_line and self._entries is None:
            self._entries = self._load()
        if self._entries is not None:
            path = f"{self._plan.name.replace('.', '/')}/" if self._plan.name else ""
            for number, entry in enumerate(self._entries):
                yield f"{self._path.name}#/{path}{number}", number + 1, entry
            return
        yield from self._by_lines()

    def _by_lines(self) -> Iterator[tuple[str, int, Any]]:
        if self._plan.name:
            raise self._path_in_lines()
        # A line has no names: any may be damaged.
        encoding = proved_encoding(self._path, self._address.shown, self._plan.encoding, names=0)
        try:
            for number, line in enumerate(self._lines(encoding), 1):
                # A byte-order mark, where files were joined.
                line = line.removeprefix(codecs.BOM_UTF8)
                if line.strip():
                    yield f"{self._path.name}:{number}", number, decode_entry(line)
        except OSError as error:
            raise open_failure(error, self._address.shown, self._path) from None

    def _lines(self, encoding: str) -> Iterator[bytes]:
        """The lines of the file as UTF-8; what is no text in its encoding is no UTF-8 either."""
        if encoding in ("utf-8", "utf-8-sig"):
            with self._path.open("rb") as file:
                yield from file
        else:
            with open_text(self._path, encoding) as text:
                for line in text:
                    yield line.encode("utf-8", "surrogatepass")

    def _load(self) -> list[Any] | None:
        """The entries of a whole document; None where it turns out to be NDJSON."""
        try:
            raw = self._path.read_bytes()
        except OSError as error:
            raise open_failure(error, self._address.shown, self._path) from None
        text = self._as_utf8(raw)
        document = self._decoded(text)
        if self._by_line:
            return None
        self._document = document
        return self._list_in(document)

    def _decoded(self, text: bytes) -> JsonValue:
        """The document; None, and lines from now on, where it turns out to be NDJSON.

        Raises: ConfigError FM713, FM714.
        """
        try:
            document = decode(text)
            if not repeats_a_key(text, document):
                return document
            found = self._entry_by_entry(text)
            return document if found is None else found
        except RecursionError:
            failure = ConfigError("FM713", variant="deep", source=self._address.shown)
        except UnicodeDecodeError as error:
            failure = self._broken(text[: error.start], "")
        except msgspec.DecodeError as error:
            if "trailing characters" in str(error) and self._is_ndjson(text):
                if self._plan.name:
                    raise self._path_in_lines() from None
                self._by_line = True
                return None
            failure = self._broken(text, str(error))
        # Brackets and quotes may be right nevertheless: then one record is wrong, and not the file.
        found = self._entry_by_entry(text)
        if found is None:
            raise failure
        return found

    def _entry_by_entry(self, text: bytes) -> JsonValue:
        """The document as far as its entries can be read, an `UnreadEntry` for one that cannot; None where its entries
        cannot be found.
        """
        names = self._plan.name.split(".") if self._plan.name else []
        cuts = cut_entries(text, names)
        if cuts is None:
            return None
        document: Any = [decode_entry(cut) for cut in cuts]
        for name in reversed(names):
            document = {name: document}
        return document

    def _as_utf8(self, raw: bytes) -> bytes:
        declared = self._plan.encoding or "utf-8"
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            declared = "utf-16"
        elif raw.startswith(codecs.BOM_UTF8):
            declared = "utf-8-sig"
        try:
            text = raw.decode(declared)
        except LookupError:
            raise ConfigError("FM705", variant="unknown", encoding=declared, source=self._address.shown) from None
        except UnicodeDecodeError as error:
            if declared == "utf-8" and self._is_damaged_here_and_there(raw):
                return raw
            line = raw.count(b"\n", 0, error.start) + 1
            raise ConfigError(
                "FM705", source=self._address.shown, encoding=declared, offset=error.start, line=line
            ) from None
        return raw if declared == "utf-8" else text.encode()

    def _is_damaged_here_and_there(self, raw: bytes) -> bool:
        """Is the encoding right for most entries, so that those in which a byte is wrong are damaged?"""
        cuts = cut_entries(raw, self._plan.name.split(".") if self._plan.name else [])
        if cuts is None:
            return False
        accents = Accents()
        for part in cuts if len(cuts) > 1 else texts_in(raw):
            accents.add(part, "utf-8")
        return not accents.is_other

    def _is_ndjson(self, text: bytes) -> bool:
        first = next((line for line in text.splitlines() if line.strip()), b"")
        try:
            return isinstance(decode(first), dict)
        except msgspec.DecodeError:
            return False

    def _path_in_lines(self) -> ConfigError:
        return ConfigError("FM714", source=self._address.shown, path=self._plan.name, variant="lines")

    def _broken(self, text: bytes, message: str) -> ConfigError:
        found = _PLACE.search(message)
        offset = int(found.group(1)) if found else len(text)
        before = text[:offset]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        is_cut = "truncated" in message or not text.strip()
        reason = Text("reasons.ends_early" if is_cut else "reasons.out_of_place")
        line = before.count(b"\n") + 1
        return ConfigError("FM713", source=self._address.shown, reason=reason, line=line, column=column)

    def _list_in(self, document: JsonValue) -> list[Any]:
        path = self._plan.name
        node = document
        if path and isinstance(document, list):
            raise ConfigError("FM714", source=self._address.shown, path=path, variant="whole")
        names = path.split(".") if path else []
        for depth, name in enumerate(names):
            if isinstance(node, list):
                outer = ".".join(names[:depth])
                raise ConfigError("FM714", source=self._address.shown, path=path, variant="inside", outer=outer)
            if not isinstance(node, Mapping) or name not in node:
                there = list(node) if isinstance(node, Mapping) else []
                raise ConfigError("FM714", source=self._address.shown, path=path, **naming.like(name, there))
            node = node[name]
        if isinstance(node, Mapping):
            return [node]
        if not isinstance(node, list):
            raise ConfigError("FM714", source=self._address.shown, path=path or Text("reasons.its_top"))
        return node

    def document(self) -> JsonValue:
        """The whole document, an `UnreadEntry` in the place of what cannot be read; a list of the lines' values for
        NDJSON.
        """
        if self._by_line:
            return list(self.entries())
        self._entries = self._load()
        if self._entries is None:
            return list(self.entries())
        if any(isinstance(entry, UnreadEntry) for entry in self._entries):
            return decode_in_parts(self._as_utf8(self._path.read_bytes()))
        return self._document

    def entries(self) -> Iterator[Any]:
        """Every entry of the list, objects or not."""
        for _, _, entry in self._documents():
            yield entry

    def samples(self, count: int) -> Iterator[Sample]:
        """The first entries."""
        entries = [entry for entry in islice(self.entries(), count) if isinstance(entry, Mapping)]
        yield Sample("", self._plan.shape, entries, is_tree=True)

    def count(self) -> int | None:
        """How many entries the document holds; None for NDJSON."""
        if not self._by_line and self._entries is None:
            self._entries = self._load()
        return None if self._entries is None else len(self._entries)

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        """Every record in the document's order, or those of ``keys``.

        Raises: ConfigError FM701, FM702, FM705, FM713, FM714.
        """
        wanted = None if keys is None else frozenset(keys)
        revisions = Revisions()
        for _, _, entry in self._documents():
            key = self._key(entry)
            if key:
                revisions.add(key, self._revision(entry))
        for origin, number, entry in self._documents():
            record = self._record(origin, number, entry, revisions)
            if wanted is None or record.key in wanted:
                yield record

    def _record(self, origin: str, number: int, entry: JsonValue, revisions: Revisions) -> Record:
        if not isinstance(entry, Mapping):
            if isinstance(entry, UnreadEntry):
                variant = ("line" if self._by_line else "entry") + ("_double" if entry.is_double else "")
                args = {"line" if self._by_line else "entry": number, "source": self._address.shown}
                return Record("", {}, origin, (Fault("FM713", rule="record", args=args, variant=variant),))
            return Record("", {}, origin, (Fault("FM722", rule="record", args={"number": number}),))
        key = self._key(entry)
        if not key:
            return Record("", entry, origin, (self._keys.fault(self._parts(entry)),))
        state = revisions.state(key, self._revision(entry))
        faults: tuple[Fault, ...] = (self._key_fault("FM718"),) if state == "double" else ()
        latest = self._plan.latest
        if latest and state != "superseded" and revisions.are_odd(key):
            faults += (Fault("FM756", rule="key", args={"columns": latest.column}, columns=(latest.column,)),)
        return Record(key, entry, origin, faults, state == "superseded")

    def _key_fault(self, code: str) -> Fault:
        return Fault(code, rule="key", args={"columns": ", ".join(self._plan.key)}, columns=self._plan.key)

    def _parts(self, entry: JsonValue) -> list[str]:
        """The texts of the key's paths."""
        return [scalar_text(_at(entry, name)) for name in self._plan.key]

    def _key(self, entry: JsonValue) -> str:
        return self._keys.key(self._parts(entry))

    def _revision(self, entry: JsonValue) -> Revision | None:
        """What distinguishes revisions, comparable; None where they do not count."""
        if self._plan.latest is None:
            return None
        found = _at(entry, self._plan.latest.column)
        if isinstance(found, Decimal) and found.is_finite():
            return number_revision(found)
        text = scalar_text(found)
        if not text and found is not None and not isinstance(found, str):
            return NO_REVISION
        return revision_of(text, self._revision_column)


def scalar_text(value: object) -> str:
    """A key's JSON value as text: empty where it is absent, a list or an object."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal) and value.is_finite():
        return decimal_text(value.to_integral_value() if value == value.to_integral_value() else value)
    return ""


def _at(entry: JsonValue, path: str) -> JsonValue:
    found = at(entry, path_steps(path))
    return None if isinstance(found, list) else found


def _gather(entry: JsonValue, paths: dict[str, bool]) -> None:
    """The dotted paths in ``entry``, in its order, and which of them always lead through a list, into its items."""
    waiting: list[tuple[str, Any, bool]] = [("", entry, False)]  # no recursion: as deep as Python goes
    while waiting:
        prefix, node, is_listed = waiting.pop()
        is_listed = is_listed or isinstance(node, list)
        if prefix:
            paths[prefix] = paths.get(prefix, True) and is_listed
        if isinstance(node, Mapping):
            inner = [(f"{prefix}.{name}" if prefix else str(name), value) for name, value in node.items()]
            waiting.extend((name, value, is_listed) for name, value in reversed(inner))
        elif isinstance(node, list):
            waiting.extend((prefix, item, True) for item in reversed(node))
