"""How counterparts prove and number what they send: one dialect per adapter that receives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from config.kernel.errors import NotFound

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of counterpart speaks: pure functions over headers and bytes.

    `signed(secret, headers, raw)` compares in constant time, over the bytes as they came.
    `message_id(headers, raw)` is the sender's own id of the message, the same over its retries.
    `topic(headers, raw)` says what the message is about. Both bear bytes that are no JSON.
    `kept` are beginnings of header names worth keeping with the message; never a credential's.
    `by_settings` takes the place of `signed` where each connection describes its own proof.
    """

    name: str
    signed: Callable[[str, Headers, bytes], bool]
    message_id: Callable[[Headers, bytes], str]
    topic: Callable[[Headers, bytes], str]
    kept: tuple[str, ...] = ()
    by_settings: Callable[[Mapping[str, Any], str, Headers, bytes], bool] | None = None

    def proven(
        self, settings: Mapping[str, Any], secret: str, headers: Headers, raw: bytes
    ) -> bool:
        """Whether the secret signed the bytes, in the way that the connection's settings describe."""
        if self.by_settings is not None:
            return self.by_settings(settings, secret, headers, raw)
        return self.signed(secret, headers, raw)


_dialects: dict[str, Dialect] = {}


def register(*dialects: Dialect) -> None:
    """Make dialects known; called from an adapter's `registration.register_all()`."""
    for dialect in dialects:
        if dialect.name in _dialects:
            raise ValueError(f"the dialect {dialect.name} is registered twice")
        _dialects[dialect.name] = dialect


def dialect(name: str) -> Dialect:
    """Raises NotFound for a dialect that nobody speaks."""
    try:
        return _dialects[name]
    except KeyError:
        raise NotFound(f"Nobody speaks {name} here.") from None


def names() -> list[str]:
    return sorted(_dialects)


def kept_prefixes(name: str) -> tuple[str, ...]:
    """The beginnings of header names that are kept with messages of this dialect."""
    known = _dialects.get(name)
    return known.kept if known else ()
