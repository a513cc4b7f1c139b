"""What every test may use."""

from __future__ import annotations

import gc
import os
import queue
import signal
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# Tests compare English texts, whatever the language of the machine.
os.environ["FHIRMAP_LANG"] = "en"

# Hundreds of tests start the command as a process of its own. Where nothing keeps the bytecode of modules, each start
# compiles fhirmap anew, which takes longer than what the command does.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


# A shell starts what it runs in the background with Ctrl-C ignored, and its processes inherit that: those that tests
# interrupt would go on.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# On a pull request the examples are the same each time: a new one is found by somebody who can look into it.
settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
if os.environ.get("CI"):
    settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--accept` writes what golden tests now yield in place of what they expected."""
    parser.addoption("--accept", action="store_true", help="take what golden tests now yield as right")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes have the name of their argument in a test's: those of an archive hold the second in which it was made, and
    all workers of a parallel run must know a test by one name."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def _nothing_kept_from_other_tests(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What commands keep of their work on maps is each test's own, and never in the folder of who runs the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("kept")))


@pytest.fixture(autouse=True)
def _what_commands_keep_is_collected() -> Iterator[None]:
    """A command is a process's only work, and keeps what was there before it. Here many run in one process."""
    yield
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def _tables_of_this_version() -> None:
    """A database for tests may hold the journal's tables of another version, which no journal would touch."""
    url = os.environ.get("FHIRMAP_TEST_POSTGRESQL")
    if not url:
        return
    import sqlalchemy

    from fhirmap.journal import schema

    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        # The processes of a parallel run begin at once, and two that drop tables may wait for each other.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(1)")
        if sqlalchemy.inspect(connection).has_table(schema.meta.name):
            found = connection.execute(sqlalchemy.select(schema.meta.c.value).where(schema.meta.c.name == "version"))
            if found.scalar() != str(schema.VERSION):
                schema.metadata.drop_all(connection)
    engine.dispose()


@pytest.fixture(scope="session", autouse=True)
def _templates_are_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The page of the report, which every run writes: its templates are the same in all tests."""
    folder = tmp_path_factory.mktemp("templates")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fhirmap.runner.cache.template_cache.user_folder", lambda: folder)
        yield


@pytest.fixture(scope="session", autouse=True)
def _certificates_are_read_once() -> Iterator[None]:
    """PyMySQL reads all certificates of the machine for each connection, of which a test of MariaDB makes many."""
    if not os.environ.get("FHIRMAP_TEST_MARIADB"):
        yield
        return
    from pymysql.connections import Connection

    make = Connection._create_ssl_ctx
    made: list[ssl.SSLContext] = []

    def kept(connection: Any, settings: Any) -> Any:
        if settings:
            return make(connection, settings)
        if not made:
            made.append(make(connection, settings))
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "_create_ssl_ctx", kept)
        yield


@pytest.fixture(scope="session", autouse=True)
def _files_are_finished_soon() -> Iterator[None]:
    """Tests read folders whose files they have just written: whether one is still being written is seen in a moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fhirmap.sources.files.source_files._QUIET_NS", 20_000_000)
        yield


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The public reference data beside the project; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the reference data folder ../shared is not beside this checkout")
    return SHARED


# ---- delivery: a clock that does not sleep, a journal, a registry, a server that answers as it is asked to


class FakeClock:
    """Time that passes only when somebody waits, and then at once."""

    def __init__(self, start: float = 1_764_000_000.0) -> None:
        self.time = start
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.time

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds

    def wait(self, arrivals: Any, seconds: float | None) -> Any:
        """Real answers are taken as they come; where time has to pass instead, it passes at once.

        A thread that was just started gets the time to look at the clock, on a busy machine too.
        """
        try:
            return arrivals.get(timeout=10 if seconds is None else 0.03)
        except queue.Empty:
            assert seconds is not None, "no answer within ten seconds"
            self.sleep(seconds)
            return None


@pytest.fixture
def clock() -> FakeClock:
    """A clock that tests move."""
    return FakeClock()


@pytest.fixture
def journal(tmp_path: Path, clock: FakeClock) -> Iterator[Any]:
    """An empty journal on the fake clock, its run begun."""
    from fhirmap.journal import Journal

    with Journal.open(tmp_path / "journal.db", "ch-test", "associer", exclusive=True, clock=clock) as opened:
        opened.start_run("map")
        yield opened


@pytest.fixture(scope="session")
def _stopping() -> Iterator[Callable[[Callable[[], None]], object]]:
    """Servers stop while the next tests run: each looks every tenth of a second whether it shall, and takes another."""
    with ThreadPoolExecutor(4, thread_name_prefix="stopping") as pool:
        stops: list[Future[None]] = []
        yield lambda stop: stops.append(pool.submit(stop))
        for stopped in stops:
            stopped.result()


@pytest.fixture
def registry(_stopping: Callable[[Callable[[], None]], object]) -> Iterator[Callable[..., Any]]:
    """``registry(config)``: a simulator listening on loopback, stopped after the test."""
    from fhirmap.registry import RegistryServer

    started: list[RegistryServer] = []

    def start(config: Any = None, **more: Any) -> RegistryServer:
        started.append(RegistryServer(config, **more).start())
        return started[-1]

    yield start
    for server in started:
        _stopping(server.stop)


class RawServer:
    """Answers each connection's request with the next of ``answers`` (the last one for ever), byte for byte, then
    closes.

    An answer is bytes; ``None`` closes without a word, ``"reset"`` drops the connection, ``"no-answer"`` never answers.
    """

    def __init__(self, answers: list[bytes | str | None], context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._answers = answers
        self._context = context
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=5)

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            self.requests.append(self._request(connection))
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            if answer == "no-answer":
                self._over.wait(20)
            elif answer == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif isinstance(answer, bytes):
                connection.sendall(answer)
            connection.close()

    @staticmethod
    def _request(connection: socket.socket) -> bytes:
        received = b""
        while True:
            head, found, body = received.partition(b"\r\n\r\n")
            length = next((int(x[15:]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length:")), 0)
            if found and len(body) >= length:
                return received
            piece = connection.recv(65536)
            if not piece:
                return received
            received += piece


@pytest.fixture
def raw_server() -> Iterator[Callable[..., RawServer]]:
    """``raw_server(*answers)``: a real server on loopback that says exactly this."""
    started: list[RawServer] = []

    def start(*answers: bytes | str | None, context: ssl.SSLContext | None = None) -> RawServer:
        started.append(RawServer(list(answers), context))
        return started[-1]

    yield start
    for server in started:
        server.stop()
