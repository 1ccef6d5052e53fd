"""Exact money: minor units and a currency (ISO 4217). No floats, no mixed currencies."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import Self

# ISO 4217 exponents that are not 2, for the currencies in circulation.
_EXPONENTS = dict.fromkeys(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
) | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)


def exponent(currency: str) -> int:
    """Digits after the point of one major unit of the currency."""
    return _EXPONENTS.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """Turn a decimal amount into minor units, rounded half-even."""
    return int(amount.scaleb(exponent(currency)).quantize(Decimal(1), ROUND_HALF_EVEN))


def split(minor: int, weights: Sequence[int]) -> list[int]:
    """Share an amount by weight so that the parts add up to the whole; the residue falls last.

    With no weight at all the last part takes everything. Negative amounts are shared alike.
    """
    total = sum(weights)
    if not total:
        return [0] * (len(weights) - 1) + [minor] if weights else []
    sign, size = (-1, -minor) if minor < 0 else (1, minor)
    running, bounds = 0, [0]
    for weight in weights:
        running += weight
        bounds.append(size * running // total)
    return [sign * (high - low) for low, high in pairwise(bounds)]


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in minor units of an ISO 4217 currency. Arithmetic refuses to mix currencies."""

    minor: int
    currency: str

    def __add__(self, other: Self) -> Self:
        self._same(other)
        return type(self)(self.minor + other.minor, self.currency)

    def __sub__(self, other: Self) -> Self:
        self._same(other)
        return type(self)(self.minor - other.minor, self.currency)

    def __neg__(self) -> Self:
        return type(self)(-self.minor, self.currency)

    def split(self, weights: Sequence[int]) -> list[Self]:
        return [type(self)(part, self.currency) for part in split(self.minor, weights)]

    @property
    def amount(self) -> Decimal:
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __str__(self) -> str:
        return f"{self.amount:,.{exponent(self.currency)}f} {self.currency}"

    def _same(self, other: Self) -> None:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
