"""``fhirmap doctor`` at the receiver: the operation, its certificate, its clock; and no record is sent."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from tests.cli.certificates import Authority
from tests.cli.conftest import Receiver, Tiny, in_process, outcome, unfolded

Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]
REFUSED = outcome(400, "no resource")
PAGE = (200, b"<!doctype html><title>Sign in</title>", "text/html")


@pytest.mark.parametrize(
    ("answer", "exit_code", "words"),
    [
        (REFUSED, 0, "answers (400), clocks agree"),
        (outcome(422, "no"), 0, "answers (422)"),
        (outcome(404, "no such patient"), 0, "answers (404)"),
        ((404, b"404 page not found", "text/plain"), 3, "[FM621]"),
        ((405, b"", "text/plain"), 3, "[FM621]"),
        (PAGE, 3, "[FM621]"),
        ((401, b"", "json"), 3, "[FM614]"),
        ((403, b"", "json"), 3, "[FM615]"),
        ((407, b"", "json"), 3, "[FM616]"),
        ((302, b"", "json"), 3, "[FM618]"),
        ((503, b"", "json"), 3, "[FM603]"),
    ],
)
def test_who_is_at_the_address(tiny: Make, receiver: Receiving, answer: Any, exit_code: int, words: str) -> None:
    at = receiver(lambda _number, _body: answer)
    done = in_process("doctor", tiny().to(at.url).folder)
    assert words in unfolded(done.out)
    assert done.code == exit_code
    assert set(at.received) <= {b""}, "no record is sent"


def test_no_receiver_is_asked_offline_or_without_a_token(
    tiny: Make, receiver: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINY_SECRET", "Canary-secret")
    at = receiver(identity=lambda _number, _body: (401, b'{"error": "invalid_client"}', "json"))
    project = tiny().to(at.url, auth=at.auth())
    assert in_process("doctor", project.folder, "--offline").code == 0
    done = in_process("doctor", project.folder)
    assert "FM612" in done.out
    assert at.received == []


def test_a_certificate_that_ends_soon_is_warned_about(tiny: Make, receiver: Receiving, tmp_path: Any) -> None:
    authority = Authority(tmp_path)
    at = receiver(lambda *_: REFUSED, context=authority.server())
    done = in_process("doctor", tiny().to(at.url, tls=f'ca = "{authority.ca}"').folder)
    shown = unfolded(done.out)
    assert f"warn certificate of 127.0.0.1:{at.port}: issued by" in shown
    assert "19 days left" in shown
    assert done.code == 0


@pytest.mark.parametrize(
    ("date", "words"),
    [
        (formatdate(1.0, usegmt=True), "clock is +"),
        ("Thu, 99 Foo 0000 99:99:99 GMT", "its answer has no date"),
        ("Mon, 01 Jan 0001 00:00:00 +9999999999", "its answer has no date"),
        ("x", "its answer has no date"),
    ],
)
def test_the_clock(tiny: Make, raw_server: Any, date: str, words: str) -> None:
    _, body, _ = REFUSED
    head = f"HTTP/1.1 400 X\r\nDate: {date}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    done = in_process("doctor", tiny().to(raw_server(head.encode() + body).url).folder)
    assert words in unfolded(done.out)
    assert done.code == 0
