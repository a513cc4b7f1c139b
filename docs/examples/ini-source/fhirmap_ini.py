"""A source: a text file whose sections are records.

```ini
[12]
born = 1951-02-03
```
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as IniError
from pathlib import Path
from types import TracebackType
from typing import Self

from fhirmap.extending import Address, ConfigError, Diagnostic, Fault, Record, SourcePlan


class IniFile:
    """The sections of one file, in its order; the section's name is the column ``section``."""

    def __init__(self, address: Address, plan: SourcePlan) -> None:
        """Raises: ConfigError FM701 (not there), FM702 (cannot be read)."""
        self._plan = plan
        self._path = address.path or Path(address.url)
        self._shown = address.shown
        self._sections = self._read()

    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """Every key that some section has."""
        keys = dict.fromkeys(key for cells in self._sections.values() for key in cells)
        return {self._plan.name: ("section", *keys)}

    def check(self) -> list[Diagnostic]:
        """FM704 for each column of the plan that no section has."""
        known = self.columns()[self._plan.name]
        return [
            Diagnostic("FM704", args={"table": self._shown, "column": column.name, "position": column.position})
            for column in self._plan.shape.columns
            if column.name not in known
        ]

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        """Every section, or those whose keys are wanted. A section without its key is a record with a fault."""
        for section, cells in self._sections.items():
            # Every column that the map reads is there, with None where this section has no such key.
            values = {**dict.fromkeys(self._plan.shape.column_names), "section": section, **cells}
            found = [(values.get(column) or "").strip() for column in self._plan.key]
            key = "|".join(found)
            faults = () if all(found) else (self._no_key(),)
            if keys is None or key in keys:
                yield Record(key, values, f"{self._path.name} [{section}]", faults)

    def _no_key(self) -> Fault:
        return Fault("FM717", rule="key", args={"columns": ", ".join(self._plan.key)}, columns=self._plan.key)

    def count(self) -> int:
        """Sections there are."""
        return len(self._sections)

    def close(self) -> None:
        """Nothing is kept open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> dict[str, dict[str, str]]:
        parser = ConfigParser(interpolation=None)
        try:
            parser.read_string(self._path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            raise ConfigError("FM701", source=self._shown, path=str(self._path)) from None
        except OSError as error:
            raise ConfigError("FM702", source=self._shown, reason=error.strerror or "not readable") from None
        except (IniError, UnicodeDecodeError):
            # Without the library's words: they quote the line, and the line may quote a patient.
            raise ConfigError("FM702", source=self._shown, reason="not an INI file") from None
        return {section: dict(parser[section]) for section in parser.sections()}
