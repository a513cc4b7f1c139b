"""What is refused of an XML file, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.texts import LANGUAGES, language_of
from tests.sources.files.documents import document, plan_of, read, trees

SECRET = "2470997970033"


def refused(file: SourceFile, encoding: str = "") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(file, plan_of("r.c", encoding=encoding))
    return caught.value


def said(error: ConfigError) -> str:
    """All that anyone is shown of it, in all languages."""
    shown = [str(error), repr(error.__cause__), "" if error.__suppress_context__ else repr(error.__context__)]
    for language in LANGUAGES:
        with language_of(language):
            entry = error.diagnostic()
            shown.append(f"{entry.message} {entry.hint} {entry.args}")
    return " ".join(shown)


BROKEN = [
    (f"<r>\n<c>{SECRET}</d>\n</r>", "other_tag", 2),
    (f"<r>\n<c>{SECRET}", "ends_early", 2),
    (f"<r>\n<c v='{SECRET}", "ends_early", 2),
    (f"<r>\n<c><![CDATA[{SECRET}", "ends_early", 2),
    ("", "ends_early", 1),
    (f"{SECRET}", "no_element", 1),
    (f"<r/>\n<r>{SECRET}</r>", "after_root", 2),
    (f"\n<?xml version='1.0'?><r>{SECRET}</r>", "declaration_inside", 2),
    (f"<?xml version='1.0'?><r/>\n<?xml version='1.0'?><r>{SECRET}</r>", "declaration_inside", 2),
    (f"<r>\n<c>{SECRET}&x{SECRET};</c></r>", "unknown_entity", 2),
    (f"<r>\n<c v='&x{SECRET};'/></r>", "unknown_entity", 2),
    (f"<r>\n<c>{SECRET} & y</c></r>", "bare_sign", 2),
    (f"<r>\n<c>x < {SECRET}</c></r>", "bare_sign", 2),
    (f"<r>\n<c v='<{SECRET}'/></r>", "bare_sign", 2),
    (f"<r>\n<c>\x01{SECRET}</c></r>", "no_xml_character", 2),
    (f"<r>\n<c v='{SECRET}' v='1'/></r>", "attribute_twice", 2),
    (f"<r>\n<p{SECRET}:c/></r>", "unknown_prefix", 2),
    (f"<r>\n<c p{SECRET}:v='1'/></r>", "unknown_prefix", 2),
    (f"<r>\n<c v={SECRET}/></r>", "out_of_place", 2),
    ("<r>" + "<c>" * 300 + SECRET + "</c>" * 300 + "</r>", "xml_limit", 1),
    (f"<r>\n<c>{SECRET}{'x' * 10_500_000}</c></r>", "xml_limit", 2),
]


@pytest.mark.parametrize(("text", "reason", "line"), BROKEN, ids=[f"{n}-{case[1]}" for n, case in enumerate(BROKEN)])
def test_what_is_no_xml_is_said_by_its_place_and_never_quoted(
    tmp_path: Path, text: str, reason: str, line: int
) -> None:
    error = refused(document(tmp_path, text))
    assert (error.code, error.diagnostic().args["line"]) == ("FM780", line)
    assert str(error.diagnostic().args["reason"]) != ""
    assert error.diagnostic().args["reason"].key == f"reasons.{reason}"  # type: ignore[attr-defined]
    assert SECRET not in said(error)


@pytest.mark.parametrize("size", [0, 2_000_000])
def test_the_records_before_a_broken_place_do_not_count_without_the_error(tmp_path: Path, size: int) -> None:
    file = document(tmp_path, f"<r><c>1</c>{'<c>2</c>' * (size // 8)}<c>3</d></r>")
    assert refused(file).code == "FM780"


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 30))
DECLARED = [
    "<!DOCTYPE r><r><c/></r>",
    '<!DOCTYPE r SYSTEM "r.dtd"><r><c/></r>',
    '<!DOCTYPE r [<!ENTITY x "y">]><r><c>&x;</c></r>',
    '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r><c>&x;</c></r>',
    '<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]><r><c>1</c></r>',
    '<!DOCTYPE r [<!ATTLIST c v CDATA "given">]><r><c/></r>',
    f"<?xml version='1.0'?><!-- {'x' * 100_000} --><!DOCTYPE r><r><c/></r>",
]


@pytest.mark.parametrize("text", DECLARED, ids=range(len(DECLARED)))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_and_nothing_of_it_is_used(tmp_path: Path, text: str, encoding: str) -> None:
    error = refused(document(tmp_path, text, encoding))
    assert (error.code, error.diagnostic().variant) == ("FM780", "doctype")


@pytest.mark.parametrize("root", ["<r><c>&e29;</c></r>", '<r v="&e29;"><c/></r>'])
def test_entities_that_grow_are_refused_at_once(tmp_path: Path, root: str) -> None:
    error = refused(document(tmp_path, f'<!DOCTYPE r [<!ENTITY e0 "x">{BOMB}]>{root}'))
    assert error.code == "FM780"


def test_inclusions_are_elements_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "b.xml").write_text("<c>other</c>")
    text = '<r xmlns:i="http://www.w3.org/2001/XInclude"><c><i:include href="b.xml"/>own</c></r>'
    assert trees(document(tmp_path, text), plan_of("r.c")) == [{"#text": "own"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252", "iso-8859-15"])
def test_the_encoding_is_the_document_s(tmp_path: Path, encoding: str) -> None:
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    text = f'<?xml version="1.0" encoding="{declared}"?>\n<r><c>Fémur à tête</c></r>'
    assert trees(document(tmp_path, text, encoding), plan_of("r.c")) == [{"#text": "Fémur à tête"}]


@pytest.mark.parametrize("given", ["cp1252", "latin-1", "mac-roman", "cp850", "utf-16-le", "utf-8"])
def test_the_map_s_encoding_counts_instead(tmp_path: Path, given: str) -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-5"?><r><c>Fémur</c></r>'
    assert trees(document(tmp_path, text, given), plan_of("r.c", encoding=given)) == [{"#text": "Fémur"}]


def test_a_byte_order_mark_counts_more_than_the_map(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        file = document(tmp_path, "<r><c>Fémur</c></r>", encoding)
        assert trees(file, plan_of("r.c", encoding="cp1252")) == [{"#text": "Fémur"}]


def encoding_error(file: SourceFile, encoding: str = "") -> tuple[str, str, object]:
    error = refused(file, encoding)
    return error.code, error.diagnostic().variant, error.diagnostic().args.get("line")


def test_bytes_that_are_none_in_the_encoding_are_said_with_their_line(tmp_path: Path) -> None:
    assert encoding_error(document(tmp_path, "<r>\n\n<c>Fémur</c></r>", "cp1252")) == ("FM705", "", 3)
    text = '<?xml version="1.0" encoding="windows-1252"?>\n<r>\n<c>F\x81mur</c></r>'
    assert encoding_error(document(tmp_path, text, "latin-1")) == ("FM705", "", 3)
    good = "<c>Fémur</c>\n" * 9000
    assert encoding_error(document(tmp_path, text.replace("<r>", f"<r>{good}"), "latin-1")) == ("FM705", "", 9003)


def test_a_document_in_utf_8_that_says_otherwise(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?>\n<r>\n<c>Fémur</c></r>'
    assert encoding_error(document(tmp_path, text)) == ("FM705", "utf8", 3)
    assert encoding_error(document(tmp_path, "<r><c>é</c></r>"), "cp1252") == ("FM705", "utf8", 1)
    text = '<?xml version="1.0" encoding="utf-16"?>\n<r><c>Fémur</c></r>'
    assert encoding_error(document(tmp_path, text)) == ("FM705", "xml", 1)
    assert trees(document(tmp_path, text), plan_of("r.c", encoding="utf-8")) == [{"#text": "Fémur"}]


def test_an_encoding_that_does_not_exist(tmp_path: Path) -> None:
    assert encoding_error(document(tmp_path, "<r/>"), "klingon")[:2] == ("FM705", "unknown")
    text = f'<?xml version="1.0" encoding="x-{SECRET}"?><r/>'
    error = refused(document(tmp_path, text))
    assert (error.code, error.diagnostic().variant) == ("FM705", "unknown_xml")
    assert SECRET not in said(error)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    missing = SourceFile(tmp_path / "b.xml", "b.xml", "b.xml")
    assert refused(missing).code == "FM701"
    assert refused(SourceFile(tmp_path, "b.xml", "b.xml")).code == "FM702"
