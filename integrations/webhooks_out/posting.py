"""One POST to an address that somebody else has chosen: judged, bounded in time, cut short.

The connection is made to the address that was judged, whatever the name says a moment later. The time
limit is for all of it: name, connection, TLS, request and answer. Nothing of it is reused.
"""

import json
import ssl
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import httpcore

from integrations.webhooks_out.addresses import Unresolved, Unsafe, resolve
from integrations.webhooks_out.posted import Posted
from integrations.webhooks_out.pressure import SLOW_SECONDS

CONNECT_SECONDS: Final = 2.0
TOTAL_SECONDS: Final = 4.0
MOST_BYTES: Final = 4_096
"""So much of an answer is read; the rest is none of our business."""
_BROKEN: Final = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol)
_KEPT: Final = frozenset(
    {"content-type", "content-length", "retry-after", "date", "server", "location"}
)


def post(
    url: str, headers: Mapping[str, str], body: bytes, *, total_seconds: float = TOTAL_SECONDS
) -> Posted:
    """Send it; never raises for what the other end, the net or the address does."""
    began = time.monotonic()
    backend = _Guarded(began + total_seconds)
    error, unsafe = "", False
    try:
        with (
            httpcore.ConnectionPool(
                ssl_context=_tls(), max_keepalive_connections=0, network_backend=backend
            ) as pool,
            pool.stream(
                "POST",
                url,
                headers=list(headers.items()),
                content=body,
                extensions={"timeout": {"connect": CONNECT_SECONDS, "pool": total_seconds}},
            ) as answer,
        ):
            said = {name.decode("latin-1").lower(): value for name, value in answer.headers}
            text = _read(answer.iter_stream())
            return Posted(
                answer.status,
                "",
                {k: v.decode("latin-1")[:200] for k, v in said.items() if k in _KEPT},
                text,
                time.monotonic() - began,
            )
    except Unsafe as refused:
        error, unsafe = str(refused), True
    except Unresolved as lost:
        error = str(lost)
    except (httpcore.TimeoutException, TimeoutError):
        error = "it did not answer in time"
    except (*_BROKEN, OSError, UnicodeError) as lost:
        error = f"the connection failed ({type(lost).__name__})"
    seconds = time.monotonic() - began
    return Posted(None, error, seconds=seconds, ran_out=seconds > SLOW_SECONDS, unsafe=unsafe)


def _read(chunks: Iterable[bytes]) -> str:
    """The beginning of an answer, as text. What cannot be decoded is shown as such."""
    read = b""
    for chunk in chunks:
        read += chunk
        if len(read) >= MOST_BYTES:
            break
    return read[:MOST_BYTES].decode("utf-8", "replace").replace("\x00", "\ufffd")


def canonical(payload: Mapping[str, Any]) -> str:
    """The body of a payload: the same text in every try."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


class _Guarded(httpcore.NetworkBackend):
    """Connects to judged addresses only, and lets nothing last beyond the deadline."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = resolve(host, port)
        stream = self._plain.connect_tcp(
            address,
            port,
            timeout=_left(self._deadline, timeout),
            local_address=local_address,
            socket_options=socket_options,
        )
        return _Timed(stream, self._deadline)

    def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        raise Unsafe("it is no address of the internet")

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, _left(self._deadline, seconds)))


class _Timed(httpcore.NetworkStream):
    """A stream on which each step has what is left of the time of all."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=_left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=_left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(
            ssl_context, server_hostname, timeout=_left(self._deadline, timeout)
        )
        return _Timed(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, wanted: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is over")
    return left if wanted is None else min(left, wanted)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Certificates are verified against the system's authorities, and the URL's host name."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
