"""What the console's templates say in their own words: moments, money, badges, bars, addresses."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django import template
from django.http import QueryDict
from django.template.context import Context
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from config.console import tones, words
from config.kernel import ids

register = template.Library()

_WHOLE: Final = 10
"""Percent from which on a share is said without a decimal."""
_BUCKETS: Final = (
    ("delivered", "delivered"),
    ("shipped", "shipped"),
    ("released", "at the node"),
    ("reserved", "reserved"),
    ("backordered", "backordered"),
    ("pending", "waiting"),
    ("cancelled", "cancelled"),
)
_BAR_WIDTH = 120
_SOON_SECONDS = 2 * 3_600


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>',
        static("console/icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def when(context: Context, moment: datetime | None, missing: str = "–") -> SafeString | str:
    """The moment in the reader's zone, with the full one in the title."""
    if moment is None:
        return missing
    frame = context["frame"]
    return format_html(
        '<time datetime="{}" title="{}" class="nowrap">{}</time>',
        moment.isoformat(),
        words.exactly(moment, frame.zone),
        words.at_time(moment, frame.now, frame.zone),
    )


@register.simple_tag(takes_context=True)
def ago(context: Context, moment: datetime | None, missing: str = "–") -> SafeString | str:
    """How far the moment is from business time now, with the full one in the title."""
    if moment is None:
        return missing
    frame = context["frame"]
    return format_html(
        '<time datetime="{}" title="{}" class="nowrap">{}</time>',
        moment.isoformat(),
        words.exactly(moment, frame.zone),
        words.since(moment, frame.now),
    )


@register.simple_tag(takes_context=True)
def clock_to(context: Context, moment: datetime | None) -> SafeString | str:
    """A deadline: the moment, what is left of it, and a colour that turns with the rest."""
    if moment is None:
        return "–"
    frame = context["frame"]
    left = (moment - frame.now).total_seconds()
    tone = "bad" if left < 0 else "warn" if left < _SOON_SECONDS else ""
    said = f"{words.span(left)} late" if left < 0 else f"in {words.span(left)}"
    return format_html(
        '<time datetime="{}" title="{}" class="nowrap {}">{} <span class="small">({})</span></time>',
        moment.isoformat(),
        words.exactly(moment, frame.zone),
        tone,
        words.at_time(moment, frame.now, frame.zone),
        said,
    )


@register.simple_tag(takes_context=True)
def due(context: Context, moment: datetime) -> SafeString:
    """A deadline in a list: the moment, its colour, and what is left of it in the title."""
    frame = context["frame"]
    left = (moment - frame.now).total_seconds()
    tone = "bad" if left < 0 else "warn" if left < _SOON_SECONDS else ""
    said = f"{words.span(left)} late" if left < 0 else f"in {words.span(left)}"
    return format_html(
        '<time datetime="{}" title="{}, {}" class="nowrap {}">{}{}</time>',
        moment.isoformat(),
        said,
        words.exactly(moment, frame.zone),
        tone,
        words.at_time(moment, frame.now, frame.zone),
        mark_safe(' <span class="small">late</span>') if left < 0 else "",
    )


@register.filter
def money(minor: int | None, currency: str) -> str:
    return "–" if minor is None else words.amount(minor, currency)


@register.filter
def whole(value: float) -> int:
    return round(value)


@register.filter
def number(value: int | None) -> str:
    """A count for people: `12,480`."""
    return "–" if value is None else f"{value:,}"


@register.filter
def quiet(value: int | None) -> SafeString | str:
    """A count in a table: nothing is said quietly."""
    return number(value) if value else mark_safe('<span class="muted">0</span>')


@register.filter
def span(seconds: float | None) -> str:
    return "–" if seconds is None else words.span(float(seconds))


@register.filter
def share(value: float | None) -> str:
    """A share for people: `0 %`, `0.4 %`, `12 %`."""
    if value is None:
        return "–"
    percent = 100 * value
    return f"{percent:.0f} %" if percent >= _WHOLE or not percent else f"{percent:.1f} %"


@register.filter
def column(found: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    """One value of every row."""
    return [each[name] for each in found]


@register.filter
def total(found: Iterable[Mapping[str, Any]], name: str) -> str:
    return number(sum(each[name] for each in found))


@register.filter
def counted(count: int, noun: str) -> str:
    """`3|counted:"order"`; an irregular plural follows a comma: `"SKU has,SKUs have"`."""
    single, _, plural = noun.partition(",")
    return words.counted(count, single, plural)


@register.filter
def plain(code: object) -> str:
    """A code as words: `address_invalid` is `Address invalid`."""
    text = str(code or "").replace("_", " ").replace(".", " ").strip()
    return text[:1].upper() + text[1:].lower() if text.isupper() else text[:1].upper() + text[1:]


@register.filter
def item(mapping: Mapping[Any, Any], key: Any) -> Any:
    return mapping.get(key)


@register.simple_tag
def badge(kind: str, value: object, text: str = "") -> SafeString:
    look = tones.look(kind, value)
    return format_html(
        '<span class="badge {}">{}{}</span>', look.tone, icon(look.icon), text or look.label
    )


@register.simple_tag
def mark(tone: str, icon_name: str, text: str) -> SafeString:
    """A badge of its own wording."""
    return format_html('<span class="badge {}">{}{}</span>', tone, icon(icon_name), text)


@register.simple_tag
def quantity_bar(line: Any) -> SafeString:
    """The buckets of a line as one bar; the same in words for those who do not see it."""
    total = max(line["ordered"], 1)
    amounts = {code: line[code] for code, _ in _BUCKETS}
    amounts["shipped"] -= amounts["delivered"]
    left, parts, said = 0.0, [], []
    for code, name in _BUCKETS:
        units = amounts[code]
        if units <= 0:
            continue
        width = _BAR_WIDTH * units / total
        parts.append((code, f"{left:.1f}", f"{max(width - 1, 1):.1f}"))
        said.append(f"{units} {name}")
        left += width
    return format_html(
        '<svg class="bar" viewBox="0 0 {} 10" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><title>{}</title><rect class="f-ground" width="{}" height="10"/>{}</svg>',
        _BAR_WIDTH,
        ", ".join(said) or "nothing yet",
        ", ".join(said) or "nothing yet",
        _BAR_WIDTH,
        format_html_join("", '<rect class="f-{}" x="{}" width="{}" height="10"/>', parts),
    )


@register.simple_tag
def share_bar(used: int, whole: int) -> SafeString:
    """How much of a whole is used, as a bar; the same in words for those who do not see it."""
    width = _BAR_WIDTH * min(used, whole) / whole if whole else 0
    said = f"{used} of {whole} used"
    return format_html(
        '<svg class="bar" viewBox="0 0 {} 10" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><title>{}</title><rect class="f-ground" width="{}" height="10"/>'
        '<rect class="f-reserved" width="{}" height="10"/></svg>',
        _BAR_WIDTH,
        said,
        said,
        _BAR_WIDTH,
        f"{width:.1f}",
    )


@register.simple_tag
def where(line: Any) -> str:
    """Where the units of a line are, in words: `2 reserved, 1 on the way`."""
    said = [
        f"{line[code]} {name}"
        for code, name in (
            ("delivered", "delivered"), ("underway", "on the way"), ("released", "at the node"),
            ("reserved", "reserved"), ("backordered", "backordered"), ("pending", "waiting"),
            ("cancelled", "cancelled"), ("lost", "lost"), ("sent_back", "sent back"),
            ("returned", "returned"),
        )
        if line[code]
    ]  # fmt: skip
    return ", ".join(said) or "–"


@register.simple_tag
def legend() -> SafeString:
    rows = [(code, name) for code, name in _BUCKETS]
    return format_html(
        '<div class="legend" aria-hidden="true">{}</div>',
        format_html_join(
            "",
            '<span><svg viewBox="0 0 10 10"><rect class="f-{}" width="10" height="10"/></svg>{}</span>',
            rows,
        ),
    )


@register.simple_tag
def spark(values: list[int]) -> SafeString:
    """A small column chart; decoration beside numbers that say the same."""
    top = max([*values, 1])
    width = 100 / max(len(values), 1)
    bars = [
        (
            "now" if at == len(values) - 1 else "",
            f"{at * width:.2f}",
            f"{28 - 26 * value / top:.2f}",
            f"{width * 0.72:.2f}",
            f"{26 * value / top + 1:.2f}",
        )
        for at, value in enumerate(values)
    ]
    return format_html(
        '<svg class="spark" viewBox="0 0 100 29" preserveAspectRatio="none" aria-hidden="true">{}</svg>',
        format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', bars),
    )


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: object) -> str:
    """The query of the page with some keys set, or taken away by an empty value."""
    current: QueryDict = context["request"].GET.copy()
    for key, value in changes.items():
        if value in (None, ""):
            current.pop(key, None)
        else:
            current[key] = str(value)
    return f"?{current.urlencode()}" if current else "?"


@register.simple_tag
def once() -> SafeString:
    """The token that makes a second sending of the same form harmless."""
    return format_html('<input type="hidden" name="once" value="{}">', ids.uuid7())
