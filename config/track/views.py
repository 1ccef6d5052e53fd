"""The public pages: an order, a problem, a return. They need a link that we made, and no script.

Nothing tells a wrong link from one that is no longer good. Nothing is cached, indexed, or told to
whoever is linked to.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from config.kernel import clock
from config.kernel.types import Actor, ActorKind, Scope
from config.track import choice as choosing
from config.track import consent as consents
from config.track import guards
from config.track.page import TrackPage, plain_postcode, track_page
from integrations.buyer import links, problems
from integrations.buyer.language import languages, words
from integrations.buyer.problems import PROBLEMS, Problem
from returns.selectors import returnable
from returns.services import request_returns
from returns.types import RequestedUnits, Returnable, ReturnRequest

View = Callable[..., HttpResponse]
_POLICY: Final = {
    "default-src": ["'none'"],
    "script-src": ["'none'"],
    "connect-src": ["'none'"],
    "font-src": ["'none'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
_MOST_UNITS: Final = 1_000


def public(*methods: str) -> Callable[[View], View]:
    """A page of one order: within bounds, behind a link that we made, with strict headers."""

    def decorate(view: View) -> View:
        @wraps(view)
        def shown(request: HttpRequest, token: str) -> HttpResponse:
            if request.method not in {*methods, "HEAD"}:
                return _strict(HttpResponse(status=405, headers={"Allow": ", ".join(methods)}))
            if not guards.may_ask(request):
                return _strict(_neutral(request, "busy", 429))
            order_id = links.order_behind(token)
            page = _page(request, order_id) if order_id else None
            if page is None:
                return _strict(_neutral(request, "neutral", 404))
            return _strict(view(request, page))

        # Whoever knows the link may act: there is no session that a foreign page could borrow.
        return csrf_exempt(shown)

    return decorate


@public("GET")
def show(request: HttpRequest, page: TrackPage) -> HttpResponse:
    return _render(request, "track/order.html", page)


@public("POST")
def unlock(request: HttpRequest, page: TrackPage) -> HttpResponse:
    """The postcode shows names and streets, for an hour, in this browser."""
    if error := _postcode_error(request, page):
        return _render(request, "track/order.html", page, status=422, postcode_error=error)
    response = HttpResponseRedirect(_path("show", page))
    return _opened(request, response, page)


@public("GET", "POST")
def consent(request: HttpRequest, page: TrackPage) -> HttpResponse:
    """Say whether one waits for what is late; an answer takes effect once."""
    error = ""
    if request.method == "POST":
        said = consents.answer(
            page.asks,
            request.POST.get("question", ""),
            request.POST.get("choice", ""),
            page.words.code,
            at=clock.now(),
            actor=_buyer(page),
        )
        if said:
            said = page.words.say(f"consent.{said}")
            return _render(request, "track/done.html", page, done="consent", said=said)
        error = page.words.say("consent.choose")
    return _render(request, "track/consent.html", page, status=422 if error else 200, error=error)


@public("GET", "POST")
def choice(request: HttpRequest, page: TrackPage) -> HttpResponse:
    """Say how one wants what a store has given up; an answer takes effect once."""
    error = ""
    if request.method == "POST":
        said, error = choosing.answer(
            page.choices, request.POST, page.words, at=clock.now(), actor=_buyer(page)
        )
        if said:
            said = page.words.say(f"choice.{said}")
            return _render(request, "track/done.html", page, done="choice", said=said)
    return _render(
        request,
        "track/choice.html",
        page,
        status=422 if error else 200,
        offers=choosing.offers(page.choices, page.words, at=clock.now()),
        chosen=request.POST.get("choice", ""),
        fields=[
            (name, page.words.say(f"choice.{name}"), request.POST.get(name, ""))
            for name in choosing.FIELDS
        ],
        error=error,
    )


@public("GET", "POST")
def problem(request: HttpRequest, page: TrackPage) -> HttpResponse:
    """Report what is wrong: a case, and a note with the buyer's own words."""
    what, text = request.POST.get("what", ""), request.POST.get("text", "")
    numbers = {box.number for box in page.boxes}
    parcel = request.POST.get("parcel", "")
    error = ""
    if request.method == "POST":
        if what not in PROBLEMS:
            error = page.words.say("problem.choose")
        elif len(text.strip()) > problems.LONGEST_TEXT:
            error = page.words.say("problem.too_long")
        else:
            problems.report_problem(
                Problem(
                    page.order_id,
                    page.account_id,
                    what,
                    parcel if parcel in numbers else "",
                    text,
                ),
                at=clock.now(),
                actor=_buyer(page),
            )
            return _render(request, "track/done.html", page, done="problem")
    choices = [(key, page.words.say(f"problem.{key}")) for key in PROBLEMS]
    return _render(
        request,
        "track/problem.html",
        page,
        status=422 if error else 200,
        choices=choices,
        chosen=what,
        parcel=parcel,
        text=text,
        error=error,
    )


@public("GET", "POST")
def give_back(request: HttpRequest, page: TrackPage) -> HttpResponse:
    """Ask to send goods back, by the policy; the postcode proves that it is the buyer's wish."""
    offer = returnable(page.order_id, at=clock.now())
    error, refused = "", ""
    if request.method == "POST":
        error = "" if guards.is_open(request, page.order_id) else _postcode_error(request, page)
        asked = _asked(request, offer)
        if not error and not asked:
            error = page.words.say("return.nothing")
        if not error:
            [outcome] = request_returns(
                [ReturnRequest(page.order_id, asked)], at=clock.now(), actor=_buyer(page)
            )
            if outcome.ok:
                response = _render(request, "track/done.html", page, done="return")
                return _opened(request, response, page)
            refused = outcome.problem.detail if outcome.problem else ""
            error = page.words.say("return.refused", why=refused)
    return _render(
        request,
        "track/return.html",
        page,
        status=422 if error else 200,
        lines=[line for line in offer.lines if line.returnable and line.decision != "refuse"],
        reasons=_reasons(page, offer),
        asks_postcode=bool(page.postcodes) and not guards.is_open(request, page.order_id),
        error=error,
    )


def _page(request: HttpRequest, order_id: UUID) -> TrackPage | None:
    return track_page(
        order_id,
        wish=request.GET.get("lang", ""),
        opened=guards.is_open(request, order_id),
        now=clock.now(),
    )


def _postcode_error(request: HttpRequest, page: TrackPage) -> str:
    """What is wrong with the postcode that was typed; empty when it opens the page."""
    if not page.postcodes:
        return ""
    if not guards.may_try(page.order_id):
        return page.words.say("page.too_often")
    typed = plain_postcode(request.POST.get("postcode", ""))
    return "" if typed in page.postcodes else page.words.say("page.wrong_postcode")


def _asked(request: HttpRequest, offer: Returnable) -> tuple[RequestedUnits, ...]:
    """The units that were chosen, as far as they are offered."""
    reasons = {reason.code for reason in offer.reasons}
    asked = []
    for line in offer.lines:
        many = request.POST.get(f"units-{line.line_id}", "")
        reason = request.POST.get(f"reason-{line.line_id}", "")
        if many.isdecimal() and 0 < int(many) <= min(line.returnable, _MOST_UNITS):
            code = reason if reason in reasons else offer.reasons[0].code
            asked.append(RequestedUnits(line.line_id, int(many), code))
    return tuple(asked)


def _reasons(page: TrackPage, offer: Returnable) -> list[tuple[str, str]]:
    """The policy's reasons, in the buyer's language where we have words for them."""
    said = page.words
    return [
        (
            reason.code,
            said.say(f"return_reason.{reason.code}")
            if said.knows(f"return_reason.{reason.code}")
            else reason.label,
        )
        for reason in offer.reasons
    ]


def _buyer(page: TrackPage) -> Actor:
    """Whoever holds the link acts, on this order's account."""
    return Actor(
        ActorKind.BUYER, f"order:{page.order_id}", "buyer", Scope(frozenset({page.account_id}))
    )


def _opened(request: HttpRequest, response: HttpResponse, page: TrackPage) -> HttpResponse:
    guards.open_for(response, page.order_id, f"/t/{page.token}", secure=request.is_secure())
    return response


def _path(name: str, page: TrackPage) -> str:
    return reverse(f"track:{name}", args=[page.token]) + page.query


def _render(
    request: HttpRequest, template: str, page: TrackPage, *, status: int = 200, **extra: Any
) -> HttpResponse:
    names = ("show", "unlock", "problem", "consent", "choice", "return")
    context = {
        "page": page,
        "words": page.words,
        "w": page.words.texts,
        "paths": {name: _path(name, page) for name in names},
        "title": page.words.say("page.title", number=page.number),
        "help_text": page.words.say("page.help_text", number=page.number),
        **_help(page),
        **extra,
    }
    return render(request, template, context, status=status)


def _help(page: TrackPage) -> dict[str, str]:
    voice, said = page.voice, page.words
    return {
        "write": said.say("page.write", address=voice.help_email) if voice.help_email else "",
        "call": said.say("page.call", number=voice.help_phone) if voice.help_phone else "",
        "of_brand": said.say("page.of_brand", brand=voice.name),
        "for_whom": said.say("page.for", name=page.who) if page.who else "",
        "to_where": said.say("page.to", city=page.where) if page.where else "",
        "zone": said.say("page.zone", zone=page.zone),
        "updated": said.say("page.updated", date=page.as_of),
    }


def _neutral(request: HttpRequest, text: str, status: int) -> HttpResponse:
    """The same page for every link that shows nothing, in the reader's language."""
    wished = request.headers.get("Accept-Language", "")[:2].lower()
    said = words(wished if wished in languages() else "")
    context = {"words": said, "w": said.texts, "text": said.say(f"page.{text}")}
    return render(request, "track/neutral.html", context, status=status)


def _strict(response: HttpResponse) -> HttpResponse:
    response._csp_replace = _POLICY  # type: ignore[attr-defined]  # csp_replace's way
    response.headers["Cache-Control"] = "no-store, private"
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
