"""Undo before confirm: the opposite command, with a result for each, once, by who did it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.console import undoing
from config.reports import sql
from tests.console.conftest import House, text_of


def undo(client: Client) -> Any:
    return client.post(
        reverse("console:undo"), {"offer": client.session["undo"]["id"]}, follow=True
    )


def act(client: Client, order: sql.Row, code: str, **sent: str) -> Any:
    return client.post(
        reverse("console:order_action", args=[order["number"], code]), sent, follow=True
    )


def types(house: House, order: sql.Row) -> list[str]:
    return [hold["type"] for hold in house.fact(order["id"])["holds"]]


class TestAToast:
    def test_offers_once_to_undo_what_was_done(self, house: House) -> None:
        order = house.order()
        client = house.client("cs_agent")
        page = act(client, order, "hold", type="manual", reason="Call first")
        assert f"{order['number']}: put on hold." in text_of(page)
        assert 'id="toast"' in page.content.decode()
        again = client.get(reverse("console:order", args=[order["number"]]))
        assert 'id="toast"' not in again.content.decode()

    def test_is_kept_for_the_page_while_parts_of_it_are_read(self, house: House) -> None:
        order = house.order()
        client = house.client("cs_agent")
        client.post(
            reverse("console:order_action", args=[order["number"], "hold"]),
            {"type": "manual", "reason": "Call first"},
        )
        client.get(reverse("console:orders"), headers={"HX-Request": "true"})
        assert 'id="toast"' in client.get(reverse("console:orders")).content.decode()

    def test_is_not_shown_for_what_cannot_be_undone(self, house: House) -> None:
        order = house.order()
        page = act(
            house.client("cs_agent"), order, "cancel", initiator="buyer", reason="Changed mind"
        )
        assert 'id="toast"' not in page.content.decode()


class TestUndo:
    def test_of_a_hold_releases_that_hold_and_no_other(self, house: House) -> None:
        order = house.held()
        client = house.client("cs_agent")
        act(client, order, "hold", type="manual", reason="Call first")
        page = undo(client)
        assert "Undone: the hold is released." in text_of(page)
        assert types(house, order) == ["fraud"]

    def test_of_a_released_hold_holds_again_for_the_same_reason(self, house: House) -> None:
        order = house.held()
        client = house.client("cs_agent")
        act(client, order, "release_hold", reason="Looked fine")
        assert types(house, order) == []
        undo(client)
        assert types(house, order) == ["fraud"]
        assert house.fact(order["id"])["holds"][0]["reason"] == "Card and address differ"

    def test_of_a_note_leaves_nothing_to_read(self, house: House) -> None:
        order = house.order()
        client = house.client("cs_agent")
        act(client, order, "note", text="Ring Mrs Buyer twice")
        page = undo(client)
        shown = client.get(reverse("console:order", args=[order["number"]])).content.decode()
        assert "Undone: the note is withdrawn." in text_of(page)
        assert "Ring Mrs Buyer twice" not in shown
        assert "Note withdrawn" in shown

    def test_of_many_gives_a_result_for_each(self, house: House) -> None:
        orders = [house.order() for _ in range(3)]
        client = house.client("ops_manager")
        sent = {
            "verb": "hold", "id": [str(each["id"]) for each in orders],
            "type": "manual", "reason": "Count first",
        }  # fmt: skip
        done = client.post(reverse("console:bulk"), sent, follow=True)
        assert "Put on hold: 3 orders." in text_of(done)
        act(house.client("cs_agent"), orders[0], "release_hold", reason="It may go")
        page = text_of(undo(client))
        assert "Undo: hold, 3 orders" in page
        assert "2 done" in page
        assert "The hold has ended since." in page
        assert [types(house, each) for each in orders] == [[], [], []]

    def test_of_a_pause_gives_the_node_work_again(self, house: House) -> None:
        code = house.node("RENO").code
        client = house.client("ops_manager")
        client.post(
            reverse("console:node_pause", args=[code]), {"function": "ship", "reason": "Flood"}
        )
        page = undo(client)
        assert "takes ship work again" in text_of(page)
        assert not _paused(house)

    def test_of_a_resumed_node_pauses_it_for_the_same_reason(self, house: House) -> None:
        address = reverse("console:node_pause", args=[house.node("RENO").code])
        client = house.client("ops_manager")
        client.post(address, {"function": "ship", "reason": "Flood"})
        client.post(address, {"resume": "ship"})
        undo(client)
        assert _paused(house) == ["Flood"]

    @pytest.mark.parametrize(
        ("before", "code", "sent"),
        [
            ((), "acknowledge", {}),
            ((), "mine", {}),
            (("acknowledge",), "take_up", {}),
            (("take_up",), "wait", {"until": "2026-03-04T09:00", "reason": "Buyer calls"}),
            (("take_up",), "resolve", {"resolution": "Sent again"}),
        ],
    )
    def test_of_a_case_lets_it_stand_as_it_stood(
        self, before: tuple[str, ...], code: str, sent: dict[str, str], house: House
    ) -> None:
        number = house.case(house.order())
        client = house.client("cs_agent")
        for each in before:
            client.post(reverse("console:case_action", args=[number, each]))
        stood = _case(number)
        client.post(reverse("console:case_action", args=[number, code]), sent)
        assert _case(number) != stood
        assert "Undone: 1 case stands as before." in text_of(undo(client))
        assert _case(number) == stood

    def test_happens_once(self, house: House) -> None:
        order = house.order()
        client = house.client("cs_agent")
        act(client, order, "hold", type="manual", reason="Call first")
        offered = client.session["undo"]["id"]
        undo(client)
        second = client.post(reverse("console:undo"), {"offer": offered})
        assert second.status_code == 409
        assert "undone already" in text_of(second)

    def test_comes_too_late_after_ten_minutes(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order = house.order()
        client = house.client("cs_agent")
        monkeypatch.setattr(undoing, "KEPT_SECONDS", -1)
        act(client, order, "hold", type="manual", reason="Call first")
        page = client.post(reverse("console:undo"), {"offer": client.session["undo"]["id"]})
        assert page.status_code == 409
        assert types(house, order) == ["manual"]

    def test_is_nobody_elses(self, house: House) -> None:
        order = house.order()
        client, other = house.client("cs_agent"), house.client("ops_manager")
        act(client, order, "hold", type="manual", reason="Call first")
        page = other.post(reverse("console:undo"), {"offer": client.session["undo"]["id"]})
        assert page.status_code == 409
        assert types(house, order) == ["manual"]


def _paused(house: House) -> list[str]:
    found = sql.rows(
        "SELECT reason FROM inventory_nodefunction WHERE node_id = %(node)s AND paused",
        {"node": house.network.nodes["RENO"]},
    )
    return [each["reason"] for each in found]


def _case(number: int) -> sql.Row | None:
    return sql.row(
        "SELECT state, assignee_id, waiting_until FROM kernel_case WHERE number = %(number)s",
        {"number": number},
    )
