"""What-if: a policy played over recorded decisions, what it would have cost, and what it would move."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.dateparse import parse_date

from config.console import words
from config.console.bells import ring_job
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.simulation_charts import frontier, loads
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Forbidden, Invalid
from config.kernel.services import jobs
from config.kernel.types import Actor
from config.reports import simulations as reports
from routing import selectors as routing
from routing import simulation_selectors as selectors
from routing.engine.explain import SPLITS
from routing.services import shadows
from routing.services.simulations import SimulationDraft, start_simulation
from routing.simulating_samples import LABELS, PEAK_TENTHS, Wanted
from routing.simulating_totals import Figures
from routing.simulation_selectors import SimulationView

VIEW, EDIT = Permission.ROUTING_VIEW, Permission.ROUTING_EDIT
SHOWN: Final = 20
CHOICES: Final = tuple((code, text.capitalize()) for code, text in LABELS.items())


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of one variant, and how it differs from what is recorded."""

    text: str
    more: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    title: str
    cells: tuple[Cell, ...]


@page(VIEW)
def simulations(request: HttpRequest) -> HttpResponse:
    """Every backtest and shadow, the latest first."""
    found = selectors.simulations(frame_of(request).scope(VIEW))
    return show(
        request, "console/simulations/list.html", {"here": "decisions", "simulations": found}
    )


@page(EDIT, methods=("POST",))
@once
def simulate(request: HttpRequest, policy_id: UUID) -> HttpResponse:
    """Begin a backtest of a version, and go to where its progress is shown."""
    frame = frame_of(request)
    policy = routing.policy(policy_id, frame.scope(EDIT))
    actor = planner(request)
    wanted = _wanted(request, actor)
    others = tuple(_uuids(request.POST.getlist("beside")))
    draft = SimulationDraft(
        policy.account_id,
        (policy.pk, *others),
        wanted.sample(),
        sweep=request.POST.get("sweep") == "on",
    )
    simulation = start_simulation(draft, at=frame.now, actor=actor)
    if simulation.job_id is not None:
        ring_job(simulation.job_id)
    return go(request, reverse("console:simulation", args=[simulation.pk]))


@page(VIEW)
def simulation(request: HttpRequest, simulation_id: UUID) -> HttpResponse:
    """Its progress, what each variant costs, the load of nodes, and the orders that move."""
    frame = frame_of(request)
    view = selectors.simulation(simulation_id, frame.scope(VIEW))
    variant = _place(request.GET.get("variant", "1"), len(view.variants))
    after = int(text) if (text := request.GET.get("after", "")).isdecimal() else 0
    measure = "parcels" if request.GET.get("measure") == "parcels" else "days"
    moves = selectors.moves_of(
        simulation_id, frame.scope(VIEW), variant=variant, after=after, limit=SHOWN
    )
    numbers = reports.numbers_of({move.row.order_id for move in moves})
    shown = moves[:SHOWN]
    context = {
        "here": "decisions",
        "view": view,
        "going": view.going,
        "handled": view.done + view.refused,
        "lines": figures_lines(view),
        "variant": variant,
        "chosen": view.variants[variant],
        "moves": [(move, numbers.get(move.row.order_id, "")) for move in shown],
        "next": shown[-1].row.pk if len(moves) > SHOWN else None,
        "kept": view.row.result.get("kept", [0] * len(view.variants))[variant],
        "loads": loads(view.load(), variant),
        "chart": frontier(view.points, measure) if len(view.variants) > 2 else None,
        "measure": measure,
        "may_run": frame.may(EDIT),
    }
    return show(request, "console/simulations/one.html", context)


@page(EDIT, methods=("POST",))
@once
def simulation_stop(request: HttpRequest, simulation_id: UUID) -> HttpResponse:
    """Stop a backtest after the chunk in hand, or a shadow."""
    frame = frame_of(request)
    view = selectors.simulation(simulation_id, frame.scope(EDIT))
    actor = planner(request)
    if view.row.job_id is None:
        shadows.stop_shadow(simulation_id, at=frame.now, actor=actor)
        say(request, "The shadow is stopped. What it has seen is kept.")
    else:
        jobs.cancel(view.row.job_id, at=frame.now, actor=actor)
        say(request, "It stops. What was played so far is kept.")
    return go(request, reverse("console:simulation", args=[simulation_id]))


@page(EDIT, methods=("POST",))
@once
def shadow_start(request: HttpRequest, policy_id: UUID) -> HttpResponse:
    """Have a version decide beside live from now on, without taking anything."""
    frame = frame_of(request)
    shadow = shadows.start_shadow(policy_id, at=frame.now, actor=planner(request))
    say(request, f"{shadow.title} runs beside live.")
    return go(request, reverse("console:simulation", args=[shadow.pk]))


def planner(request: HttpRequest) -> Actor:
    """Whoever may try policies: they reach beyond nodes."""
    if frame_of(request).nodes(EDIT) is not None:
        raise Forbidden("Policies reach beyond your nodes.")
    return actor_of(request, EDIT)


def figures_lines(view: SimulationView) -> list[Line]:
    """The table of figures: a line for each, a cell for each variant."""
    currency = view.currency
    return [
        _line("Cost", "Freight, handling and picking", view, lambda one: one.cost_minor,
              lambda value: words.amount(round(value), currency)),
        _line("Cost per delivery", "", view, lambda one: one.cost_each,
              lambda value: words.amount(round(value), currency)),
        *(
            _line(f"of which {name}", "", view, _part(name),
                  lambda value: words.amount(round(value), currency))
            for name in ("freight", "handling", "picking")
        ),
        _line("Parcels", "", view, lambda one: one.parcels, _count),
        _line("Split", "Deliveries of more than one parcel", view, lambda one: one.split, _count),
        *(
            _line(SPLITS[code], "Cause of the split", view, _cause(code), _count)
            for code in SPLITS
            if any(code in one.causes for one in view.variants)
        ),
        _line("On time", "Kept, nine times in ten, the day that the buyer asked for or was told",
              view, lambda one: one.on_time_share, _share, better="up"),
        _line("Expected days late", "All deliveries together", view, lambda one: one.late_days,
              lambda value: f"{value:,.1f}"),
        _line("Days to the door", "From the order to the usual day of delivery", view,
              lambda one: one.days_each, lambda value: f"{value:.2f}"),
        _line("Units unfilled", "", view, lambda one: one.unfilled_units, _count),
        _line("Kilometers per parcel", "", view, lambda one: one.km_each,
              lambda value: f"{value:,.0f}"),
        _line("Orders that move", "Sent from elsewhere than recorded", view,
              lambda one: one.moved, _count, better=""),
    ]  # fmt: skip


def _line(
    label: str,
    title: str,
    view: SimulationView,
    measure: Callable[[Figures], float],
    said: Callable[[float], str],
    *,
    better: str = "down",
) -> Line:
    before = measure(view.variants[0])
    cells = [Cell(said(before))]
    for one in view.variants[1:]:
        value = measure(one)
        difference = value - before
        if not difference or said(value) == said(before) or not better:
            cells.append(Cell(said(value)))
            continue
        sign = "+" if difference > 0 else "−"
        tone = "good" if (difference < 0) == (better == "down") else "bad"
        cells.append(Cell(said(value), f"{sign}{said(abs(difference))}", tone))
    return Line(label[:1].upper() + label[1:], title, tuple(cells))


def _part(name: str) -> Callable[[Figures], float]:
    return lambda one: one.parts.get(name, 0)


def _cause(code: str) -> Callable[[Figures], float]:
    return lambda one: one.causes.get(code, 0)


def _count(value: float) -> str:
    return f"{round(value):,}"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _wanted(request: HttpRequest, actor: Actor) -> Wanted:
    frame, said = frame_of(request), request.POST
    local = frame.now.astimezone(frame.zone)
    kind = said.get("sample", "last_7_days")
    asked = [text for text in said.get("orders", "").replace(",", " ").split() if text]
    known: dict[str, UUID] = {}
    if kind == "orders":
        known = reports.order_ids(asked, scope=actor.scope)
        if missing := [text for text in asked if text not in known]:
            raise Invalid(f"There is no order {missing[0]}.")
    try:
        tenths = round(float(said.get("times", "") or PEAK_TENTHS / 10) * 10)
        seed = int(said.get("seed", "") or 1)
    except ValueError:
        raise Invalid("A peak is so many times as much: give a number.") from None
    return Wanted(
        kind,
        local,
        _day(said.get("from", ""), frame.zone),
        _day(said.get("until", ""), frame.zone),
        tuple(known.values()),
        tenths,
        seed,
    )


def _day(text: str, zone: ZoneInfo) -> datetime | None:
    day = parse_date(text) if text else None
    return datetime(day.year, day.month, day.day, tzinfo=zone) if day else None


def _uuids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts if text]
    except ValueError:
        raise Invalid("There is no such policy.") from None


def _place(text: str, count: int) -> int:
    place = int(text) if text.isdecimal() else 1
    return min(max(1, place), count - 1)
