"""Diagnostics, faults and notes as text for people and as data: the only place that does either.

Three forms of a diagnostic: a block with its source line, one line for pipelines, and data for JSON. The texts
themselves come from the code's page; colours are added only where the caller asks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from unicodedata import category, combining, east_asian_width

from fhirmap.diagnostics.catalog import page
from fhirmap.diagnostics.diagnostic import Diagnostic, Severity
from fhirmap.diagnostics.span import Span
from fhirmap.records import Fault, Note
from fhirmap.texts import text
from fhirmap.texts.visible_text import blotted

Paint = Callable[[str, str], str]

_STYLES = {"error": "1;31", "warning": "1;33", "note": "1;36", "frame": "1;34", "strong": "1"}
_TAB = "    "
_WIDEST_LINE = 160
_WIDEST_TAIL = 120
_NARROWEST_LINE = 20


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each diagnostic once, file by file as first met, top to bottom; those without a place last.

    Of two that say the same of one place the one that needs no second place to say it is kept.
    """
    files: dict[str, int] = {}

    def place(entry: Diagnostic) -> tuple[int, int, int]:
        if entry.span is None:
            return (sys.maxsize, 0, 0)
        return (files.setdefault(entry.span.name, len(files)), entry.span.start, entry.span.end)

    held: dict[object, list[Diagnostic]] = {}
    for entry in diagnostics:
        held.setdefault((place(entry), entry.code), []).append(entry)
    unique = (found for entries in held.values() for found in _unlike(entries))
    return tuple(sorted(unique, key=place))


def _unlike(entries: list[Diagnostic]) -> Iterable[Diagnostic]:
    """Those of one code and place that do not say the same."""
    if len(entries) == 1:
        return entries
    unique: dict[str, Diagnostic] = {}
    for entry in entries:
        message = entry.message
        known = unique.get(message)
        if known is None or (known.related and not entry.related):
            unique[message] = entry
    return unique.values()


def render_diagnostic(diagnostic: Diagnostic, *, colour: bool = False, width: int | None = None) -> str:
    """The diagnostic as a terminal shows it: message, place, source line with carets, hint, and where to read more.

    ``width``: columns of the terminal; without it nothing but a very long source line is folded or cut.
    """
    paint = _ansi if colour else _plain
    severity = diagnostic.severity.value
    heads = _heads(severity, diagnostic.code, diagnostic.message, paint, width)
    if diagnostic.span is None:
        return "\n".join((*heads, *_tail(diagnostic, 0, paint, width)))
    spans = [diagnostic.span, *(related.span for related in diagnostic.related)]
    gutter = max(len(str(span.line)) for span in spans)
    limit = _WIDEST_LINE if width is None else max(width - gutter - 3, _NARROWEST_LINE)
    masked = page(diagnostic.code).is_masked
    frame = _ExcerptStyle(gutter, paint, limit, is_folded=width is not None)
    lines = [*heads, *_excerpt(diagnostic.span, diagnostic.label, frame, severity, "-->", "^", masked=masked)]
    for related in diagnostic.related:
        lines += _excerpt(related.span, related.label, frame, "frame", ":::", "-")
    return "\n".join((*lines, *_tail(diagnostic, gutter, paint, width)))


def diagnostic_to_line(diagnostic: Diagnostic) -> str:
    """The diagnostic on one line, as compilers print it for editors and pipelines."""
    place = f"{diagnostic.span.position}: " if diagnostic.span else ""
    shown = diagnostic.hint_text
    hint = f"   = {text('diagnostics.hint')}{text('diagnostics.colon')}{_visible(shown)}" if shown else ""
    return place + _heads(diagnostic.severity.value, diagnostic.code, diagnostic.message, _plain, None)[0] + hint


def diagnostic_to_json(diagnostic: Diagnostic) -> dict[str, object]:
    """The diagnostic as data; keys are always there, ``None`` where the diagnostic has no such thing."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "label": diagnostic.label or None,
        "hint": diagnostic.hint_text or None,
        **_place_json(diagnostic.span),
        "related": [{"label": related.label, **_place_json(related.span)} for related in diagnostic.related],
    }


def render_diagnostics(diagnostics: Iterable[Diagnostic], *, colour: bool = False, width: int | None = None) -> str:
    """All of them as blocks with an empty line between two; ends with a line break unless there are none."""
    blocks = (render_diagnostic(entry, colour=colour, width=width) for entry in ordered(diagnostics))
    return "".join(block + "\n\n" for block in blocks)[:-1]


def summary(diagnostics: Sequence[Diagnostic], names: Sequence[str] = (), elapsed_s: float | None = None) -> str:
    """`2 errors, 2 warnings in message.map (43 ms)`. ``names``: the files looked at."""
    counts = [
        text(f"diagnostics.count.{severity.value}", count=count)
        for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE)
        if (count := sum(entry.severity is severity for entry in diagnostics))
    ]
    files = tuple(dict.fromkeys(names)) or tuple(dict.fromkeys(entry.span.name for entry in diagnostics if entry.span))
    parts = [", ".join(counts) or text("diagnostics.no_errors")]
    if files:
        key = "diagnostics.in_file" if len(files) == 1 else "diagnostics.in_files"
        parts.append(text(key, file=files[0], count=len(files)))
    if elapsed_s is not None:
        parts.append(text("diagnostics.took", milliseconds=f"{elapsed_s * 1000:.0f}"))
    return " ".join(parts)


def fault_message(fault: Fault) -> str:
    """What is wrong with the record, from the code's page."""
    return page(fault.code).text("message", fault.variant, _fault_args(fault))


def fault_to_lines(fault: Fault, width: int, indent: int = 0, *, colour: bool = False) -> list[str]:
    """What is wrong, where in the result, by which rule of the map, from which columns: on one line where it fits."""
    columns = text("diagnostics.from_columns", columns=", ".join(fault.columns)) if fault.columns else ""
    word = f"{text(f'diagnostics.severity.{fault.severity}')}[{fault.code}]"
    head = word + text("diagnostics.colon") + _visible(fault_message(fault))
    lines = _said(head, (fault.path, fault.position and f"--> {fault.position}", columns), width, indent)
    return _painted(lines, word, fault.severity) if colour else lines


def fault_to_json(fault: Fault) -> dict[str, object]:
    """The fault as data."""
    return {
        "code": fault.code,
        "severity": fault.severity,
        "message": fault_message(fault),
        "hint": page(fault.code).text("hint", fault.variant, _fault_args(fault)) or None,
        "path": fault.path or None,
        "element": fault.element or None,
        "rule": fault.rule or None,
        "position": fault.position or None,
        "columns": list(fault.columns),
    }


def note_to_lines(note: Note, width: int, indent: int = 0, *, colour: bool = False) -> list[str]:
    """The map's own words and the rule that said them: on one line where it fits."""
    word = text("diagnostics.severity.note")
    head = word + text("diagnostics.colon") + _visible(note.text)
    lines = _said(head, (note.position and f"--> {note.position}",), width, indent)
    return _painted(lines, word, "note") if colour else lines


def note_to_json(note: Note) -> dict[str, object]:
    """The note as data."""
    return {"text": note.text, "position": note.position or None}


def folded(line: str, width: int = 80, indent: int = 4) -> list[str]:
    """A line in pieces of at most ``width`` characters, those after the first indented; its blanks stay as they are.

    Example:
        >>> folded("invalid  2   a side is missing", 22, 13)
        ['invalid  2   a side is', '             missing']
    """
    lead = " " * (len(line) - len(line.lstrip()))
    margin = " " * indent
    return wrap(
        line.strip(),
        width,
        initial_indent=lead,
        subsequent_indent=margin,
        break_on_hyphens=False,
        break_long_words=False,
    ) or [""]


def _said(head: str, details: Iterable[str], width: int, indent: int) -> list[str]:
    """What is said and its details: on one line, or the details below, as many on a line as fit."""
    lead, below = " " * indent, " " * (indent + 4)
    known = [part for part in details if part]
    whole = lead + "   ".join((head, *known))
    if _width(whole) <= width:
        return [whole]
    lines = folded(lead + head, width, indent + 4)
    current = ""
    for part in known:
        joined = f"{current}   {part}" if current else below + part
        if current and _width(joined) > width:
            lines += folded(current, width, indent + 6)
            joined = below + part
        current = joined
    return [*lines, *(folded(current, width, indent + 6) if current else [])]


def _painted(lines: list[str], word: str, style: str) -> list[str]:
    return [lines[0].replace(word, _ansi(style, word), 1), *lines[1:]]


@dataclass(frozen=True, slots=True)
class _ExcerptStyle:
    """What the excerpts of one diagnostic share. ``limit``: columns for a source line."""

    gutter: int
    paint: Paint
    limit: int
    is_folded: bool


def _excerpt(  # noqa: PLR0913 - the pieces of one line
    span: Span, label: str, frame: _ExcerptStyle, style: str, arrow: str, mark: str, *, masked: bool = False
) -> list[str]:
    """Place, empty frame line, source line, marks under the span with the label after them, or below where it is long.

    ``masked``: the marked characters are a secret and are shown as asterisks.
    """
    line = span.text.line_text(span.line)
    start = min(span.column - 1, len(line))
    several = span.end_line > span.line
    end = len(line) if several else max(start, min(span.end_column - 1, len(line)))
    shown = "*" * (end - start) if masked else line[start:end]
    gutter, paint = frame.gutter, frame.paint
    before, marked, after = _cropped(line[:start], shown, line[end:], frame.limit)
    marks = " " * _width(before) + paint(style, mark * max(1, _width(marked)))
    until = text("diagnostics.up_to_line", line=span.end_line) if several else ""
    words = ", ".join(part for part in (_visible(label), until) if part)
    bar = paint("frame", "|")
    under = f"{' ' * gutter} {bar} "
    lines = [
        f"{' ' * gutter}{paint('frame', arrow)} {span.position}",
        f"{' ' * gutter} {bar}",
        f"{paint('frame', str(span.line).rjust(gutter))} {bar} {before}{marked}{after}".rstrip(),
    ]
    if not words:
        return [*lines, under + marks]
    beside = _width(before) + max(1, _width(marked)) + 1 + _width(words)
    if not frame.is_folded or beside <= frame.limit:
        return [*lines, f"{under}{marks} {paint(style, words)}"]
    at = min(_width(before), max(frame.limit - _width(words), 0))
    pieces = folded(words, max(frame.limit - at, _NARROWEST_LINE), 0)
    return [*lines, under + marks, *(f"{under}{' ' * at}{paint(style, piece)}" for piece in pieces)]


def _heads(severity: str, code: str, message: str, paint: Paint, width: int | None) -> list[str]:
    word = f"{text(f'diagnostics.severity.{severity}')}[{code}]"
    whole = word + text("diagnostics.colon") + _visible(message)
    first, *others = [whole] if width is None else folded(whole, width)
    return [paint(severity, word) + paint("strong", first[len(word) :]), *(paint("strong", line) for line in others)]


def _tail(diagnostic: Diagnostic, gutter: int, paint: Paint, width: int | None) -> tuple[str, ...]:
    """Hint, and where to read more: on one line where they fit."""
    said = [("diagnostics.hint", _visible(diagnostic.hint_text))] if diagnostic.hint_text else []
    said.append(("diagnostics.why", " ".join(("fhirmap", "explain", diagnostic.code))))
    lead, colon = " " * (gutter + 1), text("diagnostics.colon")
    parts = [f"= {text(key)}{colon}{words}" for key, words in said]
    together = lead + "   ".join(parts)
    fits = len(diagnostic.hint_text) <= _WIDEST_TAIL if width is None else _width(together) <= width
    lines: list[str] = []
    for (key, _), part in zip(said, parts, strict=True):
        pieces = [part] if fits or width is None else folded(lead + part, width, gutter + 3)
        pieces[0] = pieces[0].strip().replace(text(key), paint("strong", text(key)), 1)
        pieces[0] = lead + pieces[0].replace("=", paint("frame", "="), 1)
        lines += pieces
    return (lead + "   ".join(line.strip() for line in lines),) if fits else tuple(lines)


def _cropped(before: str, marked: str, after: str, limit: int) -> tuple[str, str, str]:
    """The three parts as shown: tabs widened, control characters visible, a long line cut around its marks."""
    # No more is looked at than could be shown: a line of a megabyte may have many faults.
    most = limit + 1
    before, marked, after = _visible(before[-most:]), _visible(marked[:most]), _visible(after[:most])
    if len(before) + len(marked) + len(after) <= limit:
        return before, marked, after
    third = limit // 3
    if len(before) > third:
        before = "…" + before[-third:]
    if len(marked) > third:
        return before, marked[:third] + "…", ""
    rest = limit - len(before) - len(marked) - 1
    return before, marked, after if len(after) <= rest else after[:rest] + "…"


def _visible(shown: str) -> str:
    """Text that moves no cursor: a tab is four blanks, any other sign that is not seen a replacement mark."""
    return blotted(shown.replace("\t", _TAB))


def _width(shown: str) -> int:
    """Columns that a terminal gives ``shown``: wide characters two, combining marks and joiners none."""
    return sum(
        0 if combining(char) or category(char) in ("Mn", "Me", "Cf") else 2 if east_asian_width(char) in "WF" else 1
        for char in shown
    )


def _plain(_style: str, shown: str) -> str:
    return shown


def _ansi(style: str, shown: str) -> str:
    return f"\x1b[{_STYLES.get(style, '1')}m{shown}\x1b[0m"


def _place_json(span: Span | None) -> dict[str, object]:
    if span is None:
        return {"file": None, "line": None, "column": None, "end_line": None, "end_column": None}
    return {
        "file": span.name,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _fault_args(fault: Fault) -> dict[str, object]:
    """The template's arguments: the fault's own, and what every fault knows."""
    known = {"path": fault.path, "element": fault.element, "rule": fault.rule, "columns": ", ".join(fault.columns)}
    return {**known, **fault.args}
