"""A node at work: scans, packing, handing over, shorts, pauses, papers."""

from django.urls import reverse

from config.kernel import ids
from config.kernel.models import Job
from config.kernel.services.jobs import run_job
from config.reports import sql
from config.reports.sql import Row
from tests.console.conftest import ACTOR, AT, House, text_of
from tests.factories.inventory import BarcodeFactory, ServiceLevelFactory


def scan(house: House, order: Row, text: str, within: str = "") -> str:
    code = house.work_of(order)["code"]
    response = house.client("ops_manager").post(
        reverse("console:node_scan", args=[code]),
        {"scan": text, "within": within, "once": str(ids.uuid7())},
        headers={"HX-Request": "true"},
    )
    return text_of(response)


def lines(order: Row) -> Row:
    found = sql.row(
        "SELECT sum(l.picked) AS picked, sum(l.packed) AS packed, sum(l.shipped) AS shipped, "
        "sum(l.short) AS short, sum(l.rejected) AS rejected FROM fulfillment_fulfillmentline l "
        "JOIN fulfillment_fulfillmentorder f ON f.id = l.fulfillment_order_id "
        "WHERE f.order_id = %(id)s",
        {"id": order["id"]},
    )
    assert found is not None
    return found


def act(house: House, order: Row, code: str, **data: str) -> None:
    work = house.work_of(order)
    address = reverse("console:work_act", args=[work["code"], work["number"], code])
    response = house.client("ops_manager").post(address, data)
    assert response.status_code == 302, text_of(response)


class TestAScan:
    def test_of_a_sku_picks_one_unit(self, house: House) -> None:
        order = house.released(sku="LAMP", quantity=2)
        assert "LAMP picked" in scan(house, order, "lamp")
        assert lines(order)["picked"] == 1

    def test_of_a_barcode_picks_one_unit(self, house: House) -> None:
        order = house.released(sku="LAMP")
        BarcodeFactory(
            account=house.network.account, sku_id=house.network.skus["LAMP"], value="4006381333931"
        )
        assert "picked for" in scan(house, order, "4006381333931")

    def test_goes_to_the_opened_work_only(self, house: House) -> None:
        order = house.released(sku="LAMP")
        assert "is not to be picked for FO-0" in scan(house, order, "LAMP", within="FO-0")
        assert lines(order)["picked"] == 0

    def test_of_something_else_says_so(self, house: House) -> None:
        order = house.released(sku="LAMP")
        assert "TEAPOT is not to be picked here now." in scan(house, order, "teapot")

    def test_of_a_work_opens_it_then_packs_it(self, house: House) -> None:
        order = house.released(sku="LAMP")
        number = house.work_of(order)["number"]
        assert f"{number}: pick 1 × LAMP." in scan(house, order, number)
        scan(house, order, "LAMP")
        assert f"{number} is packed." in scan(house, order, number)
        assert lines(order)["packed"] == 1

    def test_of_a_parcel_hands_it_over(self, house: House) -> None:
        order = house.released(sku="LAMP")
        scan(house, order, "LAMP")
        scan(house, order, house.work_of(order)["number"])
        parcel = sql.row("SELECT number FROM fulfillment_parcel ORDER BY id DESC LIMIT 1", {})
        assert parcel is not None
        assert "is handed over." in scan(house, order, parcel["number"])
        assert lines(order)["shipped"] == 1

    def test_goes_through_without_scripts(self, house: House) -> None:
        order = house.released(sku="LAMP")
        work = house.work_of(order)
        response = house.client("node_operator").post(
            reverse("console:node_scan", args=[work["code"]]), {"scan": "LAMP"}
        )
        assert response.headers["Location"].endswith(f"?within={work['number']}")


class TestAWork:
    def test_is_picked_packed_and_shipped_by_buttons(self, house: House) -> None:
        order = house.released(sku="LAMP", quantity=2)
        for code in ("acknowledge", "pick", "pack", "ship"):
            act(house, order, code)
        assert house.fact(order["id"])["shipped"] == 2

    def test_short_is_sourced_elsewhere(self, house: House) -> None:
        order = house.released(sku="MUG")
        work = house.work_of(order)
        line = sql.row(
            "SELECT id FROM fulfillment_fulfillmentline WHERE fulfillment_order_id = %(id)s",
            {"id": work["id"]},
        )
        assert line is not None
        house.client("ops_manager").post(
            reverse("console:work_short", args=[work["code"], work["number"]]),
            {"line": str(line["id"]), "quantity": "1", "reason": "missing"},
        )
        assert lines(order)["short"] == 1

    def test_rejected_goes_back(self, house: House) -> None:
        order = house.released(sku="MUG")
        work = house.work_of(order)
        house.client("ops_manager").post(
            reverse("console:work_reject", args=[work["code"], work["number"]]),
            {"reason": "no_capacity"},
        )
        assert lines(order)["rejected"] == 1

    def test_has_papers(self, house: House) -> None:
        order = house.released(sku="LAMP")
        code = house.work_of(order)["code"]
        client = house.client("ops_manager")
        assert client.get(reverse("console:pick_list", args=[code])).content.startswith(b"%PDF")
        act(house, order, "pick")
        act(house, order, "pack")
        slips = client.get(reverse("console:packing_slips", args=[code]))
        assert slips.content.startswith(b"%PDF")


class TestANode:
    def test_is_paused_with_an_end_and_a_reason_then_resumed(self, house: House) -> None:
        code = house.node("RENO").code
        client = house.client("ops_manager")
        address = reverse("console:node_pause", args=[code])
        client.post(address, {"function": "ship", "until": "2026-03-03T08:00", "reason": "Flood"})
        assert "Flood" in text_of(client.get(reverse("console:node", args=[code])))
        client.post(address, {"resume": "ship"})
        assert "Flood" not in text_of(client.get(reverse("console:node", args=[code])))

    def test_is_not_paused_without_a_reason(self, house: House) -> None:
        address = reverse("console:node_pause", args=[house.node("RENO").code])
        page = house.client("ops_manager").post(address, {"function": "ship", "reason": ""})
        assert page.status_code == 422


class TestTakingANodeOut:
    """One work is not begun, one is being picked; the node has no system of its own."""

    def test_asks_back_what_is_not_begun_and_closes_only_when_nothing_is_left(
        self, house: House
    ) -> None:
        begun = house.released(sku="LAMP")
        code = house.work_of(begun)["code"]
        scan(house, begun, "LAMP")
        waiting = house.released(sku="LAMP")
        client = house.client("ops_manager")
        address = reverse("console:node_end", args=[code])
        assert "Nobody there has begun 1 work (1 unit)" in text_of(client.get(address))
        assert client.post(address, {"act": "drain", "reason": ""}).status_code == 422

        sent = {"act": "drain", "reason": "The lease ends", "pull_back": "on"}
        said = text_of(client.post(address, sent, follow=True))
        assert "1 work asked back." in said
        assert "It cannot be closed yet" in said
        job = Job.objects.for_scope(ACTOR.scope).get(kind="fulfillment.pull_back")
        run_job(job.pk, at=AT)
        assert lines(waiting)["picked"] == 0
        assert house.fact(waiting["id"])["released"] == 0

        refused = text_of(client.post(address, {"act": "close"}, follow=True))
        assert "Work is still open there: 1 to pick and pack" in refused
        for step in ("pack", "ship"):
            act(house, begun, step)
        assert "is closed." in text_of(client.post(address, {"act": "close"}, follow=True))


class TestWhatElseIsWished:
    def test_is_offered_with_reasons_and_answered_by_the_node(self, house: House) -> None:
        order = house.released(sku="MUG")
        work = house.work_of(order)
        client = house.client("ops_manager")
        page = reverse("console:fulfillment_order", args=[work["code"], work["number"]])
        assert "Send from another node" in text_of(client.get(page))
        wish = reverse("console:work_wish", args=[work["code"], work["number"], "pull_back"])
        assert "A node that has begun is asked first" in text_of(client.get(wish))
        said = text_of(client.post(wish, follow=True))
        assert "is taken back, or asked for" in said
        assert house.fact(order["id"])["released"] == 0 or "go from another node?" in said
        again = text_of(client.get(wish))
        assert "Not possible in the present state" in again

    def test_is_asked_to_send_by_a_service_called_by_its_name(self, house: House) -> None:
        ServiceLevelFactory(code="dawn", name="Before the sun is up")
        work = house.work_of(house.released(sku="LAMP"))
        wish = reverse("console:work_wish", args=[work["code"], work["number"], "change_service"])
        client = house.client("ops_manager")

        assert (
            '<option value="dawn">Before the sun is up</option>'
            in client.get(wish).content.decode()
        )
        said = text_of(client.post(wish, {"service": "dawn"}, follow=True))

        assert "Before the sun is up" in said
