"""Causes of cases in words: codes like `node:3` or `sku:17` become the names behind them."""

import re
from collections.abc import Iterable
from typing import Final

from config.reports import frame as reports

_TOKEN: Final = re.compile(r"\b(node|sku|channel)[:=]([0-9a-f-]+)\b")


def in_words(causes: Iterable[str]) -> dict[str, str]:
    """The words of each cause; one statement for all names that they need."""
    wanted = set(causes)
    named = {match for cause in wanted for match in _TOKEN.findall(cause)}
    names = reports.names(
        nodes=[int(key) for kind, key in named if kind == "node" and key.isdigit()],
        skus=[int(key) for kind, key in named if kind == "sku" and key.isdigit()],
    )

    def word(match: re.Match[str]) -> str:
        return names.get((match[1], match[2]), match[0])

    return {cause: _TOKEN.sub(word, cause).replace("_", " ").replace("|", ", ") for cause in wanted}
