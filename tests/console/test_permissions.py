"""Nobody sees or does what the role may not: every address, every role."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from config.console.urls import urlpatterns
from config.kernel.access import ROLE_PERMISSIONS
from config.reports import sql
from tests.console.conftest import ROLES, House

NOTHING = UUID(int=0)
PATTERNS: dict[str, URLPattern] = {str(each.name): each for each in urlpatterns}
OPEN_TO_ALL = {"home", "tower", "login", "logout", "settings", "nothing", "palette"}


def _order(house: House) -> dict[str, Any]:
    return house.held()


Arguments = Callable[[House], list[Any]]
_none: Arguments = lambda _: []  # noqa: E731
_number: Arguments = lambda house: [_order(house)["number"]]  # noqa: E731
_node: Arguments = lambda house: [house.node("RENO").code]  # noqa: E731


def _group(house: House) -> list[Any]:
    order = _order(house)
    return [order["number"], order["groups"][0]["id"]]


def _case(house: House) -> list[Any]:
    """A case about work of Reno, which its operator may see."""
    return [house.case(_at_reno(house))]


def _at_reno(house: House) -> sql.Row:
    return house.released(sku="LAMP")


def _work(house: House) -> list[Any]:
    work = house.work_of(_at_reno(house))
    return [work["code"], work["number"]]


def _work_id(house: House) -> list[Any]:
    return [house.work_of(_at_reno(house))["id"]]


def _sku(house: House) -> list[Any]:
    return [house.network.skus["MUG"]]


ARGUMENTS: dict[str, Arguments] = {
    "home": _none,
    "tower": _none,
    "login": _none,
    "logout": _none,
    "settings": _none,
    "nothing": _none,
    "palette": _none,
    "orders": _none,
    "orders_export": _none,
    "orders_columns": _none,
    "order_peek": _number,
    "case_peek": _case,
    "undo": _none,
    "view_save": _none,
    "view_change": lambda _: [NOTHING],
    "view_counts": _none,
    "bulk": _none,
    "order_by_id": lambda house: [_order(house)["id"]],
    "order": _number,
    "order_contact": _number,
    "order_why": _group,
    "order_address": _group,
    "order_map": lambda house: [*_number(house), NOTHING],
    "order_action": lambda house: [*_number(house), "note"],
    "order_outside": _number,
    "order_messages": _number,
    "message_again": lambda house: [*_number(house), NOTHING],
    "order_return": _number,
    "returns": _none,
    "returns_scan": _none,
    "return_arrived": _none,
    "returns_authorize": _none,
    "return_by_id": lambda _: [NOTHING],
    "return": lambda _: ["R-0"],
    "return_label": lambda _: ["R-0"],
    "return_grade": lambda _: ["R-0"],
    "return_identify": lambda _: ["R-0"],
    "return_act": lambda _: ["R-0", "settle"],
    "return_photos": lambda _: ["R-0"],
    "return_photo": lambda _: ["R-0", NOTHING],
    "claim_by_id": lambda _: [NOTHING],
    "claim": lambda _: ["C-0"],
    "claim_act": lambda _: ["C-0", "resolve"],
    "carriers": _none,
    "channels": _none,
    "connection": lambda _: [NOTHING],
    "connection_switch": lambda _: [NOTHING],
    "connection_replay": lambda _: [NOTHING],
    "connection_heal": lambda _: [NOTHING],
    "connection_compare": lambda _: [NOTHING],
    "connection_test": lambda _: [NOTHING],
    "connection_secret": lambda _: [NOTHING],
    "inbox_message": lambda _: [NOTHING],
    "inbox_body": lambda _: [NOTHING],
    "outbox": _none,
    "revive": _none,
    "intent": lambda _: [NOTHING],
    "deliveries": _none,
    "webhooks": _none,
    "webhook_endpoint": lambda _: [NOTHING],
    "webhook_replay": lambda _: [NOTHING],
    "webhook_act": lambda _: [NOTHING],
    "webhook": lambda _: [NOTHING],
    "sandbox": _none,
    "sandbox_failure": lambda _: ["wms"],
    "consigned": _none,
    "owner_new": _none,
    "owner": lambda _: [NOTHING],
    "offers": _none,
    "offer_new": _none,
    "offer_end": lambda _: [1],
    "promise": _none,
    "promise_ground": _none,
    "promise_pledge": _none,
    "promise_pledge_end": lambda _: [NOTHING],
    "promise_quote": lambda _: [NOTHING],
    "replanning": _none,
    "replan_run": lambda _: [NOTHING],
    "promises": _none,
    "breaches": _none,
    "promise_of": lambda _: [NOTHING],
    "promise_act": lambda _: [NOTHING, "ask"],
    "remedy_undo": lambda _: [NOTHING],
    "consent_answer": lambda _: [NOTHING],
    "cases": _none,
    "case_by_id": lambda _: [NOTHING],
    "case": _case,
    "case_action": lambda house: [*_case(house), "resolve"],
    "cluster_fix": lambda house: [*_case(house), "hold"],
    "exchange": _none,
    "exchange_export": lambda _: ["skus"],
    "supply_import": lambda _: [NOTHING],
    "import_apply": lambda _: [NOTHING],
    "import_results": lambda _: [NOTHING],
    "reservations": _none,
    "reservations_move": _none,
    "reservation_give": lambda _: [NOTHING],
    "cart": lambda _: [NOTHING, "extend"],
    "free": lambda _: [NOTHING],
    "rules": _none,
    "rule_new": _none,
    "rule": lambda _: [NOTHING],
    "quotas": _none,
    "quota_new": _none,
    "quota": lambda _: [NOTHING],
    "stock": _none,
    "sku": _sku,
    "stock_figure": lambda _: [1],
    "sku_adjust": _sku,
    "sku_condition": _sku,
    "sku_convert": _sku,
    "told_why": lambda house: [*_sku(house), house.network.channel.code],
    "told_again": lambda house: [*_sku(house), house.network.channel.code],
    "sku_count": _sku,
    "counts": _none,
    "count_cancel": lambda _: [1],
    "node_counts": _node,
    "lots": _none,
    "lot": lambda _: [1],
    "lot_act": lambda _: [1, "hold"],
    "lot_consignees": lambda _: [1],
    "serial": lambda _: [1],
    "recall": lambda _: [NOTHING],
    "adjustments": _none,
    "adjustment": lambda _: [NOTHING],
    "adjustment_decide": lambda _: [NOTHING, "approve"],
    "inbounds": _none,
    "inbound": lambda _: [1],
    "inbound_slip": lambda _: [1],
    "inbound_act": lambda _: [1, "receive"],
    "ahead": _none,
    "ahead_cap": _none,
    "ahead_cap_end": lambda _: [1],
    "transfers": _none,
    "transfer_new": _none,
    "transfer_by_id": lambda _: [NOTHING],
    "transfer": lambda _: ["T-0"],
    "transfer_act": lambda _: ["T-0", "ship"],
    "transfer_claim": lambda _: ["T-0", NOTHING],
    "feeds": _none,
    "feed": lambda _: [1],
    "feed_run": lambda _: [NOTHING],
    "feed_decide": lambda _: [NOTHING],
    "snapshot": lambda _: [NOTHING],
    "difference": lambda _: [1],
    "decisions": _none,
    "decision": lambda _: [NOTHING],
    "policies": _none,
    "policy_new": _none,
    "policy": lambda _: [NOTHING],
    "policy_edit": lambda _: [NOTHING],
    "policy_act": lambda _: [NOTHING, "submit"],
    "policy_count": _none,
    "simulate": lambda _: [NOTHING],
    "shadow_start": lambda _: [NOTHING],
    "simulations": _none,
    "simulation": lambda _: [NOTHING],
    "simulation_stop": lambda _: [NOTHING],
    "certificates": _none,
    "certify": _none,
    "certificate": lambda _: [NOTHING],
    "flows": _none,
    "flows_csv": _none,
    "scorecards": _none,
    "scorecards_csv": _none,
    "jobs": _none,
    "job": lambda _: [NOTHING],
    "job_csv": lambda _: [NOTHING],
    "job_cancel": lambda _: [NOTHING],
    "job_retry": lambda _: [NOTHING],
    "health": _none,
    "drift": _none,
    "drift_repair": _none,
    "replay_deliveries": _none,
    "inbox": _none,
    "inbox_replay": _none,
    "work_by_id": _work_id,
    "parcel_by_id": _work_id,
    "nodes": _none,
    "node": _node,
    "node_scan": _node,
    "node_pause": _node,
    "node_end": _node,
    "node_groups": _none,
    "node_group_new": _none,
    "node_group": lambda _: [1],
    "node_about": _node,
    "node_describe": _node,
    "node_plan": _node,
    "node_plan_cancel": lambda house: [*_node(house), 1],
    "node_threshold": _node,
    "node_edit": lambda house: [*_node(house), "hours"],
    "pick_list": _node,
    "packing_slips": _node,
    "labels": _node,
    "manifests": _node,
    "manifest_close": _node,
    "manifest": lambda _: [NOTHING],
    "take_back": _work,
    "fulfillment_order": _work,
    "work_wish": lambda house: [*_work(house), "pull_back"],
    "work_short": _work,
    "work_reject": _work,
    "request_answer": _work,
    "work_act": lambda house: [*_work(house), "acknowledge"],
}
# What is asked for does not exist, or the form is empty: anything but "forbidden" will do.
LET_IN = {200, 204, 302, 404, 405, 409, 422}


def permissions_of(name: str) -> tuple[str, ...]:
    view = PATTERNS[name].callback
    holder = getattr(view, "view_class", view)
    return tuple(str(each) for each in holder.permissions)


def send(client: Client, name: str, arguments: list[Any]) -> int:
    """Ask as a reader, and as a writer where the page only takes what is sent."""
    address = reverse(f"console:{name}", args=arguments)
    status = client.get(address).status_code
    return client.post(address).status_code if status == 405 else status


def anything(name: str) -> list[Any]:
    """Arguments that the address takes, of records that are not there."""
    examples = {"uuid": NOTHING, "int": 1, "slug": "x", "string": "X-1"}
    converters = PATTERNS[name].pattern.converters.values()
    return [examples[type(each).__name__.removesuffix("Converter").lower()] for each in converters]


class TestEveryAddress:
    def test_is_listed_here(self) -> None:
        assert set(PATTERNS) == set(ARGUMENTS)

    def test_names_its_permission(self) -> None:
        assert [name for name in set(ARGUMENTS) - OPEN_TO_ALL if not permissions_of(name)] == []

    def test_asks_strangers_to_sign_in(self, db: None) -> None:
        stranger = Client()
        let_in = {}
        for name in sorted(set(ARGUMENTS) - {"login", "logout"}):
            response = stranger.get(reverse(f"console:{name}", args=anything(name)))
            leads = response.headers.get("Location", "")
            if response.status_code != 302 or not leads.startswith(reverse("console:login")):
                let_in[name] = response.status_code
        assert let_in == {}


class TestARole:
    """One retailer for all addresses: what is asked changes nothing that another asks about."""

    def test_sees_what_it_may_and_nothing_else(self, house: House) -> None:
        house.network.stock("LAMP", RENO=40)
        clients = {role: house.client(role) for role in ROLES}
        wrong = {}
        for name in sorted(set(ARGUMENTS) - OPEN_TO_ALL):
            arguments = _shared(name, house)
            needed = set(permissions_of(name))
            for role, client in clients.items():
                held = {str(each) for each in ROLE_PERMISSIONS[role].permissions}
                status = send(client, name, arguments)
                fine = status in LET_IN if needed & held else status == 403
                if not fine:
                    wrong[name, role] = status
        assert wrong == {}

    def test_that_nobody_gave_lets_nobody_in(self, house: House) -> None:
        nobody = house.client("nobody")
        found = {name: send(nobody, name, anything(name)) for name in set(ARGUMENTS) - OPEN_TO_ALL}
        assert {name: status for name, status in found.items() if status != 403} == {}


def _shared(name: str, house: House) -> list[Any]:
    """The arguments of an address; those that are made alike are made once."""
    make = ARGUMENTS[name]
    known: dict[Any, list[Any]] = house.__dict__.setdefault("arguments", {})
    if make not in known:
        known[make] = make(house)
    return known[make]


class TestAVerb:
    """Verbs have permissions of their own, beneath that of the page."""

    @pytest.mark.parametrize(
        "code",
        ["hold", "release_hold", "release", "reroute", "cancel", "retry_capture", "note"],
    )
    def test_is_kept_from_roles_without_its_permission(self, code: str, house: House) -> None:
        from config.console.verbs import VERBS

        order = house.held()
        for role in ("ops_manager", "cs_agent", "auditor", "integrator"):
            held = {str(each) for each in ROLE_PERMISSIONS[role].permissions}
            client = house.client(role)
            single = client.get(reverse("console:order_action", args=[order["number"], code]))
            bulk = client.get(reverse("console:bulk"), {"verb": code, "id": [str(order["id"])]})
            wanted = VERBS[code].permission.value in held
            assert (single.status_code != 403) == wanted, f"{role} {code}: {single.status_code}"
            assert (bulk.status_code != 403) == wanted, f"{role} {code}: {bulk.status_code}"


class TestANodeOperator:
    def test_sees_only_the_granted_node(self, house: House) -> None:
        client = house.client("node_operator")
        assert (
            client.get(reverse("console:node", args=[house.node("RENO").code])).status_code == 200
        )
        for other in ("COLUMBUS", "NEWARK"):
            code = house.node(other).code
            assert client.get(reverse("console:node", args=[code])).status_code == 404
            assert code not in client.get(reverse("console:nodes")).content.decode()

    def test_sees_only_the_stock_of_the_node(self, house: House) -> None:
        page = house.client("node_operator").get(reverse("console:sku", args=_sku(house)))
        assert house.node("RENO").code in page.content.decode()
        assert house.node("COLUMBUS").code not in page.content.decode()

    def test_cannot_work_on_another_nodes_work_through_its_own(self, house: House) -> None:
        house.network.stock("VASE", COLUMBUS=3)
        work = house.work_of(house.released(sku="VASE"))
        client = house.client("node_operator")
        code = house.node("RENO").code
        address = reverse("console:work_act", args=[code, work["number"], "acknowledge"])
        assert client.post(address).status_code == 404


class TestAnotherAccount:
    def test_is_behind_the_wall(self, house: House) -> None:
        from tests.factories.kernel import GrantFactory, RoleFactory, UserFactory

        order = house.order()
        case = house.case(order)
        stranger = Client()
        user = UserFactory()
        GrantFactory(user=user, role=RoleFactory(code="ops_manager"))
        stranger.force_login(user)
        addresses = [
            reverse("console:order", args=[order["number"]]),
            reverse("console:order_by_id", args=[order["id"]]),
            reverse("console:order_action", args=[order["number"], "cancel"]),
            reverse("console:case", args=[case]),
            reverse("console:sku", args=_sku(house)),
            reverse("console:node", args=_node(house)),
        ]
        assert [stranger.get(each).status_code for each in addresses] == [404] * len(addresses)
        listed = stranger.get(reverse("console:orders")).content.decode()
        assert order["number"] not in listed
        bulk = stranger.get(reverse("console:bulk"), {"verb": "hold", "id": [str(order["id"])]})
        assert bulk.status_code == 422
