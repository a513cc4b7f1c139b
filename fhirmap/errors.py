"""The exception tree.

```
FhirmapError
├─ MapError          the map author's fault: every diagnostic of the map at once (FM0xx-FM3xx)
├─ RecordError       the data's fault: the run goes on with the next record
│  ├─ TransformFailed     FM4xx
│  └─ ValidationFailed    FM5xx
├─ DeliveryError     FM6xx, raised by sinks only for what stops the run; a record's answer is a Receipt
├─ ConfigError       FM7xx: project file, plug-ins, surroundings (source, files)
│  └─ ProjectError        every fault of a project at once
├─ JournalError      FM8xx: stops the run
└─ InternalError     FM9xx: our bug
```
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.texts import Listing, Text, text

_PACKAGE = Path(__file__).resolve().parent


class FhirmapError(Exception):
    """Root of everything fhirmap raises: a code and the arguments of its message template, never a cell's value."""

    def __init__(  # noqa: PLR0913 - the parts of a diagnostic
        self,
        code: str,
        *,
        span: Span | None = None,
        hint: Text | Listing | None = None,
        variant: str = "",
        meant: str | None = None,
        known: tuple[str, ...] = (),
        **args: object,
    ) -> None:
        self.code = code
        self._diagnostic = Diagnostic(code, span, args, hint, variant, meant=meant, known=known)
        super().__init__(f"{code}: {self._diagnostic.message}")

    def diagnostic(self) -> Diagnostic:
        """The fault as a value."""
        return self._diagnostic

    def __reduce__(self) -> tuple[Any, ...]:
        # Made again from what it holds: an exception is otherwise made of its text alone, and a pool of processes
        # that cannot make it again waits for ever.
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[FhirmapError], args: tuple[object, ...], held: Mapping[str, object]) -> FhirmapError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(held)
    return error


class DiagnosedError(FhirmapError):
    """Something of which everything that is wrong is known: all its ``diagnostics``, the first error's code."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        errors = [entry for entry in self.diagnostics if entry.is_error] or list(self.diagnostics)
        self.code = errors[0].code
        self._diagnostic = errors[0]
        where = f"{errors[0].span.position}: " if errors[0].span else ""
        more = f" {text('diagnostics.and_more', count=len(errors) - 1)}" if len(errors) > 1 else ""
        Exception.__init__(self, f"{where}{errors[0].code}: {errors[0].message}{more}")


class MapError(DiagnosedError):
    """A map that cannot run, with all its diagnostics."""


class RecordError(FhirmapError):
    """The data's fault: one record cannot go on, the run does."""


class TransformFailed(RecordError):
    """A rule could not be carried out on this record (FM4xx)."""


class ValidationFailed(RecordError):
    """A result breaks its contract (FM5xx)."""


class DeliveryError(FhirmapError):
    """The sink cannot be used at all: the run stops (FM6xx)."""


class ConfigError(FhirmapError):
    """Project file, plug-ins, source or files are not usable (FM7xx)."""

    @staticmethod
    def of(found: Diagnostic) -> ConfigError:
        """The exception whose fault is ``found``."""
        return ConfigError(
            found.code,
            span=found.span,
            hint=found.hint,
            variant=found.variant,
            meant=found.meant,
            known=found.known,
            **dict[str, Any](found.args),
        )


class ProjectError(DiagnosedError, ConfigError):
    """A project that cannot run, with all its diagnostics: those of its files and of its source's layout."""


class JournalError(FhirmapError):
    """The journal cannot be trusted or written: the run stops (FM8xx)."""


class InternalError(FhirmapError):
    """Our bug (FM9xx)."""

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """FM900 for an exception that is not foreseen: its type and frames, without its text, which may quote a
        patient."""
        from traceback import extract_tb

        frames = extract_tb(error.__traceback__)
        where = "; ".join(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames[-6:])
        return cls("FM900", kind=type(error).__name__, where=where)


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(_PACKAGE.parent)) if path.is_relative_to(_PACKAGE) else path.name
