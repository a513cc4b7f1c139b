"""Words that begin with a capital and are no one's name: what receivers say of records, in English and French.

A receiver may name a person that is not in the payload. Where one of its words has a capital, it is shown only if it is
one of these (`plain_words.txt`), of the payload's own structure, or of the target's ``[answers]``.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fhirmap.texts.folded_text import folded_words

__all__ = ["CUES", "OF_CUES", "OF_NAMES", "PARTICLES", "STATES", "TITLES", "plain_words"]

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
        "conjoint",
        "conjointe",
        "docteur",
        "dr",
        "epouse",
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
        "nee",
        "nom",
        "nomme",
        "nommee",
        "noms",
        "patient",
        "patiente",
        "patients",
        "pr",
        "prenom",
        "prenoms",
        "prof",
        "professeur",
        "surname",
        "traits",
        "usager",
        "veuf",
        "veuve",
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
        "valeur",
        "value",
    ]
)
"""Between a cue and the name: `nom de naissance: Roy`."""

TITLES = frozenset(["dr", "m", "mlle", "mm", "mme", "mr", "mrs", "pr", "prof"])
"""A full stop after them ends no sentence."""

STATES = frozenset(
    [
        "absent",
        "absente",
        "already",
        "deja",
        "duplicate",
        "empty",
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
        "nil",
        "none",
        "null",
        "obligatoire",
        "required",
        "requis",
        "trouve",
        "trouvee",
        "undefined",
        "unknown",
        "vide",
    ]
)
"""What a person is said to be, with a capital too: `PATIENT INCONNU`."""


@cache
def plain_words() -> frozenset[str]:
    """The words of `plain_words.txt`, folded."""
    text = files("fhirmap.sinks").joinpath("plain_words.txt").read_text(encoding="utf-8")
    return frozenset(folded_words("\n".join(line for line in text.splitlines() if not line.startswith("#"))))
