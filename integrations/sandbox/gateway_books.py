"""The books of a simulated payment gateway: what is held, taken, given back, and disputed.

Whatever is not said at once happens in the simulator's own time: authorisations end, captures and
refunds turn out late, buyers dispute, banks decide. Each is an event, signed and pushed.
"""

import hashlib
import heapq
import hmac
import random
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from integrations.sandbox.box import Refusal, Simulator
from integrations.sandbox.credentials import bearer
from integrations.sandbox.panel import Panel

BEHAVIORS: Final = (
    "ok",
    "decline",
    "nocapture",
    "norefund",
    "norenew",
    "drop",
    "lose",
    "late",
    "latefail",
    "bounce",
    "dispute",
)
ENDED: Final = {
    "voided": "The authorization was voided.",
    "expired": "The authorization has expired.",
    "replaced": "Another authorization took its place.",
}


@dataclass(frozen=True, slots=True)
class Odds:
    """Shares of what goes wrong with cards that say nothing of themselves."""

    decline: float = 0.0
    nocapture: float = 0.0
    norefund: float = 0.0
    norenew: float = 0.0
    drop: float = 0.0
    lose: float = 0.0
    late: float = 0.0
    latefail: float = 0.0
    bounce: float = 0.0
    dispute: float = 0.0
    lost: float = 0.5
    """Of the disputes, those that the bank decides for the buyer."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things take, in hours, and what may be captured beyond an authorisation, as a share."""

    authorized: float = 7 * 24
    late: float = 1
    bounce: float = 48
    dispute: float = 10 * 24
    evidence: float = 7 * 24
    verdict: float = 20 * 24
    tolerance: float = 0.0


def new_reference(
    amount_minor: int, behavior: str = "ok", *, kind: str = "auth", random_part: str = ""
) -> str:
    """A reference that the gateway will know, as if it had authorized the amount itself."""
    if behavior not in BEHAVIORS:
        raise ValueError(f"{behavior} is no behavior of the gateway")
    made = random_part or f"{random.getrandbits(64):016x}"  # guards nothing
    return f"{kind}_{amount_minor}_{behavior}_{made}"


class GatewayBooks(Simulator):
    """Money as the gateway counts it. Amounts are minor units."""

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__(*args, **words)
        self._due = [(one["at"], key) for key, one in self.store["due"].items()]
        heapq.heapify(self._due)
        self.configure({})

    # --- set-up

    def configure(self, said: dict[str, Any]) -> dict[str, Any]:
        """Take over what a set-up says: api_key, odds, terms. Answers what holds now."""
        kept = self.store["setup"]
        for name in ("odds", "terms"):
            kept[name] = {**kept.get(name, {}), **said.get(name, {})}
        if said.get("api_key"):
            kept["api_key"] = said["api_key"]
        self.odds = Odds(**_known(Odds, kept["odds"]))
        self.terms = Terms(**_known(Terms, kept["terms"]))
        if kept.get("api_key"):
            self.require(bearer(kept["api_key"]))
        return {"odds": asdict(self.odds), "terms": asdict(self.terms)}

    def start_anew(self) -> None:
        """Forget everything that has happened, and the set-up: what a test begins with."""
        with self.store.lock:
            self.store.clear()
            self._due.clear()
            self.configure({})
        # With the dice of the beginning: what is tried again fails alike.
        self.panel = Panel(self.seed, self.clock.now)

    # --- holdings

    def holding(self, reference: str) -> dict[str, Any]:
        """The authorisation of a reference; one from elsewhere is known by what it says of itself."""
        known = self.store["authorizations"]
        if reference not in known:
            parts = reference.split("_")
            if len(parts) != 4 or parts[0] != "auth" or not parts[1].isdecimal():
                raise declined(404, "unknown-reference", "There is no such thing.")
            self.hold(reference, int(parts[1]), parts[2], adopted=True)
        found: dict[str, Any] = known[reference]
        return found

    def hold(
        self,
        reference: str,
        amount: int,
        behavior: str,
        *,
        currency: str = "",
        payment: str = "",
        adopted: bool = False,
    ) -> dict[str, Any]:
        """Set an amount aside until the term passes."""
        now = self.clock.now()
        until = now + timedelta(hours=self.terms.authorized)
        made: dict[str, Any] = {
            "id": reference,
            "payment": payment or reference,
            "amount": amount,
            "currency": currency,
            "behavior": behavior,
            "status": "authorized",
            "captured": 0,
            "created": z(now),
            "expires_at": z(until),
        }
        self.store["authorizations"][reference] = made
        if not payment:
            self.store["payments"][reference] = {
                "captured": 0,
                "refunded": 0,
                "charged_back": 0,
                "disputed": 0,
                "adopted": adopted,
            }
        self.plan(until, "expire", reference)
        return made

    def payment_of(self, holding: dict[str, Any]) -> dict[str, Any]:
        """What was moved of a payment, over all its authorisations."""
        found: dict[str, Any] = self.store["payments"][holding["payment"]]
        return found

    def behaves(self, holding: dict[str, Any], how: str, key: str) -> bool:
        """Whether this goes so: by the card's own word, else by the odds, the same at each replay."""
        if holding["behavior"] != "ok":
            return bool(holding["behavior"] == how)
        return self.falls(getattr(self.odds, how), how, key)

    def falls(self, share: float, what: str, key: str) -> bool:
        return share > 0 and random.Random(f"{self.seed}:{what}:{key}").random() < share  # noqa: S311  # replayable

    # --- operations

    def record(
        self,
        kind: str,
        reference: str,
        amount: int,
        currency: str,
        key: str,
        *,
        holding: dict[str, Any],
        status: str = "succeeded",
    ) -> dict[str, Any]:
        """Keep what was asked and came to be; found again by its key, and listed by number."""
        number = self.store.next_number("operations")
        made = {
            "n": number,
            "id": reference,
            "kind": kind,
            "key": key,
            "authorization": holding["id"],
            "payment": holding["payment"],
            "amount": amount,
            "currency": currency or holding["currency"],
            "status": status,
            "code": "",
            "created": z(self.clock.now()),
        }
        self.store["operations"][f"{number:09d}"] = made
        if key:
            self.store["keys"][key] = f"{number:09d}"
        self.log.append(kind, id=reference, amount=amount, key=key, status=status)
        return made

    def move(self, kind: str, holding: dict[str, Any], amount: int) -> None:
        """Count money that was captured or refunded, or, negative, that was not after all."""
        payment = self.payment_of(holding)
        if kind == "capture":
            holding["captured"] += amount
            payment["captured"] += amount
            if holding["captured"] >= holding["amount"] and holding["status"] == "authorized":
                holding["status"] = "captured"
        else:
            payment["refunded"] += amount

    def refundable(self, holding: dict[str, Any]) -> int:
        """What may still be given back of the payment."""
        payment = self.payment_of(holding)
        taken = payment["captured"]
        if payment["adopted"] and not taken:
            taken = holding["amount"]  # it was captured before this gateway knew of it
        return int(taken - payment["refunded"] - payment["charged_back"])

    # --- what happens later

    def plan(self, at: datetime, what: str, subject: str) -> None:
        key = f"{self.store.next_number('due'):09d}"
        self.store["due"][key] = {"at": z(at), "what": what, "subject": subject}
        heapq.heappush(self._due, (z(at), key))

    def tick(self, now: datetime) -> None:
        """Do what has become due."""
        while self._due and self._due[0][0] <= z(now):
            _, key = heapq.heappop(self._due)
            due = self.store["due"].pop(key, None)
            if due is not None:
                getattr(self, f"_due_{due['what']}")(due["subject"])

    def _due_expire(self, reference: str) -> None:
        """An authorisation's term has passed; what was renewed meanwhile has another one."""
        held = self.store["authorizations"][reference]
        if held["status"] == "authorized" and held["expires_at"] <= z(self.clock.now()):
            self.expire(held)

    def expire(self, held: dict[str, Any]) -> None:
        held["status"] = "expired"
        self.emit("authorization.expired", held)

    def _due_settle(self, number: str) -> None:
        """A capture that was pending turns out."""
        operation = self.store["operations"][number]
        held = self.store["authorizations"][operation["authorization"]]
        if operation["status"] != "pending":
            return
        if self.behaves(held, "latefail", operation["key"]):
            operation |= {"status": "failed", "code": "insufficient-funds"}
            self.move("capture", held, -operation["amount"])
            if held["status"] == "captured":
                held["status"] = "authorized"
                self.plan(datetime.fromisoformat(held["expires_at"]), "expire", held["id"])
            self.emit("capture.failed", operation)
        else:
            operation["status"] = "succeeded"
            self.emit("capture.succeeded", operation)

    def _due_bounce(self, number: str) -> None:
        """A refund comes back from the buyer's bank."""
        operation = self.store["operations"][number]
        held = self.store["authorizations"][operation["authorization"]]
        operation |= {"status": "failed", "code": "account-closed"}
        self.move("refund", held, -operation["amount"])
        self.emit("refund.failed", operation)

    def _due_dispute(self, reference: str) -> None:
        held = self.store["authorizations"][reference]
        if self.refundable(held) > 0 and not self.payment_of(held)["disputed"]:
            self.dispute(held)

    def _due_verdict(self, dispute_id: str) -> None:
        dispute = self.store["disputes"][dispute_id]
        if dispute["status"] == "opened":
            self.decide(dispute, won=not self.falls(self.odds.lost, "lost", dispute_id))

    # --- disputes

    def dispute(
        self, held: dict[str, Any], amount: int | None = None, reason: str = "product_not_received"
    ) -> dict[str, Any]:
        """A buyer goes to the bank; the bank decides after its term unless somebody says before."""
        now, payment = self.clock.now(), self.payment_of(held)
        made: dict[str, Any] = {
            "id": f"dp_{self.new_id()[:16]}",
            "authorization": held["id"],
            "payment": held["payment"],
            "amount": amount or max(1, self.refundable(held)),
            "currency": held["currency"],
            "reason": reason,
            "status": "opened",
            "opened_at": z(now),
            "evidence_due_at": z(now + timedelta(hours=self.terms.evidence)),
        }
        self.store["disputes"][made["id"]] = made
        payment["disputed"] += 1
        self.plan(now + timedelta(hours=self.terms.verdict), "verdict", made["id"])
        self.emit("dispute.opened", made)
        return made

    def decide(self, dispute: dict[str, Any], *, won: bool) -> dict[str, Any]:
        payment = self.store["payments"][dispute["payment"]]
        dispute |= {"status": "won" if won else "lost", "settled_at": z(self.clock.now())}
        payment["disputed"] -= 1
        if not won:
            payment["charged_back"] += dispute["amount"]
        self.emit(f"dispute.{dispute['status']}", dispute)
        return dispute

    # --- events

    def emit(self, topic: str, about: dict[str, Any]) -> None:
        """Keep an event, and push it to everybody who wants to know."""
        number = self.store.next_number("events")
        event = {
            "n": number,
            "id": f"evt_{self.new_id()[:20]}",
            "type": topic,
            "created": z(self.clock.now()),
            "data": dict(about),
        }
        self.store["events"][f"{number:09d}"] = event
        self.log.append("event", id=event["id"], type=topic)
        for hook_id, hook in self.store["webhooks"].items():
            self.hooks.send(hook["url"], topic, event, message_id=f"{event['id']}:{hook_id}")

    def sign(self, topic: str, body: bytes, message_id: str) -> dict[str, str]:
        """`Gateway-Signature: t=…,v1=…`: the hex HMAC-SHA256 of "t.body"."""
        del topic
        hook = self.store["webhooks"].get(message_id.partition(":")[2], {})
        stamp = str(int(self.clock.now().timestamp()))
        secret = hook.get("secret", "").encode()
        digest = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {"Gateway-Signature": f"t={stamp},v1={digest}"}


def declined(status: int, code: str, message: str) -> Refusal:
    return Refusal(status, {"code": code, "message": message})


def z(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _known(values: type[Odds] | type[Terms], said: dict[str, Any]) -> dict[str, float]:
    names = {each.name for each in fields(values)}
    unknown = set(said) - names
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: there is no such setting")
    return {name: float(value) for name, value in said.items()}
