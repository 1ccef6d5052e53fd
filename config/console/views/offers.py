"""What drop-ship suppliers offer to send for us, and what has been learnt of them."""

from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from config.console.accounts import account_of_new
from config.console.forms import ActionForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Forbidden
from config.reports import offers as reports
from inventory import selectors, services
from inventory.services.offers import MOST_LEAD_DAYS
from inventory.types import OfferDraft

SEE, PLAN = Permission.INVENTORY_VIEW, Permission.INVENTORY_PLAN
LEARNT_OVER: Final = timedelta(days=90)
SHOWN: Final = 500
REFUSED: Final = "Offers of suppliers need another role."
_MOST_MINOR: Final = 10**12


class OfferForm(ActionForm):
    supplier = forms.ChoiceField(label="Supplier")
    sku = forms.CharField(label="SKU", max_length=64)
    unit_cost_minor = forms.IntegerField(
        label="A unit costs",
        min_value=0,
        max_value=_MOST_MINOR,
        help_text="In minor units: 1250 is 12.50.",
    )
    own_cost_minor = forms.IntegerField(
        label="One of our own costs",
        min_value=0,
        max_value=_MOST_MINOR,
        required=False,
        help_text="Empty: it is compared with the least that any supplier asks.",
    )
    currency = forms.RegexField("^[A-Z]{3}$", label="Currency", initial="USD")
    lead_days = forms.IntegerField(
        label="Ready after", min_value=0, max_value=MOST_LEAD_DAYS, initial=0,
        help_text="In the supplier's working days.",
    )  # fmt: skip
    least_units = forms.IntegerField(label="Least order, in units", min_value=1, initial=1)
    valid_from = forms.DateField(label="From", widget=forms.DateInput({"type": "date"}))
    valid_until = forms.DateField(
        label="Until", required=False, widget=forms.DateInput({"type": "date"}),
        help_text="The first day on which it holds no more.",
    )  # fmt: skip

    def __init__(self, *args: Any, suppliers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["supplier"].choices = suppliers  # type: ignore[attr-defined]


@page(SEE)
def offers(request: HttpRequest) -> HttpResponse:
    """Every offer that holds or is to come, beside how the supplier has kept its word."""
    frame = frame_of(request)
    scope, nodes = frame.scope(SEE), frame.nodes(SEE)
    old = request.GET.get("old") == "1"
    found = selectors.offers(scope)
    if nodes is not None:
        found = found.filter(node_id__in=nodes)
    if not old:
        found = found.exclude(valid_until__lte=_today(request))
    return show(
        request,
        "console/offers/list.html",
        {
            "here": "stock",
            "offers": reports.shown(list(found[:SHOWN]), _today(request)),
            "suppliers": reports.kept_word(
                scope, nodes, since=frame.now - LEARNT_OVER, at=frame.now
            ),
            "old": old,
        },
    )


@page(PLAN, methods=("GET", "POST"))
@once
def offer_new(request: HttpRequest) -> HttpResponse:
    """Enter an offer, or the same one with other terms."""
    _require_every_node(request)
    account_id = account_of_new(request, PLAN, REFUSED)
    suppliers = reports.suppliers(account_id)
    form = OfferForm(
        request.POST if request.method == "POST" else None,
        suppliers=[(code, name) for code, name, _ in suppliers],
        initial={"valid_from": _today(request)},
    )
    problem = ""
    if request.method == "POST" and form.is_valid():
        problem = _entered(request, account_id, form.cleaned_data)
        if not problem:
            say(request, f"The offer of {form.cleaned_data['sku']} is entered.")
            return go(request, reverse("console:offers"))
    return show(
        request,
        "console/offers/new.html",
        {"here": "stock", "form": form, "problem": problem},
        status=409 if problem else 422 if request.method == "POST" else 200,
    )


@page(PLAN, methods=("POST",))
@once
def offer_end(request: HttpRequest, offer_id: int) -> HttpResponse:
    """Let an offer hold no more from today on."""
    _require_every_node(request)
    services.end_offer(
        offer_id, _today(request), at=frame_of(request).now, actor=actor_of(request, PLAN)
    )
    say(request, "The offer has ended: nothing more is asked of the supplier under it.")
    return go(request, reverse("console:offers"))


def _entered(request: HttpRequest, account_id: UUID, said: dict[str, Any]) -> str:
    """Why the offer could not be entered; empty where it was."""
    nodes = {code: node_id for code, _, node_id in reports.suppliers(account_id)}
    skus = selectors.skus_by_code(account_id, None, {said["sku"]})
    if said["sku"] not in skus:
        return "The account has no such SKU."
    terms = {name: value for name, value in said.items() if name not in {"supplier", "sku"}}
    [outcome] = services.define_offers(
        [OfferDraft(nodes[said["supplier"]], skus[said["sku"]].id, **terms, source="console")],
        account_id=account_id,
        at=frame_of(request).now,
        actor=actor_of(request, PLAN),
    )
    return outcome.problem.detail if outcome.problem else ""


def _today(request: HttpRequest) -> date:
    return timezone.localdate(frame_of(request).now)


def _require_every_node(request: HttpRequest) -> None:
    if frame_of(request).nodes(PLAN) is not None:
        raise Forbidden("This is decided for all nodes.")
