"""One process that runs the web, the worker and the ticker on the embedded services.

    with Stack() as stack:
        stack.spawn("web", [sys.executable, "-m", "gunicorn", "config.wsgi", ...])
        stack.spawn("worker", [sys.executable, "-m", "celery", "-A", "config", "worker", ...])
        stack.spawn("beat", [sys.executable, "-m", "celery", "-A", "config", "beat", ...])
        stack.wait("web", lambda: answers(url), seconds=60)
        stack.run_until_signal()

Leaving the block stops them in reverse order (beat, worker, web) and gives the services back
(valkey, postgres, when nobody else uses them). A child that dies is started again after a pause
that grows. A child never outlives its supervisor to meet its successor: on Linux it is told to end
when the supervisor dies, and everywhere it holds `run/<name>.lock`, by which the next supervisor
finds it and ends it first. So there are never two tickers.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, Self

from config.embedded import process, sharing
from config.embedded.home import CHECKOUT, EmbeddedError, Home
from config.embedded.sharing import Running

GRACE: Final = 8.0
"""Seconds that a child has to finish what it does, before it is killed."""
_PAUSE_LEAST, _PAUSE_MOST, _STEADY = 0.5, 30.0, 60.0
"""Seconds before a restart, doubled for each one, until a child has run steadily for a while."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AlreadyRunning(EmbeddedError):
    """Another supervisor runs in this home."""


@dataclass(slots=True)
class Child:
    """A program that is kept running."""

    name: str
    argv: Sequence[str | Path]
    environ: Mapping[str, str]
    log: Path
    restarts: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    pause: float = _PAUSE_LEAST
    due: float = field(default=0.0)
    """The monotonic time of its next start while it is down."""

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Stack:
    """Embedded services and the processes on them, for as long as the block lasts."""

    def __init__(self, home: Home | None = None) -> None:
        self.home = home or Home.of_checkout()
        self.children: dict[str, Child] = {}
        self._exits = ExitStack()
        self._signalled: list[int] = []

    def __enter__(self) -> Self:
        """Start the services. Refuses with AlreadyRunning when this home has a supervisor."""
        self.home.found()
        self.home.logs.mkdir(parents=True, exist_ok=True)
        self.running: Running
        with ExitStack() as undo:
            lock = undo.enter_context((self.home.run / "supervisor.lock").open("a"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning("Switchyard is already running in this folder.") from None
            undo.callback(sharing.release, self.home)
            self.running = sharing.ensure(home=self.home)
            for number in _SIGNALS:
                undo.callback(signal.signal, number, signal.signal(number, self._note))
            undo.callback(self._stop_children)
            self._exits = undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exits.close()

    def spawn(
        self, name: str, argv: Sequence[str | Path], env: Mapping[str, str] | None = None
    ) -> Child:
        """Start a child and keep it running. `env` is added to the environment of this process.

        Its output goes to `log/<name>.log`. It runs in the checkout. Call from the main thread: the
        kernel ties a child to the thread that started it.
        """
        self._end_leftover(name)
        child = Child(name, argv, os.environ | dict(env or {}), self.home.logs / f"{name}.log")
        self.children[name] = child
        self._start(child)
        return child

    def wait(self, name: str, probe: Callable[[], bool], *, seconds: float = 60.0) -> None:
        """Wait until the probe says that the child is up. Raises with its log when it is not."""
        child = self.children[name]
        since = child.log.stat().st_size if child.log.exists() else 0
        up = process.wait_until(
            lambda: bool(self._signalled) or not child.running or probe(),
            seconds=seconds,
            pause=0.1,
        )
        if not self._signalled and (not child.running or not up):
            said = process.tail(child.log, since=max(0, since - 2000))
            raise EmbeddedError(f"{name} did not come up ({child.log}):\n{said}")

    def supervise(self) -> list[str]:
        """Start again what died and is due; answers the names of what was started."""
        started = sharing.keep(self.home)
        now = time.monotonic()
        for child in self.children.values():
            if child.running:
                if now - child.started > _STEADY:
                    child.pause = _PAUSE_LEAST
            elif child.process is not None:
                child.process = None
                child.due = now + child.pause
                child.pause = min(child.pause * 2, _PAUSE_MOST)
            elif now >= child.due:
                child.restarts += 1
                self._end_leftover(child.name)
                self._start(child)
                started.append(child.name)
        return started

    def run_until_signal(
        self, *, on_restart: Callable[[str], None] | None = None, pause: float = 0.25
    ) -> int:
        """Supervise until SIGINT, SIGTERM or SIGHUP arrives; answers the signal's number."""
        looked = 0.0
        while not self._signalled:
            time.sleep(pause)
            if time.monotonic() - looked >= 1.0:
                looked = time.monotonic()
                for name in self.supervise():
                    if on_restart is not None:
                        on_restart(name)
        return self._signalled[0]

    @property
    def signalled(self) -> bool:
        """Whether somebody asked to stop; long set-up steps look here between two of them."""
        return bool(self._signalled)

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._signalled.append(number)

    def _start(self, child: Child) -> None:
        lock = (self.home.run / f"{child.name}.lock").open("a+")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            child.process = process.start(
                process.tethered(child.argv),
                log=child.log,
                environ=child.environ,
                cwd=CHECKOUT,
                keep=[lock.fileno()],
            )
            lock.truncate(0)
            lock.write(str(child.process.pid))
        child.started = time.monotonic()

    def _end_leftover(self, name: str) -> None:
        """End the child of a supervisor that was killed: it still holds its lock."""
        with (self.home.run / f"{name}.lock").open("a+") as lock:
            if _free(lock.fileno()):
                return
            lock.seek(0)
            text = lock.read().strip()
            if text.isdigit():
                process.end(
                    int(text),
                    steps=((signal.SIGTERM, GRACE), (signal.SIGKILL, 5.0)),
                    group=True,
                )
                _kill_group(int(text))
            if not process.wait_until(lambda: _free(lock.fileno()), seconds=5.0):
                raise AlreadyRunning(f"A {name} of an earlier start still runs (pid {text}).")

    def _stop_children(self) -> None:
        """In reverse order, one after the other; a second signal cuts the grace short."""
        for child in reversed(list(self.children.values())):
            if child.process is None:
                continue
            if child.running:
                child.process.send_signal(signal.SIGTERM)
                process.wait_until(
                    partial(self._ended_or_urged, child, len(self._signalled)),
                    seconds=GRACE,
                    pause=0.05,
                )
            _kill_group(child.process.pid)
            child.process.wait()
        self.children.clear()

    def _ended_or_urged(self, child: Child, signals: int) -> bool:
        return not child.running or len(self._signalled) > signals


def _free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _kill_group(pid: int) -> None:
    """End whatever the child left in its session."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
