"""Words that name columns: a line that has one is a line of names, though the values below it are words as well."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["has_column_word"]

_TEXT = """
    nom noms prenom prenoms name firstname lastname surname forename patronyme
    id ids identifiant identifier ident ipp nip ins iep nda uid uuid key cle num numero nro no number matricule
    date dates day jour heure heures time hour debut fin start end duree naissance ddn dob birth age annee year mois
    month created updated modified creation modification maj
    sexe sex genre gender civilite titre title
    adresse address rue street cp postal ville city commune pays country tel telephone phone mail email
    patient patients person personne assure sejour stay visite visit dossier venue encounter intervention interventions
    operation operations acte actes act procedure ghm diagnostic diag motif reason anesthesie
    chirurgien surgeon operateur operator medecin praticien practitioner doctor
    service unite unit uf um ufr pole department etablissement hopital hospital clinique site salle bloc location
    lieu
    code codes lib libelle label libel designation description desc descriptif intitule commentaire comment remarque
    remark note notes texte text valeur value values mesure result resultat unit
    type kind nature categorie category famille classe class groupe group statut status etat state
    lot lots batch serie serial sn udi di pi gtin ean ref reference refs article articles item items produit product dm
    dmi dmp device dispositif implant implants materiel modele model marque brand fabricant manufacturer fournisseur
    supplier laboratoire
    qte quantite qty quantity nb nbre nombre count poids weight taille size hauteur height dose prix price
    montant amount cote side laterality localisation voie position rang rank ligne line ordre order version
    source peremption expiry expiration
"""
_WORDS = frozenset(_TEXT.split())
_PARTS = re.compile("[A-Z]?[a-z]+|[A-Z]+")
_CAMEL_CASE = re.compile("[a-z]+[A-Z]")


def has_column_word(texts: Iterable[str]) -> bool:
    """Is one of the texts a name by its words, or written as names are: `poseDmi`, `POSE_DMI`?

    Example:
        >>> has_column_word(["MARTIN", "Date de pose"]), has_column_word(["lieuPose"]), has_column_word(["MARTIN", "M"])
        (True, True, False)
    """
    return any("_" in text or _CAMEL_CASE.match(text) or not _WORDS.isdisjoint(_words(text)) for text in texts)


def _words(text: str) -> list[str]:
    """The words of a text, without accents and capitals."""
    plain = "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))
    return [part.lower() for part in _PARTS.findall(plain)]
