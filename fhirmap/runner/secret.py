"""A text that may hold a secret: kept as a reference, looked up when it is used, never shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from fhirmap.bounded_files import MOST_SETTINGS_BYTES, read_bounded
from fhirmap.errors import ConfigError
from fhirmap.texts import Text, os_reason

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Secret:
    """``${NAME}`` inside a text, a whole variable, a file, or an entry of the system's keyring. Its repr and str never
    show what it holds.

    ``setting``: the key of the project file it is at, for messages. ``environ``: where variables are looked up.
    ``keyring``: the service and the user of the entry, `/` between them.
    """

    setting: str
    text: str = field(default="", repr=False)
    file: Path | None = field(default=None, repr=False)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False, compare=False)
    keyring: str = field(default="", repr=False)

    def __str__(self) -> str:
        return "***"

    @property
    def is_literal(self) -> bool:
        """Does the project file itself hold the text?"""
        return self.file is None and bool(self.text) and not _REFERENCE.search(self.text)

    @property
    def unset(self) -> tuple[str, ...]:
        """Names of the variables it refers to and that are not set."""
        return tuple(dict.fromkeys(name for name in _REFERENCE.findall(self.text) if name not in self.environ))

    def reveal(self) -> str:
        """The text itself.

        Raises: ConfigError FM736 (a variable is not set), FM738 (the file or the keyring cannot be read), FM797 (the
        extra `keyring` is not installed).
        """
        if self.keyring:
            return self._from_keyring(self.keyring)
        if self.file is not None:
            return self._from_file(self.file)
        if self.unset:
            raise ConfigError("FM736", variable=self.unset[0], setting=self.setting)
        return _REFERENCE.sub(self._value, self.text)

    def _value(self, found: re.Match[str]) -> str:
        """A variable's value; percent-encoded if it comes before the `@` of a URL, so that any password may."""
        value = self.environ[found.group(1)]
        before, _, after = found.string[: found.start()], "", found.string[found.end() :]
        in_credentials = "://" in before and "/" not in before.split("://", 1)[1] and "@" in after
        return quote(value, safe="") if in_credentials else value

    def _from_file(self, file: Path) -> str:
        try:
            return read_bounded(file, MOST_SETTINGS_BYTES).decode().strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = os_reason(error) if isinstance(error, OSError) else Text("system.not_utf8")
            raise ConfigError("FM738", setting=self.setting, path=str(file), reason=reason) from None

    def _from_keyring(self, entry: str) -> str:
        try:
            import keyring
            from keyring.errors import KeyringError
        except ImportError:
            raise ConfigError("FM797", library="keyring", extra="keyring") from None
        service, _, user = entry.rpartition("/")
        try:
            found = keyring.get_password(service, user)
        except KeyringError as error:
            reason = type(error).__name__
            raise ConfigError("FM738", variant="keyring", setting=self.setting, entry=entry, reason=reason) from None
        if found is None:
            raise ConfigError("FM738", variant="not_in_keyring", setting=self.setting, entry=entry)
        return str(found).strip()
