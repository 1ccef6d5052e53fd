"""A fact becomes a letter: subject, plain text and HTML, in the buyer's language and brand's voice.

The texts are templates, `templates/buyer/mail/<language>/<kind>.txt`: the subject, an empty line, then
paragraphs. In braces they may write: number, brand, name, part, expected, old, new, cause, place,
until, date, amount, by_buyer, asks. A brand's own text stands before the common one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.template import Context
from django.template.loader import render_to_string, select_template

from integrations.buyer import language, links
from integrations.buyer.language import Words
from integrations.buyer.voices import Voice
from integrations.models.buyer import MessageKind
from orders.selectors import BoughtOrder

LONGEST_SUBJECT: Final = 150
_PREVIEW: Final = 120


@dataclass(frozen=True, slots=True)
class Item:
    title: str
    quantity: int


@dataclass(frozen=True, slots=True)
class News:
    """What a letter tells, before it is put into words. Moments are shown as days.

    `name` is the fact's own name, for once; `part` says that the order has more than these items;
    `asks` that the buyer may say on the order's page whether they wait; `promise_ids` are the
    versions of promises whose dates it shows.
    """

    kind: MessageKind
    name: str
    items: tuple[Item, ...] = ()
    part: bool = False
    expected: datetime | None = None
    old: datetime | None = None
    new: datetime | None = None
    date: datetime | None = None
    until: datetime | None = None
    cause: str = ""
    place: str = ""
    carrier: str = ""
    tracking_number: str = ""
    amount_minor: int | None = None
    by_buyer: bool = False
    asks: bool = False
    promise_ids: tuple[UUID, ...] = ()
    cause_values: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it goes out. Personal data: it lies sealed and is never logged."""

    to: str
    sender: str
    sender_name: str
    reply_to: str
    subject: str
    plain: str
    html: str
    language: str
    template: str


def language_of(bought: BoughtOrder, voice: Voice) -> str:
    """The voice's language, else the channel's, else what is spoken where the order goes."""
    country = next((group.country for group in bought.groups if group.country), "")
    wishes = [voice.language, str(bought.order.channel.settings.get("language", ""))]
    return language.chosen([wish for wish in wishes if wish], country)


def zone_of(bought: BoughtOrder) -> ZoneInfo:
    return ZoneInfo(bought.order.channel.timezone)


def first_name(bought: BoughtOrder) -> str:
    """How the buyer is greeted: the first word of the name, nothing when nobody is named."""
    parts = bought.buyer.name.split() if bought.buyer else []
    return parts[0] if parts else ""


def items_of(bought: BoughtOrder, units: Mapping[UUID, int] | None = None) -> tuple[Item, ...]:
    """The lines as a buyer reads them: of all that was ordered, or of these units per line.

    A kit is shown in whole orders, its components where single units are named.
    """
    if units is None:
        lines = [line for line in bought.lines if line.relation != "kit_component"]
        return tuple(Item(_title(line), line.ordered) for line in lines)
    return tuple(Item(_title(line), units[line.pk]) for line in bought.lines if units.get(line.pk))


def _title(line: Any) -> str:
    return str(line.title or (line.sku.name if line.sku else line.external_sku))


def write(news: News, bought: BoughtOrder, voice: Voice) -> Letter:
    """Put the news into words. The buyer has an address."""
    words = language.words(language_of(bought, voice))
    zone = zone_of(bought)
    said = _said(news, bought, voice, words, zone)
    template: Any = select_template(_templates(news.kind, words.code, voice))
    # Text, not HTML: nothing is escaped here, everything in the HTML around it.
    plain: str = template.template.render(Context(said, autoescape=False))
    subject, paragraphs = _parts(plain)
    name = first_name(bought)
    context = {
        "language": words.code,
        "direction": words.direction,
        "subject": subject,
        "paragraphs": paragraphs,
        "preview": paragraphs[0][:_PREVIEW] if paragraphs else "",
        "greeting": words.say("letter.greeting", name=name)
        if name
        else words.say("letter.greeting_nobody"),
        "items": news.items,
        "facts": _facts(news, bought, words, zone),
        "labels": _labels(news, words),
        "url": _url(news, bought),
        "help": voice.help_email or voice.help_phone or voice.help_url,
        "brand": voice.name,
        "color": voice.color,
        "on_color": voice.on_color,
        "imprint": voice.imprint,
    }
    return Letter(
        to=bought.buyer.email if bought.buyer else "",
        sender=voice.sender,
        sender_name=voice.name,
        reply_to=voice.reply_to,
        subject=subject,
        plain=render_to_string("buyer/mail/layout.txt", context).strip() + "\n",
        html=render_to_string("buyer/mail/layout.html", context),
        language=words.code,
        template=str(template.template.name),
    )


def _url(news: News, bought: BoughtOrder) -> str:
    """Where the letter's button leads: to the order's page; to pay, where the channel has a page for it."""
    page = links.pay_url_of(bought.order) if news.kind is MessageKind.PAYMENT else ""
    return page or links.url_of(bought.order.pk)


def _labels(news: News, words: Words) -> Mapping[str, str]:
    said: Mapping[str, str] = words.texts["letter"]
    return {**said, "track": said["pay"]} if news.kind is MessageKind.PAYMENT else said


def _templates(kind: str, code: str, voice: Voice) -> list[str]:
    own = [f"buyer/brands/{voice.template}/{code}/{kind}.txt"] if voice.template else []
    return [*own, f"buyer/mail/{code}/{kind}.txt", f"buyer/mail/{language.FALLBACK}/{kind}.txt"]


def _parts(text: str) -> tuple[str, list[str]]:
    """The subject, on one line, and the paragraphs."""
    subject, _, body = str(text).strip().partition("\n")
    paragraphs = [str(part).strip() for part in body.split("\n\n")]
    return " ".join(subject.split())[:LONGEST_SUBJECT], [part for part in paragraphs if part]


def cause_in_words(news: News, words: Words, zone: ZoneInfo) -> str:
    if not news.cause:
        return ""
    values = {
        name: words.day(moment.astimezone(zone)) for name, moment in news.cause_values.items()
    }
    return words.say(f"cause.{news.cause}", **values)


def _said(
    news: News, bought: BoughtOrder, voice: Voice, words: Words, zone: ZoneInfo
) -> dict[str, object]:
    order = bought.order

    def day(moment: datetime | None) -> str:
        return words.day(moment.astimezone(zone)) if moment else ""

    return {
        "number": order.external_number or order.number,
        "brand": voice.name,
        "name": first_name(bought),
        "part": news.part,
        "expected": day(news.expected),
        "old": day(news.old),
        "new": day(news.new),
        "date": day(news.date),
        "until": day(news.until),
        "cause": cause_in_words(news, words, zone),
        "place": news.place,
        "amount": _amount(news, bought, words),
        "by_buyer": news.by_buyer,
        "asks": news.asks,
    }


def _amount(news: News, bought: BoughtOrder, words: Words) -> str:
    if news.amount_minor is None:
        return ""
    return words.money(news.amount_minor, bought.order.currency)


def _facts(
    news: News, bought: BoughtOrder, words: Words, zone: ZoneInfo
) -> Sequence[tuple[str, str]]:
    """What is looked up rather than read: label and value."""
    order = bought.order
    facts = [("order", order.external_number or order.number)]
    if news.kind is MessageKind.RECEIVED:
        facts.append(("total", words.money(order.total_minor, order.currency)))
    if news.carrier:
        facts.append(("carrier", news.carrier))
    if news.tracking_number:
        facts.append(("tracking_number", news.tracking_number))
    expected = news.new or news.expected
    if expected:
        facts.append(("expected", words.day(expected.astimezone(zone))))
    if news.place:
        facts.append(("collect_at", news.place))
    if news.until and news.kind is MessageKind.READY:
        facts.append(("collect_until", words.day(news.until.astimezone(zone))))
    if news.amount_minor is not None:
        facts.append(("amount", _amount(news, bought, words)))
    return [(words.say(f"letter.{key}"), value) for key, value in facts]
