"""A node in full: what its page shows, and how people change its calendar, limits and plans."""

from datetime import timedelta

import pytest
from django.urls import reverse

from config.kernel import ids
from inventory import selectors, services
from inventory.models import Node, NodePlan
from inventory.types import Measured, NodeView
from tests.console.conftest import ACTOR, AT, House, text_of
from tests.factories.inventory import limited


def view_of(house: House, code: str = "RENO") -> NodeView:
    [view] = selectors.node_views([house.network.nodes[code]])
    return view


def send(house: House, page: str, /, *arguments: object, **data: object) -> str:
    """Post a form as an operations manager, and read where it leads."""
    address = reverse(f"console:{page}", args=[view_of(house).code, *arguments])
    response = house.client("ops_manager").post(
        address, {**data, "once": str(ids.uuid7())}, follow=True
    )
    return text_of(response)


def shown(house: House, **query: str) -> str:
    address = reverse("console:node_about", args=[view_of(house).code])
    return text_of(house.client("ops_manager").get(address, query))


class TestTheNodesPage:
    def test_shows_calendar_capacity_with_backlog_signals_and_what_it_can_do(
        self, house: House
    ) -> None:
        node = limited(node=Node._base_manager.get(pk=house.network.nodes["RENO"]), units=40)
        services.open_windows(at=AT)
        node.windows.filter(ends_at__gt=AT).update(used=38, backlog=6)
        services.record_signals(
            [Measured(node.pk, "ack_latency", 301.5)], at=AT - timedelta(minutes=5), actor=ACTOR
        )

        text = shown(house, month="2026-03")

        for said in ("110%", "March 2026", "301.5", "case above 240", "not measured", "15:00"):
            assert said in text
        listed = text_of(house.client("ops_manager").get(reverse("console:nodes")))
        assert "110% of 40 units" in listed

    def test_takes_rows_of_every_part_and_gives_them_back(self, house: House) -> None:
        wall = {"opens": "09:00", "closes": "12:00"}
        send(house, "node_edit", "hours", days=["5", "6"], **wall)
        send(house, "node_edit", "cutoffs", days=["5"], at_local="11:00", service="")
        send(
            house, "node_edit", "capacity", days=["5"], function="ship", resource="orders",
            most="30", hard="on", **wall,
        )  # fmt: skip
        send(house, "node_edit", "special", on="2026-12-24", name="Christmas Eve", **wall)
        send(house, "node_edit", "closures", on="2026-12-26", name="Boxing Day")
        send(house, "node_edit", "capabilities", code="gift_wrap")
        text = send(house, "node_edit", "hours", remove="6")

        view = view_of(house)
        assert "opening hours are changed" in text
        assert [row.weekday for row in view.hours] == [0, 1, 2, 3, 4, 5]
        assert [(row.most, row.hard) for row in view.capacities] == [(30, True)]
        assert (len(view.special_days), len(view.closures)) == (1, 1)
        assert view.capabilities == {"gift_wrap"}
        assert len(view.cutoffs) == 6

    def test_says_what_is_wrong_with_a_row_and_changes_nothing(self, house: House) -> None:
        text = send(
            house, "node_edit", "capacity", days=["5"], function="ship", resource="orders",
            most="30", opens="12:00", closes="09:00",
        )  # fmt: skip

        assert "ends after it begins" in text
        assert view_of(house).capacities == ()

    def test_plans_an_outage_and_takes_it_back(self, house: House) -> None:
        send(
            house, "node_plan", kind="closed", function="ship", starts_at="2026-03-05T08:00",
            ends_at="2026-03-06T08:00", reason="Stocktaking",
        )  # fmt: skip

        assert "Stocktaking" in shown(house, month="2026-03")
        send(house, "node_plan_cancel", NodePlan.objects.get().pk)
        assert NodePlan.objects.get().state == "cancelled"

    def test_is_not_changed_by_those_who_only_look(self, house: House) -> None:
        code = view_of(house).code
        client = house.client("cs_agent")

        assert client.get(reverse("console:node_about", args=[code])).status_code == 200
        assert client.post(reverse("console:node_describe", args=[code])).status_code == 403


class TestBeforeItIsPaused:
    @pytest.mark.parametrize("name", ["node_pause", "node_end"])
    def test_what_it_touches_is_counted(self, house: House, name: str) -> None:
        house.network.stock("LAMP", RENO=40)
        house.order(sku="LAMP", quantity=3)
        address = reverse(f"console:{name}", args=[view_of(house).code])

        text = text_of(house.client("ops_manager").get(address))

        assert "What it touches" in text
        assert "1 order 3 units" in text
        supply = selectors.supply(list(house.network.skus.values()), [view_of(house).id])
        assert str(sum(known.free for known in supply.values())) in text
