"""What of a project file is shown beneath a diagnostic."""

from __future__ import annotations

import pytest

from fhirmap.runner.toml_secrets import hide_secrets


@pytest.mark.parametrize(
    "text",
    [
        'url = "postgresql://reader:Canary@db/bloc"',
        '[source]\npassword = "Canary"',
        "proxy = 'http://user:Can@ry Canary@proxy:3128'",
        'headers = { "X-Key" = "Canary" }',
        '[sink.headers]\nX-Whatever = "Canary"',
        '[sink.auth]\nclient_secrt = "Canary"',
        '[source]\npasword = "Canary"',
        '[sink.auth]\nclient_secret = "Canary never closed\nkind = "none"',
        '[sink.auth]\nprivate_key = """-----BEGIN\nCanary\n"""',
        "[sink]\nauth.client_secret = 'Canary'",
        "[sink.auth]\nclient_secret = Canary-99",
        "[sink.auth]\nclient_secret =Canary 99 # mine",
        '[sink.auth]\nclient_secret = "abc" Canary',
        "[sink.auth]\nclient_secret = 'abc'Canary'",
        "[sink.headers]\nX-Whatever = Canary",
        '[source]\npassword = Canary"',
        '[journal]\nencryption_keys = ["Canary", "Canary"]\npath = "x"',
        '[journal]\nencryption_keys = [\n  "Canary",  # the new one ]\n  "Canary",\n]\n',
    ],
)
def test_what_may_be_a_secret_is_hidden_in_its_place(text: str) -> None:
    shown = hide_secrets(text)
    assert "Canary" not in shown
    assert len(shown) == len(text)
    assert shown.count("\n") == text.count("\n")
    assert shown.split("=")[0] == text.split("=")[0]


@pytest.mark.parametrize("text", ["client_secret: Canary", "client_secret Canary", 'client_secret "Canary"'])
def test_a_line_that_is_no_setting(text: str) -> None:
    assert (
        hide_secrets(f"[sink.auth]\n{text}\nkind = 1")
        == f"[sink.auth]\nclient_secret{'*' * (len(text) - 13)}\nkind = 1"
    )


@pytest.mark.parametrize(
    "text",
    [
        '[source]\nurl = "postgresql://reader:${DB_PASSWORD}@db/bloc"',
        '[sink.auth]\nkind = "client_credentials"\nclient_secret = "${SECRET}"\ntoken_url = "https://id.example/token"',
        "[records]\ndate = \"iif(a = 'b', 'c', 'd')\"",
        '[map]\nsource = "it\'s.map"\nimports = [\n  "lib/*.map",\n]',
        "[sink.auth]\nclient_secret = { fle = true }\nkind = none",
    ],
)
def test_everything_else_is_shown(text: str) -> None:
    assert hide_secrets(text) == text
