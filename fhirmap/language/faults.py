"""The faults of one text as they are found, and the spans to point at them."""

from __future__ import annotations

from fhirmap.diagnostics import Diagnostic, MapText, Related, Span


class Faults:
    """Collects the diagnostics of one text; whoever reads the text gets spans from here."""

    def __init__(self, text: MapText) -> None:
        self.text = text
        self._found: list[Diagnostic] = []

    def span(self, start: int, end: int) -> Span:
        """The characters from ``start`` to ``end``."""
        return Span(self.text, start, end)

    def add(
        self,
        code: str,
        span: Span,
        *,
        variant: str = "",
        meant: str | None = None,
        related: tuple[Related, ...] = (),
        **args: object,
    ) -> None:
        """Note one fault. ``meant``: the right word for a wrong one."""
        self._found.append(Diagnostic(code, span, args, variant=variant, related=related, meant=meant))

    def __len__(self) -> int:
        return len(self._found)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """All of them in the order of the text, each once."""
        unique = {(fault.code, fault.span.start if fault.span else 0): fault for fault in reversed(self._found)}
        return tuple(sorted(unique.values(), key=lambda fault: (fault.span.start if fault.span else 0, fault.code)))
