"""The private server: who may enter what, who shares it, and what a kill leaves behind."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.db import binaries
from gateway.db.embedded import EmbeddedServer, embedded_url
from gateway.db.errors import EmbeddedError

SETTINGS = {"fsync": "off"}
PROCESS = """
import os, signal, sys
from pathlib import Path
from gateway.db.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]), home=Path(sys.argv[2]), settings={"fsync": "off"})
server.start()
print(server.socket, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """Where root's servers put their data; below the system's temporary folder, which every user may enter."""
    folder = Path(tempfile.gettempdir()) / f"tieout-home-{secrets.token_hex(4)}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(tmp_path: Path, home: Path) -> Iterator[EmbeddedServer]:
    started = EmbeddedServer(tmp_path / "state", home=home, settings=SETTINGS)
    started.start()
    yield started
    started.stop()


def ask(server: EmbeddedServer, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(f"host={server.socket} port=5432 user=tieout dbname=tieout", autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def runs(server: EmbeddedServer) -> bool:
    return (server.data / "postmaster.pid").exists()


def another_process(state: Path, home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(state), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
    )
    assert process.stdout is not None
    assert process.stdout.readline(), "the other process did not start the server"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=60)
    assert process.returncode == 0


def test_no_folder_that_was_there_before_changes(tmp_path: Path, home: Path) -> None:
    state = tmp_path / "closed" / "state"
    state.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    there = [*state.parents, state, *home.parents, Path.home(), Path("/var/lib")]
    before = {folder: (folder.stat().st_mode, folder.stat().st_uid, folder.stat().st_gid) for folder in there}
    server = EmbeddedServer(state, home=home, settings=SETTINGS)
    server.start()
    assert ask(server, "SELECT 1") == [(1,)]
    server.stop()
    after = {folder: (folder.stat().st_mode, folder.stat().st_uid, folder.stat().st_gid) for folder in there}
    assert after == before


def test_only_the_servers_user_may_enter_its_data_and_socket(server: EmbeddedServer) -> None:
    assert server.data.stat().st_mode & 0o777 == 0o700
    assert server.socket.stat().st_mode & 0o777 == 0o700
    assert server.data.stat().st_uid != 0, "PostgreSQL does not run as root"


def test_it_listens_on_no_network(server: EmbeddedServer) -> None:
    assert ask(server, "SHOW listen_addresses") == [("",)]


def test_the_last_process_out_stops_it(tmp_path: Path, home: Path, server: EmbeddedServer) -> None:
    other = another_process(tmp_path / "state", home)
    ask(server, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    end(other)
    assert runs(server)
    assert ask(server, "SELECT n FROM kept") == [(7,)]
    server.stop()
    assert not runs(server)


def test_the_first_process_out_leaves_it_to_the_others(tmp_path: Path, home: Path, server: EmbeddedServer) -> None:
    other = another_process(tmp_path / "state", home)
    server.stop()
    assert runs(server)
    end(other)
    assert not runs(server)


def test_a_killed_process_leaves_a_server_that_the_next_one_uses(tmp_path: Path, home: Path) -> None:
    killed = another_process(tmp_path / "state", home)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    following = EmbeddedServer(tmp_path / "state", home=home, settings=SETTINGS)
    assert runs(following)
    following.start()
    assert ask(following, "SELECT 1") == [(1,)]
    following.stop()
    assert not runs(following)


def test_a_killed_server_recovers_what_was_committed(tmp_path: Path, home: Path, server: EmbeddedServer) -> None:
    ask(server, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    postmaster = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    following = EmbeddedServer(tmp_path / "state", home=home, settings=SETTINGS)
    following.start()
    assert ask(following, "SELECT n FROM kept") == [(7,)]
    following.stop()


def test_a_state_folder_made_anew_has_no_old_data(tmp_path: Path, home: Path, server: EmbeddedServer) -> None:
    ask(server, "CREATE TABLE old (n int)")
    server.stop()
    shutil.rmtree(tmp_path / "state")
    anew = EmbeddedServer(tmp_path / "state", home=home, settings=SETTINGS)
    anew.start()
    assert ask(anew, "SELECT 1 FROM pg_tables WHERE tablename = 'old'") == []
    anew.stop()


def test_a_path_too_long_for_a_socket_gets_a_short_one(tmp_path: Path, home: Path) -> None:
    far = home / ("x" * 90)
    home.mkdir()
    server = EmbeddedServer(tmp_path / ("y" * 90), home=far, settings=SETTINGS)
    server.start()
    assert len(str(server.socket)) < 90
    assert server.socket.stat().st_mode & 0o777 == 0o700
    assert ask(server, "SELECT 1") == [(1,)]
    server.stop()
    assert not server.socket.exists()


def test_a_socket_folder_of_somebody_else_is_not_trusted(tmp_path: Path, home: Path) -> None:
    home.mkdir()
    server = EmbeddedServer(tmp_path / ("y" * 90), home=home / ("x" * 90), settings=SETTINGS)
    server.socket.mkdir(mode=0o777)
    try:
        with pytest.raises(EmbeddedError, match="not the server's own folder"):
            server.start()
    finally:
        server.socket.rmdir()


def test_data_that_is_not_kept_goes_with_the_last_process(tmp_path: Path, home: Path) -> None:
    server = EmbeddedServer(tmp_path / "state", home=home, settings=SETTINGS, keep=False)
    server.start()
    server.stop()
    assert not server.data.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_programs_that_the_other_user_cannot_reach_are_copied_once(tmp_path: Path, home: Path) -> None:
    home.mkdir()
    user = binaries.unprivileged()
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    (hidden / "site-packages").symlink_to(binaries.installed())
    source = hidden / "site-packages"
    programs = binaries.programs_for(user, home, source)
    assert programs.folder.is_relative_to(home)
    assert programs.run("initdb", ["--version"]).stdout.startswith("initdb (PostgreSQL) 18")
    copied = programs.folder.stat().st_ctime_ns
    assert binaries.programs_for(user, home, source).folder.stat().st_ctime_ns == copied


@pytest.mark.skipif(os.geteuid() == 0, reason="as root this would write below /var/lib")
def test_the_address_of_a_state_folder_is_the_same_each_time(tmp_path: Path) -> None:
    assert embedded_url(tmp_path) == embedded_url(tmp_path)
