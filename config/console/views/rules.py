"""Buffer rules and quotas: in their order, with what they come to; looked at before they are saved."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from config.console.accounts import account_of_new
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.rule_forms import (
    QuotaForm,
    RuleForm,
    SelectionForm,
    calendar,
    initial_of,
    kept_back,
    kept_for,
    meaning,
)
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import DomainError, Forbidden, NotFound
from config.kernel.types import Actor, Scope
from inventory import selectors, services
from inventory.types import Preview

SEE: Final = (Permission.INVENTORY_VIEW, Permission.INVENTORY_PLAN)
BEHIND, AHEAD = timedelta(days=14), timedelta(days=60)
REFUSED: Final = "Setting buffers, thresholds and quotas needs another role."
STEP: Final = 10


@page(*SEE)
def rules(request: HttpRequest) -> HttpResponse:
    """The rules in their order, with what each counts for now."""
    ended = request.GET.get("ended") == "1"
    rows = selectors.buffer_rules(_reach(request), ended=ended)
    codes, reach = selectors.node_codes(rows), selectors.reach_of([row.pk for row in rows])
    shown = [
        values
        | {
            "meaning": meaning(values),
            "kept": kept_back(values),
            "place": _place(values),
            "reach": reach.get(row.pk, selectors.Reach()),
            "in_force": _in_force(values, frame_of(request).now),
        }
        for row in rows
        for values in [selectors.values_of_rule(row, codes)]
    ]
    context = {
        "here": "stock",
        "part": "rules",
        "rules": shown,
        "ended": ended,
        "by_hand": selectors.set_by_hand(_reach(request)),
    }
    return show(request, "console/rules/list.html", context)


@page(*SEE)
def quotas(request: HttpRequest) -> HttpResponse:
    """Quotas by their start: what they keep, what is used, and the calendar of events."""
    ended, now = request.GET.get("ended") == "1", frame_of(request).now
    rows = selectors.quota_plans(_reach(request), ended=ended)
    used = selectors.used_of([row.pk for row in rows])
    shown = [
        values
        | {
            "meaning": meaning(values),
            "kept": kept_for(values),
            "used": used.get(row.pk, selectors.Used()),
        }
        for row in rows
        for values in [selectors.values_of_quota(row)]
    ]
    drawn = calendar(shown, now - BEHIND, now + AHEAD, now)
    context = {"here": "stock", "part": "quotas", "quotas": shown, "ended": ended}
    return show(request, "console/rules/quotas.html", {**context, "calendar": drawn})


@page(Permission.INVENTORY_PLAN, methods=("GET", "POST"))
@once
def rule_new(request: HttpRequest) -> HttpResponse:
    """A new rule: looked at, saved, published."""
    return _rule(request, None)


@page(*SEE, methods=("GET", "POST"))
@once
def rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """One rule: changed, looked at, published, withdrawn or ended."""
    return _rule(request, rule_id)


@page(Permission.INVENTORY_PLAN, methods=("GET", "POST"))
@once
def quota_new(request: HttpRequest) -> HttpResponse:
    """A new quota: looked at, saved."""
    return _quota(request, None)


@page(*SEE, methods=("GET", "POST"))
@once
def quota(request: HttpRequest, plan_id: UUID) -> HttpResponse:
    """One quota: changed, looked at or ended; with what its SKUs have used."""
    return _quota(request, plan_id)


def _rule(request: HttpRequest, rule_id: UUID | None) -> HttpResponse:
    rows = selectors.buffer_rules(_reach(request), ended=True)
    found = next((row for row in rows if row.pk == rule_id), None)
    if rule_id and found is None:
        raise NotFound("There is no such rule.")
    names = selectors.names_of(
        found.account_id if found else account_of_new(request, Permission.INVENTORY_PLAN, REFUSED)
    )
    values = selectors.values_of_rule(found, selectors.node_codes([found])) if found else {}
    after = max((row.sequence for row in rows), default=0)
    form = RuleForm(
        _posted(request),
        names=names,
        initial=initial_of(values)
        if found
        else {**_begun(request), "sequence": after - after % STEP + STEP},
    )
    acts = {
        "withdraw": (services.withdraw_rules, "It is out of force."),
        "end": (services.end_rules, "It has ended."),
        "publish": (services.publish_rules, "It is in force in its time."),
    }

    def save(account: selectors.Names, said: Mapping[str, Any], act: str) -> str:
        frame = frame_of(request)
        draft = account.rule({**said, "id": rule_id})
        (made,) = services.define_rules([draft], at=frame.now, actor=_planner(request))
        if act == "save_publish":
            services.publish_rules([made], at=frame.now, actor=_planner(request))
            return "Saved; it is in force in its time."
        return "Saved." if values.get("state") == "live" else "Saved as a draft."

    def look(account: selectors.Names, said: Mapping[str, Any] | None) -> Preview:
        changes = [] if said is None else [account.rule({**said, "id": rule_id})]
        removed = [rule_id] if said is None and rule_id else []
        return selectors.preview_rules(
            account.account_id, changes, removed, at=frame_of(request).now
        )

    page_ = _Editor(request, form, names, values, look, save, acts, "rules")
    return page_.answer(rule_id)


def _quota(request: HttpRequest, plan_id: UUID | None) -> HttpResponse:
    rows = selectors.quota_plans(_reach(request), ended=True)
    found = next((row for row in rows if row.pk == plan_id), None)
    if plan_id and found is None:
        raise NotFound("There is no such quota.")
    names = selectors.names_of(
        found.account_id if found else account_of_new(request, Permission.INVENTORY_PLAN, REFUSED)
    )
    values = selectors.values_of_quota(found) if found else {}
    form = QuotaForm(
        _posted(request),
        names=names,
        initial=initial_of(values) if found else _begun(request),
    )

    def save(account: selectors.Names, said: Mapping[str, Any], act: str) -> str:
        draft = account.quota({**said, "id": plan_id})
        now = frame_of(request).now
        services.plan_quotas([draft], at=now, actor=_planner(request))
        return "Saved; it counts from now on." if draft.starts_at <= now else "Saved."

    def look(account: selectors.Names, said: Mapping[str, Any] | None) -> Preview:
        changes = [] if said is None else [account.quota({**said, "id": plan_id})]
        removed = [plan_id] if said is None and plan_id else []
        return selectors.preview_quotas(
            account.account_id, changes, removed, at=frame_of(request).now
        )

    acts = {"end": (services.end_quotas, "It has ended: what is not used is everybody's again.")}
    editor = _Editor(request, form, names, values, look, save, acts, "quotas")
    if plan_id:
        editor.context["of_skus"] = selectors.quotas_of(_reach(request), plan_id)
    return editor.answer(plan_id)


class _Editor:
    """A form with a preview: nothing is saved that was not looked at in this very form."""

    def __init__(
        self,
        request: HttpRequest,
        form: SelectionForm,
        names: selectors.Names,
        values: Mapping[str, Any],
        look: Callable[[selectors.Names, Mapping[str, Any] | None], Preview],
        save: Callable[[selectors.Names, Mapping[str, Any], str], str],
        acts: Mapping[str, tuple[Callable[..., None], str]],
        part: str,
    ) -> None:
        self.request, self.form, self.names = request, form, names
        self.look, self.save, self.acts, self.part = look, save, acts, part
        self.context: dict[str, Any] = {
            "here": "stock",
            "part": part,
            "form": form,
            "values": values,
            "new": not values,
            "problem": "",
        }

    def answer(self, row_id: UUID | None) -> HttpResponse:
        act = self.request.POST.get("act", "")
        try:
            if act in self.acts and row_id:
                command, said = self.acts[act]
                command([row_id], at=frame_of(self.request).now, actor=_planner(self.request))
                return self._done(said)
            if act == "look_away":
                return self._shown(self.look(self.names, None), away=True)
            if act and self.form.is_valid():
                if act != "look":
                    return self._done(self.save(self.names, self.form.values(), act))
                return self._shown(self.look(self.names, self.form.values()))
        except DomainError as error:
            self.context["problem"] = error.detail
        return self._shown(None)

    def _done(self, said: str) -> HttpResponse:
        say(self.request, said)
        return go(self.request, reverse(f"console:{self.part}"))

    def _shown(self, told: Preview | None, *, away: bool = False) -> HttpResponse:
        codes = {channel_id: code for code, channel_id in self.names.channels.items()}
        preview = told and [{"code": codes[one.channel_id], "told": one} for one in told.channels]
        context = {**self.context, "told": told, "preview": preview, "away": away}
        refused = self.request.method == "POST" and told is None
        return show(
            self.request, "console/rules/edit.html", context, status=422 if refused else 200
        )


def _begun(request: HttpRequest) -> dict[str, Any]:
    """What a new one begins with: now, and the SKU that the page was opened for."""
    return {"starts_at": frame_of(request).now, "skus": request.GET.get("sku", "")}


def _posted(request: HttpRequest) -> Any:
    """The form's own values where it was sent: an act on a saved row sends none."""
    return request.POST if "name" in request.POST else None


def _reach(request: HttpRequest) -> Scope:
    frame = frame_of(request)
    seen = frame.scope(Permission.INVENTORY_VIEW)
    return seen if seen.everything or seen.account_ids else frame.scope(Permission.INVENTORY_PLAN)


def _planner(request: HttpRequest) -> Actor:
    frame = frame_of(request)
    if not frame.may(Permission.INVENTORY_PLAN):
        raise Forbidden(REFUSED)
    if frame.nodes(Permission.INVENTORY_PLAN) is not None:
        raise Forbidden("Rules and quotas reach beyond your nodes.")
    return actor_of(request, Permission.INVENTORY_PLAN)


def _place(values: Mapping[str, Any]) -> str:
    if values["channel"]:
        return f"in {values['channel']}"
    named = [*([values["group"]] if values["group"] else []), *values["nodes"]]
    return f"at {', '.join(named[:3])}{' …' if len(named) > 3 else ''}" if named else "at all nodes"


def _in_force(values: Mapping[str, Any], now: Any) -> bool:
    begun, ends = values["starts_at"] <= now, values["ends_at"]
    return values["state"] == "live" and begun and (ends is None or ends > now)
