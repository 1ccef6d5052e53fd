"""A receiver of webhooks: a small HTTP server that answers as it is told and remembers what came."""

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, TypeVar

Reply = tuple[int, Mapping[str, str], bytes]


@dataclass
class Receiver:
    """`answers` are given one after another, the last one for ever."""

    port: int = 0
    answers: list[Reply] = field(default_factory=lambda: [(200, {}, b"{}")])
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.came]

    def then(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.answers = [(status, headers or {}, b"said so")]

    def answer(self, headers: dict[str, str], body: bytes) -> Reply:
        self.came.append((headers, body))
        time.sleep(self.seconds)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


R = TypeVar("R", bound=Receiver)


@contextmanager
def receiving(receiver: R | None = None) -> Iterator[R | Receiver]:
    receiver = receiver or Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            sent = {name.lower(): value for name, value in self.headers.items()}
            status, headers, said = receiver.answer(sent, body)
            with suppress(ConnectionError):  # whoever waited for it may have gone
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

        def log_message(self, *args: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def black_hole() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hooks"


def until(settled: Callable[[], bool], *, seconds: float = 5.0) -> None:
    """Wait for something that happens by itself."""
    deadline = time.monotonic() + seconds
    while not settled():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)
