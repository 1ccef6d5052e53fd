"""Who writes to a buyer, and how: the policy of the channel, the voice of the brand."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings

from config.kernel.models import Channel, ChannelKind
from config.kernel.types import ALL_ACCOUNTS
from integrations.models import BrandVoice

WRITTEN_BY: Final = "messages_by"
"""In a channel's settings: `us`, `channel` or `nobody`."""
_WRITE_THEMSELVES: Final = frozenset({ChannelKind.MARKETPLACE, ChannelKind.POS})
_INK: Final = "#15191d"
_PAPER: Final = "#ffffff"
_DEFAULT_COLOR: Final = "#1d4ed8"


@dataclass(frozen=True, slots=True)
class Voice:
    """How a brand writes. `on_color` is the ink that can be read on `color`."""

    name: str
    sender: str
    reply_to: str = ""
    language: str = ""
    template: str = ""
    color: str = _DEFAULT_COLOR
    help_email: str = ""
    help_phone: str = ""
    help_url: str = ""
    imprint: str = ""

    @property
    def on_color(self) -> str:
        return max((_PAPER, _INK), key=lambda ink: contrast(self.color, ink))


def we_write(channel: Channel) -> bool:
    """Whether we write to the buyers of a channel; marketplaces and tills do so themselves."""
    said = channel.settings.get(WRITTEN_BY)
    if said in {"us", "channel", "nobody"}:
        return bool(said == "us")
    return channel.kind not in _WRITE_THEMSELVES


def voices(brand_names: dict[UUID, str]) -> dict[UUID, Voice]:
    """The voices of brands, given with their names, in one statement."""
    kept = _kept(brand_names)
    return {brand_id: _voice(name, kept.get(brand_id)) for brand_id, name in brand_names.items()}


def _kept(brand_ids: Collection[UUID]) -> dict[UUID, BrandVoice]:
    rows = BrandVoice.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=list(brand_ids))
    return {row.pk: row for row in rows}


def _voice(name: str, kept: BrandVoice | None) -> Voice:
    if kept is None:
        return Voice(name, settings.DEFAULT_FROM_EMAIL)
    return Voice(
        name=kept.display_name or name,
        sender=kept.from_address or settings.DEFAULT_FROM_EMAIL,
        reply_to=kept.reply_to,
        language=kept.language,
        template=kept.template,
        color=kept.color or _DEFAULT_COLOR,
        help_email=kept.help_email,
        help_phone=kept.help_phone,
        help_url=kept.help_url,
        imprint=kept.imprint,
    )


def contrast(one: str, other: str) -> float:
    """The contrast of two colors by WCAG 2, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
