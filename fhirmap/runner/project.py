"""`fhirmap.toml`: one folder is one establishment. Read strictly into frozen values, all faults at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhirmap.diagnostics import Diagnostic, Span, nearest
from fhirmap.errors import ConfigError, ProjectError
from fhirmap.records import UncertainPolicy
from fhirmap.runner.secret import Secret
from fhirmap.runner.target import (
    SEVERITIES,
    Target,
    existing_path,
    existing_paths,
    find_target,
    raise_errors,
    read_target,
)
from fhirmap.runner.toml_text import TomlSection, TomlText
from fhirmap.sources.address import Address, mask, parse_address
from fhirmap.texts import Text

if TYPE_CHECKING:
    from fhirmap.sinks.settings import ClientCredentials
    from fhirmap.sinks.sink import SinkSettings

FILE = "fhirmap.toml"
SIMULATOR = "simulator"
METHODS = ("client_secret_post", "client_secret_basic", "private_key_jwt")


@dataclass(frozen=True, slots=True)
class MapSettings:
    """``[map]``: the establishment's map, further maps it may import, definitions, and the target."""

    source: Path
    target: Target | None
    imports: tuple[Path, ...] = ()
    definitions: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """``[source]``. ``override``: what ``--source`` gave instead. ``is_complete``: what it does not hold is gone.
    ``least_share``: of the records of the last complete reading, below which nothing is sent; 0: whatever it holds.
    """

    url: Secret
    password: Secret | None = None
    is_complete: bool = True
    least_share: float = 0.5
    override: str = field(default="", repr=False)


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
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
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
    """``[journal]``: a file, or a database URL for several workers."""

    path: Path
    url: Secret | None = None


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
    rule_spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)
    warnings: tuple[Diagnostic, ...] = ()
    unset: tuple[Diagnostic, ...] = ()

    @property
    def target_name(self) -> str:
        """Name of the target; that of the map's file where the map itself is the target."""
        return self.map.target.name if self.map.target else self.map.source.stem

    def source_address(self) -> Address:
        """Where to read, with its secrets looked up.

        Raises: ConfigError FM700, FM736, FM738.
        """
        password = self.source.password.reveal() if self.source.password else ""
        schemes = _plugin_schemes()
        if self.source.override:
            return parse_address(self.source.override, password=password, schemes=schemes)
        text = self.source.url.reveal()
        shown = mask(self.source.url.text) or "source"
        try:
            address = parse_address(text, self.folder, password=password, schemes=schemes)
        except ConfigError as error:
            raise error if text == self.source.url.text else _without_value(error, shown) from None
        return replace(address, shown=shown)

    def source_name(self) -> str:
        """Which of the project's sources is read: empty for the one that its file names, a digest of the address for
        another that ``--source`` gives.

        Raises: ConfigError FM700, FM736, FM738.
        """
        if not self.source.override:
            return ""
        own = replace(self, source=replace(self.source, override=""))
        given = self.source_address().shown
        with suppress(ConfigError):
            if own.source_address().shown == given:
                return ""
        return hashlib.sha256(given.encode()).hexdigest()

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
            credentials=self._credentials(token_url),
            transport=TransportSettings(
                timeout_s=sink.timeout_s,
                connect_timeout_s=sink.connect_timeout_s,
                proxy=sink.proxy.reveal() if sink.proxy else None,
                tls=Tls(sink.tls.ca, sink.tls.cert, sink.tls.key),
            ),
            headers=sink.headers,
            path=sink.path,
        )

    def _credentials(self, token_url: str | None) -> ClientCredentials | None:
        from fhirmap.sinks.settings import ClientCredentials

        auth = self.sink.auth
        if auth.kind == "none":
            return None
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
        )


def load_project(folder: str | Path, *, source: str | None = None, environ: Mapping[str, str] | None = None) -> Project:
    """The project in ``folder`` (or whose file ``folder`` is). ``source`` replaces its ``[source]``.

    Raises: ProjectError with every fault of the file; ConfigError FM730 (no such file), FM731 (no TOML).
    """
    project, diagnostics = read_project(folder, source=source, environ=environ)
    if project is None:
        raise ProjectError(diagnostics)
    return project


def read_project(
    folder: str | Path, *, source: str | None = None, environ: Mapping[str, str] | None = None
) -> tuple[Project | None, list[Diagnostic]]:
    """The project, None where it cannot be used, with everything to say about its file.

    Raises: ConfigError FM730, FM731.
    """
    path = Path(folder)
    path = path if path.suffix == ".toml" else path / FILE
    file = TomlText(path, str(path))
    found = _Reading(file, path.parent, environ).project(source)
    errors = any(entry.is_error for entry in file.diagnostics)
    in_order = sorted(_without_consequences(file.diagnostics), key=lambda entry: entry.span.start if entry.span else 0)
    return (None if errors else found), in_order


def _without_consequences(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Without what is missing (FM734) only because its name, or its table's, is misspelt (FM732)."""
    misspelt = {
        ".".join([*str(entry.args["setting"]).split(".")[:-1], entry.meant])
        for entry in found
        if entry.code == "FM732" and entry.meant
    }
    return [
        entry
        for entry in found
        if entry.code != "FM734" or not any(f"{entry.args['setting']}.".startswith(f"{name}.") for name in misspelt)
    ]


class _Reading:
    """Reads the tables of one file, in the order of the documentation."""

    def __init__(self, file: TomlText, folder: Path, environ: Mapping[str, str] | None) -> None:
        self._file = file
        self._folder = folder
        self._root = file.root(environ)

    def project(self, source: str | None) -> Project:
        """Everything, whatever is wrong with it: the faults are in the file's diagnostics."""
        root = self._root
        head = root.section("project")
        name = head.text("name", self._folder.resolve().name)
        head.done()
        maps = self._map(root.section("map"))
        rules = root.section("rules")
        severities = rules.mapping(choices=SEVERITIES)
        records = root.section("records").mapping()
        registry = root.section("registry")
        registry_file = existing_path(self._file, registry, "file", self._folder)
        registry.done()
        project = Project(
            folder=self._folder,
            file=self._file.path,
            name=name,
            map=maps,
            source=self._source(root.section("source"), source),
            severities=severities,
            sink=self._sink(root.section("sink"), maps.target),
            limits=self._limits(root.section("limits")),
            journal=self._journal(root.section("journal")),
            archive=self._archive(root.section("archive")),
            records=tuple(ColumnSetting(key, text, self._file.span(("records", key))) for key, text in records.items()),
            registry=registry_file,
            rule_spans={key: span for key in severities if (span := self._file.span(("rules", key)))},
        )
        root.done()
        warnings = tuple(entry for entry in self._file.diagnostics if not entry.is_error)
        return replace(project, warnings=warnings, unset=tuple(self._file.unset))

    def _map(self, section: TomlSection) -> MapSettings:
        source = existing_path(self._file, section, "source", self._folder, required=True)
        target = self._target(section.text("target"))
        imports = existing_paths(self._file, section, "imports", self._folder)
        definitions = existing_paths(self._file, section, "definitions", self._folder)
        section.done()
        return MapSettings(source or self._folder, target, imports, definitions)

    def _target(self, name: str) -> Target | None:
        if not name:
            return None
        try:
            return read_target(find_target(name, self._folder))
        except ProjectError as error:
            self._file.diagnostics += error.diagnostics
        except ConfigError as error:
            found = error.diagnostic()
            span = found.span or self._file.span(("map", "target"))
            self._file.diagnostics.append(replace(found, span=span))
        return None

    def _source(self, section: TomlSection, override: str | None) -> SourceSettings:
        url = section.secret("url", self._folder, warn=False)
        password = section.secret("password", self._folder)
        file = section.text("password_file")
        is_complete = section.boolean("complete", True)
        least_share = section.number("least_share", 0.5, least=0, most=1)
        section.done()
        if file:
            password = Secret("source.password_file", file=self._folder / Path(file).expanduser())
        if url is None and not override and ("url" not in section):
            self._file.report("FM734", ("source", "url"))
        self._warn_of_literal_password(url, ("source", "url"))
        if url is not None and url.is_literal and not override:
            self._check_address(url.text)
        return SourceSettings(url or Secret("source.url"), password, is_complete, least_share, override or "")

    def _check_address(self, text: str) -> None:
        try:
            parse_address(text, self._folder, schemes=_plugin_schemes())
        except ConfigError as error:
            self._file.diagnostics.append(replace(error.diagnostic(), span=self._file.span(("source", "url"))))

    def _sink(self, section: TomlSection, target: Target | None) -> SinkPart:
        default = target.sink if target else "ndjson"
        kind = section.text("kind", default, choices=_sink_kinds())
        path = section.text("path")
        part = SinkPart(
            kind=kind,
            url=section.text("url", required=kind.startswith("fhir-") and "kind" in section),
            path=self._folder / path if path else None,
            timeout_s=section.number("timeout_s", 30.0),
            connect_timeout_s=section.number("connect_timeout_s", 10.0),
            proxy=section.secret("proxy", self._folder, warn=False),
            headers=section.section("headers").mapping(),
            auth=self._auth(section.section("auth")),
            tls=self._tls(section.section("tls")),
        )
        if kind.startswith("fhir-") and part.url is not None and not _is_receiver(part.url):
            meant = nearest(part.url, (SIMULATOR,))
            hint = Text("hints.address_example") if meant is None else None
            self._file.report(
                "FM735",
                ("sink", "url"),
                hint,
                meant=meant,
                reason=Text("reasons.address_or_simulator", {"simulator": SIMULATOR}),
            )
        self._warn_of_literal_password(part.proxy, ("sink", "proxy"))
        self._warn_of_literal_password(section.secret("url", self._folder, warn=False), ("sink", "url"))
        section.done()
        return part

    def _auth(self, section: TomlSection) -> AuthSettings:
        kind = section.text("kind", "none", choices=("client_credentials", "none"))
        wanted = kind == "client_credentials"
        method = section.text("method", "client_secret_post", choices=METHODS)
        auth = AuthSettings(
            kind=kind,
            method=method,
            token_url=section.text("token_url"),
            client_id=section.text("client_id", required=wanted),
            client_secret=section.secret("client_secret", self._folder),
            private_key=section.secret("private_key", self._folder),
            scope=section.text("scope"),
            key_id=section.text("key_id"),
            algorithm=section.text("algorithm"),
            audience=section.text("audience"),
        )
        section.done()
        needed = "private_key" if method == "private_key_jwt" else "client_secret"
        if wanted and needed not in section:
            self._file.report("FM734", ("sink", "auth", needed))
        return auth

    def _tls(self, section: TomlSection) -> TlsFiles:
        paths = [existing_path(self._file, section, key, self._folder) for key in ("ca", "cert", "key")]
        section.done()
        return TlsFiles(*paths)

    def _limits(self, section: TomlSection) -> SinkLimits:
        policy = section.text("uncertain", UncertainPolicy.RESEND, choices=tuple(UncertainPolicy))
        changes = section.text("map_changes", UncertainPolicy.HOLD, choices=tuple(UncertainPolicy))
        limits = SinkLimits(
            rate_per_s=section.number("rate_per_s", 5.0),
            concurrency=section.integer("concurrency", 4),
            attempts=section.integer("attempts", 5),
            backoff_s=section.number("backoff_s", 1.0, least=0),
            uncertain=UncertainPolicy(policy),
            map_changes=UncertainPolicy(changes),
        )
        section.done()
        return limits

    def _journal(self, section: TomlSection) -> JournalPart:
        path = section.text("path", "journal.db")
        url = section.secret("url", self._folder, warn=False)
        self._warn_of_literal_password(url, ("journal", "url"))
        section.done()
        return JournalPart(self._folder / Path(path).expanduser(), url)

    def _archive(self, section: TomlSection) -> ArchiveSettings:
        table = section.section("table") if "table" in section else None
        csv = section.section("csv")
        path = csv.text("path", required="csv" in section)
        csv.done()
        archive = ArchiveSettings(
            self._archive_table(table) if table is not None else None, self._folder / path if path else None
        )
        section.done()
        return archive

    def _archive_table(self, section: TomlSection) -> ArchiveTable:
        found = ArchiveTable(
            table=section.text("table", required=True),
            key_columns=section.text_or_texts("key_column", required=True),
            value_column=section.text("value_column", required=True),
            system_column=section.text("system_column"),
            state_column=section.text("state_column"),
            time_column=section.text("time_column"),
            previous_column=section.text("previous_column"),
            create=section.boolean("create", False),
            url=section.secret("url", self._folder, warn=False),
        )
        self._warn_of_literal_password(found.url, ("archive", "table", "url"))
        section.done()
        return found

    def _warn_of_literal_password(self, url: Secret | None, keys: tuple[str, ...]) -> None:
        if url is not None and mask(url.text) != url.text and "${" not in _password_of(url.text):
            self._file.report("FM737", keys)


def _password_of(url: str) -> str:
    credentials = url.split("://", 1)[-1].rsplit("@", 1)[0]
    return credentials.partition(":")[2]


def _without_value(error: ConfigError, shown: str) -> ConfigError:
    """The same fault of the text in the file: what a variable held stays out of the message."""
    found = error.diagnostic()
    args: dict[str, Any] = {n: value for n, value in found.args.items() if n not in ("source", "scheme", "suffix")}
    return ConfigError(error.code, span=None, hint=found.hint_shown, variant="url", **{**args, "source": shown})


def _is_receiver(url: str) -> bool:
    """Can something be sent there? What comes from the environment is looked at when it is known."""
    return url == SIMULATOR or "${" in url or url.lower().startswith(("http://", "https://"))


def _sink_kinds() -> tuple[str, ...]:
    from fhirmap.plugins import names

    return names("fhirmap.sinks")


def _plugin_schemes() -> tuple[str, ...]:
    """Schemes of URLs that plug-ins read; the built-in kinds have rules of their own."""
    from fhirmap.plugins import BUILT_IN, names

    return tuple(name for name in names("fhirmap.sources") if name not in BUILT_IN["fhirmap.sources"])


__all__ = [
    "FILE",
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
    "load_project",
    "raise_errors",
    "read_project",
]
