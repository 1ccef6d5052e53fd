"""What the simulated warehouse knows of lots and serials: on the shelf, picked, packed, gone.

A shelf that keeps them has `lots`: each `{"lot", "units", "aside", "expires_on"?, "serials"?}`, of which
`units` lie there to be picked and `aside` are picked or packed. Entries say what was taken:
`{"lot"?, "expires_on"?, "quantity"}`, or one for each `serial`.
"""

from collections.abc import Sequence
from typing import Any

Document = dict[str, Any]


def seeded(lots: Sequence[Document]) -> list[Document]:
    """The lots of a shelf as they begin, the first to expire first."""
    found = [{**lot, "units": int(lot["units"]), "aside": 0} for lot in lots]
    return sorted(found, key=lambda lot: str(lot.get("expires_on") or "9999"))


def take(shelf: Document, units: int) -> list[Document]:
    """Pick units, first to expire first; answers of which lots, or which single things."""
    taken: list[Document] = []
    for lot in shelf.get("lots", []):
        part = min(units, int(lot["units"]))
        if not part:
            continue
        units -= part
        lot["units"] -= part
        lot["aside"] += part
        facts = {name: lot[name] for name in ("lot", "expires_on") if lot.get(name)}
        serials: list[str] = lot.get("serials", [])
        if serials:
            named = [serials.pop(0) for _ in range(min(part, len(serials)))]
            taken += [{**facts, "serial": serial, "quantity": 1} for serial in named]
        else:
            taken.append({**facts, "quantity": part})
    return taken


def part_of(entries: list[Document], units: int) -> list[Document]:
    """The first so many units of what was taken: they leave the list."""
    found: list[Document] = []
    while units and entries:
        entry = entries[0]
        part = min(units, int(entry["quantity"]))
        found.append({**entry, "quantity": part})
        units -= part
        entry["quantity"] -= part
        if not entry["quantity"]:
            entries.pop(0)
    return found


def leave(shelf: Document, entries: Sequence[Document], *, back: bool = False) -> None:
    """What was taken is gone, or lies on the shelf again."""
    for entry in entries:
        lot = next(
            (one for one in shelf.get("lots", []) if one.get("lot", "") == entry.get("lot", "")),
            None,
        )
        if lot is None:
            continue
        units = int(entry["quantity"])
        lot["aside"] -= units
        if back:
            lot["units"] += units
            if entry.get("serial"):
                lot.setdefault("serials", []).append(entry["serial"])


def receive(shelf: Document, units: int, facts: Document) -> None:
    """Units come of a lot, or go: of the one that is named, else of the last to expire."""
    lots = shelf.get("lots")
    if lots is None:
        return
    code = str(facts.get("lot", ""))
    known = next((one for one in lots if one.get("lot", "") == code), None)
    if known is None and units > 0:
        fresh = {name: facts[name] for name in ("lot", "expires_on") if facts.get(name)}
        lots[:] = seeded([*lots, {**fresh, "units": 0}])
        known = next(one for one in lots if one.get("lot", "") == code)
    target = known or lots[-1]
    target["units"] = max(0, target["units"] + units)


def rows(sku: str, shelf: Document, *, of_shelf: bool = False) -> list[Document]:
    """What lies there, by lot; with `of_shelf` without what stands aside. The sums agree."""
    units = max(0, int(shelf["shelf"]) + (0 if of_shelf else int(shelf["aside"])))
    lots = shelf.get("lots")
    if not lots:
        return [{"sku": sku, "quantity": units}]
    there = [int(lot["units"]) + (0 if of_shelf else int(lot["aside"])) for lot in lots]
    gap = units - sum(there)
    for place in reversed(range(len(there))):
        changed = max(0, there[place] + gap)
        gap -= changed - there[place]
        there[place] = changed
    return [
        {"sku": sku, "quantity": found}
        | {name: lot[name] for name in ("lot", "expires_on") if lot.get(name)}
        for lot, found in zip(lots, there, strict=True)
    ]
