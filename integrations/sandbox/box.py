"""The ground of every simulator: another company's system, reached by HTTP and nothing else.

A simulator is a subclass with methods marked `@route("POST", "/orders/{id}")`. It has documents that
survive a restart (`store`), a record of what it was asked (`log`), dice that replay (`dice`), a clock of
its own (`clock`), outgoing messages (`hooks`) and a failure panel (`panel`). `tick(now)` is called
about twice a second of wall time, and whenever the control plane says so. Handlers and ticks of one
simulator run one at a time: `store.lock` is held.

Control plane, without credentials, on this machine only:

    GET    /_sandbox                        name, time, counts of documents, log and failures
    POST   /_sandbox/clock                  {"now": iso, "speed": number}
    POST   /_sandbox/tick                   {"now": iso, "wait": seconds for hooks to be sent}
    GET    /_sandbox/records/{collection}   documents; `log` is the record; ?kind= ?after= ?limit=
    GET    /_sandbox/failures               the panel (see `integrations.sandbox.panel`)
    PUT    /_sandbox/failures               {"failures": [{kind, share, until, seconds}]}
    DELETE /_sandbox/failures               all off
"""

import json
import random
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from integrations.sandbox.clock import SandboxClock
from integrations.sandbox.control import CONTROL, control
from integrations.sandbox.hooks import Hook, Hooks
from integrations.sandbox.panel import Panel
from integrations.sandbox.store import Log, Store

MAX_BODY: Final = 16 * 1024 * 1024
TICK_SECONDS: Final = 0.5
SAVE_SECONDS: Final = 5.0
SLOW_SECONDS: Final = 3.0

Reply = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]
Check = Callable[["Request"], bool]
"""Whether a request shows the credential that this simulator wants."""


@dataclass(slots=True)
class Request:
    """One request: `params` are the variables of the path, header names are in lower case."""

    method: str
    path: str
    params: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    _json: Any = field(default=None)

    @property
    def json(self) -> Any:
        """The body as JSON; an empty object when there is none. Raises Refusal for what is none."""
        if self._json is None:
            try:
                self._json = json.loads(self.raw or b"{}")
            except ValueError:
                raise Refusal(400, {"error": "The body is not JSON."}) from None
        return self._json

    @property
    def form(self) -> dict[str, str]:
        """The body as an HTML form."""
        return dict(parse_qsl(self.raw.decode("utf-8", "replace"), keep_blank_values=True))


class Refusal(Exception):
    """A handler's no, with status and body."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.reply: Reply = (status, body, headers or {})


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    open: bool
    idempotent: bool


H = TypeVar("H", bound=Callable[..., Reply])


def route(
    method: str,
    path: str,
    *,
    open: bool = False,  # noqa: A002  # reads as a word
    idempotent: bool = False,
) -> Callable[[H], H]:
    """Answer this method and path with a method of the simulator. A handler may have several.

    `open` needs no credential; `idempotent` answers a repeated Idempotency-Key as the first time.
    """
    pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)) + "/?")

    def mark(handler: H) -> H:
        handler.__dict__.setdefault("routes", []).append(
            Route(method.upper(), pattern, open, idempotent)
        )
        return handler

    return mark


class Simulator:
    """One simulated system. Port 0 takes a free one; without a folder it remembers nothing."""

    def __init__(
        self,
        name: str,
        port: int = 0,
        seed: int = 7,
        *,
        clock: SandboxClock | None = None,
        store: Store | None = None,
        folder: Path | None = None,
    ) -> None:
        self.name, self.seed = name, seed
        self.clock = clock or SandboxClock()
        self.store = store or Store(name, folder)
        self.log = Log(name, folder)
        self.dice = random.Random(f"{seed}:{name}")  # noqa: S311  # replayable, guards nothing
        self._ids = random.Random(f"{seed}:{name}:{len(self.log.entries)}")  # noqa: S311  # likewise
        self.panel = Panel(seed, self.clock.now)
        self.hooks = Hooks(self)
        self.faults: list[str] = []
        self._check: Check | None = None
        self._routes = _routes_of(self)
        self._stopping = Event()
        self._port = port
        self._server: _Server | None = None
        self._threads: list[Thread] = []

    # --- for subclasses

    def tick(self, now: datetime) -> None:
        """Do what has become due by `now`. The lock is held; hooks may be sent."""

    def sign(self, topic: str, body: bytes, message_id: str) -> dict[str, str]:
        """The headers that prove a hook. The base proves nothing."""
        del topic, body, message_id
        return {}

    def answered(self, hook: Hook, status: int, body: bytes) -> bool:
        """Whether this answer settles the hook; otherwise it is sent again. The lock is not held."""
        del hook, body
        return 200 <= status < 300

    def control(self, request: Request, words: list[str]) -> Reply | None:
        """A simulator's own part of the control plane, such as `PUT /_sandbox/shelves`."""
        del request, words
        return None

    def require(self, check: Check | None) -> None:
        """Want this credential from now on; the set-up of a demo or test calls it."""
        self._check = check

    def new_id(self) -> str:
        """A random id that replays with the seed, and is not given twice across restarts."""
        return f"{self._ids.getrandbits(128):032x}"

    # --- running

    @property
    def port(self) -> int:
        """Where it listens; with port 0 known once it has started."""
        return int(self._server.server_address[1]) if self._server else self._port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen, tick and send. Raises OSError when the port is taken."""
        self._server = _Server(("127.0.0.1", self._port), partial(_Handler, self))
        self._threads = [
            Thread(target=self._server.serve_forever, args=(0.05,), name=self.name, daemon=True),
            Thread(target=self._keep_ticking, name=f"{self.name}-tick", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self.hooks.start()

    def stop(self) -> None:
        """Stop answering, and keep what is known."""
        self._stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self.hooks.stop()
        for thread in self._threads:
            thread.join(timeout=5)
        self.store.save()

    @contextmanager
    def running(self) -> Iterator["Simulator"]:
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def tick_now(self, now: datetime) -> None:
        """One tick at a time of the simulator's clock, which is moved on to it."""
        self.clock.reach(now)
        with self.store.lock:
            self.tick(now)
            self.store.touch()

    def _keep_ticking(self) -> None:
        saved = time.monotonic()
        while not self._stopping.wait(TICK_SECONDS):
            try:
                self.tick_now(self.clock.now())
                if time.monotonic() - saved > SAVE_SECONDS:
                    self.store.save()
                    saved = time.monotonic()
            except Exception:  # noqa: BLE001  # a simulator's fault must be seen, not end it
                self.note_fault()

    def note_fault(self) -> None:
        text = traceback.format_exc(limit=8)
        self.faults = [*self.faults[-19:], text]
        sys.stderr.write(f"{self.name}: {text}")

    # --- answering

    def answer(self, request: Request) -> Reply | None:
        """The reply to a request; None hangs up. Failures of the panel come first and last."""
        if request.path.startswith(CONTROL):
            return control(self, request)
        if limited := self.panel.strikes("rate_limit"):
            seconds = limited.seconds or 1
            return 429, {"error": "Too many requests."}, {"Retry-After": f"{seconds:g}"}
        if slow := self.panel.strikes("slow"):
            time.sleep(slow.seconds or SLOW_SECONDS)
        broken, silent = self.panel.strikes("server_error"), self.panel.strikes("silence")
        spoilt = bool(broken or silent)
        before = spoilt and self.panel.chance() < 0.5  # a coin
        reply: Reply = (500, {"error": "Internal error."})
        if not before:
            reply = self._handled(request)
        if spoilt:
            self.log.append("spoilt", method=request.method, path=request.path, effect=not before)
        if silent:
            return None
        return (500, {"error": "Internal error."}) if broken else reply

    def _handled(self, request: Request) -> Reply:
        for known, handler in self._routes:
            match = known.pattern.fullmatch(request.path)
            if match is None or known.method != request.method:
                continue
            if not known.open and self._check is not None and not self._check(request):
                return 401, {"error": "The credential is missing or wrong."}
            request.params = match.groupdict()
            try:
                return self._once(known, handler, request)
            except Refusal as refusal:
                return refusal.reply
            except Exception:  # noqa: BLE001  # a simulator's fault must be seen, not end it
                self.note_fault()
                return 500, {"error": "The simulator failed."}
        return 404, {"error": f"There is no {request.method} {request.path}."}

    def _once(self, known: Route, handler: Callable[[Request], Reply], request: Request) -> Reply:
        key = request.headers.get("idempotency-key", "") if known.idempotent else ""
        with self.store.lock:
            answers = self.store["_answers"]
            if key and key in answers:
                status, body, headers = answers[key]
                return status, body, headers
            reply = handler(request)
            if request.method != "GET":
                self.store.touch()
            if key:
                answers[key] = [reply[0], reply[1], dict(reply[2]) if len(reply) > 2 else {}]
            return reply


def _routes_of(simulator: Simulator) -> list[tuple[Route, Callable[[Request], Reply]]]:
    """Its routes; those without variables first, so that `/orders/count` is no order."""
    found = [
        (known, getattr(simulator, name))
        for name in dir(type(simulator))
        for known in getattr(getattr(type(simulator), name), "routes", ())
    ]
    return sorted(found, key=lambda pair: pair[0].pattern.groups)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that hang up are no fault; anything else is told as usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """The wire. One instance per connection."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    # Headers and body go out apart: held back, the body waits 40 ms for the other end's word.
    disable_nagle_algorithm = True

    def __init__(self, simulator: Simulator, *args: Any) -> None:
        self._simulator = simulator
        super().__init__(*args)

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  # the base class calls them so

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > MAX_BODY:
            self._send((413, {"error": "The body is too large."}))
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        request = Request(
            self.command,
            unquote(parts.path),
            {},
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(size),
        )
        reply = self._simulator.answer(request)
        if reply is None:
            self.close_connection = True
        else:
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        status, body = reply[0], reply[1]
        headers = dict(reply[2]) if len(reply) > 2 else {}
        kind = "application/json"
        if isinstance(body, bytes):
            kind, payload = "application/octet-stream", body
        else:
            payload = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", headers.pop("Content-Type", kind))
        self.send_header("Content-Length", str(len(payload)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it
        """Stay silent: the simulator has a log of its own."""
