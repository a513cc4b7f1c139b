"""Private keys in every form, which one of a set signs and by what, and what is no key to sign with."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection
from typing import Any

import pytest

from fhirmap.errors import ConfigError
from fhirmap.sinks import ClientCredentials
from fhirmap.sinks.signing_key import SigningKey, public_key_set, read_signing_keys, signing_key
from tests.sinks.keys import (
    BRAINPOOL,
    ED25519,
    OTHER_RSA,
    P256,
    P384,
    P521,
    PASSWORD,
    RSA,
    SHORT_RSA,
    jwk,
    key_set,
    private_pem,
    public_pem,
)


def chosen(text: str, taken: Collection[str] | None = None, **settings: Any) -> SigningKey:
    return signing_key(ClientCredentials("u", "c", private_key=text, **settings), taken)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS384"), (P256, "ES256"), (P384, "ES384"), (P521, "ES512")],
    ids=["rsa", "p256", "p384", "p521"],
)
@pytest.mark.parametrize("form", ["pkcs8", "traditional", "openssh"])
def test_each_form_of_pem(key: Any, algorithm: str, form: str) -> None:
    text = private_pem(key, form)
    assert chosen(text).algorithms[0] == algorithm
    assert chosen(text.replace("\n", "\r\n")).algorithms[0] == algorithm
    around = f"Bag Attributes\n    friendlyName: key\n{text}{public_pem(key)}"
    assert chosen(around).algorithms[0] == algorithm
    assert chosen(f"\ufeff{text}").key_id == ""


def test_a_sec1_file_with_its_curve_before_the_key() -> None:
    curve = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n"
    assert chosen(curve + private_pem(P384, "traditional")).algorithms == ("ES384",)


@pytest.mark.parametrize(
    ("settings", "key_id", "algorithm"),
    [
        ({}, "new", "RS384"),
        ({"key_id": "old"}, "old", "RS384"),
        ({"key_id": "curve"}, "curve", "ES384"),
        ({"algorithm": "ES384"}, "curve", "ES384"),
        ({"algorithm": "PS256"}, "new", "PS256"),
    ],
)
def test_which_key_of_a_set(settings: dict[str, str], key_id: str, algorithm: str) -> None:
    text = key_set(
        jwk(P256, kid="for-encryption", use="enc"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "symmetric"},
        jwk(P521, private=False, kid="public"),
        jwk(RSA, kid="new", use="sig", key_ops=["sign"]),
        jwk(OTHER_RSA, kid="old"),
        jwk(P384, kid="curve", alg="ES384"),
    )
    found = chosen(text, **settings)
    assert (found.key_id, found.algorithms[0]) == (key_id, algorithm)


def test_a_single_jwk_and_its_own_algorithm() -> None:
    found = chosen(json.dumps(jwk(RSA, kid="k", alg="RS256")))
    assert (found.key_id, found.algorithms) == ("k", ("RS256",))
    assert chosen(json.dumps(jwk(RSA)), key_id="given").key_id == "given"
    assert chosen(private_pem(RSA), key_id="given").key_id == "given"


def test_what_the_server_takes_decides_among_those_of_the_key() -> None:
    assert chosen(private_pem(RSA), ["ES384", "RS256"]).algorithms == ("RS256",)
    assert chosen(key_set(jwk(P256, kid="a"), jwk(P384, kid="b")), ["ES384"]).key_id == "b"
    with pytest.raises(ConfigError, match="FM792"):
        chosen(private_pem(RSA), ["ES384"])
    with pytest.raises(ConfigError, match="FM792"):
        chosen(private_pem(RSA), ["RS384"], algorithm="RS256")


BROKEN = {**jwk(RSA), "d": "AQAB"}
WITHOUT = {name: value for name, value in jwk(P256).items() if name != "y"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("canary", "no RSA or EC private key"),
        ("", "no RSA or EC private key"),
        ("-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----", "no RSA or EC private key"),
        (private_pem(ED25519), "no RSA or EC private key"),
        (private_pem(RSA)[:200], "no RSA or EC private key"),
        (public_pem(RSA), "public key only"),
        (private_pem(RSA, encryption=PASSWORD), "has a password"),
        (private_pem(RSA, "traditional", PASSWORD), "has a password"),
        (private_pem(RSA) + private_pem(P256), "several private keys"),
        (private_pem(SHORT_RSA), "2048 bits"),
        (private_pem(BRAINPOOL), "no RSA or EC private key"),
        ("{", "no RSA or EC private key"),
        ("[" * 100_000, "no RSA or EC private key"),
        ("[]", "neither a JWK nor a set"),
        ('{"keys": {}}', "neither a JWK nor a set"),
        ('{"keys": []}', "neither a JWK nor a set"),
        ('{"keys": [5]}', "neither a JWK nor a set"),
        ("{}", "for signatures"),
        ('{"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}', "for signatures"),
        (key_set({"kty": "oct", "k": "canary"}), "symmetric"),
        (key_set(jwk(RSA, private=False)), "public key only"),
        (key_set(jwk(RSA, use="enc")), "for signatures"),
        (key_set(jwk(RSA, key_ops=["decrypt"])), "for signatures"),
        (key_set(jwk(RSA, key_ops="sign")), "for signatures"),
        (key_set(jwk(SHORT_RSA)), "2048 bits"),
        (key_set(BROKEN), "do not go together"),
        (key_set(WITHOUT), "do not go together"),
        (key_set({**jwk(P256), "crv": "P-384"}), "do not go together"),
        (key_set({**jwk(P256), "crv": ["canary"]}), "do not go together"),
        (key_set({"kty": "RSA", "n": 5, "e": None, "d": "canary"}), "do not go together"),
        (key_set({"kty": "EC", "crv": "P-256", "d": "canary"}), "do not go together"),
        (key_set(jwk(RSA, alg="HS256")), "good for RS384"),
    ],
    ids=range(32),
)
def test_what_is_no_key_to_sign_with_is_said_and_not_shown(text: str, words: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConfigError, match="FM792") as caught:
            chosen(text)
    shown = f"{caught.value} {caught.value.diagnostic()}"
    assert words in shown
    assert "canary" not in shown
    assert "BEGIN" not in shown


def test_an_algorithm_or_an_id_that_the_key_does_not_have() -> None:
    with pytest.raises(ConfigError, match="good for ES256"):
        chosen(private_pem(P256), algorithm="RS384")
    with pytest.raises(ConfigError, match="there are a, b"):
        chosen(key_set(jwk(RSA, kid="a"), jwk(P256, kid="b")), key_id="c")


def test_the_public_keys_hold_nothing_private() -> None:
    keys = read_signing_keys(key_set(jwk(RSA, kid="a"), jwk(P384)))
    found = public_key_set(keys)["keys"]
    assert [entry["alg"] for entry in found] == ["RS384", "ES384"]
    assert found[0]["kid"] == "a"
    assert len(found[1]["kid"]) == 43, "a thumbprint"
    assert not {"d", "p", "q", "dp", "dq", "qi"} & {name for entry in found for name in entry}
    assert "canary" not in repr(chosen(private_pem(RSA)))
