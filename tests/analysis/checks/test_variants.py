"""Every wording of the checks' pages is reached by some map."""

from __future__ import annotations

import pytest

from tests.analysis.harness import diagnose

PATIENT = 'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'


def stored(elements: str, rules: str = "", *, store: str = "table 'people'", more: str = "") -> str:
    return (
        f"{PATIENT}model Row from {store} key 'id' {{ id : string 1..1 from 'id'\n{elements} }}\n{more}\n"
        f"group row(source src : Row, target tgt : Patient) {{\n  src.id as v -> tgt.id = v;\n{rules}\n}}\n"
    )


def date_format(text: str, type_name: str = "date") -> str:
    return stored(
        f"born : {type_name} from 'ddn' format '{text}'", "src.born as v -> tgt.identifier as i, i.value = v;"
    )


CHILD = "model Child { c : string from 'c' }"
USE_CHILD = "src.kids as k -> tgt.contact as x, x.id = k.c;"
READ_X = "src.x as v -> tgt.language = v;"


@pytest.mark.parametrize(
    ("code", "variant", "text"),
    [
        ("FM162", "join", stored("x : string join 't' on 'id'", READ_X)),
        ("FM162", "join_file", stored("kids : Child 0..* join 't' on 'id'", USE_CHILD, store="csv", more=CHILD)),
        (
            "FM162",
            "look_up",
            stored("kids : Child 0..* join '/t' on 'id'", USE_CHILD, store="hl7", more=CHILD),
        ),
        ("FM162", "join_document", stored("kids : Child 0..* join 't' on 'id'", USE_CHILD, store="json", more=CHILD)),
        ("FM162", "own", stored("kids : Child 0..* join on 'id'", USE_CHILD, more=CHILD)),
        ("FM162", "attributes", stored("x : string attributes 'a' values 'b'", READ_X)),
        ("FM162", "split", stored("x : string from 'x' split '|'", READ_X)),
        ("FM162", "nowhere", stored("kids : Child 0..*", USE_CHILD, more=CHILD)),
        ("FM162", "zone", stored("x : string from 'x' zone 'Europe/Paris'", READ_X)),
        ("FM162", "position", stored("x : string from position", READ_X)),
        ("FM162", "several", stored("x : string 0..* from 'x'", "src.x first as v -> tgt.language = v;", store="csv")),
        ("FM234", "type", date_format("yyyyMMdd", "string")),
        ("FM234", "year", date_format("MMdd")),
        ("FM234", "missing", date_format("yyyyMMdd", "instant")),
        ("FM234", "months", date_format("yyyy-mm-dd")),
        ("FM234", "width", date_format("yyyyMMd HHmmss").replace("MMd ", "MMd")),
        ("FM234", "afternoon", date_format("yyyyMMddhhmm")),
        ("FM235", "", date_format("YYYY-MM-dd")),
        ("FM235", "strftime", date_format("%d/%m/%Y")),
        ("FM173", "blank", stored("x : string from 'x' null ' ?'", READ_X)),
        ("FM238", "", stored("x : string from 'x'", "src.x as v where (false) -> tgt.language = v;")),
        ("FM238", "", stored("x : string from 'x'", "src.x as v where (v.exists() and false) -> tgt.language = v;")),
        ("FM238", "blank", stored("x : string from 'x'", "src.x as v where (v = '') -> tgt.language = v;")),
        ("FM247", "", stored("x : string from 'x'", READ_X + READ_X.replace("src.x", "src.id"))),
        (
            "FM247",
            "repeats",
            stored("kids : Child 0..* join 't' on 'id'", "src.kids as k -> tgt.language = k.c;", more=CHILD),
        ),
        ("FM241", "element", stored("kids : Child 0..* join 't' on 'id'", more=CHILD)),
        (
            "FM304",
            "same",
            'conceptmap "c" { prefix s = "urn:s" prefix t = "urn:t" s:a - t:b s:a - t:b }\n'
            + stored("x : code from 'x'", "src.x as v -> tgt.language = translate(v, '#c', 'code');"),
        ),
        ("FM152", "constant", stored("").replace("model Row", "let country = 'FR';\nmodel Row")),
        ("FM301", "list", stored("x : code from 'x'", READ_X.replace("language = v", "gender = 'homme'"))),
    ],
)
def test_variant(code: str, variant: str, text: str) -> None:
    found = diagnose(text)
    assert (code, variant) in [(entry.code, entry.variant) for entry in found], [entry.code for entry in found]


@pytest.mark.parametrize(
    "text",
    [
        date_format("yyyy-MM-dd'T'HH:mm".replace("'", "")),
        date_format("d/M/yyyy"),
        date_format("yyyy"),
        date_format("dd MMM yyyy hh:mm a"),
        date_format("HH:mm", "time"),
        date_format("yyyyMMddHHmmssZ", "instant"),
        stored("x : string from 'x'", "src.x as v where (v = 'a' or v = 'b') -> tgt.language = v;"),
        stored("x : string from 'x'", "src.x as v where (v != '') -> tgt.language = v;"),
        stored("kids : Child 0..* join 't' on 'id'", USE_CHILD, more=CHILD),
        stored("kids : Child 0..* lines", USE_CHILD, store="csv", more=CHILD),
        stored("kids : Child 0..* from 'kids'", USE_CHILD, store="json", more=CHILD),
    ],
)
def test_what_is_right_is_not_reported(text: str) -> None:
    assert [(entry.code, entry.message) for entry in diagnose(text)] == []


@pytest.mark.parametrize(
    ("place", "code", "shown"),
    [
        ("key 'id'", "FM150", "'id'"),
        ("from 'name'", "FM150", "'name'"),
        ("join 'kids'", "FM151", "'kids'"),
        ("on 'parent'", "FM150", "'parent'"),
        ("= 'id2'", "FM150", "'id2'"),
        ("order by 'rank'", "FM150", "'rank'"),
        ("repeat 'qty'", "FM150", "'qty'"),
        ("from 'c'", "FM150", "'c'"),
        ("table 'people'", "FM151", "'people'"),
    ],
)
def test_an_unknown_column_is_reported_at_its_own_place(place: str, code: str, shown: str) -> None:
    text = (
        f"{PATIENT}model Row from table 'people' key 'id' {{ name : string from 'name'\n"
        "  kids : Child 0..* join 'kids' on 'parent' = 'id2' order by 'rank' repeat 'qty' }\n"
        "model Child { c : string from 'c' }\n"
        "group row(source src : Row, target tgt : Patient) { src.name as v -> tgt.id = v; "
        "src.kids as k -> tgt.contact as x, x.id = k.c; }"
    )
    tables = {"people": ["id", "name", "id2"], "kids": ["parent", "rank", "qty", "c"]}
    assert diagnose(text, tables=tables) == ()
    wrong = shown[:-1] + "_'"
    found = diagnose(text.replace(place, place.replace(shown, wrong)), tables=tables)
    assert [(entry.code, entry.span.snippet) for entry in found if entry.span] == [(code, wrong)]
    assert found[0].hint_text == f"did you mean `{shown[1:-1]}`?"
