"""The fulfillment API: who may, what is asked, how each item ended."""

import io
import zipfile
from uuid import uuid4

import pytest
from django.urls import include, path
from rest_framework.routers import SimpleRouter
from rest_framework.test import APIClient

from config.kernel.services import intents
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.api.urls import routes
from fulfillment.models import Parcel
from fulfillment.services import change_services, request_labels
from fulfillment.states import FulfillmentState, ParcelState
from fulfillment.types import ServiceChange
from tests.factories.fulfillment import (
    BEN,
    line_of,
    node_for,
    packed,
    parcel,
    picked,
    ready,
    released,
    shipped,
    work,
)
from tests.factories.inventory import ServiceLevelFactory, SkuFactory
from tests.factories.kernel import (
    NOON,
    AccountFactory,
    ApiKeyFactory,
    GrantFactory,
    RoleFactory,
    UserFactory,
)

_router = SimpleRouter()
routes(_router)
urlpatterns = [path("api/v1/", include(_router.urls))]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
BASE = "/api/v1/fulfillment-orders/"
PARCELS = "/api/v1/parcels/"


def as_key(account, **details) -> APIClient:
    client = APIClient()
    key = ApiKeyFactory(account=account, **details)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


def as_user(account, role: str, node=None) -> APIClient:
    client = APIClient()
    user = UserFactory()
    GrantFactory(
        user=user,
        account=account,
        role=RoleFactory(code=role),
        node_id=node.pk if node else None,
    )
    client.force_authenticate(user)
    return client


def post(client: APIClient, order, what: str, body=None, **headers):
    return client.post(f"{BASE}{order.pk}/{what}/", body or {}, format="json", **headers)


def labelled():
    """A packed parcel with a label of the paper carrier."""
    placed, order, box = packed()
    request_labels([box.pk], at=NOON, actor=BEN)
    intents.run_due(at=NOON)
    return placed, order, box


class TestReading:
    def test_lists_the_work_of_the_account_with_lines_and_parcels(self):
        placed, order, box = packed(2)

        answer = as_key(order.account).get(BASE).json()

        row = answer["results"][0]
        assert (row["number"], row["order_number"]) == (order.number, placed.order.number)
        assert row["lines"][0]["packed"] == 2
        assert row["parcels"][0]["number"] == box.number

    def test_filters_by_state_and_node(self):
        sku = SkuFactory()
        here, there = node_for(sku.account), node_for(sku.account)
        _, order = released({sku: 1}, node=here)
        released({sku: 1}, node=there)
        client = as_key(sku.account)

        found = client.get(BASE, {"node": here.code, "state": "released"}).json()["results"]

        assert [row["id"] for row in found] == [str(order.pk)]
        assert client.get(BASE, {"state": "packed"}).json()["results"] == []

    def test_reads_a_page_in_the_same_statements_whatever_its_length(self, statements):
        sku = SkuFactory()
        node = node_for(sku.account)
        client = as_key(sku.account)
        released({sku: 1}, node=node)
        client.get(BASE)
        one = statements(lambda: client.get(BASE))
        for _ in range(6):
            released({sku: 1}, node=node)

        seven = statements(lambda: client.get(BASE))

        assert seven == one

    def test_shows_no_work_of_another_account(self):
        _, order = released()
        client = as_key(AccountFactory())

        assert client.get(BASE).json()["results"] == []
        assert client.get(f"{BASE}{order.pk}/").status_code == 404
        assert post(client, order, "acknowledge").status_code == 404
        assert work(order.pk).state == FulfillmentState.RELEASED

    def test_shows_a_node_operator_their_own_node_only(self):
        sku = SkuFactory()
        here, there = node_for(sku.account), node_for(sku.account)
        _, own = released({sku: 1}, node=here)
        _, foreign = released({sku: 1}, node=there)
        client = as_user(sku.account, "node_operator", here)

        assert [row["id"] for row in client.get(BASE).json()["results"]] == [str(own.pk)]
        assert post(client, foreign, "acknowledge").status_code == 404
        assert post(client, own, "acknowledge").status_code == 200

    def test_refuses_a_stranger_and_a_key_without_the_scope(self):
        _, order = released()

        assert APIClient().get(BASE).status_code == 401
        assert as_key(order.account, scopes=["api.orders.read"]).get(BASE).status_code == 403
        auditor = as_user(order.account, "auditor")
        assert auditor.get(BASE).status_code == 200
        assert post(auditor, order, "acknowledge").status_code == 403


class TestTheWayOut:
    def test_goes_from_release_to_delivered(self):
        placed, order = released(2)
        client, line = as_key(order.account), line_of(order)

        assert post(client, order, "acknowledge", {"external_id": "W-1"}).status_code == 200
        picks = {"picks": [{"line": str(line.pk), "picked": 2}]}
        assert post(client, order, "pick", picks).json()["results"][0]["outcome"] == "done"
        box = post(client, order, "pack").json()["results"][0]["value"]["parcel_ids"][0]
        parcels = {"parcels": [{"parcel": box, "tracking_number": "T-9", "carrier": "paper"}]}
        assert post(client, order, "ship", parcels).status_code == 200
        told = {"events": [{"status": "delivered", "happened_at": "2026-03-04T10:00:00Z"}]}
        answer = client.post(f"/api/v1/parcels/{box}/tracking/", told, format="json")

        assert answer.json()["results"][0]["value"]["state"] == "delivered"
        assert work(order.pk).state == FulfillmentState.COMPLETED
        assert placed.line().delivered == 2
        shown = client.get(f"/api/v1/parcels/{box}/").json()
        assert [event["status"] for event in shown["tracking"]] == ["delivered"]

    def test_ships_everything_packed_when_no_parcel_is_named(self):
        _, order, box = packed()

        assert post(as_key(order.account), order, "ship").status_code == 200
        assert parcel(box.pk).state == ParcelState.HANDED_OVER

    def test_collects_a_pickup(self):
        placed, order = ready(2)

        answer = post(as_key(order.account), order, "collect", {"collected_by": "proxy"})

        assert answer.json()["results"][0]["value"]["state"] == "collected"
        assert placed.line().delivered == 2

    def test_reports_shorts_and_rejections(self):
        placed, order = released(3)
        client, line = as_key(order.account), line_of(order)
        short = {"shorts": [{"line": str(line.pk), "short": 1, "reason": "damaged"}]}

        assert post(client, order, "short", short).status_code == 200
        assert post(client, order, "reject", {"reason": "no_capacity"}).status_code == 200
        assert placed.line().pending == 3

    def test_releases_groups(self):
        placed, _ = released()
        client = as_key(placed.order.account)
        body = {"groups": [str(placed.group.pk), str(uuid4())]}

        results = client.post(f"{BASE}release/", body, format="json").json()["results"]

        assert [result["problem"]["code"] for result in results] == [
            "nothing-reserved",
            "not-found",
        ]


class TestRefusals:
    def test_a_lone_refused_item_is_a_problem(self):
        _, order, _ = shipped()

        answer = post(as_key(order.account), order, "reject", {"reason": "other"})

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/illegal-transition"
        assert "complete" in answer.json()["allowed"]

    def test_several_items_answer_each(self):
        _, order = picked(2)
        line = str(line_of(order).pk)
        picks = {"picks": [{"line": line, "picked": 2}, {"line": line, "picked": 9}]}

        results = post(as_key(order.account), order, "pick", picks).json()["results"]

        assert [result["outcome"] for result in results] == ["repeated", "refused"]
        assert results[1]["problem"]["code"] == "too-many"

    def test_all_errors_of_a_body_come_at_once(self):
        _, order = released()
        body = {"shorts": [{"line": "x", "short": -1, "reason": "bored"}]}

        answer = post(as_key(order.account), order, "short", body)

        assert answer.status_code == 422
        assert {error["pointer"] for error in answer.json()["errors"]} == {
            "/shorts/0/line",
            "/shorts/0/short",
            "/shorts/0/reason",
        }

    def test_a_line_of_another_order_is_not_found(self):
        _, order = released()
        _, other = released()
        picks = {"picks": [{"line": str(line_of(other).pk), "picked": 1}]}

        assert post(as_key(order.account), order, "pick", picks).status_code == 404

    def test_the_same_call_with_its_key_has_one_effect_and_one_answer(self):
        _, order = picked(2)
        client = as_key(order.account)

        first = post(client, order, "pack", HTTP_IDEMPOTENCY_KEY="pack-1")
        again = post(client, order, "pack", HTTP_IDEMPOTENCY_KEY="pack-1")

        assert again.json() == first.json()
        assert again["Idempotent-Replayed"] == "true"


class TestPapers:
    def test_prints_pick_list_and_packing_slip_for_those_who_work(self):
        _, order, box = packed()
        node = order.node
        client = as_user(order.account, "node_operator", node)

        pick_list = client.get(f"{BASE}{order.pk}/pick-list/")
        slip = client.get(f"/api/v1/parcels/{box.pk}/packing-slip/")

        assert pick_list.content.startswith(b"%PDF")
        assert slip.content.startswith(b"%PDF")
        assert slip["Content-Type"] == "application/pdf"

    def test_shows_no_address_to_those_who_may_not_see_one(self):
        _, order, box = packed()
        auditor = as_user(order.account, "auditor")

        assert auditor.get(f"/api/v1/parcels/{box.pk}/packing-slip/").status_code == 403
        assert auditor.get(f"/api/v1/parcels/{box.pk}/label/").status_code == 403

    def test_has_no_label_before_one_was_bought(self):
        _, order, box = packed()

        assert as_key(order.account).get(f"/api/v1/parcels/{box.pk}/label/").status_code == 404
        client = as_user(order.account, "node_operator", order.node)
        assert client.get(f"/api/v1/parcels/{box.pk}/label/").status_code == 404


@pytest.mark.django_db(transaction=True)
class TestManyParcels:
    """Labels are bought with no transaction open, so that these tests commit."""

    def test_bundles_labels_into_one_archive(self):
        _, order, box = labelled()
        client = as_user(order.account, "node_operator", order.node)

        answer = client.post(f"{PARCELS}labels/bundle/", {"parcels": [str(box.pk)]}, format="json")

        assert answer["Content-Type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.namelist() == [f"{box.number}.pdf"]
            assert archive.read(f"{box.number}.pdf").startswith(b"%PDF")

    def test_bundles_all_labels_or_none_and_says_which_are_missing(self):
        _, order, box = packed()
        client = as_user(order.account, "node_operator", order.node)

        answer = client.post(f"{PARCELS}labels/bundle/", {"parcels": [str(box.pk)]}, format="json")

        assert answer.status_code == 409
        assert answer.json()["reason"] == "no-label"
        assert answer.json()["parcels"] == [box.number]

    def test_bundles_no_label_of_another_node_or_for_those_who_may_not_see_one(self):
        _, order, box = labelled()
        body = {"parcels": [str(box.pk)]}
        elsewhere = as_user(order.account, "node_operator", node_for(order.account))
        auditor = as_user(order.account, "auditor")

        assert elsewhere.post(f"{PARCELS}labels/bundle/", body, format="json").status_code == 404
        assert auditor.post(f"{PARCELS}labels/bundle/", body, format="json").status_code == 403

    def test_lists_labelled_parcels_for_the_carrier(self):
        _, order, box = labelled()

        answer = as_key(order.account).post(
            f"{PARCELS}manifest/", {"parcels": [str(box.pk)]}, format="json"
        )

        assert answer.json()["results"][0]["value"]["state"] == "manifested"
        assert parcel(box.pk).state == ParcelState.MANIFESTED

    def test_refuses_what_is_beyond_the_caller(self):
        _, order, _ = labelled()
        body = {"parcels": [str(labelled()[2].pk)]}

        answer = as_key(order.account).post(f"{PARCELS}manifest/", body, format="json")

        assert answer.status_code == 404


class TestReverseShipment:
    def test_takes_a_parcel_back_that_was_not_scanned(self):
        placed, _, box = shipped()

        answer = as_user(placed.order.account, "ops_manager").post(
            f"{PARCELS}{box.pk}/reverse-shipment/"
        )

        assert answer.status_code == 200
        assert answer.json()["results"][0]["value"]["state"] == "packed"
        assert parcel(box.pk).state == ParcelState.PACKED

    def test_is_not_for_the_node_itself(self):
        placed, order, box = shipped()

        answer = as_user(placed.order.account, "node_operator", order.node).post(
            f"{PARCELS}{box.pk}/reverse-shipment/"
        )

        assert answer.status_code == 403
        assert parcel(box.pk).state == ParcelState.HANDED_OVER


class TestWishes:
    def test_are_told_with_their_reasons_and_carried_out(self):
        placed, order = released(2)
        client = as_user(placed.order.account, "ops_manager")
        url = f"{BASE}{order.pk}/"

        told = {one["code"]: one["possible"] for one in client.get(f"{url}wishes/").json()}
        unknown = client.post(f"{url}change-service/", {"service": "by-balloon"}, format="json")
        back = client.post(f"{url}pull-back/", {}, format="json")
        later = {one["code"]: one["reason"] for one in client.get(f"{url}wishes/").json()}

        assert told == {"change_address": True, "change_service": True, "pull_back": True}
        assert unknown.status_code == 404
        assert back.json()["results"][0]["value"]["done"] == 2
        assert later["pull_back"] == f"{order.number} is cancelled."

    def test_are_not_for_the_node_itself(self):
        placed, order = released(2)
        client = as_user(placed.order.account, "node_operator", order.node)

        assert client.post(f"{BASE}{order.pk}/pull-back/", {}).status_code == 403

    def test_that_the_node_was_asked_are_shown_and_answered(self):
        placed, order = picked(2)
        express = ServiceLevelFactory(code="express")
        change_services([ServiceChange(order.pk, express.pk)], at=NOON, actor=BEN)
        client = as_user(placed.order.account, "node_operator", order.node)
        url = f"{BASE}{order.pk}/"

        [asked] = client.get(f"{url}requests/").json()
        answers = {"answers": [{"request": asked["id"], "granted": 2}]}
        client.post(f"{url}answer-requests/", answers, format="json")

        assert (asked["kind"], asked["wants"], asked["line"]) == ("change", ["service"], None)
        assert work(order.pk).service_level_id == express.pk


class TestManifests:
    URL = "/api/v1/manifests/"

    def test_are_closed_listed_and_printed(self):
        placed, order, box = packed()
        label(box)
        client = as_user(placed.order.account, "node_operator", order.node)

        made = client.post(self.URL, {"node": order.node.code, "carrier": "paper"}, format="json")
        (closed,) = made.json()["manifests"]
        listed = client.get(self.URL).json()
        paper = client.get(f"{self.URL}{closed['manifest_id']}/paper/")

        assert (made.status_code, closed["parcels"]) == (201, 1)
        assert parcel(box.pk).state == ParcelState.HANDED_OVER
        assert [one["parcels"] for one in listed["results"]] == [[box.number]]
        assert paper.content.startswith(b"%PDF-")

    def test_of_another_node_are_not_found(self):
        placed, order, box = packed()
        label(box)
        client = as_user(placed.order.account, "node_operator", node_for(placed.order.account))

        answer = client.post(self.URL, {"node": order.node.code, "carrier": "paper"}, format="json")

        assert answer.status_code == 404

    def test_are_refused_when_nothing_waits(self):
        placed, order, _ = packed()

        answer = as_user(placed.order.account, "ops_manager").post(
            self.URL, {"node": order.node.code, "carrier": "paper"}, format="json"
        )

        assert (answer.status_code, answer.json()["reason"]) == (409, "nothing-waits")


def label(box: Parcel) -> None:
    Parcel.objects.for_scope(ALL_ACCOUNTS).filter(pk=box.pk).update(
        state="labelled", labelled_at=NOON, carrier_code="paper", tracking_number="T-1"
    )
