"""Groups of nodes: named and filled; what rules and policies say of one, they say of its members."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from config.console.accounts import account_of_new
from config.console.forms import ActionForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import DomainError, Forbidden, NotFound
from config.kernel.types import Scope
from inventory import selectors, services

SEE = (Permission.FULFILLMENT_VIEW, Permission.INVENTORY_VIEW)


class GroupForm(ActionForm):
    code = forms.SlugField(label="Code", max_length=32, help_text="As rules and files name it.")
    name = forms.CharField(label="Name", max_length=120)
    nodes = forms.MultipleChoiceField(
        label="Nodes", required=False, widget=forms.CheckboxSelectMultiple()
    )

    def __init__(
        self, *args: Any, nodes: list[tuple[str, str]], fixed: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["nodes"].choices = nodes  # type: ignore[attr-defined]
        if fixed:
            del self.fields["code"]


@page(*SEE)
def groups(request: HttpRequest) -> HttpResponse:
    """Every group with its nodes."""
    frame = frame_of(request)
    seen = frame.scope(SEE[0]) if frame.may(SEE[0]) else frame.scope(SEE[1])
    context = {"here": "nodes", "groups": selectors.node_groups(seen)}
    return show(request, "console/nodes/groups.html", context)


@page(Permission.NETWORK_EDIT, methods=("GET", "POST"))
@once
def group_new(request: HttpRequest) -> HttpResponse:
    return _edit(
        request,
        None,
        account_of_new(request, Permission.NETWORK_EDIT, "Changing nodes needs another role."),
    )


@page(Permission.NETWORK_EDIT, methods=("GET", "POST"))
@once
def group(request: HttpRequest, group_id: int) -> HttpResponse:
    """Another name, other nodes. Buffer rules and routing follow at once."""
    reach = frame_of(request).scope(Permission.NETWORK_EDIT)
    found = next((one for one in selectors.node_groups(reach) if one.pk == group_id), None)
    if found is None:
        raise NotFound("There is no such group that you may change.")
    return _edit(request, found, found.account_id)


def _edit(request: HttpRequest, found: Any, account_id: UUID) -> HttpResponse:
    if frame_of(request).nodes(Permission.NETWORK_EDIT) is not None:
        raise Forbidden("Groups reach beyond your nodes.")
    known = {view.code: view for view in selectors.nodes(Scope(frozenset({account_id})))}
    members = [node.code for node in found.nodes.all()] if found else []
    form = GroupForm(
        request.POST if request.method == "POST" else None,
        nodes=[(code, f"{view.name} ({code})") for code, view in sorted(known.items())],
        fixed=found is not None,
        initial={"name": found.name if found else "", "nodes": members},
    )
    problem = ""
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        draft = services.GroupDraft(
            found.code if found else said["code"],
            said["name"],
            tuple(known[code].id for code in said["nodes"]),
        )
        try:
            services.define_groups(
                [draft],
                account_id=account_id,
                at=frame_of(request).now,
                actor=actor_of(request, Permission.NETWORK_EDIT),
            )
        except DomainError as error:
            problem = error.detail
        else:
            say(request, f"{draft.name} has {len(draft.node_ids)} nodes now.")
            return go(request, reverse("console:node_groups"))
    return show(
        request,
        "console/nodes/group.html",
        {"here": "nodes", "group": found, "form": form, "problem": problem},
        status=422 if request.method == "POST" else 200,
    )
