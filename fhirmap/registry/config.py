"""``registry.toml``: whom the simulator knows, how fast it may be called, and when it misbehaves.

    [server]       rate_per_s = 5   retry_after = true   token_life_s = 3600   seed = 1   accept_all = true
    [[client]]     id = "ch-valmorel"   secret = "…"   scope = "implant"   public_key = "client.pem"   grants = ["…"]
    [known]        patients = ["…"]   surgeons = ["…"]   establishments = ["…"]
    [[operation]]  nir = "…"   rpps = "…"   finess = "…"   date = "2025-03-15"   type = "19063003"   side = "DROITE"
                   id = "…"
    [[fault]]      kind = "503"   match = { lot = "…" }   times = 2   rate = 0.05   calls = [3, 7]   retry_after_s = "2"
    [[answer]]     match = { date = "2025-03-14" }   status = 422   words = "…"

Without ``accept_all`` a declaration must meet a known patient, surgeon and establishment and one `operation`, equal in
all it sends. A `fault` is injected where its ``match`` agrees, on the ``calls`` listed (counted from 1), or at random
at its ``rate``; ``times`` bounds it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fhirmap.bounded_files import MOST_SETTINGS_BYTES, read_bounded
from fhirmap.errors import ConfigError
from fhirmap.texts import Text, os_reason, text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Table = TypeVar("Table", bound="DataclassInstance")
Matching = TypeVar("Matching", "ScriptedAnswer", "InjectedFault")

__all__ = [
    "Client",
    "InjectedFault",
    "InjectedKind",
    "RegistryConfig",
    "RegistryOperation",
    "ScriptedAnswer",
    "read_config",
]


class InjectedKind(StrEnum):
    """How a call goes wrong.

    ``reset-before`` drops the connection before the declaration is taken in, ``reset``, ``timeout`` and the odd bodies
    after it is.
    """

    STATUS_400 = "400"
    STATUS_401 = "401"
    STATUS_403 = "403"
    STATUS_404 = "404"
    STATUS_422 = "422"
    STATUS_429 = "429"
    STATUS_500 = "500"
    STATUS_502 = "502"
    STATUS_503 = "503"
    STATUS_504 = "504"
    RESET = "reset"
    RESET_BEFORE = "reset-before"
    TIMEOUT = "timeout"
    SLOW = "slow"
    TRUNCATED = "truncated"
    HTML = "html"
    HTML_503 = "html-503"
    EMPTY = "empty"
    NOT_FHIR = "not-fhir"
    ERROR_ISSUE = "error-issue"
    NO_IDENTIFIER = "no-identifier"
    BARE_OUTCOME = "bare-outcome"


_MATCHES = ("nir", "rpps", "finess", "date", "type", "side", "lot")


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the identity server. ``public_key``: for private_key_jwt, PEM text or a set of JWKs. ``grants``:
    those it is registered for."""

    id: str
    secret: str = field(default="", repr=False)
    scope: str = "implant"
    public_key: str = ""
    grants: tuple[str, ...] = ("client_credentials",)


@dataclass(frozen=True, slots=True)
class RegistryOperation:
    """An operation that a surgeon has entered. ``side``: empty where the registry holds none."""

    nir: str
    rpps: str
    finess: str
    date: str
    type: str
    side: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A way to misbehave, and when. ``after_s``: for ``slow`` and ``timeout``."""

    kind: InjectedKind
    match: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None
    rate: float = 0.0
    calls: tuple[int, ...] = ()
    retry_after_s: str = ""
    after_s: float = 30.0


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """What is answered to the declarations that ``match``."""

    match: Mapping[str, str]
    status: int
    words: str = ""
    code: str = "processing"
    expression: str = ""


_DEMO_CLIENTS = (Client("demo", "demo"),)


@dataclass(frozen=True, slots=True)
class RegistryConfig:
    """Everything that can be set. By default: one client, accepts every well-formed declaration, five calls a
    second."""

    clients: tuple[Client, ...] = _DEMO_CLIENTS
    accept_all: bool = True
    patients: frozenset[str] = frozenset()
    surgeons: frozenset[str] = frozenset()
    establishments: frozenset[str] = frozenset()
    operations: tuple[RegistryOperation, ...] = ()
    faults: tuple[InjectedFault, ...] = ()
    answers: tuple[ScriptedAnswer, ...] = ()
    rate_per_s: int = 5
    retry_after: bool = True
    token_life_s: int = 3600
    seed: int = 1
    identifier_system: str = "https://registres.renacot.org/procedure"
    identifier_prefix: str = "RENACOT-2025-"
    first_number: int = 1


_SERVER = (
    "rate_per_s",
    "retry_after",
    "token_life_s",
    "seed",
    "accept_all",
    "identifier_system",
    "identifier_prefix",
    "first_number",
)


def read_config(path: Path) -> RegistryConfig:
    """The settings of a ``registry.toml``.

    Raises: ConfigError FM794 where it cannot be read, or holds what is not listed above.
    """
    try:
        content = tomllib.loads(_text(path))
        return _config(content, path)
    except (OSError, UnicodeDecodeError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else Text("reasons.not_utf8")
        raise ConfigError("FM794", file=str(path), reason=reason) from None
    except RecursionError:
        raise ConfigError("FM794", file=str(path), reason=Text("reasons.toml_deep")) from None
    except (tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise ConfigError("FM794", file=str(path), reason=str(error)) from None


def _config(content: Mapping[str, Any], path: Path) -> RegistryConfig:
    _only(content, ("server", "client", "known", "operation", "fault", "answer"), text("reasons.the_file"))
    server = content.get("server", {})
    _only(server, _SERVER, "[server]")
    known = content.get("known", {})
    _only(known, ("patients", "surgeons", "establishments"), "[known]")
    clients = tuple(_client(entry, path) for entry in content.get("client", []))
    faults = tuple(_fault(entry) for entry in content.get("fault", []))
    return RegistryConfig(
        clients=clients or _DEMO_CLIENTS,
        patients=frozenset(known.get("patients", ())),
        surgeons=frozenset(known.get("surgeons", ())),
        establishments=frozenset(known.get("establishments", ())),
        operations=tuple(_made(RegistryOperation, entry, "[[operation]]") for entry in content.get("operation", [])),
        faults=faults,
        answers=tuple(_matched(_made(ScriptedAnswer, entry, "[[answer]]")) for entry in content.get("answer", [])),
        **server,
    )


def _only(table: object, names: tuple[str, ...], where: str) -> None:
    if not isinstance(table, Mapping):
        raise TypeError(text("reasons.must_be_table", where=where))
    for name in table:
        if name not in names:
            raise ValueError(text("reasons.no_setting", where=where, name=name, names=", ".join(names)))


def _made(kind: type[Table], entry: object, where: str) -> Table:
    _only(entry, tuple(item.name for item in fields(kind)), where)
    assert isinstance(entry, Mapping)
    return kind(**entry)


def _client(entry: Mapping[str, Any], path: Path) -> Client:
    client: Client = _made(Client, entry, "[[client]]")
    client = replace(client, grants=tuple(client.grants))
    if not client.public_key:
        return client
    return replace(client, public_key=_text(path.parent / client.public_key))


def _text(path: Path) -> str:
    return read_bounded(path, MOST_SETTINGS_BYTES).decode()


def _fault(entry: Mapping[str, Any]) -> InjectedFault:
    made: InjectedFault = _matched(_made(InjectedFault, {**entry, "calls": tuple(entry.get("calls", ()))}, "[[fault]]"))
    if made.kind not in tuple(InjectedKind):
        raise ValueError(text("reasons.no_kind", kind=made.kind, names=", ".join(InjectedKind)))
    return replace(made, kind=InjectedKind(made.kind))


def _matched(made: Matching) -> Matching:
    _only(made.match, _MATCHES, "match")
    return made
