"""Templates of the report are compiled once, for one version of jinja2 and fhirmap."""

from __future__ import annotations

import jinja2
import pytest
from jinja2 import DictLoader, Environment

from fhirmap.runner.cache import private_folder, template_cache


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_cache, "user_folder", private_folder.user_folder)


def rendered(text: str) -> str:
    environment = Environment(
        loader=DictLoader({"page": text}), autoescape=True, bytecode_cache=template_cache.template_cache()
    )
    return environment.get_template("page").render(name="<x>")


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts that were compiled now."""
    found: list[str] = []
    real = Environment.compile

    def compile_text(self: Environment, source: str, *arguments: object, **named: object) -> object:
        found.append(source)
        return real(self, source, *arguments, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Environment, "compile", compile_text)
    return found


def test_a_template_is_compiled_once(compiled: list[str]) -> None:
    assert [rendered("a {{ name }}") for _ in range(2)] == ["a &lt;x&gt;"] * 2
    assert compiled == ["a {{ name }}"]
    assert rendered("b {{ name }}") == "b &lt;x&gt;"
    assert len(compiled) == 2


def test_another_version_compiles_it_anew(compiled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    rendered("a")
    monkeypatch.setattr(template_cache, "product_state", lambda: "another")
    rendered("a")
    monkeypatch.setattr(jinja2, "__version__", "99")
    rendered("a")
    assert compiled == ["a"] * 3
    rendered("a")
    assert compiled == ["a"] * 3


def test_without_a_folder_nothing_is_kept(compiled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_cache, "user_folder", lambda: None)
    assert template_cache.template_cache() is None
    rendered("a")
    rendered("a")
    assert compiled == ["a"] * 2
