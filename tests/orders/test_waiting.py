"""Orders that wait for goods: promised by when they come, promised anew when that moves."""

from datetime import timedelta

from config.kernel.events import Recorded
from config.kernel.models import CaseReport, Event, Job
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS
from inventory import services as inventory
from inventory.models import AheadCap, Backing, Reservation, StockPosition
from inventory.types import CapDraft, ReceivedLine, SlipDraft
from orders.models import Hold, Promise
from orders.services import serve_backorders
from orders.services.slips import repromise_waiting
from orders.waiting import on_inbound
from tests.factories.inventory import InboundFactory, InboundLineFactory
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, Shop, line, lines_of, only_line, order_of

DAY = timedelta(days=1)


def expect(web: Shop, sku, units: int, days: int = 3):
    document = InboundFactory(account=web.account, node=web.node)
    return InboundLineFactory(inbound=document, sku=sku, expected=units, eta_at=NOON + days * DAY)


def slip(row, days: int) -> None:
    draft = SlipDraft(row.pk, NOON + days * DAY)
    inventory.slip_inbound([draft], source="carrier", reason="storm", at=NOON, actor=ANNA)


def promises(order) -> list[Promise]:
    found = Promise.objects.for_scope(ALL_ACCOUNTS).filter(order=order)
    return list(found.order_by("version"))


def told(topic: str) -> list[Event]:
    return list(Event.objects.for_scope(ALL_ACCOUNTS).filter(topic=topic))


class TestAnOrderThatWaits:
    def test_is_promised_by_when_its_goods_are_there(self, web: Shop) -> None:
        sku = web.sku()
        row = expect(web, sku, 5)

        first, second = web.accepted(line(sku, 4)), web.accepted(line(sku, 4))

        (promise,) = promises(first)
        assert promise.ship_by >= row.eta_at
        assert promise.basis["waits"]["inbound_line_ids"] == [row.pk]
        assert order_of(first.id).deliver_by == promise.deliver_latest
        claim = Reservation.objects.for_scope(ALL_ACCOUNTS).get(thread_id=first.id)
        assert claim.promised_at == promise.deliver_latest
        assert Backing.objects.get(pk=claim.pk).ready_by == row.eta_at
        assert promises(second) == [], "not all of it is on its way"
        assert second.deliver_by is None

    def test_leaves_with_what_is_there_and_arrives_with_what_is_not(self, web: Shop) -> None:
        there, coming = web.sku(4), web.sku()
        row = expect(web, coming, 4, days=9)

        order = web.accepted(line(there, 2), line(coming, 2))

        (promise,) = promises(order)
        assert promise.ship_by < row.eta_at < promise.deliver_latest
        assert [kept.reserved for kept in lines_of(order)] == [2, 0]

    def test_beyond_what_may_be_sold_ahead_is_held_and_within_it_not(self, web: Shop) -> None:
        web.channel.backorders = False
        web.channel.save(update_fields=["backorders"])
        sku = web.sku()
        expect(web, sku, 50)
        draft = CapDraft(web.account.pk, web.channel.pk, sku.pk, 5)
        inventory.set_caps([draft], at=NOON, actor=ANNA)

        within, beyond = web.accepted(line(sku, 4)), web.accepted(line(sku, 4))

        assert [order_of(o.id).holds_open for o in (within, beyond)] == [0, 1]
        assert promises(within)
        assert not promises(beyond)
        assert "as many ahead as it may" in Hold.objects.for_scope(ALL_ACCOUNTS).get().reason
        assert AheadCap.objects.for_scope(ALL_ACCOUNTS).get().used == 4
        repromise_waiting([beyond.id], at=NOON, actor=ANNA)
        assert not promises(beyond)


class TestGoodsThatSlip:
    def test_make_a_later_version_a_message_and_a_case_and_never_loosen_it_again(
        self, web: Shop
    ) -> None:
        sku = web.sku()
        row = expect(web, sku, 5)
        order = web.accepted(line(sku, 4))
        (was,) = promises(order)
        slip(row, 20)

        repromise_waiting([order.id], "inbound:PO-1", at=NOON, actor=ANNA)

        before, now = promises(order)
        assert before.deliver_latest == was.deliver_latest
        assert (now.cause, now.version > was.version) == ("inbound", True)
        assert now.ship_by >= NOON + 20 * DAY
        assert order_of(order.id).deliver_by == now.deliver_latest
        (moved,) = told("order.promise_moved")
        assert moved.data["was"] == was.deliver_latest.isoformat()
        case = CaseReport.objects.get(kind="PROMISE_BROKEN")
        assert "cancel what waits" in case.evidence["options"]
        claim = Reservation.objects.for_scope(ALL_ACCOUNTS).get()
        assert claim.promised_at == was.deliver_latest, "it keeps its place in the queue"
        slip(row, 4)
        repromise_waiting([order.id], at=NOON, actor=ANNA)
        assert len(promises(order)) == 2
        web.account.settings = {"improve_promises": True}
        web.account.save(update_fields=["settings"])
        repromise_waiting([order.id], at=NOON, actor=ANNA)
        assert promises(order)[-1].cause == "inbound earlier"
        assert promises(order)[-1].deliver_latest < now.deliver_latest
        assert len(told("order.promise_moved")) == 1

    def test_are_followed_in_the_background_by_every_order_that_waits(self, web: Shop) -> None:
        sku = web.sku()
        row = expect(web, sku, 20)
        orders = [web.accepted(line(sku, 2)) for _ in range(3)]
        slip(row, 30)

        (event,) = told("inbound.slipped")
        on_inbound([Recorded(**{name: getattr(event, name) for name in Recorded.__slots__})])
        for job_id in jobs.due_jobs():
            jobs.run_job(job_id, at=NOON)

        job = Job.objects.for_scope(ALL_ACCOUNTS).get()
        assert (job.kind, job.state, job.done) == ("orders.repromise", "done", 3)
        assert [len(promises(order)) for order in orders] == [2, 2, 2]

    def test_that_do_not_come_at_all_are_a_case_and_the_promise_stands(self, web: Shop) -> None:
        sku = web.sku()
        row = expect(web, sku, 5)
        order = web.accepted(line(sku, 4))
        inventory.cancel_inbound([row.inbound_id], "bankrupt", at=NOON, actor=ANNA)

        repromise_waiting([order.id], at=NOON, actor=ANNA)

        assert len(promises(order)) == 1
        assert CaseReport.objects.get(kind="PROMISE_BROKEN").evidence["now"] == ""
        expect(web, sku, 5, days=6)
        repromise_waiting([order.id], at=NOON, actor=ANNA)
        assert promises(order)[-1].cause == "inbound"

    def test_cost_the_same_statements_for_one_order_and_for_twenty(
        self, web: Shop, django_assert_max_num_queries
    ) -> None:
        sku = web.sku()
        row = expect(web, sku, 100)
        orders = [web.accepted(line(sku, 2)).id for _ in range(20)]
        slip(row, 30)
        counts = []
        for some in (orders[:1], orders[1:]):
            with django_assert_max_num_queries(60) as counted:
                repromise_waiting(some, at=NOON, actor=ANNA)
            counts.append(len(counted))

        assert counts[0] == counts[1]


class TestGoodsThatArrive:
    def receive(self, row, units: int, condition: str = "") -> None:
        came = [ReceivedLine(row.pk, units, condition=condition)]
        inventory.receive_inbound(row.inbound_id, came, at=NOON, actor=ANNA)

    def test_are_kept_off_sale_and_go_by_promise_then_priority_then_age(self, web: Shop) -> None:
        sku = web.sku()
        row = expect(web, sku, 8)
        promised = web.accepted(line(sku, 4))
        old, urgent, young = (
            web.accepted(line(sku, 5)),
            web.accepted(line(sku, 5), priority=9),
            web.accepted(line(sku, 5)),
        )

        def had() -> list[int]:
            return [only_line(order).reserved for order in (promised, urgent, old, young)]

        def serve() -> int:
            position = StockPosition.objects.for_scope(ALL_ACCOUNTS).get(sku=sku)
            assert position.landed == position.sellable - position.reserved, "nothing is on sale"
            return serve_backorders([sku.pk], at=NOON, actor=ANNA)

        self.receive(row, 3)
        assert (serve(), had()) == (3, [3, 0, 0, 0])
        self.receive(row, 2, "damaged")
        assert had() == [3, 0, 0, 0], "what is broken serves nobody"
        self.receive(row, 6)
        assert (serve(), had()) == (6, [4, 5, 0, 0])
        self.receive(row, 10)
        assert (serve(), had()) == (10, [4, 5, 5, 5])
        self.receive(row, 4)
        position = StockPosition.objects.for_scope(ALL_ACCOUNTS).get(sku=sku)
        assert (position.landed, position.sellable - position.reserved) == (0, 4)
        row.refresh_from_db()
        assert (row.received, row.completed_at) == (25, NOON)
        assert row.inbound.refresh_from_db() is None
        assert row.inbound.state == "received"
