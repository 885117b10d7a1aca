"""A private PostgreSQL server for one state folder, shared by the processes that use that folder.

As an ordinary user the data lies in `<state>/postgres`. Root may not run PostgreSQL: then the server runs as an
unprivileged user that already exists, with its data in a folder of its own under `/var/lib/tieout`, so that no
existing folder has to be opened to that user. No permission of any folder that was there before is changed.

The server listens on a unix socket in a folder that only its user may enter, and on nothing else. Each process
holds a shared lock while it lives; the last one out stops the server. After a kill -9 the server goes on and the
next process finds it; if the server died too, PostgreSQL recovers from its log.
"""

import atexit
import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from gateway.db.binaries import Programs, own_programs, programs_for, unprivileged
from gateway.db.errors import EmbeddedError

DATABASE = "tieout"
ROLE = "tieout"
PORT = 5432
SYSTEM_HOME = Path("/var/lib/tieout")
# sun_path holds 108 bytes on Linux and 104 on macOS, with a closing zero.
SOCKET_PATH_LIMIT = 103
RECOVERY_TRIES = 20
RECOVERY_PAUSE_SECONDS = 0.5

_servers: dict[tuple[int, Path], "EmbeddedServer"] = {}


def embedded_url(state: Path) -> str:
    """The address of the state folder's own database; starts the server if it does not run. EmbeddedError."""
    key = (os.getpid(), state.resolve())
    if key not in _servers:
        server = EmbeddedServer(state)
        server.start()
        _servers[key] = server
    return _servers[key].url


class EmbeddedServer:
    """One process's hold on the server of a state folder.

    `home` is where root puts data and, if it has to, programs. `settings` are PostgreSQL's, given at the start.
    With `keep` false the last one out deletes the data as well.
    """

    def __init__(
        self,
        state: Path,
        *,
        home: Path = SYSTEM_HOME,
        settings: Mapping[str, str] | None = None,
        keep: bool = True,
    ) -> None:
        self._state = state.resolve()
        self._home = home
        self._settings = dict(settings or {})
        self._keep = keep
        self._pid = os.getpid()
        self._hold: int | None = None
        self._state.mkdir(parents=True, exist_ok=True)
        self._programs, self.data = self._place()
        self.socket = _socket_folder(self.data)

    @property
    def url(self) -> str:
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        return f"postgresql+psycopg://{ROLE}@/{database}?host={quote(str(self.socket), safe='/')}&port={PORT}"

    def start(self) -> None:
        """Take a share in the server; initialise, start and create the database where that is still to do."""
        with self._alone():
            self._hold = os.open(self._state / "postgres.users", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._hold, fcntl.LOCK_SH)
            try:
                self._ensure_running()
            except BaseException:
                self._let_go()
                raise
        atexit.register(self.stop)

    def stop(self) -> None:
        """Give the share back; the last one out stops the server. Does nothing in a forked child, or twice."""
        if self._hold is None or os.getpid() != self._pid:
            return
        atexit.unregister(self.stop)
        with self._alone():
            if self._last_one():
                self._halt()
            self._let_go()
        _servers.pop((self._pid, self._state), None)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time starts or stops."""
        turn = os.open(self._state / "postgres.turn", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield
        finally:
            os.close(turn)

    def _last_one(self) -> bool:
        assert self._hold is not None
        try:
            fcntl.flock(self._hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _let_go(self) -> None:
        if self._hold is not None:
            os.close(self._hold)
            self._hold = None

    def _place(self) -> tuple[Programs, Path]:
        if os.geteuid() != 0:
            return own_programs(), self._state / "postgres"
        user = unprivileged()
        if not self._home.exists():
            with suppress(FileExistsError):
                self._home.mkdir(parents=True)
                self._home.chmod(0o755)  # whatever the umask: the server's user passes through
        with self._alone():
            folder = self._home / self._identity()
            if not folder.exists():
                folder.mkdir(mode=0o700)
                os.chown(folder, user.uid, user.gid)
        return programs_for(user, self._home), folder / "postgres"

    def _identity(self) -> str:
        """Hash of the state folder. It holds a token, so that a folder made anew does not find the old data."""
        token = self._state / "postgres.token"
        if not token.exists():
            token.write_text(secrets.token_hex(8), encoding="ascii")
        seed = f"{self._state}\n{token.read_text(encoding='ascii')}"
        return hashlib.sha256(seed.encode()).hexdigest()[:16]

    def _ensure_running(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        lock = self.data / "postmaster.pid"
        left_behind = lock.exists()
        _forget_zombie(lock)
        if self._programs.run("pg_ctl", ["status", "-D", str(self.data)]).returncode != 0:
            self._launch(left_behind)
        self._ensure_database()

    def _initialise(self) -> None:
        """initdb works beside the place and is moved in at the end, so that a kill leaves no half of a database."""
        scratch = self.data.with_name("postgres.new")
        shutil.rmtree(scratch, ignore_errors=True)
        arguments = ["-D", str(scratch), "-U", ROLE, "--auth-local=trust", "--auth-host=reject", "-E", "UTF8"]
        self._do("initdb", [*arguments, "--locale-provider=builtin", "--locale=C", "--builtin-locale=C.UTF-8", "-N"])
        hba = scratch / "pg_hba.conf"
        hba.write_text("local all all trust\n", encoding="ascii")
        os.rename(scratch, self.data)

    def _launch(self, left_behind: bool) -> None:
        if self.socket != self.data:
            _own_folder(self.socket, self._programs)
        settings = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(self.socket),
            "unix_socket_permissions": "0700",
            **self._settings,
        }
        options = " ".join(f"-c {name}={_quoted(value)}" for name, value in settings.items())
        log = str(self.data / "server.log")
        arguments = ["start", "-w", "-D", str(self.data), "-l", log, "-o", options]
        if left_behind:
            # It was killed. Its children need a moment to notice and to let go of its memory.
            for _ in range(RECOVERY_TRIES):
                if self._programs.run("pg_ctl", arguments).returncode == 0:
                    return
                time.sleep(RECOVERY_PAUSE_SECONDS)
        self._do("pg_ctl", arguments)

    def _ensure_database(self) -> None:
        with psycopg.connect(self._administration(), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _administration(self) -> str:
        return f"host={self.socket} port={PORT} user={ROLE} dbname=postgres"

    def _halt(self) -> None:
        self._do("pg_ctl", ["stop", "-w", "-m", "fast", "-D", str(self.data)])
        if not self._keep:
            shutil.rmtree(self.data if os.geteuid() != 0 else self.data.parent)
        if self.socket != self.data:
            shutil.rmtree(self.socket, ignore_errors=True)

    def _do(self, program: str, arguments: list[str]) -> None:
        done = self._programs.run(program, arguments)
        if done.returncode != 0:
            said = done.stdout.strip().splitlines()[-5:]
            raise EmbeddedError(
                f"The private PostgreSQL server in {self.data} failed at {program} {arguments[0]}: {' '.join(said)} "
                f"Its log is {self.data / 'server.log'}. TIEOUT_DATABASE_URL names another server instead."
            )


def _socket_folder(data: Path) -> Path:
    """The data folder, which only the server's user may enter; a short one of its own where its path is too long."""
    if len(os.fsencode(data / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT:
        return data
    mark = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tieout-{mark}"


def _forget_zombie(lock: Path) -> None:
    """Take away the lock of a server that is dead but that nobody has reaped.

    In a container whose first process does not reap, a killed server stays a zombie: it can be signalled, so
    PostgreSQL would believe for ever that it runs. Where there is no /proc, a zombie is the system's to reap.
    """
    try:
        state = Path(f"/proc/{int(lock.read_text(encoding='ascii').splitlines()[0])}/stat").read_text(encoding="ascii")
    except (OSError, ValueError, IndexError):
        return
    if state.rpartition(")")[2].split()[0] == "Z":
        lock.unlink()


def _own_folder(folder: Path, programs: Programs) -> None:
    """A new folder for the socket. One that somebody else made first is not trusted."""
    owner = os.geteuid() if programs.user is None else programs.user.uid
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if found.st_uid == owner and found.st_mode & 0o7777 == 0o700 and folder.is_dir() and not folder.is_symlink():
            return
        raise EmbeddedError(f"{folder} exists and is not the server's own folder; remove it.") from None
    if programs.user is not None:
        os.chown(folder, programs.user.uid, programs.user.gid)


def _quoted(value: str) -> str:
    """For pg_ctl, which hands its options to a shell."""
    return "'" + value.replace("'", "'\\''") + "'"
