"""Secrets that a project keeps where others see them: warned about by check, run and doctor alike; and plain http."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.runner.project_file import read_project
from fhirmap.runner.secret_places import may_be_key
from fhirmap.sinks import TransportSettings
from fhirmap.sinks.transport import NoAnswer, Transport
from tests.cli.conftest import Tiny, in_process, tiny, unfolded

__all__ = ["tiny"]

Make = Callable[..., Tiny]
SINK = 'kind = "fhir-operation"\nurl = "https://registry.example/fhir"'


def said(project: Tiny) -> list[tuple[str, str, str]]:
    _, found = read_project(project.folder, environ={"KEY": "k" * 30})
    return [(entry.code, entry.variant, str(entry.args["setting"])) for entry in found]


@pytest.mark.parametrize(
    ("name", "value", "is_key"),
    [
        ("Authorization", "Basic abc", True),
        ("X-Api-Key", "1", True),
        ("apikey", "abc", True),
        ("Ocp-Apim-Subscription-Key", "0f", True),
        ("Cookie", "a=b", True),
        ("X-Gravitee", "0123456789abcdef0123", True),
        ("X-Establishment", "750100018", False),
        ("User-Agent", "a-hospital-of-ours/1.0.0.1", False),
        ("Accept-Language", "fr", False),
        ("X-Comment", "a sentence with several words", False),
    ],
)
def test_headers_that_let_somebody_in(name: str, value: str, is_key: bool) -> None:
    assert may_be_key(name, value) == is_key


def test_a_key_in_a_header_is_warned_about_and_a_reference_is_its_value(tiny: Make, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from a file\n")
    file.chmod(0o600)
    headers = f'X-Api-Key = "abc"\nApikey = "${{KEY}}"\nX-Token = {{ file = "{file}" }}\nPrefer = "return=minimal"'
    project = tiny().configure(sink=SINK, sink__headers=headers)
    assert said(project) == [("FM737", "", "sink.headers.X-Api-Key")]
    found, _ = read_project(project.folder, environ={"KEY": "from the environment"})
    assert found is not None
    assert found.sink_settings().headers == {
        "X-Api-Key": "abc", "Apikey": "from the environment", "X-Token": "from a file", "Prefer": "return=minimal",
    }  # fmt: skip
    assert "from the environment" not in repr(found)


@pytest.mark.parametrize(("mode", "is_said"), [(0o600, False), (0o640, False), (0o644, True), (0o604, True)])
def test_files_of_secrets_that_all_may_read(tiny: Make, mode: int, is_said: bool) -> None:
    project = tiny()
    for name in ("password", "secret", "key.pem", "both.pem"):
        (project.folder / name).write_text("-----BEGIN PRIVATE KEY-----\n")
        (project.folder / name).chmod(mode)
    auth = 'kind = "client_credentials"\nclient_id = "c"\ntoken_url = "https://id.example"\n'
    project.configure(
        source='url = "sqlite:///stays.sqlite"\npassword_file = "password"',
        sink=SINK,
        sink__auth=auth + 'client_secret = { file = "secret" }',
        sink__tls='cert = "both.pem"',
    )
    places = ["source.password_file", "sink.auth.client_secret", "sink.tls.cert"]
    wanted = [("FM737", "readable", place) for place in places] if is_said else []
    assert said(project) == wanted
    project.configure(sink__tls='cert = "both.pem"\nkey = "key.pem"')
    assert [place for *_, place in said(project)][2:] == (["sink.tls.key"] if is_said else [])


@pytest.mark.parametrize("command", [("check",), ("doctor", "--offline"), ("run",)])
def test_the_warning_is_shown_by_each_command(tiny: Make, command: tuple[str, ...]) -> None:
    project = tiny()
    (project.folder / "password").write_text("x")
    (project.folder / "password").chmod(0o644)
    project.configure(source='url = "sqlite:///stays.sqlite"\npassword_file = "password"')
    done = in_process(*command, project.folder)
    assert "can be read by every account" in unfolded(done.out + done.err)


@pytest.mark.parametrize(
    ("url", "is_refused"),
    [
        ("http://registry.example/fhir", True),
        ("HTTP://registry.example/fhir", True),
        ("http://10.0.0.5/fhir", True),
        ("http://localhost.registry.example/fhir", True),
        ("http://127.0.0.1:8080/fhir", False),
        ("http://[::1]:8080/fhir", False),
        ("http://localhost/fhir", False),
        ("https://registry.example/fhir", False),
    ],
)
def test_plain_http_leaves_this_machine_only_where_a_setting_says_so(tiny: Make, url: str, is_refused: bool) -> None:
    project = tiny().configure(sink=f'kind = "fhir-operation"\nurl = "{url}"')
    assert [entry[:2] for entry in said(project)] == ([("FM791", "http")] if is_refused else [])
    project.configure(sink=f'kind = "fhir-operation"\nurl = "{url}"\nallow_http = true')
    assert said(project) == []
    auth = f'kind = "client_credentials"\nclient_id = "c"\nclient_secret = "${{KEY}}"\ntoken_url = "{url}"'
    project.configure(sink=SINK, sink__auth=auth)
    assert [entry[:2] for entry in said(project)] == ([("FM791", "http")] if is_refused else [])
    if is_refused:
        with pytest.raises(ConfigError, match="FM791"):
            Transport(url, TransportSettings())
    Transport(url, TransportSettings(allow_http=True)).close()


def test_an_address_that_a_receiver_names_is_not_asked_without_tls() -> None:
    with Transport("https://127.0.0.1:9/", TransportSettings(2)) as transport, pytest.raises(NoAnswer) as caught:
        transport.post("http://registry.invalid/token", b"secret", {})
    assert (caught.value.kind, caught.value.sent) == ("address", False)
    assert "without TLS" in caught.value.reason
