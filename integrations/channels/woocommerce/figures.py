"""Stock figures at WooCommerce: read again right before they are written, since nothing compares there."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol

from integrations.channels.asking import DONE, Unanswered
from integrations.channels.reading import rows, text
from integrations.channels.types import Figure, Figures, FiguresSet, NewFigure
from integrations.http import Answer

AT_ONCE: Final = 100
SET_AT_ONCE: Final = 25
"""Few, since WooCommerce saves one product after another: what is sold until then is written over."""
_VARIATION: Final = "variation"


class Ask(Protocol):
    def __call__(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer: ...


def read(ask: Ask, wanted: Collection[str]) -> Figures:
    """What is for sale of these SKUs, of products and variations whose stock the shop manages."""
    skus = sorted(wanted)
    found: list[Figure] = []
    try:
        for first in range(0, len(skus), AT_ONCE):
            part = skus[first : first + AT_ONCE]
            params = {"sku": ",".join(part), "per_page": str(AT_ONCE), "status": "any"}
            answer = ask("GET", "/products", params=params)
            found += [one for row in answer.rows if (one := _figure(row)) and one.sku in part]
    except Unanswered as lost:
        return Figures(lost.reply)
    return Figures(DONE, tuple(found))


def put(ask: Ask, wanted: Sequence[NewFigure]) -> FiguresSet:
    """Read, compare, write, portion by portion; what has moved is left as it is."""
    done: set[str] = set()
    stale: set[str] = set()
    try:
        for first in range(0, len(wanted), SET_AT_ONCE):
            part = wanted[first : first + SET_AT_ONCE]
            now = _now(ask, [one.their_id for one in part])
            fresh = [one for one in part if now.get(one.their_id) == one.was]
            stale |= {one.their_id for one in part} - {one.their_id for one in fresh}
            for path, own in _by_path(fresh).items():
                done |= _written(ask, path, own)
    except Unanswered as lost:
        return FiguresSet(lost.reply, frozenset(done), frozenset(stale))
    return FiguresSet(DONE, frozenset(done), frozenset(stale))


def _figure(row: Any) -> Figure | None:
    """A product's figure under its own id, a variation's under its parent's too."""
    if not isinstance(row, dict) or not row.get("manage_stock"):
        return None
    own = text(row.get("id"), 30)
    parent = text(row.get("parent_id"), 30) if row.get("type") == _VARIATION else ""
    quantity = row.get("stock_quantity")
    sku = text(row.get("sku"), 80)
    if not sku or not own or not isinstance(quantity, int):
        return None
    return Figure(sku, f"{parent}/{own}" if parent else own, quantity)


def _now(ask: Ask, their_ids: Sequence[str]) -> dict[str, int]:
    params = {"include": ",".join(one.rpartition("/")[2] for one in their_ids)}
    plain = [one for one in their_ids if "/" not in one]
    found: list[Any] = []
    if plain:
        listed = {"include": ",".join(plain), "per_page": str(AT_ONCE), "status": "any"}
        found += ask("GET", "/products", params=listed).rows
    for parent in sorted({one.partition("/")[0] for one in their_ids if "/" in one}):
        answer = ask("GET", f"/products/{parent}/variations", params={**params, "per_page": "100"})
        found += [
            {**row, "parent_id": parent, "type": _VARIATION}
            for row in answer.rows
            if isinstance(row, dict)
        ]
    figures = (one for row in found if (one := _figure(row)))
    return {one.their_id: one.quantity for one in figures}


def _by_path(wanted: Sequence[NewFigure]) -> dict[str, list[NewFigure]]:
    """Which call sets which figure: a variation is set through its parent."""
    found: dict[str, list[NewFigure]] = {}
    for one in wanted:
        parent, slash, _ = one.their_id.partition("/")
        path = f"/products/{parent}/variations/batch" if slash else "/products/batch"
        found.setdefault(path, []).append(one)
    return found


def _written(ask: Ask, path: str, wanted: Sequence[NewFigure]) -> set[str]:
    """Set them in one call; answers those that the shop says it has set."""
    ids = {one.their_id.rpartition("/")[2]: one.their_id for one in wanted}
    body = {
        "update": [
            {"id": int(own), "stock_quantity": one.quantity}
            for own, one in zip(ids, wanted, strict=True)
        ]
    }
    answer = ask("POST", path, body)
    return {
        ids[own]
        for row in rows(answer.body, "update")
        if (own := text(row.get("id"), 30)) in ids and "error" not in row
    }
