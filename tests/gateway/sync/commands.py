"""The command line as processes that a test may kill.

Importing the command line takes seconds. So one process imports it and then forks a copy of itself for each command:
the copy is a process of its own, with nothing open that the others have.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

ROOT = Path(__file__).resolve().parents[3]


class Command:
    """One running command. `output` holds what it wrote, errors included, once it has ended."""

    def __init__(self, server: "CommandServer", pid: int, output: Path) -> None:
        self._server = server
        self.pid = pid
        self._output = output

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone. It must not have ended by itself."""
        os.kill(self.pid, signal.SIGKILL)
        assert self.wait() == -signal.SIGKILL, self.output

    def wait(self) -> int:
        """The exit status."""
        status: int = self._server.hear()["exit"]
        return status

    @property
    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")


class CommandServer:
    """Runs `tieout` commands, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.gateway.sync.commands"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self.hear() == {"ready": True}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def start(self, *arguments: str, environment: Mapping[str, str]) -> Command:
        """Run `tieout <arguments>`."""
        self._count += 1
        output = self._folder / f"command-{self._count}.txt"
        asked = {"arguments": arguments, "environment": dict(environment), "output": str(output)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return Command(self, self.hear()["pid"], output)

    def run(self, *arguments: str, environment: Mapping[str, str]) -> tuple[int, str]:
        """The exit status and all that was written."""
        command = self.start(*arguments, environment=environment)
        return command.wait(), command.output

    def hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said


def _serve() -> None:
    """Fork for every line of standard input; say its process id, and when it has ended its status."""
    # What is imported before the fork, no copy has to import; pandas is what DuckDB looks for at its first question.
    import pandas  # noqa: F401

    import gateway.cli.app  # noqa: F401

    _say({"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(asked["arguments"], asked["environment"], asked["output"])
        _say({"pid": pid})
        _say({"exit": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])})


def _become(arguments: Sequence[str], environment: Mapping[str, str], output: str) -> NoReturn:
    from gateway.cli.app import main

    into = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(into, sys.stdout.fileno())
    os.dup2(into, sys.stderr.fileno())
    os.environ.update(environment)
    sys.argv = ["tieout", *arguments]
    status = 0
    try:
        main()
    except SystemExit as ended:
        status = int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _serve()
