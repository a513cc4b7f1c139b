"""Payloads and answers encrypted where they are kept: AES-256-GCM (NIST SP 800-38D), a random nonce of 96 bits before
each ciphertext.

What is authenticated beside the bytes is what the row belongs to: the bytes of one record do not open in the row of
another. `sealed_by` names the key by a digest, so that a row says which key it needs; without it a row is plain, and
what is empty stays so.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["KEY_BYTES", "Sealed", "Sealing", "encryption_key_id"]

KEY_BYTES = 32
_NONCE_BYTES = 12
_ID_LETTERS = 16
_LABEL = b"fhirmap encryption key\x00"


def encryption_key_id(key: bytes) -> str:
    """How a key is called in the journal and in messages: it says nothing of the key.

    Example:
        >>> encryption_key_id(bytes(32))
        '848776551feff49f'
    """
    return hashlib.sha256(_LABEL + key).hexdigest()[:_ID_LETTERS]


class Sealed(NamedTuple):
    """What is kept, and the key that opens it; empty where it is plain."""

    content: bytes
    sealed_by: str


class Sealing:
    """The keys of one establishment's journal for one operation: the first seals, all open.

    ``keys``: 32 bytes each; none: what is written is plain.
    """

    def __init__(self, keys: Sequence[bytes], establishment: str, operation: str) -> None:
        self._keys = {encryption_key_id(key): key for key in keys}
        self._scope = (establishment, operation)
        self.sealed_by = next(iter(self._keys), "")
        """The key that seals; empty without one."""

    @cached_property
    def _ciphers(self) -> Mapping[str, AESGCM]:
        if not self._keys:
            return {}
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return {name: AESGCM(key) for name, key in self._keys.items()}

    def knows(self, sealed_by: str) -> bool:
        """Is the key there that this needs?"""
        return not sealed_by or sealed_by in self._keys

    def seal_payload(self, key: str, digest: str, content: bytes) -> Sealed:
        """The payload of a record; ``digest``: of the plain one."""
        return self._seal(content, self._of_payload(key, digest))

    def open_payload(self, key: str, digest: str, content: object, sealed_by: str) -> bytes | None:
        """The plain payload; None where it is not what was sealed for this record, or its key is not there."""
        return self._open(content, sealed_by, self._of_payload(key, digest))

    def seal_answer(self, entry_id: int, number: int, body: bytes) -> Sealed:
        """The body of the answer to attempt ``number`` of an entry."""
        return self._seal(body, self._of_answer(entry_id, number))

    def open_answer(self, entry_id: int, number: int, body: object, sealed_by: str) -> bytes | None:
        """The plain body; None where it is not what was sealed for this attempt, or its key is not there."""
        return self._open(body, sealed_by, self._of_answer(entry_id, number))

    def _of_payload(self, key: str, digest: str) -> tuple[str | int, ...]:
        return ("payload", *self._scope, key, digest)

    def _of_answer(self, entry_id: int, number: int) -> tuple[str | int, ...]:
        return ("answer", *self._scope, entry_id, number)

    def _seal(self, content: bytes, place: tuple[str | int, ...]) -> Sealed:
        if not self.sealed_by or not content:
            return Sealed(content, "")
        nonce = os.urandom(_NONCE_BYTES)
        return Sealed(nonce + self._ciphers[self.sealed_by].encrypt(nonce, content, _bytes(place)), self.sealed_by)

    def _open(self, content: object, sealed_by: str, place: tuple[str | int, ...]) -> bytes | None:
        if not isinstance(content, bytes | memoryview):
            return None
        held = bytes(content)
        if not sealed_by:
            return held
        cipher = self._ciphers.get(sealed_by)
        if cipher is None:
            return None
        from cryptography.exceptions import InvalidTag

        try:
            return cipher.decrypt(held[:_NONCE_BYTES], held[_NONCE_BYTES:], _bytes(place))
        except (InvalidTag, ValueError):  # ValueError: cut shorter than a nonce
            return None


def _bytes(place: tuple[str | int, ...]) -> bytes:
    """Of a list, so that no two places have the same."""
    return json.dumps(place).encode()
