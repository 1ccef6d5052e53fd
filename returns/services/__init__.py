"""What returns can be told."""

from returns.services.authorize import (
    authorize_returns,
    cancel_returns,
    decline_returns,
    expire_returns,
)
from returns.services.came_back import expect_sent_back
from returns.services.claims import (
    file_claims,
    open_claims,
    record_claim_answers,
    resolve_claims,
    withdraw_claims,
)
from returns.services.inspect import inspect_returns
from returns.services.photos import keep_photos
from returns.services.policies import publish_policy
from returns.services.receive import (
    identify_returns,
    receive_returns,
    receive_unannounced,
    record_scans,
)
from returns.services.request import request_returns
from returns.services.settle import close_settled_returns, exchange_returns, settle_returns

__all__ = [
    "authorize_returns",
    "cancel_returns",
    "close_settled_returns",
    "decline_returns",
    "exchange_returns",
    "expect_sent_back",
    "expire_returns",
    "file_claims",
    "identify_returns",
    "inspect_returns",
    "keep_photos",
    "open_claims",
    "publish_policy",
    "receive_returns",
    "receive_unannounced",
    "record_claim_answers",
    "record_scans",
    "request_returns",
    "resolve_claims",
    "settle_returns",
    "withdraw_claims",
]
