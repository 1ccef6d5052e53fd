"""Several simulators in one process, until interrupted."""

import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Event
from types import FrameType

from integrations.sandbox import FIRST_PORT, PORTS, SIMULATORS
from integrations.sandbox.box import Simulator


def build(
    names: Iterable[str] = (), *, port: int = FIRST_PORT, folder: Path | None = None, seed: int = 7
) -> list[Simulator]:
    """The simulators of these names, or all, each on its port after `port`; with 0, on free ones.

    Raises ValueError for a name that there is not.
    """
    wanted = list(names) or list(SIMULATORS)
    unknown = [name for name in wanted if name not in SIMULATORS]
    if unknown:
        raise ValueError(f"no simulator is called {', '.join(unknown)}: {', '.join(SIMULATORS)}")
    made = []
    for name in wanted:
        module, _, function = SIMULATORS[name].partition(":")
        builder = getattr(import_module(module), function or "build")
        made.append(builder(port + PORTS[name] if port else 0, folder, seed))
    return made


@contextmanager
def running(simulators: Iterable[Simulator]) -> Iterator[list[Simulator]]:
    """Start them all; stop them all, also when one does not start."""
    started: list[Simulator] = []
    try:
        for simulator in simulators:
            simulator.start()
            started.append(simulator)
        yield started
    finally:
        for simulator in reversed(started):
            simulator.stop()


def serve(simulators: Iterable[Simulator]) -> None:
    """Answer until SIGINT or SIGTERM; says on standard output who listens where, then `ready`."""
    stopped = Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        del signum, frame
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with running(simulators) as started:
        for simulator in started:
            sys.stdout.write(f"{simulator.name:<12} {simulator.url}\n")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        # A wait without end would not hear a signal on every system.
        while not stopped.wait(1.0):
            pass
