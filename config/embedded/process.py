"""Start, find and end child processes. Every child is in the foreground of a session of its own."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from config.embedded.home import Account

TETHER: Final = Path(__file__).with_name("tether.py")
_LOG_LIMIT: Final = 10 * 1024 * 1024
"""Bytes after which a log is set aside when its process starts."""


def start(
    argv: Sequence[str | Path],
    *,
    log: Path,
    environ: Mapping[str, str],
    cwd: Path = Path("/"),
    account: Account | None = None,
    keep: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start a process that outlives nobody's terminal. `keep` are descriptors that it inherits."""
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".1.log"))
    with log.open("ab") as sink:
        return subprocess.Popen(  # noqa: S603 (the words are ours)
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=dict(environ),
            cwd=cwd,
            start_new_session=True,
            pass_fds=tuple(keep),
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )


def reap(process: "subprocess.Popen[bytes]") -> None:
    """Collect the process whenever it ends: a zombie would look alive to the next start."""
    threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True).start()


def tethered(argv: Sequence[str | Path]) -> list[str | Path]:
    """The same words, run so that the process is told to end when its parent dies (Linux)."""
    return [sys.executable, "-S", "-E", TETHER, str(os.getpid()), *argv]


def alive(pid: int) -> bool:
    """Whether the process exists and is more than a zombie."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == errno.EPERM
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True  # no /proc: macOS
    return status.rpartition(")")[2].split()[0] != "Z"


def program(pid: int) -> str:
    """The name of the program that runs as `pid`; empty when there is none."""
    answer = subprocess.run(  # noqa: S603 (the words are ours)
        ["ps", "-o", "comm=", "-p", str(pid)],  # noqa: S607 (ps lies elsewhere on macOS)
        capture_output=True,
        text=True,
        check=False,
    )
    return Path(answer.stdout.strip()).name


def end(pid: int, *, steps: Sequence[tuple[signal.Signals, float]], group: bool = False) -> None:
    """Signal the process, wait the seconds that belong to the signal, then take the next one.

    `group` sends the last signal to the whole session, so that no grandchild stays behind.
    """
    for signal_, seconds in steps:
        last = signal_ is steps[-1][0]
        try:
            if group and last:
                os.killpg(pid, signal_)
            else:
                os.kill(pid, signal_)
        except ProcessLookupError:
            return
        if wait_until(lambda: not alive(pid), seconds=seconds):
            return


def wait_until(fact: Callable[[], bool], *, seconds: float, pause: float = 0.02) -> bool:
    """Ask until the fact holds or the time is over; answers whether it held."""
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True


def tail(log: Path, *, since: int = 0, characters: int = 1200) -> str:
    """The end of what the log gained after `since` bytes."""
    try:
        with log.open("rb") as file:
            file.seek(since)
            return file.read().decode(errors="replace")[-characters:].strip()
    except OSError:
        return ""
