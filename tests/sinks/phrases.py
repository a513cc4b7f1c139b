"""What receivers say, each with what is of a person in braces, where anything is."""

from __future__ import annotations

PRIVATE = r"""
patientName={petit}
nomDeNaissance={petit}
nomDeNaissance={Roy}
nomDeNaissance={grant}
nom_de_naissance={petit}
NOM_NAISSANCE: {petit}
prenomUsage: {rose}
birthName={petit}
Patient.name.family={petit}
Patient.name.given = '{rose}'
name.family: {blanc}
"family":"{petit}","given":"{rose}"
<family value="{petit}"/>
<nom>{petit}</nom>
<prenom>{rose}</prenom>
ici {DUPONTMarie}
{DUPONT_Marie}_3
{dupont_marie}_3
{Dupont-Marie}-1941
Patient/{dupont-marie}
Patient?name={dupont}
Patient?family={petit}&given={rose}
le patient {petit} est inconnu
le patient {petit}, {rose} est inconnu
patient: {petit}
patient "{petit}"
nom: {petit} prénom: {rose}
nom d'usage {petit}
née {petit}
épouse {petit}
veuve {Petit}
Mme {dupont}
M. {dupont}
M {dupont} est inconnu
monsieur {petit}
madame {rose blanc}
Mr. {young}
Dr {blanc}
pr {martin}
patiente nommée {petit}
identité {petit rose}
refus de {dupont marie}
refus de {marie dupont}
ici {Dupont}
ici {D&uacute;pont}
ici {%44upont}
ici {%2544upont}
{02.II.1941} ici
{2.ii.1941} ici
le {2 février 1941} ici
le {deux février} ici
le {deux février mille neuf cent quarante et un} ici
le {premier mars 1941} ici
the {second of February} ici
le {1er mars} ici
né en {février 1941}
né en {1941}
née le {02/02}
né le {2/2}
nés en {février}
born {1941}
born in {1941}
born on {2/2}
{02/02/41} ici
{2-2-41} ici
{41-02-02} ici
ddn {410202}
ddn={1941}
dateNaissance={1941}
date de naissance : {2/2}
birth-date={1941}
birthDate value="{1941}"
{02021941} ici
{02 02 1941} ici
{1941-02-02T00:00:00Z} ici
{Feb-02-41} ici
{2nd of February} ici
{284051012345678} ici
{2840510123456} ici
{2 84 05 10 123 456 78} ici
{2&nbsp;84&#160;05&nbsp;10&nbsp;123&nbsp;456} ici
{2%2084%2005%2010%20123%20456} ici
{2%252084%252005%252010%2520123%2520456} ici
{2/84/05/10/123/456} ici
{2.84.05.10.123.456} ici
{2  84  05  10  123  456} ici
{2        84        05        10        123        456} ici
{2_84_05_10_123_456} ici
{2, 84, 05, 10, 123, 456} ici
{2 84 05 2A 123 456} ici
{2840510A23456} ici
{1.2.250.1.213.2840510123456} ici
sexe {1 année 41 mois 02 département 75 commune 123 ordre 456} ici
sexe={1;annee=41;mois=02;dept=75;commune=123;ordre=456;cle=78}
sexe : {1, année : 41, mois : 02, dépt : 2A, commune : 123, ordre : 456, clé : 78}
{78 284051012345 6} ici
INS {2840510123456}
INS {284 051}
nss={28405101}
nss: {2840510***456}
nss: {2840510xxxxxx}
nss {28405 puis 10123456}
ipp={12345}
sécurité sociale {28405}
matricule {284 05 10}
+{33 6 12 34 56 78} ici
{06.12.34.56.78} ici
ici {RFVQT05U}
ici {4455504f4e54}
Bearer {abc123}
bearer {abc}
Authorization: Basic {dXNlcjpwYXNz}
Authorization: {abc}
access_token={abcdef}
token={abcd}
token: {s3cr3t}
"token":"{s3-cr}"
password={hunter2}
mot de passe: {soleil}
client_secret={abcdef}
api_key={abcdef}
apikey: {abc}
Cookie: session={abcdef}
{eyJhbGciOiJIUzI1NiJ9.e30.abc} ici
ici {John McDonald}
identifier=urn:oid:1.2.250.1.213.1.4.8|{2840510123456}
identifier=urn:oid:1.2.250.1.213.1.4.8|{2840510}
né à {Paris} le {02/02}
n° sécu {284 05 10}
Assuré n° {2840510}
ici {محمد}
ici {王小明}
ici {1941年2月2日}
utilisateur: {jdupont}
login={jdupont}
GET /Patient?birthdate={eq1941}
Patient.birthDate = {1941}
ddn: {1941}
PID|1||{POQUELIN^JEAN}||{19220115}|M
mail {marie.dupont@example.org}
"""

INNOCENT = r"""
Patient.Identifier
Patient.identifier: minimum required = 1, but only found 0
Parameters.parameter[0].value.ofType(Identifier)
Parameters.parameter.where(name='implant').value
Parameters.parameter.where(name='date')
Bundle.entry[3].resource.ofType(Procedure).performedDateTime
Device.udiCarrier[0].deviceIdentifier
Unable to resolve reference Practitioner/123
Unknown code 'ZZLP025' in https://mos.esante.gouv.fr/NOS/TRE_R85-CCAM/FHIR/TRE-R85-CCAM
urn:oid:1.2.250.1.213.1.4.8
urn:oid:1.2.250.1.213.1.4.10
INS urn:oid:1.2.250.1.213.1.4.10 attendu
urn:oid:2.16.840.1.113883.6.96
oid 1.2.250.1.213.2.5
http://snomed.info/sct|79122003
http://unitsofmeasure.org
http://hl7.org/fhir/StructureDefinition/Patient
https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient
http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1
http://terminology.hl7.org/CodeSystem/v3-ActCode
HAPI-0450: Failed to parse JSON. Error was: HAPI-1861: Failed to parse JSON encoded FHIR content
ORA-00001: unique constraint violated
HTTP 500 Internal Server Error
java.lang.NullPointerException
org.hl7.fhir.exceptions.FHIRException: Unknown code
ca.uhn.fhir.rest.server.exceptions.UnprocessableEntityException
Validation_VAL_Profile_Minimum
Reference_REF_CantResolve
Rule pat-1: 'SHALL at least contain a reference to an organization' Failed
The value provided ('xyz') was not found in the value set 'Laterality'
Code GTIN invalide
UDI-DI inconnu dans EUDAMED
Code CIM-10 Z96.6 inconnu
Code EMDN P0908 inconnu
Le champ dateIntervention est obligatoire
La date d'intervention est postérieure à la date du jour
La date de naissance est obligatoire
La date de naissance du patient est postérieure à la date d'intervention
Numéro de sécurité sociale : 15 caractères attendus
Le nom de naissance est obligatoire
Nom de naissance manquant
Le NIR est invalide
La clé du NIR est incorrecte
NIR : 15 caractères attendus
Identité INS non qualifiée
nom: obligatoire
nom=null
Nom : champ obligatoire
name: must not be empty
nom : la valeur dépasse 80 caractères
Patient: not found
Patient : inconnu
Patient introuvable
Le patient a déjà une déclaration
patient décédé
prenom: absent
Token expired
token: expired
Jeton expiré
access_token manquant
Bearer token missing
Bearer realm="fhir", error="invalid_token"
Le côté (Droite ou Gauche) est obligatoire
Erreur interne
Service indisponible, réessayez dans 30 s
Doublon : déclaration déjà enregistrée
Numéro de lot manquant
Le dispositif médical n'est pas dans le périmètre
Prothèse totale de hanche
Reprise : la date de l'implantation initiale manque
XPath: /f:Patient/f:name
Line 12, column 34
Error at line 1 column 2345: Unexpected character
Maximum 10 requests per minute
Correlation-ID: 3f2504e0-4f89-11d3-9a0c-0305e82c3301
Operation $submit not supported
Content-Type application/fhir+json
Unrecognised property 'foo'
ERR-2025-17
Segment PID-3
MSH-9
Patient.birthDate : format attendu AAAA-MM-JJ
birthDate: maximum 10 characters
Traits d'identité incomplets
Parameter 'patientIdentity' is missing
Extension http://example.org/fhir/StructureDefinition/side unknown
Questionnaire
Composition
Observation.value[x]
ID 12345 unknown
Timeout after 5000 ms
The resource type 'Device' is not allowed here
Chirurgien inconnu
Certificat client refusé
Coxarthrose
Fracture du col
Tige fémorale cimentée
Score ASA attendu entre 1 et 5
Sexe : code 1 ou 2 attendu
Rang 3 sur 12
One may retry later
the first may be wrong
"""


def private_phrases() -> list[str]:
    """Phrases with what is of a person in braces."""
    return PRIVATE.strip().splitlines()


def innocent_phrases() -> list[str]:
    """Phrases that are shown as they are."""
    return INNOCENT.strip().splitlines()
