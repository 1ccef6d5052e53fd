"""Supply as files: taken out, and brought in after a look at what each row would do."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse

from config.console.bells import ring_job
from config.console.forms import ActionForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Forbidden, Invalid, NotFound
from config.kernel.models import Account
from config.kernel.types import Scope
from inventory import exchange
from inventory.exchange.kinds import OUTCOMES

MOST_BYTES: Final = 64_000_000
_PAGE: Final = 100
_MARK: Final = "\ufeff"
"""Before the first line, so that a spreadsheet reads the file as UTF-8."""
WRITING: Final = (
    Permission.CONFIG_EDIT,
    Permission.INVENTORY_PLAN,
    Permission.INVENTORY_ADJUST,
    Permission.NETWORK_EDIT,
)


class ImportForm(ActionForm):
    """A file of one kind; the account is asked for where there are several."""

    kind = forms.ChoiceField(label="What it holds")
    account = forms.ChoiceField(label="Account")
    file = forms.FileField(
        label="File",
        help_text="CSV in UTF-8; the first line names the columns.",
        widget=forms.FileInput({"accept": ".csv,.txt,.tsv,text/csv"}),
    )

    def __init__(
        self,
        *args: Any,
        kinds: list[exchange.Kind],
        accounts: list[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind.code, kind.label) for kind in kinds]  # type: ignore[attr-defined]  # a choice field's
        self.fields["account"].choices = accounts  # type: ignore[attr-defined]  # likewise
        if len(accounts) == 1:
            self.fields["account"].widget = forms.HiddenInput()
            self.initial["account"] = accounts[0][0]


@page(Permission.INVENTORY_VIEW, methods=("GET", "POST"))
@once
def exchanges(request: HttpRequest) -> HttpResponse:
    """Every kind with its file to take out, a file to bring in, and the last imports."""
    frame = frame_of(request)
    kinds = [kind for kind in exchange.kinds() if frame.may(kind.permission)]
    accounts = _accounts(request)
    form = ImportForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        kinds=kinds,
        accounts=[(str(key), name) for key, _, name in accounts],
        initial={"kind": request.GET.get("kind", "")},
    )
    problem = ""
    if request.method == "POST" and not kinds:
        raise Forbidden("Bringing files in needs another role.")
    if request.method == "POST" and form.is_valid():
        try:
            return _receive(request, form.cleaned_data)
        except Invalid as refusal:
            problem = refusal.detail
    return show(
        request,
        "console/exchange/list.html",
        {
            "here": "stock",
            "kinds": exchange.kinds(),
            "accounts": accounts,
            "form": form if kinds else None,
            "problem": problem,
            "imports": [
                {"run": run, "kind": exchange.kind_of(run.kind)}
                for run in exchange.recent(_reach(request))
            ],
        },
        status=422 if request.method == "POST" else 200,
    )


@page(Permission.INVENTORY_VIEW)
def supply_import(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """What each row did, or would do; and the button that applies a file that was checked."""
    frame = frame_of(request)
    run = exchange.one_import(run_id, _reach(request))
    kind = exchange.kind_of(run.kind)
    outcome = request.GET.get("outcome", "")
    after = request.GET.get("after", "")
    found = exchange.lines(
        run,
        outcome=outcome if outcome in OUTCOMES else "",
        after=int(after) if after.isascii() and after.isdigit() and len(after) < 9 else 0,
        limit=_PAGE + 1,
    )
    counts = {name: run.counts.get(name, 0) for name in OUTCOMES}
    return show(
        request,
        "console/exchange/one.html",
        {
            "here": "stock",
            "run": run,
            "kind": kind,
            "counts": counts,
            "writes": sum(counts[name] for name in ("created", "changed", "removed")),
            "lines": found[:_PAGE],
            "next": found[_PAGE - 1].told.row if len(found) > _PAGE else None,
            "outcome": outcome,
            "going": run.state in {"received", "checking", "applying"},
            "may_apply": run.state == "checked" and frame.may(kind.permission),
        },
    )


@page(*WRITING, methods=("POST",))
@once
def apply_import(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Write what the check has found to be new or changed."""
    run = exchange.one_import(run_id, _reach(request))
    actor = actor_of(request, exchange.kind_of(run.kind).permission)
    job = exchange.begin(run.pk, dry=False, at=frame_of(request).now, actor=actor)
    ring_job(job.pk)
    say(request, f"{run.file_name} is being applied.")
    return go(request, reverse("console:supply_import", args=[run.pk]))


@page(Permission.INVENTORY_VIEW)
def import_results(request: HttpRequest, run_id: UUID) -> StreamingHttpResponse:
    run = exchange.one_import(run_id, _reach(request))
    return _file(f"{run.kind}-results.csv", exchange.results_csv(run))


@page(Permission.INVENTORY_VIEW)
def export(request: HttpRequest, code: str) -> StreamingHttpResponse:
    """All rows of a kind as they stand: the file that, sent back, changes nothing."""
    kind = _kind(code)
    accounts = _accounts(request)
    wanted = request.GET.get("account", "") or (accounts[0][1] if accounts else "")
    account_id = next((key for key, known, _ in accounts if known == wanted), None)
    if account_id is None:
        raise NotFound("There is no such account.")
    return _file(f"{kind.code}.csv", exchange.export_lines(kind, account_id))


def _receive(request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
    sent, kind = values["file"], _kind(values["kind"])
    if sent.size > MOST_BYTES:
        raise Invalid(f"The file is larger than {MOST_BYTES // 1_000_000} MB; split it.")
    at, actor = frame_of(request).now, actor_of(request, kind.permission)
    run = exchange.receive(
        kind, sent.name, sent.chunks(), account_id=UUID(values["account"]), at=at, actor=actor
    )
    job = exchange.begin(run.pk, dry=True, at=at, actor=actor)
    ring_job(job.pk)
    return go(request, reverse("console:supply_import", args=[run.pk]))


def _kind(code: str) -> exchange.Kind:
    try:
        return exchange.kind_of(code)
    except KeyError:
        raise NotFound("There is no such kind of file.") from None


def _reach(request: HttpRequest) -> Scope:
    """The accounts whose files the reader may see. A file is of all nodes: so must the role be."""
    frame = frame_of(request)
    whole = frame.nodes(Permission.INVENTORY_VIEW) is None
    return frame.scope(Permission.INVENTORY_VIEW) if whole else Scope(frozenset())


def _accounts(request: HttpRequest) -> list[tuple[UUID, str, str]]:
    """(id, code, name) of the accounts within reach."""
    scope = _reach(request)
    found = Account.objects.order_by("name")
    if not scope.everything:
        found = found.filter(pk__in=scope.account_ids)
    return list(found.values_list("pk", "code", "name"))


def _file(name: str, lines: Any) -> StreamingHttpResponse:
    def marked() -> Any:
        yield _MARK
        yield from lines

    return StreamingHttpResponse(
        marked(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
