"""Words that name columns and sheets: a line that has one holds names, though the values below it are words, too."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["SHEET_WORDS", "has_column_word", "is_of_words", "words_of"]

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
_SHEET_TEXT = """
    feuil feuille sheet tableau table tabelle page onglet liste list donnees data base export extraction extrait import
    stock stocks pose poses suivi bilan synthese summary recap recapitulatif total totaux
    tracabilite traceabilite traceability historique history archive archives commande commandes livraison livraisons
    facture factures annexe annexes accueil sommaire legende parametres config referentiel inventaire inventory
    semaine week trimestre quarter semestre janvier fevrier mars avril mai juin juillet aout septembre octobre novembre
    decembre january february march april may june july august september october november december
    chirurgie orthopedie traumatologie cardiologie urologie neurologie ophtalmologie orl vasculaire viscerale
    hanche hanches genou genoux epaule epaules rachis cheville prothese protheses stent stents pacemaker pacemakers
"""
SHEET_WORDS = frozenset(_SHEET_TEXT.split())
"""Words that name sheets of a workbook, beside those of columns."""
_PARTS = re.compile("[A-Z]?[a-z]+|[A-Z]+")
_CAMEL_CASE = re.compile("[a-z]+[A-Z]")


def has_column_word(texts: Iterable[str]) -> bool:
    """Is one of the texts a name by its words, or written as names are: `poseDmi`, `POSE_DMI`?

    Example:
        >>> has_column_word(["MARTIN", "Date de pose"]), has_column_word(["lieuPose"]), has_column_word(["MARTIN", "M"])
        (True, True, False)
    """
    return any("_" in text or _CAMEL_CASE.match(text) or is_of_words(text) for text in texts)


def is_of_words(text: str) -> bool:
    """Is one of the words of a text one that names columns, however it is written?

    Example:
        >>> is_of_words("Date de pose"), is_of_words("DE LA TOUR"), is_of_words("dupont_marie")
        (True, False, False)
    """
    return not _WORDS.isdisjoint(words_of(text))


def words_of(text: str) -> list[str]:
    """The words of a text, without accents and capitals."""
    plain = "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))
    return [part.lower() for part in _PARTS.findall(plain)]
