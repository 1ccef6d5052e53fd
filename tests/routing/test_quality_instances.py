"""The instances that plans are measured on are the same wherever and whenever they are drawn."""

from hashlib import sha256

import numpy as np
import pytest

from bench.routing_instances import Instance, family

DRAWN = {
    "A": "1dd5b5193c4b4813ff813bb155faf94b",
    "B": "4731635d5568aa8d611bdddce6c7ae35",
    "C": "4784106c8663304672e84614183484e8",
}
"""Of the field's own generator, for seed 7 with forecast errors."""


def digest(inst: Instance) -> str:
    state = sha256()
    for counts in (inst.stock, inst.capacity):
        state.update(np.ascontiguousarray(counts, dtype=np.int64).tobytes())
    for amounts in (
        inst.parcel_cost,
        inst.unit_cost,
        inst.unfilled_cost,
        inst.sku_forecast,
        inst.region_forecast,
    ):
        state.update(np.ascontiguousarray(np.round(amounts, 9) + 0.0).tobytes())
    for order in inst.orders:
        state.update(np.asarray(order.skus, dtype=np.int64).tobytes())
        state.update(bytes([order.region, order.service, order.day]))
    return state.hexdigest()[:32]


@pytest.mark.parametrize("name", ["A", "B", "C"])
def test_are_those_of_the_field(name: str) -> None:
    assert digest(family(name, 7, sku_noise=0.5, region_noise=0.3)) == DRAWN[name]


def test_additions_draw_from_streams_of_their_own() -> None:
    plain, more = family("B", 7), family("B", 7, multi=0.3, replenished=0.4, rejected=0.1)

    assert [order.skus.tolist() for order in plain.orders] == [
        order.skus.tolist() for order in more.orders
    ]
    assert max(int(order.units.max()) for order in more.orders) > 1
    assert 0.3 < more.inbound.sum() / (more.inbound + more.stock).sum() < 0.5
