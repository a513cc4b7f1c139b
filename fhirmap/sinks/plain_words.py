"""Words that begin with a capital and are no one's name: what receivers say of records, in English and French.

A receiver may name a person that is not in the payload. Where one of its words has a capital, it is shown only if it is
one of these (`plain_words.txt`), of the payload's own structure, or of the target's ``[answers]``.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fhirmap.texts.folded_text import folded_words

__all__ = ["CUES", "OF_CUES", "OF_NAMES", "PARTICLES", "STATES", "TITLES", "is_cue", "plain_words"]

PARTICLES = frozenset(
    [
        "a",
        "al",
        "and",
        "are",
        "as",
        "at",
        "au",
        "aux",
        "be",
        "by",
        "ce",
        "ces",
        "d",
        "da",
        "dans",
        "de",
        "del",
        "den",
        "der",
        "des",
        "di",
        "do",
        "du",
        "e",
        "el",
        "en",
        "er",
        "est",
        "et",
        "eu",
        "for",
        "from",
        "has",
        "i",
        "if",
        "il",
        "in",
        "is",
        "isn",
        "it",
        "its",
        "j",
        "jr",
        "l",
        "la",
        "le",
        "les",
        "lui",
        "m",
        "mme",
        "mr",
        "mrs",
        "ms",
        "n",
        "ne",
        "ni",
        "no",
        "non",
        "nor",
        "not",
        "of",
        "on",
        "or",
        "ou",
        "où",
        "par",
        "pas",
        "pour",
        "qu",
        "que",
        "qui",
        "s",
        "se",
        "si",
        "son",
        "sur",
        "t",
        "than",
        "that",
        "the",
        "to",
        "un",
        "une",
        "van",
        "von",
        "vous",
        "was",
        "who",
        "y",
    ]
)
"""Short words of sentences: a name of several words is not recognised by one of these."""

OF_NAMES = frozenset(
    {
        "al",
        "ben",
        "d",
        "da",
        "de",
        "del",
        "den",
        "der",
        "des",
        "di",
        "do",
        "du",
        "e",
        "el",
        "la",
        "le",
        "les",
        "m",
        "mc",
        "o",
        "san",
        "t",
        "van",
        "von",
        "y",
    }
)
"""Between the words of a name, or between a name and what announces it."""

CUES = frozenset(
    [
        "assure",
        "assuree",
        "beneficiaire",
        "docteur",
        "dr",
        "family",
        "firstname",
        "given",
        "identite",
        "lastname",
        "madame",
        "mademoiselle",
        "mlle",
        "mme",
        "monsieur",
        "mr",
        "mrs",
        "name",
        "names",
        "nom",
        "nomme",
        "nommee",
        "noms",
        "patient",
        "patiente",
        "patients",
        "prenom",
        "prenoms",
        "surname",
        "traits",
        "usager",
    ]
)
"""After them a name may follow, in small letters too."""

OF_CUES = frozenset(
    [
        "birth",
        "complet",
        "famille",
        "fille",
        "full",
        "jeune",
        "legal",
        "maiden",
        "marital",
        "middle",
        "naissance",
        "usage",
        "usuel",
        "utilise",
    ]
)
"""Between a cue and the name: `nom de naissance: Roy`."""

_LONGEST_CUE = 24
"""Letters of two words that are written as one."""

TITLES = frozenset(["dr", "m", "mlle", "mm", "mme", "mr", "mrs"])
"""A full stop after them ends no sentence."""

STATES = frozenset(
    [
        "absent",
        "absente",
        "already",
        "deja",
        "duplicate",
        "existant",
        "existe",
        "exists",
        "found",
        "identifie",
        "identifiee",
        "inconnu",
        "inconnue",
        "inconnus",
        "inexistant",
        "invalid",
        "invalide",
        "invalides",
        "known",
        "manquant",
        "manquante",
        "missing",
        "obligatoire",
        "required",
        "requis",
        "trouve",
        "trouvee",
        "unknown",
    ]
)
"""What a person is said to be, with a capital too: `PATIENT INCONNU`."""


@cache
def plain_words() -> frozenset[str]:
    """The words of `plain_words.txt`, folded."""
    text = files("fhirmap.sinks").joinpath("plain_words.txt").read_text(encoding="utf-8")
    return frozenset(folded_words("\n".join(line for line in text.splitlines() if not line.startswith("#"))))


def is_cue(word: str) -> bool:
    """Is a folded word a cue, or made of one and what goes with it (`patientname`, `nomnaissance`)?"""
    if word in CUES:
        return True
    if not 6 <= len(word) <= _LONGEST_CUE:
        return False
    parts = ((word[:at], word[at:]) for at in range(3, len(word) - 2))
    return any(
        (one in CUES and (two in CUES or two in OF_CUES)) or (one in OF_CUES and two in CUES) for one, two in parts
    )
