"""What a simulator sends by itself: signed, from a thread of its own, failing as the panel says."""

import heapq
import json
import ssl
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from integrations.sandbox.box import Simulator

ATTEMPTS: Final = 4
BACK_OFF_SECONDS: Final = (0.5, 2.0, 8.0)
TIMEOUT_SECONDS: Final = 10.0
LATE_SECONDS: Final = 3.0
_OLD_ONES: Final = 50


@dataclass(slots=True)
class Hook:
    """One message on its way. `id` stays the same over its retries and duplicates."""

    id: str
    url: str
    topic: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    attempts: int = 0
    forged: bool = False
    may_fail: bool = True


@cache
def _authorities() -> ssl.SSLContext:
    """Read once: a process may run many simulators."""
    return httpx.create_ssl_context(trust_env=False)


class Hooks:
    """The outgoing queue of a simulator: in order of time, one after another."""

    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator
        self._ready = Condition()
        self._queue: list[tuple[float, int, Hook]] = []
        self._number = count()
        self._busy = False
        self._stopped = False
        self._sent: deque[Hook] = deque(maxlen=_OLD_ONES)
        self._client = httpx.Client(verify=_authorities(), timeout=TIMEOUT_SECONDS, trust_env=False)
        self._thread = Thread(target=self._run, name=f"{simulator.name}-hooks", daemon=True)

    def send(
        self,
        url: str,
        topic: str,
        body: Mapping[str, Any] | list[Any] | bytes,
        *,
        headers: Mapping[str, str] | None = None,
        message_id: str = "",
        method: str = "POST",
        delay: float = 0.0,
    ) -> str:
        """Have a message sent, `delay` seconds of wall time from now. Answers its id."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        made = message_id or self._simulator.new_id()
        self._put(Hook(made, url, topic, raw, dict(headers or {}), method), delay)
        return made

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._ready:
            self._stopped = True
            self._ready.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=TIMEOUT_SECONDS + 1)
        self._client.close()

    def waiting(self) -> int:
        with self._ready:
            return len(self._queue) + self._busy

    def drain(self, seconds: float) -> bool:
        """Wait until everything is sent; False when it takes longer than this."""
        deadline = time.monotonic() + seconds
        while self.waiting():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def _put(self, hook: Hook, delay: float) -> None:
        with self._ready:
            heapq.heappush(self._queue, (time.monotonic() + delay, next(self._number), hook))
            self._ready.notify()

    def _run(self) -> None:
        while (hook := self._next()) is not None:
            try:
                self._pass(hook)
            finally:
                with self._ready:
                    self._busy = False

    def _next(self) -> Hook | None:
        with self._ready:
            while not self._stopped:
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    self._busy = True
                    return heapq.heappop(self._queue)[2]
                self._ready.wait(wait)
        return None

    def _pass(self, hook: Hook) -> None:
        """Let the panel spoil the message, once, and send it."""
        panel, log = self._simulator.panel, self._simulator.log
        if hook.may_fail:
            if panel.is_on("silence"):
                self._put(hook, 0.2)
                return
            hook.may_fail = False
            if panel.strikes("drop"):
                log.append("hook", id=hook.id, topic=hook.topic, became="dropped")
                return
            late = panel.strikes("slow")
            held = None if late else panel.strikes("reorder")
            if late or held:
                seconds = (late or held).seconds or LATE_SECONDS  # type: ignore[union-attr]  # one is there
                self._put(hook, seconds if late else seconds * panel.chance())
                return
        self._send_with_copies(hook)

    def _send_with_copies(self, hook: Hook) -> None:
        panel = self._simulator.panel
        if hook.attempts == 0:
            if panel.strikes("wrong_signature"):
                hook.forged = True
            elif panel.strikes("duplicate"):
                self._put(replace(hook, attempts=1, may_fail=False), 0.05)
            if self._sent and panel.strikes("stale"):
                self._put(replace(self._sent[0], attempts=1, may_fail=False), 0.05)
        self._post(hook)

    def _post(self, hook: Hook) -> None:
        hook.attempts += 1
        signed_over = hook.body + b" " if hook.forged else hook.body
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"{self._simulator.name}-sandbox",
            **hook.headers,
            **self._simulator.sign(hook.topic, signed_over, hook.id),
        }
        try:
            answer = self._client.request(hook.method, hook.url, content=hook.body, headers=headers)
            status = answer.status_code
            taken = self._simulator.answered(hook, status, answer.content)
        except httpx.HTTPError as lost:
            status, taken = type(lost).__name__, False  # type: ignore[assignment]  # told in the log
        became = "forged" if hook.forged else "delivered" if taken else "failed"
        self._simulator.log.append(
            "hook", id=hook.id, topic=hook.topic, became=became, status=status
        )
        if taken:
            self._sent.append(hook)
        elif hook.forged:
            # The real one follows: a forger does not keep the sender from sending.
            hook.forged = False
            self._put(hook, 0.05)
        elif hook.attempts <= len(BACK_OFF_SECONDS):
            self._put(hook, BACK_OFF_SECONDS[hook.attempts - 1])
