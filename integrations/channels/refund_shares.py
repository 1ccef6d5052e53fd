"""What of a refund that we have made is for which line. Pure; minor units."""

from collections.abc import Mapping

from config.kernel import money


def by_line(amount_minor: int, worth: Mapping[str, int], shipping_minor: int) -> dict[str, int]:
    """The amount over the lines by what each is worth; the rest of it is for the shipping.

    It may be less than they are worth: a fee was kept, or the shop gave some back by itself.
    """
    lines = {line: minor for line, minor in sorted(worth.items()) if minor > 0}
    shares = money.split(amount_minor, [*lines.values(), max(0, shipping_minor)])
    return dict(zip(lines, shares, strict=False)) if lines else {}
