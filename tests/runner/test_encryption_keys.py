"""A key is 32 bytes, however it is written and wherever it is kept; anything else is refused."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from types import ModuleType

import pytest

from fhirmap.errors import ConfigError
from fhirmap.runner.encryption_keys import encryption_keys, new_key, parse_key
from fhirmap.runner.project import JournalPart
from fhirmap.runner.secret import Secret

KEY = bytes(range(200, 232))
WRITTEN = base64.b64encode(KEY).decode()
SETTING = "journal.encryption_keys"


def settings(*keys: Secret) -> JournalPart:
    return JournalPart(Path("journal.db"), encryption_keys=keys)


@pytest.mark.parametrize(
    "written", [WRITTEN, KEY.hex(), KEY.hex().upper(), f"{WRITTEN}\n", base64.urlsafe_b64encode(KEY).decode()]
)
def test_how_a_key_may_be_written(written: str) -> None:
    assert parse_key(written) == KEY


@pytest.mark.parametrize(
    "written",
    ["", "secret", KEY.hex()[:-2], f"{KEY.hex()}00", WRITTEN[:-1], base64.b64encode(KEY[:16]).decode(), "g" * 64, "é"],
)
def test_what_is_no_key_is_refused_and_not_shown(written: str) -> None:
    assert parse_key(written) is None
    with pytest.raises(ConfigError, match="FM735") as caught:
        encryption_keys(settings(Secret(SETTING, written)))
    said = caught.value.diagnostic()
    assert SETTING in said.message
    assert len(written) < 2 or written not in str(caught.value)


def test_a_new_key_is_one_and_each_is_another() -> None:
    keys = {parse_key(new_key()) for _ in range(50)}
    assert None not in keys and len(keys) == 50


def test_keys_keep_their_order(tmp_path: Path) -> None:
    (tmp_path / "old.key").write_text(f"{bytes(32).hex()}\n", encoding="utf-8")
    first = Secret(SETTING, "${NEW}", environ={"NEW": WRITTEN})
    assert encryption_keys(settings(first, Secret(SETTING, file=tmp_path / "old.key"))) == (KEY, bytes(32))


def test_without_the_library_of_the_keyring_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match="FM797") as caught:
        encryption_keys(settings(Secret(SETTING, keyring="fhirmap/night")))
    assert caught.value.diagnostic().args["extra"] == "keyring"


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str | Exception]:
    """What the system's keyring holds; an exception is what reading it raises. The library itself needs a desktop."""
    held: dict[tuple[str, str], str | Exception] = {}
    errors = ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]
    library = ModuleType("keyring")

    def get_password(service: str, user: str) -> str | None:
        found = held.get((service, user))
        if isinstance(found, Exception):
            raise found
        return found

    library.get_password = get_password  # type: ignore[attr-defined]
    library.errors = errors  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", library)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return held


def test_a_key_of_the_keyring(keyring: dict[tuple[str, str], str | Exception]) -> None:
    secret = Secret(SETTING, keyring="hospital/fhirmap/night")
    with pytest.raises(ConfigError, match="FM738") as caught:
        encryption_keys(settings(secret))
    assert "hospital/fhirmap/night" in caught.value.diagnostic().message
    keyring["hospital/fhirmap", "night"] = sys.modules["keyring.errors"].KeyringError("locked: canary")
    with pytest.raises(ConfigError, match="FM738") as caught:
        encryption_keys(settings(secret))
    assert "canary" not in str(caught.value)
    keyring["hospital/fhirmap", "night"] = WRITTEN
    assert encryption_keys(settings(secret)) == (KEY,)
