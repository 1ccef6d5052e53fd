"""Every page where people work on orders, goods and what comes back: axe by day and by night."""

from collections.abc import Callable, Collection
from datetime import timedelta

import pytest

from config.kernel import clock
from tests.browser.conftest import Person
from tests.browser.test_console import staff
from tests.console.conftest import House
from tests.console.test_returns import blind
from tests.factories.kernel import GrantFactory, RoleFactory, UserFactory
from tests.factories.returns import (
    BACK,
    received,
    requested,
    sold,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]

People = Callable[..., Person]


def serious(person: Person, *paths: str, night: Collection[str]) -> dict[str, list[str]]:
    """What axe finds, by page; pages without a finding are left out.

    What surrounds all pages is looked at with the first. By night the colours are looked at where every kind of mark, table and form stands once.
    """
    found = {}
    for path in paths:
        person.page.goto(f"{person.base}/console/{path}")
        said = person.findings(within="main" if found else "html")
        found[path] = said + (person.by_night() if path in night else [])
    return {path: said for path, said in found.items() if said}


def test_of_orders_stock_and_nodes(house: House, people: People) -> None:
    order = house.held()
    work = house.work_of(house.released(sku="LAMP"))
    number, group, sku = order["number"], order["groups"][0]["id"], house.network.skus["MUG"]
    person = people(axe=True)
    person.sign_in(staff(house, "ops_manager"))
    assert serious(
        person,
        "", "orders/", "orders/?q=nothing", f"orders/{number}/", f"orders/{number}/outside/",
        f"orders/{number}/?tab=history", f"orders/{number}/?tab=technical",
        f"orders/{number}/why/{group}/", f"orders/{number}/do/hold/",
        f"orders/{number}/do/reroute/", f"orders/{number}/address/{group}/",
        "orders/bulk/?verb=hold&all=1", "stock/", "reservations/", f"stock/{sku}/",
        f"stock/{sku}/?tab=ledger",
        f"stock/{sku}/adjust/", "nodes/", f"nodes/{work['code']}/", f"nodes/{work['code']}/pause/",
        f"nodes/{work['code']}/manifests/", f"nodes/{work['code']}/{work['number']}/",
        f"nodes/{work['code']}/{work['number']}/reject/",
        night={"", "orders/", f"orders/{number}/", f"orders/{number}/do/hold/", f"stock/{sku}/"},
    ) == {}  # fmt: skip


def test_of_what_comes_back(db: None, people: People) -> None:
    clock.set_to(BACK + timedelta(hours=1))
    placed = sold(9)
    waiting, here, unknown = requested(placed, 1), received(placed, 1), blind(placed)
    user = UserFactory(username="returns-desk")
    GrantFactory(user=user, role=RoleFactory(code="ops_manager"), account=placed.order.account)
    person = people(axe=True)
    person.sign_in(user.username)
    assert serious(
        person,
        "returns/", "returns/?tab=to_decide", "returns/arrived/",
        f"returns/scan/?scan={placed.order.number}", f"returns/{here.number}/",
        f"returns/{waiting.number}/do/decline/", f"returns/{here.number}/do/receive/",
        f"returns/{unknown.number}/identify/", f"orders/{placed.order.number}/",
        f"orders/{placed.order.number}/return/", "carriers/", "carriers/?tab=scorecard",
        night={"returns/?tab=to_decide", f"returns/{here.number}/"},
    ) == {}  # fmt: skip
    clock.forget()
