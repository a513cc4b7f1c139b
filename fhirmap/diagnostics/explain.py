"""`fhirmap explain FMnnn`: a code's page as text for a terminal."""

from __future__ import annotations

from difflib import get_close_matches

from fhirmap.diagnostics.catalog import codes, page

_DIGITS = str.maketrans("OIL", "011")
_HEADINGS = {"map wrong": "wrong:", "text rendered": "fhirmap says:", "map repaired": "repaired:"}


class UnknownCode(LookupError):
    """There is no page for this code; ``nearest`` holds the codes that may have been meant."""

    def __init__(self, code: str, nearest: tuple[str, ...]) -> None:
        self.code = code
        self.nearest = nearest
        hint = f"; did you mean {', '.join(nearest)}?" if nearest else ""
        super().__init__(f"there is no code `{code}`{hint}")


def explain(code: str) -> str:
    """The page of ``code`` (`FM204`, `fm204` or `204`): title and severity, what it means and why, wrong and repaired.

    Raises: UnknownCode, with the nearest codes.
    """
    wanted = code.strip().upper()
    if wanted.isdigit():
        wanted = f"FM{wanted:0>3}"
    known = codes()
    if wanted not in known:
        alike = wanted[:2] + wanted[2:].translate(_DIGITS)
        raise UnknownCode(code, tuple(get_close_matches(alike, known, n=3, cutoff=0.6)))
    found = page(wanted)
    return f"{found.code}: {found.title} ({found.severity})\n\n{_as_text(found.body)}"


def _as_text(markdown: str) -> str:
    """Fenced blocks indented under a heading of their own; the rest as written."""
    lines: list[str] = []
    inside = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            inside = not inside
            if inside:
                lines.append(_HEADINGS.get(line[3:].strip(), line[3:].strip().partition(" ")[2] + ":").lstrip(":"))
        else:
            lines.append(f"    {line}".rstrip() if inside else line)
    return "\n".join(lines).strip() + "\n"
