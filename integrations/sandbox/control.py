"""The control plane of every simulator (documented in `integrations.sandbox.box`)."""

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from integrations.sandbox.clock import instant
from integrations.sandbox.panel import Failure

if TYPE_CHECKING:
    from integrations.sandbox.box import Reply, Request, Simulator

CONTROL: Final = "/_sandbox"
RECORDS: Final = 1_000
"""Documents of one answer, unless `limit` says otherwise."""


def control(simulator: "Simulator", request: "Request") -> "Reply":
    """Answer a request of the control plane; what is not common to all, the simulator answers."""
    words = [word for word in request.path.removeprefix(CONTROL).split("/") if word]
    answer = _COMMON.get((request.method, words[0] if words else ""))
    try:
        if answer is not None:
            return 200, answer(simulator, request, words)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as wrong:
        return 422, {"error": f"{type(wrong).__name__}: {wrong}"}
    own = simulator.control(request, words)
    return own or (404, {"error": f"There is no {request.method} {request.path}."})


def _state(simulator: "Simulator", request: "Request", words: list[str]) -> dict[str, Any]:
    del request, words
    return {
        "name": simulator.name,
        "now": simulator.clock.now().isoformat(),
        "speed": simulator.clock.speed,
        "seed": simulator.seed,
        "documents": {
            name: number for name, number in simulator.store.counts().items() if name[0] != "_"
        },
        "log": dict(simulator.log.counts),
        "hooks_waiting": simulator.hooks.waiting(),
        "failures": [one.said() for one in simulator.panel.listed()],
        "struck": dict(simulator.panel.struck),
        "faults": simulator.faults,
    }


def _clock(simulator: "Simulator", request: "Request", words: list[str]) -> dict[str, Any]:
    speed = request.json.get("speed")
    simulator.clock.set(instant(request.json.get("now")), None if speed is None else float(speed))
    return _state(simulator, request, words)


def _tick(simulator: "Simulator", request: "Request", words: list[str]) -> dict[str, Any]:
    del words
    simulator.tick_now(instant(request.json.get("now")) or simulator.clock.now())
    wait = float(request.json.get("wait", 0))
    sent = simulator.hooks.drain(wait) if wait else simulator.hooks.waiting() == 0
    return {"now": simulator.clock.now().isoformat(), "hooks_sent": sent}


def _failures(simulator: "Simulator", request: "Request", words: list[str]) -> dict[str, Any]:
    del words
    if request.method == "PUT":
        simulator.panel.set([Failure.read(one) for one in request.json["failures"]])
    elif request.method == "DELETE":
        simulator.panel.set([])
    return {"failures": [one.said() for one in simulator.panel.listed()]}


def _records(simulator: "Simulator", request: "Request", words: list[str]) -> dict[str, Any]:
    """A page of documents by key, or of the log by number; `next` goes on after the last one."""
    query, collection = request.query, words[1]
    limit = int(query.get("limit", RECORDS))
    if collection == "log":
        kind = query.get("kind", "")
        later = simulator.log.entries[int(query.get("after", 0)) :]
        entries = list(islice((one for one in later if kind in ("", one["kind"])), limit))
        last = str(entries[-1]["n"]) if len(entries) == limit else None
        return {"records": entries, "next": last}
    with simulator.store.lock:
        known = simulator.store[collection]
        keys = sorted(key for key in known if key > query.get("after", ""))[:limit]
        records = [{"key": key, "document": known[key]} for key in keys]
    return {"records": records, "next": keys[-1] if len(keys) == limit else None}


_COMMON: Final[
    dict[tuple[str, str], Callable[["Simulator", "Request", list[str]], dict[str, Any]]]
] = {
    ("GET", ""): _state,
    ("POST", "clock"): _clock,
    ("POST", "tick"): _tick,
    ("GET", "records"): _records,
    ("GET", "failures"): _failures,
    ("PUT", "failures"): _failures,
    ("DELETE", "failures"): _failures,
}
