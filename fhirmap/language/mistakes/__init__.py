"""Common mistakes of people who come from SQL, another language or FHIR's JSON: reported, and read as meant.

The driver asks here before it tries the marks and words of the grammar. Each mistake is one function: it looks at the
token that is not allowed here, reports what to write instead, and leaves the parser where reading can go on.
"""

from __future__ import annotations

from collections.abc import Callable

from lark import Token

from fhirmap.language.mistakes.clauses import boxed_cardinality, late_cardinality, length
from fhirmap.language.mistakes.codes import code_without_prefix, entry_word, hyphenated_code, relation
from fhirmap.language.mistakes.declarations import other_declaration, parameter_order
from fhirmap.language.mistakes.fixed_width import place_word, positions, positions_in_words, quoted_number
from fhirmap.language.mistakes.heads import bare_query, kind_of_source, named_file, other_option, texts_in_brackets
from fhirmap.language.mistakes.joins import joined_alias, joined_columns, kind_of_joined
from fhirmap.language.mistakes.marks import alias_without_as, call_without_then, comma_too_many, other_mark
from fhirmap.language.mistakes.messages import message_alone, message_inside
from fhirmap.language.mistakes.operators import assigned, comment, doubled_operator, null_test, sql_word
from fhirmap.language.mistakes.rules import (
    clause_of_source,
    clause_order,
    computed_source,
    computed_target,
    group_as_source,
    source_in_parentheses,
    written_first,
)
from fhirmap.language.mistakes.site import MistakeSite
from fhirmap.language.mistakes.store_options import names_option, namespace
from fhirmap.language.mistakes.tolerated import parameter_comma, quoted_name
from fhirmap.language.reader import END

Mistake = Callable[[MistakeSite, Token], bool]

MISTAKES: tuple[Mistake, ...] = (
    quoted_name,
    parameter_comma,
    comment,
    joined_columns,
    joined_alias,
    kind_of_joined,
    named_file,
    kind_of_source,
    names_option,
    namespace,
    positions,
    positions_in_words,
    place_word,
    quoted_number,
    bare_query,
    texts_in_brackets,
    other_option,
    doubled_operator,
    assigned,
    null_test,
    sql_word,
    boxed_cardinality,
    late_cardinality,
    length,
    other_mark,
    relation,
    entry_word,
    code_without_prefix,
    hyphenated_code,
    parameter_order,
    other_declaration,
    call_without_then,
    alias_without_as,
    message_alone,
    message_inside,
    clause_order,
    clause_of_source,
    written_first,
    computed_source,
    computed_target,
    source_in_parentheses,
    group_as_source,
    comma_too_many,
)
"""In the order in which they are tried."""


def read_mistake(site: MistakeSite, token: Token) -> bool:
    """Is ``token``, which is not allowed here, part of a common mistake? Then it is reported, and reading can go on."""
    return token.type != END and any(mistake(site, token) for mistake in MISTAKES)


__all__ = ["MISTAKES", "Mistake", "MistakeSite", "read_mistake"]
