"""Map texts and what they import become one program. Files are read through an injected function, never here."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from fhirmap.analysis.hints import column_hint
from fhirmap.analysis.typed import ImportedMaps, Program, Unit
from fhirmap.diagnostics import Diagnostic, MapText, Severity, Span, Subject, SubjectKind
from fhirmap.diagnostics.nearest import nearest
from fhirmap.language import nodes
from fhirmap.language.parser import parse
from fhirmap.texts import os_reason

Read = Callable[[str, str], bytes]
"""(name of the map, file as the map names it) -> bytes of the file beside the map. Raises ``OSError``."""


Parse = Callable[[MapText], tuple[nodes.Map, Sequence[Diagnostic]]]
"""A map's text -> its tree, and what is wrong with its syntax: a set of maps keeps what it has parsed."""


def parsed(text: MapText) -> tuple[nodes.Map, Sequence[Diagnostic]]:
    """A text parsed whenever it is asked for."""
    return parse(text.text, text.name)


class NoFolder(FileNotFoundError):
    """The map came as a text alone: nothing is beside it."""


def no_files(_map: str, file: str) -> bytes:
    """A reader for maps that come without a folder. Raises: ``NoFolder``, always."""
    raise NoFolder(file)


@dataclass
class _Workspace:
    library: dict[str, nodes.Map]
    candidates: list[MapText]
    read: Read
    parse: Parse
    units: list[Unit] = field(default_factory=list)
    by_name: dict[str, Unit] = field(default_factory=dict)
    syntax: dict[str, Sequence[Diagnostic]] = field(default_factory=dict)
    """What parsing the library found, by the map's name."""
    imported: dict[str, ImportedMaps] = field(default_factory=dict)

    def unit(self, tree: nodes.Map) -> Unit:
        """The unit of a parsed map, its imports not resolved; the same map gives the same unit."""
        text = tree.span.text
        known = self.by_name.get(text.name)
        if known is not None:
            return known
        unit = Unit(text, tree)
        self.by_name[text.name] = unit
        self.units.append(unit)
        unit.faults += self.syntax.get(text.name, ())
        unit.tables = {entry.id: self.table(unit, entry) for entry in tree.concept_maps if entry.table}
        unit.queries = {
            model.store.name: self.query(unit, model.store.name, model.store.encoding or "utf-8", model.store.name_span)
            for model in tree.models
            if model.store and model.store.kind == "query"
        }
        for join in (element.join for model in tree.models for element in model.elements):
            if join is not None and join.is_query:
                unit.queries[join.table] = self.query(unit, join.table, "utf-8", join.table_span)
        return unit

    def resolve(self) -> None:
        """Give every unit what it imports, and the units that this brings in theirs."""
        for unit in self.units:  # which grows on the way
            found: list[ImportedMaps] = []
            for entry in unit.tree.imports:
                taken = self.matching(entry.url)
                if not any(other is not unit for other in taken.units):
                    self.unknown_import(unit, entry)
                    unit.unresolved_imports = True
                found.append(taken)
            unit.imported = tuple(dict.fromkeys(found))

    def matching(self, url: str) -> ImportedMaps:
        """Maps whose URL is ``url``, which may hold one `*` and end in `|version`; only texts that may are parsed."""
        known = self.imported.get(url)
        if known is None:
            address, _, version = url.partition("|")
            head, star, tail = address.partition("*")
            pattern = re.compile(re.escape(head) + (".+" if star else "") + re.escape(tail))
            self.parse_candidates(head)
            trees = [
                tree
                for tree in self.library.values()
                if tree.url and pattern.fullmatch(tree.url) and version in ("", tree.version)
            ]
            known = self.imported[url] = ImportedMaps(tuple(map(self.unit, trees)))
        return known

    def parse_candidates(self, head: str) -> None:
        """Parse the texts that mention ``head``."""
        waiting = self.candidates
        self.candidates = [text for text in waiting if head not in text.text]
        for candidate in (text for text in waiting if head in text.text):
            tree, self.syntax[candidate.name] = self.parse(candidate)
            self.library[candidate.name] = tree

    def unknown_import(self, unit: Unit, entry: nodes.MapImport) -> None:
        urls = [tree.url for tree in self.library.values() if tree.url]
        urls += [
            match
            for text in self.candidates
            for match in re.findall(r"[\"']([^\"'\s]+/StructureMap/[^\"']+)", text.text)
        ]
        meant = nearest(entry.url, urls)
        # A wildcard that matches nothing may be meant: what is then missing is reported where it is called.
        severity = Severity.WARNING if "*" in entry.url else None
        unit.faults.append(
            Diagnostic(
                "FM100",
                entry.url_span or entry.span,
                {"url": entry.url},
                severity_override=severity,
                meant=meant,
                about=Subject(SubjectKind.IMPORT, entry.url),
            )
        )

    def table(self, unit: Unit, declaration: nodes.ConceptMapDeclaration) -> tuple[nodes.ConceptMapCode, ...]:
        """Codes of a concept map's CSV file."""
        table = declaration.table
        assert table is not None
        prefixes = [entry.name for entry in declaration.prefixes]
        source, target = [*prefixes, "", ""][:2]
        if len(table.delimiter) != 1:
            return ()  # reported by a check
        content = self.file(unit, table.file, table.encoding, table.file_span or table.span)
        if content is None:
            return ()
        rows = csv.DictReader(io.StringIO(content), delimiter=table.delimiter)
        header = [name.strip() for name in rows.fieldnames or ()]
        rows.fieldnames = header
        wanted = [table.source_column, table.target_column, *([table.relation_column] if table.relation_column else [])]
        for order, column in enumerate(wanted):
            if column not in header:
                span = table.column_spans[order] if table.column_spans else table.span
                args = {"column": column, "place": table.file}
                hint, found = column_hint(column, header)
                unit.faults.append(Diagnostic("FM101", span, args, hint, "file", **found))
                return ()
        codes = []
        for row in rows:
            left, right = ((row[name] or "").strip() for name in wanted[:2])
            relation = (row[wanted[2]] or "").strip() if len(wanted) > 2 else "-"
            if left:
                codes.append(
                    nodes.ConceptMapCode(
                        source, left, relation or "-", target, right, table.span, table.span, table.span
                    )
                )
        return tuple(codes)

    def query(self, unit: Unit, name: str, encoding: str, span: Span) -> str:
        """Text of a query: that of its file, or ``name`` itself where that is SQL."""
        return name if is_sql(name) else self.file(unit, name, encoding, span) or ""

    def file(self, unit: Unit, name: str, encoding: str, span: Span) -> str | None:
        """A text file beside the map; a diagnostic where it cannot be read."""
        try:
            return self.read(unit.name, name).decode("utf-8-sig" if encoding in ("utf-8", "") else encoding)
        except NoFolder:
            unit.faults.append(Diagnostic("FM102", span, {"file": name}, variant="text"))
        except OSError as error:
            args = {"file": name, "why": os_reason(error)}
            unit.faults.append(Diagnostic("FM102", span, args))
        except LookupError:
            return None  # an encoding that does not exist is reported by a check
        except UnicodeDecodeError:
            unit.faults.append(Diagnostic("FM102", span, {"file": name, "encoding": encoding}, variant="encoding"))
        return None


def is_sql(name: str) -> bool:
    """Is the text after `query` the query itself, and not the name of its file?"""
    return re.match(r"\s*(?:select|with)\s", name, re.IGNORECASE) is not None


def load(
    stages: Sequence[nodes.Map],
    *,
    library: Iterable[MapText] = (),
    maps: Iterable[nodes.Map] = (),
    read: Read = no_files,
    parse: Parse = parsed,
) -> tuple[Program, tuple[Diagnostic, ...]]:
    """The program of the maps ``stages``, with what they import found in ``library`` (texts) and ``maps`` (trees).

    With it what is wrong with the imports, and with the texts and files they lead to: `check` reports that too.

    Spec: FML, imports: a URL with at most one `*`; only direct imports are visible.
    """
    known = {tree.span.text.name: tree for tree in (*maps, *stages)}
    work = _Workspace(known, [text for text in library if text.name not in known], read, parse)
    units = tuple(work.unit(tree) for tree in stages)
    work.resolve()
    return Program(units, tuple(work.units)), tuple(fault for unit in work.units for fault in unit.faults)
