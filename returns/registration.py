"""What returns tell the platform and the apps below them at start-up."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from config.kernel import case_reports, events, registry, ticker
from config.kernel.registry import Kind
from config.kernel.services import dwell, intents, jobs
from config.kernel.types import Actor, Outcome
from orders import erasing
from returns import cases, handlers, selectors, services
from returns.services import labels
from returns.types import Authorization, ReturnStanding

AUTHORIZE_JOB = "returns.authorize"


def register_all() -> None:
    """Subject and case kinds, handlers, intents, jobs and steps; called from `ready()`."""
    registry.register(Kind("return", "Return", _path("returns")))
    registry.register(Kind("claim", "Claim", _path("claims")))
    erasing.declare("returns.labels", selectors.label_keys)
    case_reports.declare(*cases.KINDS)
    for kind, state, limit, finder in cases.DWELL:
        dwell.declare(kind, state, limit, finder)
    events.subscribe(handlers.BACK_CONSUMER, handlers.BACK_TOPICS, handlers.expect_sent_back)
    events.subscribe(handlers.LOST_CONSUMER, handlers.LOST_TOPICS, handlers.open_claims)
    events.subscribe(handlers.FOUND_CONSUMER, handlers.FOUND_TOPICS, handlers.withdraw_claims)
    intents.register(labels.BUY, labels.buy, on_answer=labels.record_label, find=labels.find)
    jobs.register(AUTHORIZE_JOB, _authorize_items)
    ticker.register("returns.expire", 60, _expire)
    ticker.register("returns.close_settled", 60, _close_settled)


def _path(page: str) -> Callable[[UUID], str]:
    def path(key: UUID) -> str:
        return f"/console/{page}/{key}/"

    return path


def _authorize_items(
    return_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[ReturnStanding]]:
    """One chunk of the job that authorises many returns."""
    del params
    return services.authorize_returns(
        [Authorization(return_id) for return_id in return_ids], at=at, actor=actor
    )


def _expire(at: datetime) -> None:
    services.expire_returns(at=at, actor=Actor.system("returns.expire"))


def _close_settled(at: datetime) -> None:
    services.close_settled_returns(at=at, actor=Actor.system("returns.close_settled"))
