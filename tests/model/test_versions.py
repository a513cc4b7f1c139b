"""Several versions of one resource: a canonical with a version means that one."""

from __future__ import annotations

from fhirmap.model.versions import ByVersion


def held(*versions: str) -> ByVersion[str]:
    found: ByVersion[str] = ByVersion()
    for version in versions:
        found.add("urn:x", version, f"x {version}")
    return found


def test_a_version_is_that_one_or_none() -> None:
    known = held("1.0", "2.0")
    assert known.exactly("urn:x|1.0") == "x 1.0"
    assert known.exactly("urn:x|3.0") is None
    assert known.nearest("urn:x|3.0") == "x 2.0"
    assert known.exactly("urn:y") is known.nearest("urn:y|1") is None


def test_a_url_alone_is_the_newest() -> None:
    assert held("1.9", "1.10", "1.2").exactly("urn:x") == "x 1.10"
    assert held("2.0", "2.0-rc1").exactly("urn:x") == "x 2.0"
    assert held("", "1").versions("urn:x") == ("", "1")
    assert list(held("1", "2").values()) == ["x 1", "x 2"]
