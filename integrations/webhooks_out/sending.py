"""The performer of deliveries: signs, posts, and says what the answer means."""

from datetime import UTC, datetime
from typing import Final

from config.kernel import clock
from config.kernel.services.intents import Answer, LeasedIntent
from config.kernel.types import Actor
from integrations.models import WebhookDelivery
from integrations.models.webhooks import EndpointState
from integrations.pacing import Busy
from integrations.webhooks_out import pressure, selectors, signing
from integrations.webhooks_out.deliveries import DELIVER, DISABLED, Next, note_attempt, why
from integrations.webhooks_out.posted import Posted
from integrations.webhooks_out.posting import canonical, post

REMOVED: Final = "The endpoint was removed."
LONGEST_PAUSE_SECONDS: Final = 3_600.0
_USER_AGENT: Final = "Switchyard-Webhooks/1"


def perform(intent: LeasedIntent) -> Answer:
    """Post the event. Whatever is no 2xx is tried again: a receiver knows a repeat by its id."""
    delivery = selectors.to_send(intent.subject_id)
    endpoint = delivery.endpoint
    if endpoint.state != EndpointState.ENABLED:
        return Answer.refused(REMOVED if endpoint.state == EndpointState.REMOVED else DISABLED)
    bearing = pressure.of(endpoint.pk)
    try:
        bearing.enter()
    except Busy as busy:
        return Answer.retry(str(busy), after_seconds=busy.after_seconds, asked=False)
    seconds, ran_out, now = 0.0, False, datetime.now(UTC)
    try:
        headers, posted = _posted(delivery, now)
        seconds, ran_out = posted.seconds, posted.ran_out
    finally:
        bearing.leave(seconds, ran_out=ran_out)
    actor = Actor.system(f"intent:{DELIVER}")
    return _answer(
        posted, note_attempt(delivery, headers, posted, at=clock.now(), actor=actor), now
    )


def _posted(delivery: WebhookDelivery, now: datetime) -> tuple[dict[str, str], Posted]:
    """Sign and send; the headers that went out, and how it ended."""
    body, held = canonical(delivery.payload), selectors.secrets_of(delivery.endpoint)
    headers = {
        "content-type": "application/json",
        "user-agent": _USER_AGENT,
        **signing.headers(held, delivery.event_id, body, now=now),
    }
    return headers, post(delivery.endpoint.url, headers, body.encode())


def _answer(posted: Posted, follows: Next, now: datetime) -> Answer:
    refusals = {
        Next.KEEP: DISABLED,
        Next.FAIL: f"Given up: {why(posted)}.",
    }
    if posted.ok:
        return Answer.done(status=posted.status)
    if follows in refusals or posted.unsafe:
        return Answer.refused(refusals.get(follows, f"It was not sent: {posted.error}."))
    pause = posted.retry_after(now=now)
    return Answer.retry(
        why(posted),
        after_seconds=min(pause, LONGEST_PAUSE_SECONDS) if pause is not None else None,
    )
