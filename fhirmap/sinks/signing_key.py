"""The private key of ``private_key_jwt``: PEM, a JWK or a set of JWKs; and the public keys that the receiver registers.

Algorithms: JWA (RFC 7518 section 3). SMART App Launch 2.2 asks servers for RS384 and ES384, so these come first.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from fhirmap.errors import ConfigError
from fhirmap.sinks.settings import ClientCredentials
from fhirmap.texts import Text

__all__ = ["SigningKey", "public_key_set", "read_signing_keys", "signing_key"]

_RSA_ALGORITHMS = ("RS384", "RS256", "RS512", "PS384", "PS256", "PS512")
_EC_ALGORITHMS = {"P-256": ("ES256",), "P-384": ("ES384",), "P-521": ("ES512",)}
_LEAST_BITS = 2048
_PRIVATE = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----", re.DOTALL)
_UNREADABLE = (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What the libraries raise for a key that is none: a text that is no PEM, members of a JWK that are missing, of another
type, or do not belong together."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that can sign. ``algorithms``: those it is good for, the preferred one first; ``key_id``: its
    ``kid``, empty where it has none."""

    key: RSAKey | ECKey = field(repr=False)
    algorithms: tuple[str, ...]
    key_id: str = ""


def signing_key(credentials: ClientCredentials, taken: Collection[str] | None = None) -> SigningKey:
    """The key to sign with: of a set the one that ``key_id`` names, or the first that has an algorithm for it.
    ``taken``: the algorithms that the server takes, where it says so.

    Raises: ConfigError FM792 where no key can sign, or not by an algorithm that is wanted.
    """
    keys = read_signing_keys(credentials.private_key)
    key_id, wanted = credentials.key_id, credentials.algorithm
    if key_id and any(key.key_id for key in keys):
        named = [key for key in keys if key.key_id == key_id]
        if not named:
            names = ", ".join(key.key_id for key in keys if key.key_id)
            raise ConfigError("FM792", what="key_id", reason=Text("reasons.no_key_of_id", {"names": names}))
        keys = named
    for key in keys:
        fit = tuple(name for name in key.algorithms if wanted in ("", name) and (taken is None or name in taken))
        if fit:
            return SigningKey(key.key, fit, key_id or key.key_id)
    names = ", ".join(dict.fromkeys(name for key in keys for name in key.algorithms))
    raise ConfigError("FM792", what="algorithm", reason=Text("reasons.algorithm", {"names": names}))


def read_signing_keys(text: str) -> Sequence[SigningKey]:
    """Every key of the text that can sign, in its order; at least one.

    Raises: ConfigError FM792 where there is none.
    """
    stripped = text.strip("\ufeff \t\r\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # a key that is too short is refused, with a code
        if stripped.startswith(("{", "[")):
            return _of_json(stripped)
        return [_of_pem(stripped)]


def public_key_set(keys: Sequence[SigningKey], key_id: str = "") -> Mapping[str, Any]:
    """A JWK Set (RFC 7517 section 5) of the public keys, as a receiver registers it. A key without an id gets
    ``key_id`` where it is the only one, or its thumbprint (RFC 7638)."""
    only = key_id if len(keys) == 1 else ""
    return {
        "keys": [
            {
                **key.key.as_dict(private=False),
                "kid": key.key_id or only or key.key.thumbprint(),
                "use": "sig",
                "key_ops": ["verify"],
                "alg": key.algorithms[0],
            }
            for key in keys
        ]
    }


def _of_pem(text: str) -> SigningKey:
    found = list(_PRIVATE.finditer(text))
    if not found:
        public = "-----BEGIN PUBLIC KEY" in text or "-----BEGIN CERTIFICATE" in text or "-----BEGIN RSA PUBLIC" in text
        raise _refusal("public_key" if public else "no_private_key")
    if len(found) > 1:
        raise _refusal("several_pem_keys")
    block = found[0].group()
    if "ENCRYPTED" in block:
        raise _refusal("encrypted_key")
    for kind in (RSAKey, ECKey):
        try:
            return _fit(kind.import_key(block))
        except _UNREADABLE:
            continue
    raise _refusal("no_private_key")


def _of_json(text: str) -> Sequence[SigningKey]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise _refusal("no_private_key") from None
    entries = values.get("keys", [values]) if isinstance(values, dict) else []
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise _refusal("no_key_set")
    signing = [entry for entry in entries if _may_sign(entry)]
    private = [entry for entry in signing if "d" in entry]
    if not private:
        symmetric = any(entry.get("kty") == "oct" for entry in entries)
        raise _refusal("oct_key" if symmetric and not signing else "public_key" if signing else "no_signing_key")
    return [_of_jwk(entry) for entry in private]


def _may_sign(entry: Mapping[str, Any]) -> bool:
    """RFC 7517 sections 4.2 and 4.3: is a key meant for signatures, as far as it says?"""
    operations = entry.get("key_ops")
    return (
        entry.get("kty") in ("RSA", "EC")
        and entry.get("use", "sig") == "sig"
        and (
            operations is None or (isinstance(operations, list) and bool({"sign", "verify"} & {*map(str, operations)}))
        )
    )


def _of_jwk(entry: Mapping[str, Any]) -> SigningKey:
    kind = RSAKey if entry["kty"] == "RSA" else ECKey
    kept = {name: value for name, value in entry.items() if name not in ("use", "key_ops", "alg", "kid", "x5c")}
    try:
        key = _fit(kind.import_key(kept))
    except _UNREADABLE:
        raise _refusal("broken_jwk") from None
    key_id, algorithm = entry.get("kid", ""), entry.get("alg")
    if algorithm is not None and algorithm not in key.algorithms:
        raise ConfigError(
            "FM792", what="private_key", reason=Text("reasons.algorithm", {"names": ", ".join(key.algorithms)})
        )
    return SigningKey(key.key, (str(algorithm),) if algorithm else key.algorithms, str(key_id))


def _fit(key: RSAKey | ECKey) -> SigningKey:
    """The key with its algorithms.

    Raises: ConfigError FM792 for one that may not be used.
    """
    if not key.is_private:
        raise _refusal("public_key")
    if isinstance(key, RSAKey):
        if key.raw_value.key_size < _LEAST_BITS:
            raise _refusal("short_key")
        return SigningKey(key, _RSA_ALGORITHMS)
    algorithms = _EC_ALGORITHMS.get(key.curve_name)
    if algorithms is None:
        raise _refusal("curve")
    return SigningKey(key, algorithms)


def _refusal(reason: str) -> ConfigError:
    return ConfigError("FM792", what="private_key", reason=Text(f"reasons.{reason}"))
