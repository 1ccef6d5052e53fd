"""The tracking page of one order, put into words: every text a template shows, ready to show."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from config.track.choice import Choice, choices_of
from config.track.consent import Ask, asks_of
from config.track.standing import Answer, Journey, Standing, standing
from fulfillment.selectors import fulfillment_orders_of, tracking_url
from fulfillment.states import AT_THE_NODE
from integrations.buyer import letters, links, selectors, voices
from integrations.buyer.language import Words, languages, words
from integrations.buyer.letters import Item
from integrations.buyer.news import carrier_name, contents_of
from integrations.buyer.voices import Voice
from orders.selectors import BoughtOrder, bought_orders
from orders.selectors.choices import OpenChoice, open_choices
from orders.selectors.promised import OpenQuestion, first_and_complete, open_questions


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    state: str
    said: str


@dataclass(frozen=True, slots=True)
class Scan:
    """One piece of news: our words, the place, and the carrier's own words below."""

    when: str
    iso: str
    text: str
    place: str
    raw: str


@dataclass(frozen=True, slots=True)
class Box:
    """A parcel as it is shown."""

    id: UUID
    number: str
    heading: str
    status: str
    tone: str
    units: str
    items: tuple[Item, ...]
    carrier: str
    tracking_number: str
    url: str
    scans: tuple[Scan, ...]
    news: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Items that lie in no parcel yet, and what they wait for."""

    heading: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class TrackPage:
    """Everything a page of the order shows. Nothing in it names a street; see `opened`."""

    order_id: UUID
    account_id: UUID
    token: str
    words: Words
    voice: Voice
    number: str
    headline: str
    more: str
    tone: str
    who: str
    where: str
    steps: tuple[Step, ...]
    boxes: tuple[Box, ...]
    rests: tuple[Rest, ...]
    zone: str
    as_of: str
    postcodes: frozenset[str]
    address: tuple[str, ...]
    returnable: bool
    asks: tuple[Ask, ...]
    choices: tuple[Choice, ...]
    parts: tuple[str, ...]
    other_languages: tuple[tuple[str, str], ...]
    query: str


def track_page(
    order_id: UUID, *, wish: str = "", opened: bool = False, now: datetime
) -> TrackPage | None:
    """The page of an order; None when there is no such order. `opened` shows names and streets.

    Twelve statements, however large the order; three more while it waits for a choice.
    """
    bought = bought_orders([order_id]).get(order_id)
    if bought is None:
        return None
    work = fulfillment_orders_of([order_id])[order_id]
    parcels = [parcel.pk for order in work for parcel in order.parcels.all()]
    zone = letters.zone_of(bought)
    journey = Journey(bought, work, selectors.expected_at(parcels), zone, now)
    brand = bought.order.brand
    voice = voices.voices({brand.pk: brand.name})[brand.pk]
    code = wish if wish in languages() else letters.language_of(bought, voice)
    choices = open_choices([order_id]) if bought.order.holds_open else {}
    writer = _Writer(
        journey, words(code), zone, voice, open_questions(order_id), tuple(choices.values())
    )
    return writer.page(wish=wish, opened=opened)


def plain_postcode(text: str) -> str:
    """A postcode without what people type between its signs."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


@dataclass(frozen=True, slots=True)
class _Writer:
    """Puts one journey into one language."""

    journey: Journey
    words: Words
    zone: ZoneInfo
    voice: Voice
    questions: Sequence[OpenQuestion]
    choices: Sequence[OpenChoice]

    @property
    def bought(self) -> BoughtOrder:
        return self.journey.bought

    def page(self, *, wish: str, opened: bool) -> TrackPage:
        order, stand = self.bought.order, standing(self.journey)
        choices = choices_of(self.choices, self.bought, self.words, self.day)
        # Nothing goes on before the buyer has said how they want it.
        waits = 0 < len(choices) == len(self.bought.groups)
        address = next(iter(self.bought.addresses.values()), None)
        return TrackPage(
            order_id=order.pk,
            account_id=order.account_id,
            token=links.token_of(order.pk),
            words=self.words,
            voice=self.voice,
            number=order.external_number or order.number,
            headline=self.words.say("choice.headline") if waits else self.headline(stand.answer),
            more="" if waits else self.more(stand.answer),
            tone=stand.answer.tone,
            who=letters.first_name(self.bought),
            where=address.city if address else "",
            steps=self.steps(stand) if order.state != "cancelled" else (),
            boxes=tuple(self.boxes()),
            rests=tuple(self.rests()),
            zone=self.zone.key.rpartition("/")[2].replace("_", " "),
            as_of=self.moment(self.journey.now),
            postcodes=self.postcodes(),
            address=_lines(address) if opened and address else (),
            returnable=any(line.delivered > line.returned for line in self.bought.lines),
            asks=asks_of(self.questions, self.words, self.day),
            choices=choices,
            parts=self.parts(),
            other_languages=tuple(
                (code, words(code).formats["name"])
                for code in languages()
                if code != self.words.code
            ),
            query=f"?lang={wish}" if wish in languages() else "",
        )

    def postcodes(self) -> frozenset[str]:
        """The postcodes that open the page; none once the buyer was erased."""
        return frozenset(
            plain_postcode(group.postal_code)
            for group in self.bought.groups
            if group.postal_code and group.pk in self.bought.addresses
        )

    def day(self, moment: datetime) -> str:
        return self.words.day(moment.astimezone(self.zone))

    def moment(self, moment: datetime) -> str:
        return self.words.moment(moment.astimezone(self.zone))

    def parts(self) -> tuple[str, ...]:
        """By when the first part and by when all of it comes, of what is still to come in parts."""
        standing = [
            versions[-1]
            for group in self.bought.groups
            if (versions := self.bought.promises.get(group.pk, ()))
        ]
        found = first_and_complete(standing) if self.journey.open_units else None
        if found is None:
            return ()
        first, complete = map(self.day, found)
        if first == complete:
            return ()
        return (
            self.words.say("consent.first", date=first),
            self.words.say("consent.complete", date=complete),
        )

    def headline(self, answer: Answer) -> str:
        cause = self.cause(answer)
        return self.words.say(
            f"answer.{answer.key}",
            date=self.day(answer.day) if answer.day else "",
            new=self.day(answer.day) if answer.day else "",
            old=self.day(answer.old) if answer.old else "",
            place=answer.place,
            cause=cause,
            cause_sentence=f"{cause[:1].upper()}{cause[1:]}.",
        )

    def cause(self, answer: Answer) -> str:
        if answer.cause is None:
            return ""
        day = self.day(answer.cause.day) if answer.cause.day else ""
        return self.words.say(f"cause.{answer.cause.key}", date=day, place=answer.cause.place)

    def more(self, answer: Answer) -> str:
        if not answer.more:
            return ""
        day = self.day(answer.day) if answer.day else ""
        return self.words.say(f"answer.{answer.more}", date=day)

    def steps(self, stand: Standing) -> tuple[Step, ...]:
        shown = []
        for place, key in enumerate(stand.steps):
            done = place < stand.step or stand.over
            state = "done" if done else "now" if place == stand.step else "next"
            shown.append(
                Step(self.words.say(f"step.{key}"), state, self.words.say(f"step.{state}"))
            )
        return tuple(shown)

    def boxes(self) -> Iterable[Box]:
        parcels, total = self.journey.parcels, self._total()
        for place, parcel in enumerate(parcels, start=1):
            units = contents_of(parcel)
            scans = tuple(self.scan(event) for event in parcel.tracking.all())
            yield Box(
                id=parcel.pk,
                number=parcel.number,
                heading=self.words.say("page.parcel", place=place, all=len(parcels))
                if len(parcels) > 1
                else self.words.say("page.one_parcel"),
                status=self.status(parcel),
                tone=_TONES.get(parcel.state, "plain"),
                units=self.words.say("page.units", here=sum(units.values()), all=total),
                items=letters.items_of(self.bought, units),
                carrier=carrier_name(parcel.carrier_code),
                tracking_number=parcel.tracking_number,
                url=tracking_url(parcel),
                scans=scans,
                news=self.news(parcel, scans),
            )

    def _total(self) -> int:
        return sum(line.ordered - line.cancelled for line in self.journey.stock)

    def status(self, parcel: Any) -> str:
        said = self.words.say(f"status.{parcel.state}")
        return f"{said}, {self.day(parcel.delivered_at)}" if parcel.delivered_at else said

    def news(self, parcel: Any, scans: Sequence[Scan]) -> str:
        if parcel.state in AT_THE_NODE:
            return self.words.say("answer.not_tracked")
        if not scans or not parcel.last_heard_at:
            return self.words.say("page.no_news")
        return self.words.say("page.last_news", date=self.moment(parcel.last_heard_at))

    def scan(self, event: Any) -> Scan:
        return Scan(
            when=self.moment(event.happened_at),
            iso=event.happened_at.isoformat(),
            text=self.words.say(f"status.{event.status}"),
            place=event.place,
            raw=f"{event.source} · {event.status}",
        )

    def rests(self) -> Iterable[Rest]:
        """What lies in no parcel: still to be packed, waiting for stock, cancelled."""
        boxed: dict[UUID, int] = {}
        for parcel in self.journey.parcels:
            for line_id, units in contents_of(parcel).items():
                boxed[line_id] = boxed.get(line_id, 0) + units
        lines = [line for line in self.bought.lines if line.kind == "stock"]
        waiting = {line.pk: line.backordered for line in lines}
        unpacked = {
            line.pk: line.ordered
            - line.cancelled
            - line.backordered
            - max(boxed.get(line.pk, 0), line.shipped)
            for line in lines
        }
        cancelled = {line.pk: line.cancelled for line in lines}
        for key, left in (
            ("not_packed", unpacked),
            ("waiting_stock", waiting),
            ("cancelled", cancelled),
        ):
            items = letters.items_of(
                self.bought, {line_id: many for line_id, many in left.items() if many > 0}
            )
            if items:
                yield Rest(self.words.say(f"page.{key}"), items)


_TONES = {
    "delivered": "good",
    "out_for_delivery": "good",
    "at_pickup_point": "good",
    "attempted": "bad",
    "returning": "bad",
    "returned": "bad",
    "damaged": "bad",
    "lost": "bad",
}


def _lines(address: Any) -> tuple[str, ...]:
    """The lines of an address, in the order in which most of the world writes them."""
    town = " ".join(part for part in (address.postal_code, address.city, address.region) if part)
    lines = (address.name, address.company, address.line1, address.line2, town, address.country)
    return tuple(line for line in lines if line)
