"""The registry itself: whom it knows, which operations it holds, what was associated, and what it answers to a
declaration.

The order is the guide's: the structure, then patient, surgeon and establishment, then one operation equal in patient,
surgeon, establishment, date, type and, if it is sent, side. Several operations equal: not paired either, since
it is unknown with which. No answer and no log line holds a value of the declaration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fhirmap.registry.config import RegistryConfig, ScriptedAnswer
from fhirmap.registry.declaration import Declaration, Problem

__all__ = ["PairingResult", "Registry", "SeenCall"]


@dataclass(frozen=True, slots=True)
class PairingResult:
    """What the registry makes of a declaration: an HTTP status, its problems, the identifier where it is paired."""

    status: int
    problems: tuple[Problem, ...] = ()
    identifier: str = ""
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One call, for those who check what was sent: no value of it, only its digest and request key."""

    number: int
    request_key: str
    digest: str
    fault: str
    status: int
    carried_out: bool
    is_repeat: bool
    identifier: str


@dataclass
class Registry:
    """The state of one simulator. Only the server's one thread changes it."""

    config: RegistryConfig
    calls: list[SeenCall] = field(default_factory=list)
    _by_payload: dict[str, str] = field(default_factory=dict)
    _by_operation: dict[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def associated(self) -> int:
        """How many operations have implants."""
        return len(set(self._by_payload.values()))

    @property
    def repeats(self) -> int:
        """How many times a payload came that had been taken before."""
        return sum(call.is_repeat for call in self.calls)

    def pair(self, declaration: Declaration, problems: list[Problem], digest: str) -> PairingResult:
        """What to answer; takes the declaration in where it is paired. The same payload again gets the same
        identifier."""
        if problems:
            return PairingResult(400, tuple(problems))
        scripted = self.scripted(declaration)
        if scripted is not None and scripted.status >= 300:
            return PairingResult(scripted.status, (Problem(scripted.code, scripted.words, scripted.expression),))
        if digest in self._by_payload:
            return PairingResult(200, identifier=self._by_payload[digest], is_repeat=True)
        if self.config.accept_all:
            return PairingResult(200, identifier=self._associate(declaration.identity, "", digest))
        unknown = tuple(self._unknown(declaration))
        if unknown:
            return PairingResult(400, unknown)
        return self._pair(declaration, digest)

    def scripted(self, declaration: Declaration) -> ScriptedAnswer | None:
        """The scripted answer that matches, if there is one."""
        return next((answer for answer in self.config.answers if matches(answer.match, declaration)), None)

    def take_bundle(self, digest: str) -> tuple[str, bool]:
        """The identifier given to a transaction, and whether it had been taken before."""
        repeated = digest in self._by_payload
        return self._by_payload.get(digest) or self._associate((digest,), "", digest), repeated

    def _unknown(self, declaration: Declaration) -> list[Problem]:
        config = self.config
        known = (
            (config.patients, declaration.nir, "Patient", "nir", [op.nir for op in config.operations]),
            (config.surgeons, declaration.rpps, "Chirurgien", "rpps", [op.rpps for op in config.operations]),
            (
                config.establishments,
                declaration.finess,
                "Établissement",
                "finessGeographique",
                [op.finess for op in config.operations],
            ),
        )
        return [
            Problem("required", f"{who} inconnu du registre.", f"Parameters.parameter.where(name='{name}')")
            for names, value, who, name, entered in known
            if value not in names and value not in entered
        ]

    def _pair(self, declaration: Declaration, digest: str) -> PairingResult:
        found = [
            operation
            for operation in self.config.operations
            if (operation.nir, operation.rpps, operation.finess, operation.date, operation.type)
            == (declaration.nir, declaration.rpps, declaration.finess, declaration.date, declaration.type)
            and (not declaration.side or operation.side == declaration.side)
        ]
        if len(found) != 1:
            words = (
                "Aucune intervention du registre ne correspond au patient, au chirurgien, à l'établissement, à la date,"
                " au type et au côté déclarés."
                if not found
                else "Plusieurs interventions du registre correspondent : précisez le côté."
            )
            return PairingResult(422, (Problem("processing", words),))
        operation = found[0]
        key = (operation.nir, operation.rpps, operation.finess, operation.date, operation.type, operation.side)
        return PairingResult(200, identifier=self._associate(key, operation.id, digest))

    def _associate(self, key: tuple[str, ...], identifier: str, digest: str) -> str:
        """One identifier an operation: another payload for the same operation replaces its implants."""
        if key not in self._by_operation:
            number = self.config.first_number + len(self._by_operation)
            self._by_operation[key] = identifier or f"{self.config.identifier_prefix}{number:05d}"
        self._by_payload[digest] = self._by_operation[key]
        return self._by_operation[key]


def matches(wanted: Mapping[str, Any], declaration: Declaration) -> bool:
    """Does the declaration say what ``wanted`` says? An empty one matches everything."""
    return all(
        value in declaration.lots if name == "lot" else getattr(declaration, name) == value
        for name, value in wanted.items()
    )
