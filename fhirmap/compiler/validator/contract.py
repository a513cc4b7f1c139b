"""What a result must satisfy: profiles, an operation's input, rules of a project, severities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fhirmap.compiler.validator.merged import constraints_below
from fhirmap.model.definition import FHIR_URL, Constraint, Definitions, Operation, Structure, TypeRef
from fhirmap.model.fhir import base_types, release_of_url


@dataclass(frozen=True, slots=True)
class Contract:
    """What a result must satisfy.

    ``structures``: canonical URLs of profiles and operations (whose input is meant) that all hold, or of a base type.
    ``severities``: rule key → off, warning or error; a rule that is not named keeps its own. ``rules``: further
    invariants by the path of the element they are for, slice names included (`Parameters`,
    `Parameters.parameter:ident.value[x]`).
    """

    definitions: Definitions
    structures: tuple[str, ...]
    severities: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, tuple[Constraint, ...]] = field(default_factory=dict)

    @property
    def roots(self) -> tuple[Structure, ...]:
        """The structures that are known."""
        found = (self.definitions.structure(url) for url in self.structures)
        return tuple(structure for structure in found if structure is not None)

    @property
    def type(self) -> str:
        """The resource type that all of them constrain; any resource where none of them is known."""
        return self.roots[0].type if self.roots else "Resource"

    @property
    def release(self) -> str:
        """The release whose types hold: the one that a base type's versioned URL names, else the definitions' own."""
        named = release_of_url(self.roots[0].url) if self.roots else None
        return named or self.definitions.fhir_version

    def rule_keys(self) -> tuple[str, ...]:
        """Keys of every rule whose severity a project may change."""
        found = constraints_below(self.definitions, [root.root for root in self.roots], set())
        own = (entry for held in self.rules.values() for entry in held)
        return tuple(dict.fromkeys(entry.key for entry in (*found, *own)))


def contract_of(
    definitions: Definitions,
    *,
    operation: Operation | None = None,
    profile: Structure | None = None,
    severities: Mapping[str, str] | None = None,
    rules: Mapping[str, tuple[Constraint, ...]] | None = None,
) -> Contract:
    """The contract of an operation, a profile, or both; the operation's own input profile holds in any case."""
    urls = [profile.url] if profile is not None else []
    if operation is not None:
        own = definitions.structure(operation.input_profile) if operation.input_profile else None
        urls += [own.url] if own is not None else []
        urls.append(operation.url)
    return Contract(definitions, tuple(dict.fromkeys(urls)), dict(severities or {}), dict(rules or {}))


def base_type(contract: Contract) -> TypeRef | None:
    """FHIR's own type that its structures constrain; None where the release has none, or it is no type of FHIR."""
    own = FHIR_URL + contract.type
    root = contract.roots[0] if contract.roots else None
    if root is None or root.is_profile or root.url == own:
        found, url = base_types(contract.definitions.fhir_version)(contract.type), own
    else:
        found, url = base_types(contract.release)(root.url), root.url
    return TypeRef(contract.type, url) if found is not None else None
