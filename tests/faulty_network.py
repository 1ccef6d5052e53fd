"""A small TCP proxy that misbehaves: latency, resets, half-open connections, a black hole."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CHUNK = 64 * 1024
QUEUE = 8
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of nothing: closing sends RST."""


class FaultyNetwork:
    """Stands between us and one address. `mode` is what goes wrong now, for old and new connections.

    ok            passes everything on
    latency       passes it on after `seconds`
    reset         ends connections with RST as soon as something is sent
    half_open     takes what is sent, and nothing ever comes back
    black_hole    nobody takes the connection: the queue of the listening socket is full
    """

    def __init__(self, target: int | Path, *, seconds: float = 2.0) -> None:
        self._target = target
        self._mode = "ok"
        self.seconds = seconds
        self.taken = 0
        self._server = socket.create_server(("127.0.0.1", 0), backlog=QUEUE)
        self.port = int(self._server.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._fillers: list[socket.socket] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def mode(self) -> str:
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        self._mode = mode
        if mode == "black_hole":
            time.sleep(0.1)  # the accepting thread notices
            self._fill()
        else:
            for one in self._fillers:
                one.close()
            self._fillers.clear()

    def _fill(self) -> None:
        """Fill the queue of the listening socket: the kernel then drops every further SYN."""
        for _ in range(QUEUE + 2):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.port))
            self._fillers.append(one)
        time.sleep(0.05)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator["FaultyNetwork"]:
        self._thread.start()
        try:
            yield self
        finally:
            self.mode = "ok"
            self._stopped.set()
            self._server.close()
            self.cut()
            self._thread.join(timeout=5)

    def cut(self) -> None:
        """End every connection, as a router does that is switched off."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        self._server.settimeout(0.05)
        while not self._stopped.is_set():
            if self._mode == "black_hole":
                time.sleep(0.02)
                continue
            try:
                taken, _ = self._server.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.taken += 1
            threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, self._reached() as far:
            self._open |= {near, far}
            back = threading.Thread(target=self._pass, args=(far, near, False), daemon=True)
            back.start()
            self._pass(near, far, True)  # towards the target
            back.join(timeout=5)
            self._open -= {near, far}

    def _reached(self) -> socket.socket:
        if isinstance(self._target, Path):
            far = socket.socket(socket.AF_UNIX)
            far.connect(str(self._target))
            return far
        return socket.create_connection(("127.0.0.1", self._target))

    def _pass(self, source: socket.socket, sink: socket.socket, outward: bool) -> None:  # noqa: FBT001  # a direction
        with suppress(OSError):
            while part := source.recv(CHUNK):
                if self.mode == "latency":
                    time.sleep(self.seconds / 2)
                if self.mode == "reset":
                    near = source if outward else sink
                    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    near.close()
                    break
                if self.mode in {"half_open", "black_hole"}:
                    continue
                sink.sendall(part)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
