"""What travels as one value, and what as many."""

import pytest

from orders.models import Order, OrderLine
from orders.rows import columns_of


@pytest.mark.parametrize(
    ("model", "name", "values", "same"),
    [
        (Order, "currency", ["USD", "USD", "USD"], True),
        (Order, "currency", ["USD", "CAD", "USD"], False),
        (Order, "accepted_at", [None, None], True),
        (Order, "blocked", [["release"], ["release"]], True),
        (Order, "blocked", [["release"], []], False),
        (OrderLine, "properties", [{}, {}], True),
        (OrderLine, "properties", [{}, {"gift": 1}], False),
        (OrderLine, "properties", [{"gift": 1}, {"gift": True}], False),
    ],
)
def test_one_value_stands_for_equal_ones(model, name, values, same):
    assert columns_of(model)[name].is_same(values) is same
