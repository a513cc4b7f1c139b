"""What the rules of a target's contract say in other languages than the contract's own: ``words/fr.toml`` beside it.

By key of a rule: ``text``, and one by the name of each cause that the contract words apart. A rule without words keeps
those of the contract. Beside a map, by the name of a rule: ``note``, what its `log` says, `…` where a value would be.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fhirmap.records import Fault
from fhirmap.runner.target import Target
from fhirmap.texts import language

__all__ = ["RuleWords", "read_words", "worded", "words_of", "words_of_target"]

RuleWords = Mapping[str, Mapping[str, str]]
_RULE = "FM520"


def read_words(folder: Path, language: str) -> RuleWords:
    """The words of a target's folder in a language; empty where it has none."""
    try:
        content = (folder / "words" / f"{language}.toml").read_text(encoding="utf-8")
    except OSError:
        return {}
    return tomllib.loads(content)


def words_of(code: str, rule: str, cause: str, words: RuleWords) -> str:
    """What a rule says of a cause; empty where ``code`` is not that of a rule, or there are no words of it."""
    of_rule = words.get(rule, {}) if code == _RULE else {}
    return of_rule.get(cause or "text") or of_rule.get("text", "")


def worded(fault: Fault, words: RuleWords) -> Fault:
    """The fault of a rule with the words of the rule, for the cause that it names.

    The contract's own words are kept beside them: what a run in one language has put into the journal is shown in
    another.
    """
    if fault.code != _RULE:
        return fault
    own = fault.args.get("contract", fault.args.get("human", ""))
    found = words_of(fault.code, fault.rule, fault.variant, words)
    return replace(fault, args={**fault.args, "human": found or own, "contract": own})


def words_of_target(target: Target | None) -> RuleWords:
    """The words of a target's rules in the current language; empty in the contract's own."""
    return read_words(target.folder, language()) if target is not None else {}
