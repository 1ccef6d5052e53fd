"""Questions about work that a node has: what else is wished of it, and its answers."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import fulfillment.services
import inventory.selectors
from config.console.forms import PlainForm, ServiceForm
from config.console.once import once
from config.console.pages import frame_of, go, page
from config.console.views.nodes import form_page, node_of, tell, work_at
from config.console.wishes import SAID, wishes
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, NotFound
from config.kernel.types import Outcome
from fulfillment.types import PullBack, RequestAnswer, ServiceChange


@page(Permission.FULFILLMENT_RELEASE, methods=("GET", "POST"))
@once
def work_wish(request: HttpRequest, code: str, number: str, wish: str) -> HttpResponse:
    """The form of one wish; what the node grants comes with its answer."""
    if wish not in SAID:
        raise NotFound("There is no such wish.")
    node = node_of(request, code, Permission.FULFILLMENT_RELEASE)
    work = work_at(request, node, number, Permission.FULFILLMENT_RELEASE)
    frame = frame_of(request)
    for each in wishes(work["id"], frame.scope(Permission.FULFILLMENT_RELEASE)):
        if each["code"] == wish and each["reason"]:
            raise Conflict(each["reason"])
    sent = request.POST if request.method == "POST" else None
    names = inventory.selectors.service_names() if wish == "change_service" else {}
    form = ServiceForm(sent, services=sorted(names.items())) if names else PlainForm(sent)

    def act() -> list[Outcome[Any]]:
        at, actor = frame.now, actor_of(request)
        if wish == "pull_back":
            return list(fulfillment.services.pull_back([PullBack(work["id"])], at=at, actor=actor))
        service_id = inventory.selectors.service_level_ids()[form.cleaned_data["service"]]
        wanted = [ServiceChange(work["id"], service_id)]
        return list(fulfillment.services.change_services(wanted, at=at, actor=actor))

    title, lead, verb, done = (text.format(number=work["number"]) for text in SAID[wish])
    return form_page(request, node, work, form, act, title=title, lead=lead, verb=verb, done=done)


@page(Permission.FULFILLMENT_WORK, methods=("POST",))
@once
def request_answer(request: HttpRequest, code: str, number: str) -> HttpResponse:
    """Answer a question to the node: may units still be cancelled, go elsewhere, be sent otherwise?"""
    found = node_of(request, code, Permission.FULFILLMENT_WORK)
    work = work_at(request, found, number, Permission.FULFILLMENT_WORK)
    asked = {each["id"]: each["asked"] for line in work["lines"] for each in line["requests"] or ()}
    wanted = request.POST.get("request", "")
    if wanted not in asked:
        raise Conflict("That question was answered already, or its time is over.")
    granted = asked[wanted] if request.POST.get("grant") == "1" else 0
    outcomes = fulfillment.services.answer_requests(
        [RequestAnswer(UUID(wanted), granted)], at=frame_of(request).now, actor=actor_of(request)
    )
    tell(request, list(outcomes), f"{number}: answered.")
    return go(request, reverse("console:fulfillment_order", args=[code, number]))
