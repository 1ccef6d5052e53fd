"""Causes of cases in words: codes like `node:3` or `sku:17` become the names behind them."""

import re
from collections.abc import Iterable
from typing import Final

from config.kernel import case_reports
from config.reports import frame as reports

_TOKEN: Final = re.compile(r"\b(node|sku|carrier)[:=]([\w-]+)")


def case_label(code: str) -> str:
    """A kind of case in words; one that no installed app declares keeps its code."""
    try:
        return case_reports.case_kind(code).label
    except KeyError:
        return code.replace("_", " ").capitalize()


def playbook(code: str) -> str:
    """What to do first about a kind of case; nothing for one that no installed app declares."""
    try:
        return case_reports.case_kind(code).playbook
    except KeyError:
        return ""


def in_words(causes: Iterable[str]) -> dict[str, str]:
    """The words of each cause; one statement for all names that they need."""
    wanted = set(causes)
    named = {match for cause in wanted for match in _TOKEN.findall(cause)}
    names = reports.names(
        nodes=[int(key) for kind, key in named if kind == "node" and key.isdigit()],
        skus=[int(key) for kind, key in named if kind == "sku" and key.isdigit()],
        carriers=[key for kind, key in named if kind == "carrier"],
    )

    def word(match: re.Match[str]) -> str:
        return names.get((match[1], match[2]), match[2])

    return {cause: _TOKEN.sub(word, cause).replace("_", " ").replace("|", ", ") for cause in wanted}
