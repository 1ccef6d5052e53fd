"""GTINs: the numbers under barcodes, with the check digit of the GS1 General Specifications, §7.9."""

from typing import Final

LENGTHS: Final = frozenset({8, 12, 13, 14})
"""GTIN-8, GTIN-12 (UPC), GTIN-13 (EAN) and GTIN-14 (ITF-14)."""


def check_digit(body: str) -> int:
    """The digit that follows these: from the right, digits weigh 3, 1, 3, … and make up tens."""
    weighed = (int(digit) * (3, 1)[at % 2] for at, digit in enumerate(reversed(body)))
    return -sum(weighed) % 10


def is_gtin(text: str) -> bool:
    """Whether the text is a GTIN of any length with the right check digit."""
    whole = text.isascii() and text.isdigit() and len(text) in LENGTHS
    return whole and int(text[-1]) == check_digit(text[:-1])


def in_fourteen(gtin: str) -> str:
    """The GTIN with zeros before it, under which every length of it is one."""
    return gtin.zfill(14)
