"""Words of receivers that say what comes after them: a birth date, a number of a person, a secret (`cues.toml`)."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from fhirmap.sinks.plain_words import CUES, OF_CUES, plain_words
from fhirmap.texts.folded_text import folded_words

__all__ = ["BIRTHS", "NUMBERS", "SECRETS", "cues_of", "given_names", "is_cue", "labels", "words_between"]

BIRTHS, NUMBERS, SECRETS = "births", "numbers", "secrets"
_NAMES = "names"
_BETWEEN = frozenset(("d", "de", "du", "of", "patient", "person", "personne"))
"""What keys have between the words of a name's cue: `nomDeNaissance`."""
_LONGEST_KEY = 40
"""Letters of words that are written as one."""


@dataclass(frozen=True, slots=True)
class _Cue:
    words: frozenset[str]
    beside: frozenset[str]


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(files("fhirmap.sinks").joinpath("cues.toml").read_text(encoding="utf-8"))


@cache
def _cues() -> dict[str, _Cue]:
    found = {
        kind: _Cue(frozenset(_table()[kind]["words"]), frozenset(_table()[kind]["beside"]))
        for kind in (BIRTHS, NUMBERS, SECRETS)
    }
    return {_NAMES: _Cue(CUES, OF_CUES | _BETWEEN), **found}


@cache
def given_names() -> frozenset[str]:
    """Given names that are no plain word: they are names in small letters too."""
    return frozenset(folded_words(" ".join(_table()["given"]["names"]))) - plain_words()


@cache
def words_between() -> frozenset[str]:
    """Folded words between a cue and what it announces."""
    return frozenset(_table()["between"]["words"])


@cache
def labels() -> frozenset[str]:
    """Folded words before the parts of a person's number: `annee`, `mois`."""
    return frozenset(_table()["labels"]["words"])


def is_cue(word: str) -> bool:
    """Does a folded word say that a name follows, alone or with what keys have beside it (`patientname`,
    `nomdenaissance`)?"""
    return _NAMES in cues_of(word)


@lru_cache(maxsize=4096)
def cues_of(word: str) -> Collection[str]:
    """What a folded word, or key of several as one, says comes after it: of `BIRTHS`, `NUMBERS`, `SECRETS`, names."""
    return tuple(kind for kind, cue in _cues().items() if _is_made_of(word, cue))


def _is_made_of(word: str, cue: _Cue) -> bool:
    """Is a word a cue, or one and what goes beside it, put together?"""
    if word in cue.words:
        return True
    if not 5 <= len(word) <= _LONGEST_KEY:
        return False
    # Of each place that is reached: can it be without a cue so far, can it be with one?
    without, with_one = {0}, set[int]()
    for at in range(len(word)):
        if at not in without and at not in with_one:
            continue
        for end in range(at + 1, len(word) + 1):
            part = word[at:end]
            if part in cue.words and len(part) > 2:
                with_one.add(end)
            elif part in cue.beside and (at or len(part) > 2):
                with_one |= {end} if at in with_one else set()
                without |= {end} if at in without else set()
    return len(word) in with_one
