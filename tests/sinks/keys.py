"""Keys of every kind, made once, in the forms in which people have them."""

from __future__ import annotations

import json
import warnings
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import ECKey, RSAKey

RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
SHORT_RSA = rsa.generate_private_key(65537, 1024)
P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
P521 = ec.generate_private_key(ec.SECP521R1())
BRAINPOOL = ec.generate_private_key(ec.BrainpoolP256R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()
PASSWORD = serialization.BestAvailableEncryption(b"canary")

_FORMATS = {
    "pkcs8": serialization.PrivateFormat.PKCS8,
    "traditional": serialization.PrivateFormat.TraditionalOpenSSL,
    "openssh": serialization.PrivateFormat.OpenSSH,
}


def private_pem(key: Any, form: str = "pkcs8", encryption: Any = None) -> str:
    """PKCS#8; PKCS#1 or SEC1 (``traditional``); or OpenSSH's."""
    made: bytes = key.private_bytes(
        serialization.Encoding.PEM, _FORMATS[form], encryption or serialization.NoEncryption()
    )
    return made.decode()


def public_pem(key: Any) -> str:
    made: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return made.decode()


def jwk(key: Any, *, private: bool = True, **members: Any) -> dict[str, Any]:
    kind = RSAKey if isinstance(key, rsa.RSAPrivateKey) else ECKey
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a key that is too short
        return {**kind.import_key(private_pem(key)).as_dict(private=private), **members}


def key_set(*entries: dict[str, Any]) -> str:
    return json.dumps({"keys": list(entries)})
