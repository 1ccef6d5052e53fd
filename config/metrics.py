"""Numbers for Prometheus: what this machine's web processes did, and how the work in the database stands.

Counters are kept in memory, or in files shared by all web processes of a machine when
`PROMETHEUS_MULTIPROC_DIR` names a folder (`gunicorn.conf.py` does). Gauges are read from the
database when they are asked for: every web process answers the same. Labels are codes, never names.
"""

import hmac
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from config.kernel import clock, combining
from config.reports import metrics as reports

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

UNMATCHED: Final = "unmatched"

_LATENCY: Final = Histogram(
    "switchyard_request_seconds",
    "Time to answer a request, until its body begins.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_STATEMENTS: Final = Histogram(
    "switchyard_request_statements",
    "SQL statements of a request; what a batch shares counts for the one that led it.",
    ["route"],
    buckets=(0, 1, 2, 5, 10, 15, 20, 30, 50, 100, 200),
)
_BATCHES: Final = Histogram(
    "switchyard_combined_calls",
    "Calls that waited together and were run as one batch.",
    buckets=(1, 2, 4, 8, 16, 32, 64),
)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Counting:
    """Counts the statements that run while it is around them."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def __call__(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: Any
    ) -> Any:
        self.count += 1
        return execute(sql, params, many, context)


class RequestMetrics:
    """Measure each request by its route, so that ids and numbers make no series of their own."""

    def __init__(self, get_response: "Callable[[HttpRequest], HttpResponseBase]") -> None:
        self.get_response = get_response
        if _BATCHES.observe not in combining.observers:
            combining.observers.append(_BATCHES.observe)

    def __call__(self, request: "HttpRequest") -> "HttpResponseBase":
        began, counting = time.perf_counter(), _Counting()
        with connection.execute_wrapper(counting):
            response = self.get_response(request)
        match = request.resolver_match
        route = match.route if match is not None else UNMATCHED
        method = request.method if request.method in _METHODS else "other"
        status = f"{response.status_code // 100}xx"
        _LATENCY.labels(method, route, status).observe(time.perf_counter() - began)
        _STATEMENTS.labels(route).observe(counting.count)
        return response


class WorkCollector(Collector):
    """How the work stands: one reading of the database per scrape, nothing kept."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        lag = reports.lag()
        yield _single(
            "switchyard_outbox_lag_seconds",
            "Age of the oldest event that is not handed out.",
            lag["relay_lag"],
        )
        yield _single(
            "switchyard_delivery_lag_seconds",
            "How long the most overdue delivery is overdue.",
            lag["delivery_lag"],
        )
        yield _single(
            "switchyard_oversold_positions",
            "Positions that hold less than is reserved of them.",
            lag["oversold"],
        )
        yield _single(
            "switchyard_unaccepted_order_seconds",
            "Age, in business time, of the oldest order that could be accepted and is not.",
            _age(lag["oldest_captured"], clock.now()),
        )
        for name, text, labels, rows in (
            (
                "switchyard_deliveries_open",
                "Deliveries that are not done.",
                ("consumer", "state"),
                reports.open_deliveries(),
            ),
            (
                "switchyard_intents_open",
                "Questions to the outside that have no answer, and those that were given up.",
                ("kind", "state"),
                reports.open_intents(),
            ),
            ("switchyard_cases_open", "Cases that wait for a person.", ("kind",), reports.cases()),
            (
                "switchyard_inbox_open",
                "Messages from outside without effect.",
                ("source", "state"),
                reports.open_messages(),
            ),
            (
                "switchyard_heartbeat_seconds",
                "Time since a worker last did this periodic work.",
                ("work",),
                reports.heartbeats(),
            ),
        ):
            family = GaugeMetricFamily(name, text, labels=labels)
            for each in rows:
                family.add_metric([str(each[label]) for label in labels], float(each["n"] or 0))
            yield family


@never_cache
@require_safe
def metrics(request: "HttpRequest") -> HttpResponse:
    """Answer with every number in Prometheus' text format.

    Needs `Authorization: Bearer` with METRICS_TOKEN. Without a token set there is no such page,
    but in development.
    """
    token: str = settings.METRICS_TOKEN
    if not token and not settings.DEBUG:
        raise Http404
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and not hmac.compare_digest(sent.encode(), token.encode()):
        return HttpResponse(
            "A token is needed.\n",
            status=401,
            content_type="text/plain",
            headers={"WWW-Authenticate": "Bearer"},
        )
    text = generate_latest(_processes()) + generate_latest(_work)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _processes() -> CollectorRegistry:
    """What this process counted, or all web processes of the machine."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return REGISTRY
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # theirs
    return shared


def _single(name: str, text: str, value: Any) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=float(value or 0))


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since.astimezone(UTC)).total_seconds()) if since else 0.0


_work = CollectorRegistry()
_work.register(WorkCollector())
