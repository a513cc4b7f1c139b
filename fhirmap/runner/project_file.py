"""`fhirmap.toml`: one folder is one establishment. Read strictly into frozen values, all faults at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from fhirmap.diagnostics import Diagnostic, nearest, suggestion
from fhirmap.errors import ConfigError, ProjectError
from fhirmap.records import UncertainPolicy
from fhirmap.runner.project import (
    SIMULATOR,
    ArchiveSettings,
    ArchiveTable,
    AuthSettings,
    ColumnSetting,
    JournalPart,
    MapSettings,
    Project,
    SinkLimits,
    SinkPart,
    SourceSettings,
    TlsFiles,
)
from fhirmap.runner.secret import Secret
from fhirmap.runner.secret_places import is_readable_by_all, may_be_key, secret_files
from fhirmap.runner.target import SEVERITIES, Target, existing_path, existing_paths, find_target, read_target
from fhirmap.runner.toml_text import TomlSection, TomlText
from fhirmap.sources import plugin_schemes
from fhirmap.sources.address import mask, parse_address
from fhirmap.sources.changes import ChangeColumns
from fhirmap.texts import Text

__all__ = ["FILE", "given_sources", "load_project", "read_project"]

FILE = "fhirmap.toml"
_NAMED = re.compile(r"([A-Za-z_][\w-]*)=(.+)", re.DOTALL)
_MOST_AT_ONCE, _MOST_ATTEMPTS = 1_000, 1_000
_OVERLAP = 7200.0
"""The hour that a local time has twice in autumn, and a transaction of an hour."""
_NEEDS = {
    "client_secret_post": "client_secret",
    "client_secret_basic": "client_secret",
    "private_key_jwt": "private_key",
    "tls_client_auth": "",
}
"""The methods by which a client says who it is, and the secret that each needs."""


def load_project(
    folder: str | Path, *, source: str | Sequence[str] | None = None, environ: Mapping[str, str] | None = None
) -> Project:
    """The project in ``folder`` (or whose file ``folder`` is). ``source`` replaces its ``[source]``; as `NAME=ADDRESS`
    the one that ``[sources.NAME]`` names.

    Raises: ProjectError with every fault of the file, and FM769 for a name that no ``[sources.NAME]`` has; ConfigError
    FM730 (no such file), FM731 (no TOML).
    """
    project, diagnostics = read_project(folder, source=source, environ=environ)
    if project is None:
        raise ProjectError(diagnostics)
    return project


def read_project(
    folder: str | Path, *, source: str | Sequence[str] | None = None, environ: Mapping[str, str] | None = None
) -> tuple[Project | None, list[Diagnostic]]:
    """The project, None where it cannot be used, with everything to say about its file.

    Raises: ConfigError FM730, FM731.
    """
    path = Path(folder)
    if path.is_file() and path.suffix != ".toml":
        raise ConfigError("FM730", variant="file", path=str(path))
    path = path if path.suffix == ".toml" else path / FILE
    file = TomlText(path, str(path))
    found = _Reading(file, path.parent, environ).project(given_sources(source))
    errors = any(entry.is_error for entry in file.diagnostics)
    in_order = sorted(_without_consequences(file.diagnostics), key=lambda entry: entry.span.start if entry.span else 0)
    return (None if errors else found), in_order


def given_sources(given: str | Sequence[str] | None) -> Mapping[str, str]:
    """Addresses by the names of sources, the project's own by the empty one, of `ADDRESS` and `NAME=ADDRESS`."""
    found: dict[str, str] = {}
    for written in (given,) if isinstance(given, str) else given or ():
        named = _NAMED.fullmatch(written)
        name, address = named.groups() if named else ("", written)
        found[name] = address
    return found


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

    def project(self, given: Mapping[str, str]) -> Project:
        """Everything, whatever is wrong with it: the faults are in the file's diagnostics. ``given``: addresses of
        sources in place of those in the file, by their names."""
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
        metrics = root.section("metrics")
        metrics_file = metrics.text("file", required="metrics" in root)
        metrics.done()
        sources = self._sources(root.section("sources"), given)
        project = Project(
            folder=self._folder,
            file=self._file.path,
            name=name,
            map=maps,
            source=self._source(root.section("source"), given.get("", ""), is_required=not sources),
            sources=sources,
            source_spans={name: span for name in sources if (span := self._file.span(("sources", name)))},
            severities=severities,
            sink=self._sink(root.section("sink"), maps.target),
            limits=self._limits(root.section("limits")),
            journal=self._journal(root.section("journal")),
            archive=self._archive(root.section("archive")),
            records=tuple(ColumnSetting(key, text, self._file.span(("records", key))) for key, text in records.items()),
            registry=registry_file,
            metrics_file=self._folder / Path(metrics_file).expanduser() if metrics_file else None,
            rule_spans={key: span for key in severities if (span := self._file.span(("rules", key)))},
        )
        root.done()
        self._warn_of_readable_files(project)
        warnings = tuple(entry for entry in self._file.diagnostics if not entry.is_error)
        return replace(project, warnings=warnings, unset=tuple(self._file.unset))

    def _map(self, section: TomlSection) -> MapSettings:
        source = existing_path(self._file, section, "source", self._folder, required=True)
        allow = existing_paths(self._file, section, "allow", self._folder)
        target = self._target(section.text("target"), allow)
        imports = existing_paths(self._file, section, "imports", self._folder)
        definitions = existing_paths(self._file, section, "definitions", self._folder)
        section.done()
        return MapSettings(source or self._folder, target, imports, definitions, allow)

    def _target(self, name: str, allow: tuple[Path, ...]) -> Target | None:
        if not name:
            return None
        try:
            return read_target(find_target(name, self._folder), (self._folder, *allow))
        except ProjectError as error:
            self._file.diagnostics += error.diagnostics
        except ConfigError as error:
            found = error.diagnostic()
            span = found.span or self._file.span(("map", "target"))
            self._file.diagnostics.append(replace(found, span=span))
        return None

    def _source(self, section: TomlSection, override: str, *, is_required: bool) -> SourceSettings:
        is_complete = section.boolean("complete", True)
        least_share = section.number("least_share", 0.5, least=0, most=1)
        done = section.text("done")
        changed = self._changed_since(section)
        found = self._place(section, override, is_required=is_required)
        place = self._folder / Path(done).expanduser() if done else None
        span = self._file.span((*section.path, "done")) if done else None
        if done and is_complete:
            self._file.report("FM799", (*section.path, "done"), done=done)
        return replace(
            found,
            is_complete=is_complete,
            least_share=least_share,
            done=place,
            done_span=span,
            changed_since=changed,
            changed_span=self._file.span((*section.path, "changed_since")) if changed else None,
        )

    def _changed_since(self, section: TomlSection) -> ChangeColumns | None:
        """A column of the records' table, or columns by table."""
        overlap = section.number("overlap", _OVERLAP, least=0)
        if "changed_since" not in section:
            if "overlap" in section:
                self._file.report("FM734", (*section.path, "changed_since"))
            return None
        by_table = section.text_or_mapping("changed_since")
        return ChangeColumns(by_table, overlap) if by_table else None

    def _sources(self, section: TomlSection, given: Mapping[str, str]) -> Mapping[str, SourceSettings]:
        """The sources that the maps name, beside the project's own."""
        tables = section.tables()
        found = {name: self._place(table, given.get(name, ""), is_required=True) for name, table in tables.items()}
        for key in section:
            if key not in tables:
                # `[sources]` is nearly always a misspelt `[source]`.
                where, meant = (("sources", key), None) if tables else (("sources",), "source")
                self._file.report("FM732", where, variant="sources", meant=meant, key=key)
                break
        for name in given:
            if name and name not in tables:
                args = {"source": name}
                found_name = suggestion(name, tables)
                self._file.diagnostics.append(Diagnostic("FM769", None, args, variant="given", **found_name))
        return found

    def _place(self, section: TomlSection, override: str, *, is_required: bool) -> SourceSettings:
        """Where a source is, and its password."""
        keys = (*section.path, "url")
        url = section.secret("url", self._folder, warn=False)
        password = section.secret("password", self._folder)
        file = section.text("password_file")
        section.done()
        if file:
            setting = ".".join((*section.path, "password_file"))
            password = Secret(setting, file=self._folder / Path(file).expanduser())
        if url is None and not override and "url" not in section and is_required:
            self._file.report("FM734", keys)
        self._warn_of_literal_password(url, keys)
        if url is not None and url.is_literal and not override:
            self._check_address(url.text, keys)
        return SourceSettings(url or Secret(".".join(keys)), password, override=override)

    def _check_address(self, text: str, keys: tuple[str, ...]) -> None:
        try:
            parse_address(text, self._folder, schemes=plugin_schemes())
        except ConfigError as error:
            self._file.diagnostics.append(replace(error.diagnostic(), span=self._file.span(keys)))

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
            allow_http=section.boolean("allow_http", False),
            headers=self._headers(section.section("headers")),
            auth=self._auth(section.section("auth")),
            tls=self._tls(section.section("tls")),
        )
        if part.auth.kind != "none" and part.auth.method == "tls_client_auth" and part.tls.cert is None:
            self._file.report("FM734", ("sink", "tls", "cert"))
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
        elif kind.startswith("fhir-"):
            self._refuse_http(part, part.url, ("sink", "url"))
        if part.auth.kind != "none":
            self._refuse_http(part, part.auth.token_url, ("sink", "auth", "token_url"))
        self._warn_of_literal_password(part.proxy, ("sink", "proxy"))
        self._warn_of_literal_password(section.secret("url", self._folder, warn=False), ("sink", "url"))
        section.done()
        return part

    def _refuse_http(self, part: SinkPart, url: str, keys: tuple[str, ...]) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or "${" in url or part.allow_http:
            return
        from fhirmap.sinks.proxy import is_loopback

        if not is_loopback(url):
            self._file.report("FM791", keys, variant="http", host=parts.netloc.rpartition("@")[2])

    def _headers(self, section: TomlSection) -> Mapping[str, Secret]:
        found = {name: section.secret(name, self._folder, warn=False) for name in section}
        section.done()
        values = {name: value for name, value in found.items() if value is not None}
        for name, value in values.items():
            if value.is_literal and may_be_key(name, value.text):
                self._file.report("FM737", (*section.path, name))
        return values

    def _warn_of_readable_files(self, project: Project) -> None:
        """Files of secrets that every account of the machine may read, where the system knows such rights."""
        for keys, path in secret_files(project):
            if is_readable_by_all(path):
                self._file.report("FM737", keys, variant="readable", path=str(path))

    def _auth(self, section: TomlSection) -> AuthSettings:
        kind = section.text("kind", "none", choices=("client_credentials", "none"))
        wanted = kind == "client_credentials"
        method = section.text("method", "client_secret_post", choices=_NEEDS)
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
            typ=section.text("typ", "JWT"),
        )
        section.done()
        needed = _NEEDS[method]
        if wanted and needed and needed not in section:
            self._file.report("FM734", ("sink", "auth", needed))
        if wanted and auth.token_url and "${" not in auth.token_url and not _is_http(auth.token_url):
            reason = Text("reasons.http_address")
            self._file.report("FM735", ("sink", "auth", "token_url"), Text("hints.address_example"), reason=reason)
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
            concurrency=section.integer("concurrency", 4, most=_MOST_AT_ONCE),
            attempts=section.integer("attempts", 5, most=_MOST_ATTEMPTS),
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
        project = section.text("project")
        key = section.secret("audit_key", self._folder)
        encryption_keys = section.secrets("encryption_keys", self._folder)
        section.done()
        return JournalPart(self._folder / Path(path).expanduser(), url, project, key, encryption_keys)

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


def _is_receiver(url: str) -> bool:
    """Can something be sent there? What comes from the environment is looked at when it is known."""
    return url == SIMULATOR or "${" in url or _is_http(url)


def _is_http(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _sink_kinds() -> tuple[str, ...]:
    from fhirmap.plugins import names

    return names("fhirmap.sinks")
