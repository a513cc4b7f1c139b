"""An establishment: what `fhirmap.toml` says, as frozen values. `project_file` reads it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhirmap.diagnostics import Diagnostic, Span, suggestion
from fhirmap.errors import ConfigError, ProjectError
from fhirmap.records import UncertainPolicy
from fhirmap.runner.secret import Secret
from fhirmap.runner.target import (
    Target,
)
from fhirmap.sources import plugin_schemes
from fhirmap.sources.address import Address, mask, parse_address
from fhirmap.sources.changes import ChangeColumns

if TYPE_CHECKING:
    from fhirmap.sinks.settings import ClientCredentials
    from fhirmap.sinks.sink import SinkSettings

SIMULATOR = "simulator"


@dataclass(frozen=True, slots=True)
class MapSettings:
    """``[map]``: the establishment's map, further maps it may import, definitions, and the target.

    ``allow``: folders outside of the project whose files the maps may name.
    """

    source: Path
    target: Target | None
    imports: tuple[Path, ...] = ()
    definitions: tuple[Path, ...] = ()
    allow: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """``[source]``, or ``[sources.NAME]``, which has only an address. ``override``: what ``--source`` gave instead.
    ``is_complete``: what it does not hold is gone. ``least_share``: of the records of the last complete reading, below
    which nothing is sent; 0: whatever it holds. ``done``: where its files go once all of their records are settled.
    ``changed_since``: the columns by which only what has changed is read.
    """

    url: Secret
    password: Secret | None = None
    is_complete: bool = True
    least_share: float = 0.5
    override: str = field(default="", repr=False)
    done: Path | None = None
    done_span: Span | None = field(default=None, compare=False, repr=False)
    changed_since: ChangeColumns | None = None
    changed_span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """``[sink.auth]``: who we are at the identity server; ``kind`` none or client_credentials."""

    kind: str = "none"
    method: str = "client_secret_post"
    token_url: str = ""
    client_id: str = ""
    client_secret: Secret | None = None
    private_key: Secret | None = None
    scope: str = ""
    key_id: str = ""
    algorithm: str = ""
    audience: str = ""
    typ: str = "JWT"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """``[sink.tls]``: a private CA, a client certificate and its key, PEM files."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class SinkPart:
    """``[sink]``. ``url`` "simulator": the built-in registry is started for the run. Units: seconds."""

    kind: str
    url: str = ""
    path: Path | None = None
    timeout_s: float = 30.0
    connect_timeout_s: float = 10.0
    proxy: Secret | None = None
    allow_http: bool = False
    """May declarations and secrets leave without TLS, for another machine than this one?"""
    headers: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    auth: AuthSettings = field(default_factory=AuthSettings)
    tls: TlsFiles = field(default_factory=TlsFiles)

    @property
    def is_simulator(self) -> bool:
        """Is the built-in registry meant?"""
        return self.url == SIMULATOR


@dataclass(frozen=True, slots=True)
class SinkLimits:
    """``[limits]``: how fast, how often, and what to do where an answer was never seen."""

    rate_per_s: float = 5.0
    concurrency: int = 4
    attempts: int = 5
    backoff_s: float = 1.0
    uncertain: UncertainPolicy = UncertainPolicy.RESEND
    map_changes: UncertainPolicy = UncertainPolicy.HOLD
    """Of accepted records that only the map, the target or the version makes different."""


@dataclass(frozen=True, slots=True)
class JournalPart:
    """``[journal]``: a file, or a database URL for several workers. ``project``: the name by which the journal knows
    the project, where that is not its own. ``audit_key``: what the digests of the audit log are made with.
    ``encryption_keys``: of payloads and answers; the first encrypts, all decrypt."""

    path: Path
    url: Secret | None = None
    project: str = ""
    audit_key: Secret | None = None
    encryption_keys: tuple[Secret, ...] = ()

    @property
    def audit_bytes(self) -> bytes:
        """The key, empty without one.

        Raises: ConfigError FM736, FM738.
        """
        return self.audit_key.reveal().encode() if self.audit_key else b""


@dataclass(frozen=True, slots=True)
class ArchiveTable:
    """``[archive.table]``: the table that the registry's identifier is written to. ``url`` None: in the source."""

    table: str
    key_columns: tuple[str, ...]
    """One for the whole key, or one for each of its parts."""
    value_column: str
    system_column: str = ""
    state_column: str = ""
    time_column: str = ""
    previous_column: str = ""
    create: bool = False
    url: Secret | None = None

    @property
    def previous_name(self) -> str:
        """The column of identifiers that a record had before, used where the table has it."""
        return self.previous_column or f"{self.value_column}_previous"


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """``[archive]``: a table, a CSV, both or neither."""

    table: ArchiveTable | None = None
    csv: Path | None = None


@dataclass(frozen=True, slots=True)
class ColumnSetting:
    """One column of `preview --records`: a name and a FHIRPath over the result."""

    name: str
    expression: str
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Project:
    """An establishment: its map, source, contract, sink, journal and archive.

    ``warnings``: what the file has that is allowed and doubtful. ``unset``: variables its texts refer to and that are
    not set; `require_environment` raises them where something is about to be sent.
    """

    folder: Path
    file: Path
    name: str
    map: MapSettings
    source: SourceSettings
    severities: Mapping[str, str]
    sink: SinkPart
    limits: SinkLimits
    journal: JournalPart
    archive: ArchiveSettings
    records: tuple[ColumnSetting, ...]
    registry: Path | None = None
    metrics_file: Path | None = None
    """``[metrics]``: where a run writes its figures."""
    sources: Mapping[str, SourceSettings] = field(default_factory=dict)
    """``[sources.NAME]``: further places, which models name, by their names."""
    source_spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)
    rule_spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)
    warnings: tuple[Diagnostic, ...] = ()
    unset: tuple[Diagnostic, ...] = ()

    @property
    def target_name(self) -> str:
        """Name of the target; that of the map's file where the map itself is the target."""
        return self.map.target.name if self.map.target else self.map.source.stem

    @property
    def map_folders(self) -> tuple[Path, ...]:
        """Folders whose files its maps may name, beside those that the maps are in."""
        return (self.folder, *self.map.allow)

    @property
    def journal_name(self) -> str:
        """The name by which the journal knows the project."""
        return self.journal.project or self.name

    @property
    def has_own_source(self) -> bool:
        """Does the file, or ``--source``, say where the source is that models without `source` read?"""
        return bool(self.source.override or self.source.url.text or self.source.url.file is not None)

    def source_address(self, name: str = "") -> Address:
        """Where to read one of its sources, its own without a ``name``, with secrets looked up.

        Raises: ConfigError FM769 (no such source), FM700, FM734 (it has none of its own), FM736, FM738.
        """
        settings = self._source_settings(name)
        password = settings.password.reveal() if settings.password else ""
        schemes = plugin_schemes()
        if settings.override:
            return parse_address(settings.override, password=password, schemes=schemes)
        text = settings.url.reveal()
        shown = mask(settings.url.text) or "source"
        try:
            address = parse_address(text, self.folder, password=password, schemes=schemes)
        except ConfigError as error:
            raise error if text == settings.url.text else _without_value(error, shown) from None
        return replace(address, shown=shown, may_be_empty=settings.done is not None)

    def _source_settings(self, name: str) -> SourceSettings:
        settings = self.sources.get(name) if name else self.source
        if settings is None:
            raise ConfigError("FM769", source=name, **suggestion(name, self.sources))
        if not name and not self.has_own_source:
            raise ConfigError("FM734", setting=settings.url.setting)
        return settings

    def source_name(self, name: str = "") -> str:
        """Which place is read for one of its sources: empty for the one that its file names, a digest of the address
        for another that ``--source`` gives.

        Raises: ConfigError FM769, FM700, FM734, FM736, FM738.
        """
        settings = self._source_settings(name)
        if not settings.override:
            return ""
        own = replace(settings, override="")
        written = replace(self, sources={**self.sources, name: own}) if name else replace(self, source=own)
        given = self.source_address(name).shown
        with suppress(ConfigError):
            if written.source_address(name).shown == given:
                return ""
        return hashlib.sha256(given.encode()).hexdigest()

    @property
    def done_folder(self) -> Path | None:
        """Where files of its own source go once their records are settled: None for a place that ``--source`` gives.

        Raises: ConfigError FM769, FM700, FM734, FM736, FM738.
        """
        return None if self.source.done is None or self.source_name() else self.source.done

    @property
    def changed_since(self) -> ChangeColumns | None:
        """The columns by which only what has changed is read: None for a place that ``--source`` gives.

        Raises: ConfigError FM769, FM700, FM734, FM736, FM738.
        """
        columns = self.source.changed_since
        return None if columns is None or self.source_name() else columns

    def require_environment(self) -> None:
        """Raises: ProjectError with FM736 for each variable that is referred to and not set."""
        if self.unset:
            raise ProjectError(self.unset)

    def sink_settings(self, url: str | None = None, token_url: str | None = None) -> SinkSettings:
        """What `sinks.open_sink` takes, secrets looked up. ``url``, ``token_url``: of the simulator that was just
        started.

        Raises: ConfigError FM736, FM738.
        """
        from fhirmap.sinks.settings import Tls, TransportSettings
        from fhirmap.sinks.sink import SinkSettings

        sink = self.sink
        return SinkSettings(
            kind=sink.kind,
            url=url or sink.url,
            endpoint=self.map.target.endpoint if self.map.target else "",
            credentials=None if sink.auth.kind == "none" else self._credentials(token_url),
            transport=TransportSettings(
                timeout_s=sink.timeout_s,
                connect_timeout_s=sink.connect_timeout_s,
                proxy=sink.proxy.reveal() if sink.proxy else None,
                tls=Tls(sink.tls.ca, sink.tls.cert, sink.tls.key),
                allow_http=sink.allow_http,
            ),
            headers={name: value.reveal() for name, value in sink.headers.items()},
            path=sink.path,
            answer_words=self.map.target.answers if self.map.target else None,
        )

    def _credentials(self, token_url: str | None) -> ClientCredentials:
        from fhirmap.sinks.settings import ClientCredentials

        auth = self.sink.auth
        return ClientCredentials(
            token_url=token_url or auth.token_url,
            client_id=auth.client_id,
            client_secret=auth.client_secret.reveal() if auth.client_secret else "",
            method=auth.method,
            scope=auth.scope,
            private_key=auth.private_key.reveal() if auth.private_key else "",
            key_id=auth.key_id,
            algorithm=auth.algorithm,
            audience=auth.audience,
            typ=auth.typ,
            reread=partial(self._credentials, token_url),
        )


def _without_value(error: ConfigError, shown: str) -> ConfigError:
    """The same fault of the text in the file: what a variable held stays out of the message."""
    found = error.diagnostic()
    args: dict[str, Any] = {n: value for n, value in found.args.items() if n not in ("source", "scheme", "suffix")}
    return ConfigError(error.code, span=None, hint=found.hint_shown, variant="url", **{**args, "source": shown})


__all__ = [
    "SIMULATOR",
    "ArchiveSettings",
    "ArchiveTable",
    "AuthSettings",
    "ColumnSetting",
    "JournalPart",
    "MapSettings",
    "Project",
    "SinkLimits",
    "SinkPart",
    "SourceSettings",
    "TlsFiles",
]
