"""The other companies of the demo: simulated systems, each with a record of its own, told by HTTP.

What the retailer's partners would know of it when they begin to work for it is told to their control
planes; from then on they and Switchyard know of each other what they tell each other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

import httpx
from django.conf import settings

from integrations.sandbox import PORTS

TIMEOUT_SECONDS: Final = 30
_AT_ONCE: Final = 500

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Box:
    """A parcel that stands at a node's dock for the carrier's driver."""

    tracking_number: str
    from_zip: str
    to_zip: str
    service: str
    at: datetime


@dataclass(slots=True)
class Counterparts:
    """Where the simulators listen, and what may be asked of them beside their trade."""

    urls: Mapping[str, str]
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False)
    )

    @classmethod
    def behind(cls, port: int) -> Self:
        """Those that `manage.py sandbox --port` runs, each so many ports further on."""
        return cls({name: f"http://127.0.0.1:{port + step}" for name, step in PORTS.items()})

    @classmethod
    def of_settings(cls) -> Self:
        """Those whose addresses this process was given, in SANDBOX_URLS."""
        return cls(settings.SANDBOX_URLS)

    def are_up(self) -> bool:
        """Whether all of them answer."""
        try:
            return all(self.state(name) for name in self.urls)
        except httpx.HTTPError:
            return False

    def state(self, name: str) -> Document:
        return self._say(name, "GET", "")

    def tell(self, name: str, method: str, path: str, body: Mapping[str, Any]) -> Document:
        """Ask something of a simulator's control plane. Raises httpx.HTTPStatusError for a no."""
        return self._say(name, method, f"/{path}", body)

    def records(self, name: str, collection: str) -> Iterator[tuple[str, Document]]:
        """All documents of one collection, by key."""
        after = ""
        while True:
            page = self._say(name, "GET", f"/records/{collection}?after={after}")
            for record in page["records"]:
                yield record["key"], record["document"]
            if not page["next"]:
                return
            after = page["next"]

    def log(self, name: str, kind: str, *, after: int = 0) -> Iterator[Document]:
        """What a simulator noted of one kind since its entry number `after`, oldest first."""
        cursor: str | None = str(after)
        while cursor is not None:
            page = self._say(name, "GET", f"/records/log?kind={kind}&after={cursor}")
            yield from page["records"]
            cursor = page["next"]

    def move_to(self, at: datetime, *, wait: float = 0) -> None:
        """Everything that is due by this instant happens; `wait` seconds for what is told of it."""
        for name in self.urls:
            self.tell(name, "POST", "tick", {"now": at.isoformat(), "wait": wait})

    def set_clocks(self, at: datetime, speed: float) -> None:
        """The simulators live at the pace of the demo from here on."""
        for name in self.urls:
            self.tell(name, "POST", "clock", {"now": at.isoformat(), "speed": speed})

    def dock(self, boxes: Sequence[Box]) -> None:
        """Boxes are put where the carrier's driver finds them."""
        for start in range(0, len(boxes), _AT_ONCE):
            some = [_dockable(box) for box in boxes[start : start + _AT_ONCE]]
            self.tell("carrier", "POST", "dock", {"parcels": some})

    def subscribe_to_carrier(self, url: str, secret: str, *, token: str) -> None:
        """Have the carrier push to this address what it scans."""
        hook = {"webhook": {"url": url, "webhook_secret": secret}}
        self._subscribe(f"{self.urls['carrier']}/v2/webhooks", hook, auth=(token, ""))

    def subscribe_to_gateway(self, url: str, secret: str, *, token: str) -> None:
        """Have the payment provider push to this address what turns out late."""
        bearer = {"Authorization": f"Bearer {token}"}
        hook = {"url": url, "secret": secret}
        self._subscribe(f"{self.urls['gateway']}/v1/webhooks", hook, headers=bearer)

    def _subscribe(self, url: str, hook: Document, **proof: Any) -> None:
        self.client.post(url, json=hook, **proof).raise_for_status()

    def close(self) -> None:
        self.client.close()

    def _say(
        self, name: str, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Document:
        answer = self.client.request(method, f"{self.urls[name]}/_sandbox{path}", json=body)
        answer.raise_for_status()
        said: Document = answer.json()
        return said


def _dockable(box: Box) -> Document:
    return {
        "tracking_code": box.tracking_number,
        "from_zip": box.from_zip,
        "to_zip": box.to_zip,
        "service": box.service,
        "at": box.at.isoformat(),
    }
