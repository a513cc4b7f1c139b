"""The keys by which the journal's payloads and answers are encrypted, as the project file refers to them."""

from __future__ import annotations

import base64
import binascii
import secrets

from fhirmap.errors import ConfigError
from fhirmap.journal.sealing import KEY_BYTES
from fhirmap.runner.project import JournalPart
from fhirmap.texts import Text

__all__ = ["encryption_keys", "new_key", "parse_key"]


def encryption_keys(settings: JournalPart) -> tuple[bytes, ...]:
    """Looked up now; the first encrypts.

    Raises: ConfigError FM735 (is no key), FM736, FM738, FM797.
    """
    found: list[bytes] = []
    for secret in settings.encryption_keys:
        key = parse_key(secret.reveal())
        if key is None:
            raise ConfigError("FM735", setting=secret.setting, reason=Text("reasons.encryption_key"))
        found.append(key)
    return tuple(found)


def parse_key(written: str) -> bytes | None:
    """32 bytes in base64 (also that of URLs) or hexadecimal; None for anything else."""
    text = written.strip()
    try:
        if len(text) == 2 * KEY_BYTES:
            return bytes.fromhex(text)
        key = base64.b64decode(text.translate({ord("-"): "+", ord("_"): "/"}), validate=True)
    except (ValueError, binascii.Error):
        return None
    return key if len(key) == KEY_BYTES else None


def new_key() -> str:
    """A random key in base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
