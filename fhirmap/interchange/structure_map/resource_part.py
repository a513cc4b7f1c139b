"""An object of a resource that is read step by step: what is never asked for is reported, not dropped."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fhirmap.data import JsonValue
from fhirmap.diagnostics import Diagnostic


class ResourcePart:
    """One object, its path in the resource, and which of its elements have been read."""

    def __init__(self, value: Mapping[str, Any], path: str, diagnostics: list[Diagnostic], name: str) -> None:
        self.value = value
        self.path = path
        self._diagnostics = diagnostics
        self._name = name
        self._unread = dict.fromkeys(value)
        self._inside: list[ResourcePart] = []

    def child_path(self, name: str) -> str:
        """Path of an element of this object."""
        return f"{self.path}.{name}" if self.path else name

    # --- elements -----------------------------------------------------------------------------------------------------

    def take(self, name: str) -> JsonValue:
        """The element as it is."""
        self._unread.pop(name, None)
        return self.value.get(name)

    def text(self, name: str) -> str | None:
        """A text; a fault where it is something else."""
        value = self.take(name)
        if value is None or isinstance(value, str):
            return value or None
        self.wrong(name, "text")
        return None

    def required(self, name: str) -> str:
        """A text that must be there; a fault and an empty one where it is not."""
        value = self.text(name)
        if value is None:
            if not isinstance(self.value.get(name), int | float | list | dict):
                self.wrong(name, "missing")
            return ""
        return value

    def number(self, name: str) -> int | None:
        """A whole number; a fault where it is something else."""
        value = self.take(name)
        if isinstance(value, str | Decimal) and str(value).isdigit():
            value = int(value)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self.wrong(name, "number")
        return None

    def flag(self, name: str) -> bool:
        """A boolean; absent is false."""
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            self.wrong(name, "boolean")
        return value is True

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        found = []
        for rank, entry in enumerate(self._list(name)):
            if isinstance(entry, str):
                found.append(entry)
            else:
                self.wrong(f"{name}[{rank}]", "text")
        return found

    def parts(self, name: str, *, single: bool = False) -> list[ResourcePart]:
        """The objects of a list, or the one object that the element is (``single``)."""
        found = []
        value = self.take(name)
        entries = ([value] if value is not None else []) if single else self._list(name)
        for rank, entry in enumerate(entries):
            place = name if single else f"{name}[{rank}]"
            if isinstance(entry, Mapping):
                part = ResourcePart(entry, self.child_path(place), self._diagnostics, self._name)
                self._inside.append(part)
                found.append(part)
            else:
                self.wrong(place, "object")
        return found

    def _list(self, name: str) -> list[Any]:
        value = self.take(name)
        if value is None or isinstance(value, list):
            return value or []
        self.wrong(name, "list")
        return []

    # --- what is wrong, and what is lost ------------------------------------------------------------------------------

    def wrong(self, name: str, variant: str, code: str = "FM048", **args: object) -> None:
        """Notes that an element cannot be what it is."""
        path = self.child_path(name) if name else self.path
        self._diagnostics.append(Diagnostic(code, None, {"file": self._name, "path": path, **args}, variant=variant))

    def lose(self, name: str) -> None:
        """Notes an element that no text of a map can say."""
        self._unread.pop(name, None)
        args = {"file": self._name, "path": self.child_path(name) if name else self.path}
        self._diagnostics.append(Diagnostic("FM047", None, args))

    def lost(self) -> None:
        """Notes that the whole object is left out."""
        self._unread.clear()
        self._inside.clear()
        self.lose("")

    def ignore(self, *names: str) -> None:
        """Elements that go without saying."""
        for name in names:
            self._unread.pop(name, None)

    def ignore_all(self) -> None:
        """The whole object goes without saying."""
        self._unread.clear()

    def report_unread(self) -> None:
        """Notes what was never asked for, here and inside."""
        for name in list(self._unread):
            self.lose(name)
        for part in self._inside:
            part.report_unread()
