"""Signing in at the identity server, as a project file says it: each method in a whole run, what `doctor` says of it,
and no secret in anything that is written."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from fhirmap.registry import Client, RegistryConfig
from tests.cli.certificates import Authority
from tests.cli.conftest import Receiver, Tiny, in_process, token, unfolded
from tests.sinks.keys import P384, RSA, jwk, key_set, private_pem, public_pem

Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]
SECRET = "Canary-secret"


def auth(method: str, **settings: str) -> str:
    written = "".join(f"{name} = {text}\n" for name, text in settings.items())
    return f'kind = "client_credentials"\nmethod = "{method}"\nclient_id = "c"\n{written}'


def test_a_whole_run_by_a_set_of_keys_and_what_the_receiver_says(tiny: Make, registry: Any) -> None:
    public = key_set(jwk(P384, private=False, kid="k2"), jwk(RSA, private=False, kid="k1"))
    server = registry(RegistryConfig(clients=(Client("c", public_key=public),), accept_all=True))
    keys = {"private_key": '{ file = "keys.json" }', "scope": '"implant"'}
    project = tiny().to(server.url, auth=auth("private_key_jwt", **keys))
    (project.folder / "keys.json").write_text(key_set(jwk(RSA, kid="k1"), jwk(P384, kid="k2")), encoding="utf-8")
    doctor = unfolded(in_process("doctor", project.folder).out)
    assert f"token endpoint {server.token_url}, as {server.url}/.well-known/smart-configuration says" in doctor
    assert "assertions are signed by RS384, with the key k1" in doctor
    assert f"token endpoint {server.token_url}: a token for scope implant" in doctor
    done = in_process("run", project.folder)
    assert "refused 3" in done.out, "the simulator wants another operation, and takes the token"
    assert server.simulator.identity.issued == 3, (
        "two for doctor: one for what it says of tokens, one for the operation"
    )
    project.to(server.url, auth=auth("private_key_jwt", **keys, key_id='"k2"'))
    assert "by ES384, with the key k2" in unfolded(in_process("doctor", project.folder).out)
    project.to(server.url, auth=auth("private_key_jwt", **keys, key_id='"k3"'))
    in_process("run", project.folder).reported("FM792", 2, "key_id", "there are k1, k2")


def test_a_certificate_alone(tiny: Make, receiver: Receiving, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.client("hospital")
    at = receiver(context=authority.server(asks=True))
    tls = f'ca = "{authority.ca}"\ncert = "{cert}"\nkey = "{key}"'
    project = tiny().to(at.url, auth=auth("tls_client_auth", token_url=f'"{at.token_url}"'), tls=tls)
    assert in_process("run", project.folder).code == 0
    assert at.tokens_asked == [b"grant_type=client_credentials&client_id=c"]
    assert len(at.received) == 3
    project.to(at.url, tls=f'ca = "{authority.ca}"')
    in_process("run", project.folder).reported("FM734", 2, "sink.tls.cert")


def test_what_the_project_file_may_not_say(tiny: Make) -> None:
    project = tiny().to("https://registry.example", auth=auth("private_key_jwt"))
    in_process("run", project.folder).reported("FM734", 2, "sink.auth.private_key")
    project.to("https://registry.example", auth=auth("tls-client-auth"))
    in_process("run", project.folder).reported("FM735", 2, "tls_client_auth")
    settings = {"client_secret": '"${TINY_SECRET}"', "token_url": '"id.example/token"'}
    project.to("https://registry.example", auth=auth("client_secret_post", **settings))
    in_process("run", project.folder).reported("FM735", 2, "http://", "fhirmap.toml:")


def test_the_settings_of_an_assertion_reach_it(tiny: Make, receiver: Receiving) -> None:
    at = receiver()
    settings = {"audience": '"https://aud.example"', "typ": '"client-authentication+jwt"', "algorithm": '"PS256"'}
    project = tiny().to(
        at.url,
        auth=auth("private_key_jwt", private_key='{ file = "k.pem" }', token_url=f'"{at.token_url}"', **settings),
    )
    (project.folder / "k.pem").write_text(private_pem(RSA), encoding="utf-8")
    assert in_process("run", project.folder).code == 0
    assertion = parse_qs(at.tokens_asked[0].decode())["client_assertion"][0]
    header, claims = (json.loads(urlsafe_b64decode(part + "==")) for part in assertion.split(".")[:2])
    assert header == {"alg": "PS256", "typ": "client-authentication+jwt"}
    assert claims["aud"] == "https://aud.example"


def test_the_public_keys_are_printed_and_accepted(tiny: Make, registry: Any) -> None:
    keys = {"private_key": '{ file = "k" }'}
    project = tiny().to("https://registry.example", auth=auth("private_key_jwt", **keys))
    file = project.folder / "k"
    file.write_text(private_pem(P384), encoding="utf-8")
    done = in_process("keys", project.folder)
    found = json.loads(done.out)["keys"]
    assert f'key_id = "{found[0]["kid"]}"' in done.err
    assert not {"d", "p", "q"} & set(found[0])
    assert in_process("keys", project.folder, "--json").err == ""
    server = registry(RegistryConfig(clients=(Client("c", public_key=done.out),)))
    project.to(server.url, auth=auth("private_key_jwt", **keys, key_id=f'"{found[0]["kid"]}"'))
    assert in_process("doctor", project.folder).code == 0
    assert in_process("keys", project.folder).err == ""
    file.write_text(key_set(jwk(RSA, kid="a"), jwk(P384)), encoding="utf-8")
    several = json.loads(in_process("keys", project.folder).out)["keys"]
    assert [(entry["kid"], entry["alg"]) for entry in several] == [("a", "RS384"), (found[0]["kid"], "ES384")]
    project.to(server.url, auth=auth("client_secret_post", client_secret='"${TINY_SECRET}"'))
    in_process("keys", project.folder).reported("FM734", 2, "sink.auth.private_key")


# ---- nothing secret is written ---------------------------------------------------------------------------------------


def quoting(status: int) -> Callable[[int, bytes], tuple[int, bytes, str]]:
    """An identity server that repeats what it was sent, in every place where one could show it."""

    def answer(_number: int, body: bytes) -> tuple[int, bytes, str]:
        sent = body.decode()
        said = {"error": "invalid_client", "error_description": sent, "error_uri": sent, "token_type": sent}
        return status, json.dumps({**said, "access_token": sent + "\n"}).encode(), "json"

    return answer


ANSWERS: dict[str, Callable[[int, bytes], tuple[int, bytes, str]]] = {
    "given": lambda _number, _body: token("Canary-token"),
    "refused": quoting(400),
    "unauthorized": quoting(401),
    "no-token": quoting(200),
    "moved": quoting(302),
    "proxy": quoting(407),
    "down": quoting(503),
    "page": lambda _number, body: (200, b"<html>" + body, "text/html"),
    "code": lambda _number, body: (400, json.dumps({"error": body.decode()}).encode(), "json"),
    "scope": lambda _number, _body: (200, b'{"access_token": "Canary-token", "scope": ""}', "json"),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("method", ["client_secret_post", "private_key_jwt"])
def test_nothing_secret_is_written_whatever_the_identity_server_answers(
    tiny: Make,
    receiver: Receiving,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    method: str,
    answer: str,
) -> None:
    monkeypatch.setenv("TINY_SECRET", SECRET)
    at = receiver(identity=ANSWERS[answer])
    key = private_pem(P384)
    settings = {"token_url": f'"{at.token_url}"', "scope": '"implant"'}
    settings |= (
        {"private_key": '{ file = "k.pem" }'} if method == "private_key_jwt" else {"client_secret": '"${TINY_SECRET}"'}
    )
    project = tiny().to(at.url, auth=auth(method, **settings))
    (project.folder / "k.pem").write_text(key, encoding="utf-8")
    all_done = [in_process(*command, project.folder) for command in (["run", "--debug"], ["doctor"])]
    written = "".join(done.out + done.err for done in all_done) + "".join(capfd.readouterr())
    written += "".join(
        path.read_text(encoding="utf-8", errors="replace") for path in (project.folder / "reports").iterdir()
    )
    journal = (project.folder / "journal.db").read_bytes().decode("latin-1")
    assert at.tokens_asked
    for secret in (SECRET, "Canary-token", "client_assertion", "eyJ", key.splitlines()[1], "Basic "):
        assert secret not in written
        assert secret not in journal
    assert "Traceback" not in written


@pytest.mark.parametrize(
    "text",
    [
        private_pem(RSA)[:-60],
        public_pem(RSA),
        key_set(jwk(RSA, use="enc")),
        key_set({**jwk(RSA), "d": "Canary-secret"}),
        '{"kty": "oct", "k": "Canary-secret"}',
        "Canary-secret",
    ],
    ids=["cut", "public", "for-encryption", "broken", "symmetric", "text"],
)
def test_a_key_that_cannot_be_used_is_not_shown(tiny: Make, text: str) -> None:
    settings = {"token_url": '"https://id.example/token"', "private_key": '{ file = "k" }'}
    project = tiny().to("https://registry.example", auth=auth("private_key_jwt", **settings))
    (project.folder / "k").write_text(text, encoding="utf-8")
    done = in_process("run", "--debug", project.folder)
    doctor = in_process("doctor", project.folder)
    done.reported("FM792", 2, "private_key")
    assert "FM792" in doctor.out
    written = done.out + done.err + doctor.out + doctor.err
    assert SECRET not in written
    for line in (line for line in text.splitlines() if len(line) > 40):
        assert line[:40] not in written
