"""Goods of other owners at our nodes: who sells them, and what is owed for a period."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
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
from config.kernel.errors import DomainError, NotFound
from config.kernel.models import Channel
from config.kernel.types import Scope
from inventory import selectors, services
from inventory.types import ConsignedLine, OwnerDraft, OwnerView

USUAL: Final = timedelta(days=29)
REFUSED: Final = "Goods of other owners need another role."
COLUMNS: Final = (
    "owner", "sku", "name", "on_hand", "reserved", "received", "sold", "returned", "owed_minor",
    "currency", "unpriced",
)  # fmt: skip


class OwnerForm(ActionForm):
    code = forms.SlugField(label="Code", max_length=32, help_text="As files and the API name it.")
    name = forms.CharField(label="Name", max_length=120)
    channels = forms.MultipleChoiceField(
        label="Sold in",
        required=False,
        widget=forms.CheckboxSelectMultiple(),
        help_text="In other channels these goods do not count.",
    )
    is_first = forms.ChoiceField(
        label="Whose goods go first",
        choices=[("", "Ours, then theirs"), ("yes", "Theirs, then ours")],
        required=False,
    )

    def __init__(
        self, *args: Any, channels: Sequence[tuple[str, str]], fixed: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channels"].choices = channels  # type: ignore[attr-defined]
        if fixed:
            del self.fields["code"]


@page(Permission.INVENTORY_VIEW)
def consigned(request: HttpRequest) -> HttpResponse:
    """The owners, and what lies here, was sold, came back and is owed, line by line or as a file."""
    frame = frame_of(request)
    scope = frame.scope(Permission.INVENTORY_VIEW)
    first, last = _period(request)
    owner = " ".join(request.GET.get("owner", "").replace("\0", " ").split())
    lines = selectors.consigned_lines(
        scope, since=_midnight(first), until=_midnight(last + timedelta(days=1)), owner=owner
    )
    if request.GET.get("as") == "csv":
        return _file(lines, first, last)
    owners = selectors.owners(scope)
    return show(
        request,
        "console/consigned/list.html",
        {
            "here": "stock",
            "owners": owners,
            "owner": owner,
            "lines": lines,
            "sums": _sums(lines),
            "first": first,
            "last": last,
            "can_plan": frame.may(Permission.INVENTORY_PLAN),
        },
    )


@page(Permission.INVENTORY_PLAN, methods=("GET", "POST"))
@once
def owner_new(request: HttpRequest) -> HttpResponse:
    return _edit(request, None, account_of_new(request, Permission.INVENTORY_PLAN, REFUSED))


@page(Permission.INVENTORY_PLAN, methods=("GET", "POST"))
@once
def owner(request: HttpRequest, owner_id: UUID) -> HttpResponse:
    """Other channels, another turn. Every channel's figures follow."""
    reach = frame_of(request).scope(Permission.INVENTORY_PLAN)
    found = next((one for one in selectors.owners(reach) if one.id == owner_id), None)
    if found is None:
        raise NotFound("There is no such owner that you may change.")
    return _edit(request, found, found.account_id)


def _edit(request: HttpRequest, found: OwnerView | None, account_id: UUID) -> HttpResponse:
    scope = Scope(frozenset({account_id}))
    channels = {
        row.code: row
        for row in Channel.objects.for_scope(scope).filter(active=True).order_by("code")
    }
    form = OwnerForm(
        request.POST if request.method == "POST" else None,
        channels=[(code, row.name) for code, row in channels.items()],
        fixed=found is not None,
        initial={
            "name": found.name if found else "",
            "channels": list(found.channels) if found else list(channels),
            "is_first": "yes" if found and found.is_first else "",
        },
    )
    problem = ""
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        draft = OwnerDraft(
            found.code if found else said["code"],
            said["name"],
            bool(said["is_first"]),
            frozenset(channels[code].pk for code in said["channels"]),
        )
        try:
            services.define_owners(
                [draft],
                account_id=account_id,
                at=frame_of(request).now,
                actor=actor_of(request, Permission.INVENTORY_PLAN),
            )
        except DomainError as error:
            problem = error.detail
        else:
            say(request, f"{draft.name} is sold in {len(draft.channel_ids)} channels now.")
            return go(request, reverse("console:consigned"))
    return show(
        request,
        "console/consigned/owner.html",
        {"here": "stock", "owner": found, "form": form, "problem": problem},
        status=422 if request.method == "POST" else 200,
    )


def _sums(lines: Sequence[ConsignedLine]) -> list[Mapping[str, Any]]:
    """What each owner has here and is owed, by currency."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in lines:
        each = found.setdefault(
            (line.owner, line.currency),
            {"owner": line.owner, "currency": line.currency, "units": 0, "owed": 0, "unpriced": 0},
        )
        each["units"] += line.sold - line.returned
        each["owed"] += line.owed_minor
        each["unpriced"] += line.unpriced
    return [each for each in found.values() if each["currency"] or each["unpriced"]]


def _period(request: HttpRequest) -> tuple[date, date]:
    """The days asked for; without, or with none that can be read, the last thirty."""
    today = timezone.localdate(frame_of(request).now)
    last = _day(request.GET.get("until", "")) or today
    first = _day(request.GET.get("since", "")) or last - USUAL
    return min(first, last), last


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _file(lines: Sequence[ConsignedLine], first: date, last: date) -> HttpResponse:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_plain(getattr(line, name)) for name in COLUMNS] for line in lines)
    return HttpResponse(
        "\ufeff" + text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="consigned-{first}-{last}.csv"'},
    )


def _plain(value: object) -> object:
    """A text that a spreadsheet would run is shown with an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t" and value else value
