"""Imports: every line in one bucket, continued where it was stopped, never taken twice."""

import csv
import gzip
import io
import json
from collections import Counter
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from config.kernel.errors import Busy, Invalid
from config.kernel.types import ALL_ACCOUNTS
from integrations import selectors
from integrations.imports import files
from integrations.imports.buckets import Bucket
from integrations.imports.profiles import PROFILES
from integrations.models import ImportProblem, ImportRun
from integrations.services.derive_stock import derive_stock
from integrations.services.imports import ImportRequest, import_orders
from inventory.models import Sku, StockPosition
from orders.models import Order, OrderLine
from orders.services import accept_captured
from tests.factories.kernel import NOON, ChannelFactory
from tests.factories.routing import SYSTEM, Network, a_network
from tests.integrations.samples import ONLINE_RETAIL, need

pytestmark = pytest.mark.django_db

NATIVE = ("order_id", "sku", "quantity", "unit_price", "name", "address1", "city", "region")
NATIVE = (*NATIVE, "postal_code", "country")
BUYER = ("Ann Lee", "350 Fifth Avenue", "New York", "NY", "10118", "US")
RETAIL = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)


def native(tmp_path: Path, *lines: tuple[str, str, str]) -> Path:
    """A CSV file of (order, SKU, quantity)."""
    rows = [(*line, "10.00", BUYER[0], f"{line[0]} Main Street", *BUYER[2:]) for line in lines]
    return written(tmp_path / "orders.csv", NATIVE, rows)


def retail(tmp_path: Path, *lines: tuple[str, ...]) -> Path:
    """A file of the retailer: (invoice, code, quantity, price, customer), a minute apart."""
    rows = [
        (invoice, code, "THING", quantity, f"2011-03-01 09:{n:02}:00", price, customer, "France")
        for n, (invoice, code, quantity, price, customer) in enumerate(lines)
    ]
    return written(tmp_path / "retail.csv", RETAIL, rows)


def written(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def run(network: Network, path: Path, *, format_: str = "csv", mode: str = "live", **options):
    request = ImportRequest(
        path, PROFILES[format_], selectors.channel_ref(network.channel), mode, **options
    )
    return import_orders(request, request.profile.scan(path), at=NOON, actor=SYSTEM)


def command(network: Network, path: Path, *args: str) -> tuple[int, str]:
    """Run the command; return its exit code and what it printed."""
    out = io.StringIO()
    with pytest.raises(SystemExit) as end:
        call_command(
            "import_orders",
            str(path),
            "--channel",
            network.channel.code,
            *args,
            stdout=out,
            stderr=io.StringIO(),
        )
    return int(end.value.code or 0), out.getvalue()


def buckets() -> dict[str, int]:
    return ImportRun.objects.for_scope(ALL_ACCOUNTS).get().counts


def lines() -> dict[str, tuple[int, int, int]]:
    """(ordered, cancelled, returned) by SKU code."""
    rows = OrderLine.objects.for_scope(ALL_ACCOUNTS).values_list(
        "external_sku", "ordered", "cancelled", "returned"
    )
    return {sku: tuple(units) for sku, *units in rows}


def order_count() -> int:
    return Order.objects.for_scope(ALL_ACCOUNTS).count()


@pytest.fixture
def network() -> Network:
    network = a_network()
    network.stock("TEE", NEWARK=50)
    network.stock("MUG", RENO=50)
    return network


class TestImportOrders:
    def test_makes_orders_of_lines_and_accepts_them(self, network, tmp_path):
        path = native(tmp_path, ("W-1", "TEE", "2"), ("W-1", "MUG", "1"), ("W-2", "TEE", "1"))

        done = run(network, path)

        assert done.finished
        assert buckets() == {"captured": 3}
        states = Order.objects.for_scope(ALL_ACCOUNTS).values_list("external_id", "state")
        assert sorted(states) == [("W-1", "accepted"), ("W-2", "accepted")]

    def test_changes_nothing_when_the_same_file_comes_again(self, network, tmp_path):
        path = native(tmp_path, ("W-1", "TEE", "2"))
        run(network, path)

        again = run(network, path)

        assert (again.before, again.done, order_count()) == (1, 1, 1)
        assert buckets() == {"captured": 1}

    def test_counts_what_another_file_repeats(self, network, tmp_path):
        run(network, native(tmp_path, ("W-1", "TEE", "2")))
        other = native(tmp_path, ("W-1", "TEE", "2"), ("W-2", "TEE", "1"))

        done = run(network, other)

        assert done.counts == Counter({"captured": 1, "repeated": 1})
        assert order_count() == 2

    def test_puts_the_scattered_lines_of_an_order_together(self, network, tmp_path):
        path = native(tmp_path, ("W-1", "TEE", "2"), ("W-2", "TEE", "1"), ("W-1", "MUG", "1"))

        run(network, path, batch=1)

        assert buckets() == {"captured": 3}
        order = Order.objects.for_scope(ALL_ACCOUNTS).get(external_id="W-1")
        assert order.lines.count() == 2

    def test_keeps_a_bad_order_out_and_the_others_in(self, network, tmp_path):
        path = native(tmp_path, ("W-1", "TEE", "two"), ("W-1", "MUG", "1"), ("W-2", "TEE", "1"))

        run(network, path)

        assert buckets() == {"unreadable": 2, "captured": 1}
        assert list(ImportProblem.objects.order_by("line").values_list("line", "reference")) == [
            (2, "W-1"),
            (3, "W-1"),
        ]

    def test_says_which_orders_are_on_hold(self, network, tmp_path):
        run(network, native(tmp_path, ("W-1", "UNKNOWN", "1"), ("W-2", "TEE", "1")))

        assert buckets() == {"held": 1, "captured": 1}

    def test_goes_on_where_it_was_stopped(self, network, tmp_path):
        path = native(tmp_path, *((f"W-{n}", "TEE", "1") for n in range(10)))
        stopped = run(network, path, batch=2, limit=4)

        done = run(network, path, batch=2)

        assert (stopped.finished, stopped.done) == (False, 4)
        assert (done.finished, done.before, done.done) == (True, 4, 10)
        assert buckets() == {"captured": 10}

    def test_goes_on_after_it_was_killed(self, network, tmp_path):
        path = native(tmp_path, *((f"W-{n}", "TEE", "1") for n in range(10)))

        class Killed(BaseException):
            """What a signal does: nothing of the batch at hand remains."""

        def kill(progress) -> None:
            if progress.done == 6:
                raise Killed

        request = ImportRequest(
            path, PROFILES["csv"], selectors.channel_ref(network.channel), "live", 2
        )
        with pytest.raises(Killed):
            import_orders(request, request.profile.scan(path), at=NOON, actor=SYSTEM, watch=kill)

        assert order_count() == 6
        assert run(network, path).counts == Counter({"captured": 10})
        assert order_count() == 10

    def test_stops_when_another_process_has_moved_the_file_on(self, network, tmp_path):
        path = native(tmp_path, *((f"W-{n}", "TEE", "1") for n in range(3)))
        request = ImportRequest(
            path, PROFILES["csv"], selectors.channel_ref(network.channel), "live", 1
        )

        def meddle(_) -> None:
            ImportRun.objects.for_scope(ALL_ACCOUNTS).update(position=99)

        with pytest.raises(Busy):
            import_orders(request, request.profile.scan(path), at=NOON, actor=SYSTEM, watch=meddle)

        assert order_count() == 1

    def test_isolates_an_order_that_hits_a_fault_of_ours(self, network, tmp_path):
        path = native(tmp_path, *((f"W-{n}", "TEE", "1") for n in range(5)))
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "IF NEW.external_id = 'W-3' THEN RAISE EXCEPTION 'a fault'; END IF; "
                "RETURN NEW; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER fail BEFORE INSERT ON {Order._meta.db_table} "
                "FOR EACH ROW EXECUTE FUNCTION pg_temp.fail()"
            )

        run(network, path)

        assert buckets() == {"captured": 4, "failed": 1}
        problem = ImportProblem.objects.get()
        assert (problem.line, problem.reference, problem.code) == (5, "W-3", "fault")

    def test_goes_on_when_a_batch_cannot_be_accepted_and_leaves_it_to_the_sweeper(
        self, network, tmp_path
    ):
        path = native(tmp_path, *((f"W-{n}", "TEE", "1") for n in range(4)))
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "IF NEW.state = 'accepted' AND NEW.external_id IN ('W-0', 'W-1') "
                "THEN RAISE EXCEPTION 'a fault'; END IF; RETURN NEW; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER fail BEFORE UPDATE ON {Order._meta.db_table} "
                "FOR EACH ROW EXECUTE FUNCTION pg_temp.fail()"
            )

        run(network, path, batch=2)

        states = dict(Order.objects.for_scope(ALL_ACCOUNTS).values_list("external_id", "state"))
        assert buckets() == {"captured": 4}
        assert states == {
            "W-0": "captured", "W-1": "captured", "W-2": "accepted", "W-3": "accepted"
        }  # fmt: skip

        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER fail ON {Order._meta.db_table}")
        assert accept_captured(10, at=NOON, actor=SYSTEM) == 2


class TestOnlineRetail:
    def test_sorts_every_line_into_one_bucket(self, network, tmp_path):
        path = retail(
            tmp_path,
            ("1", "TEE", "6", "2.55", "17850.0"),
            ("1", "POST", "1", "18.00", "17850.0"),
            ("C2", "TEE", "-2", "2.55", "17850.0"),
            ("C3", "TEE", "-1", "2.55", "99999.0"),
            ("C4", "D", "-1", "27.50", "17850.0"),
            ("C5", "TEE", "-9", "2.55", "17850.0"),
            ("6", "MUG", "-10", "0", ""),
            ("A7", "B", "1", "11062.06", ""),
            ("8", "MUG", "4", "0", ""),
        )

        done = run(network, path, format_="online-retail")

        assert done.counts == Counter(
            {
                "held": 2,
                "cancelled": 1,
                "unmatched_credit": 1,
                "service_credit": 1,
                "credited_in_part": 1,
                "stock_adjustment": 2,
                "bookkeeping": 1,
            }
        )
        assert sum(done.counts.values()) == done.total
        assert lines()["TEE"] == (6, 6, 0)

    def test_cancels_the_latest_sale_first_and_none_that_came_later(self, network, tmp_path):
        path = retail(
            tmp_path,
            ("1", "TEE", "5", "2.55", "17850.0"),
            ("2", "TEE", "3", "2.55", "17850.0"),
            ("C3", "TEE", "-4", "2.55", "17850.0"),
            ("4", "TEE", "7", "2.55", "17850.0"),
        )

        run(network, path, format_="online-retail")

        cancelled = OrderLine.objects.for_scope(ALL_ACCOUNTS).values_list(
            "order__external_id", "cancelled"
        )
        assert dict(cancelled) == {"1": 1, "2": 3, "4": 0}

    def test_records_as_returned_what_was_shipped(self, network, tmp_path):
        path = retail(
            tmp_path,
            ("1", "TEE", "5", "2.55", "17850.0"),
            ("C2", "TEE", "-2", "2.55", "17850.0"),
        )

        done = run(network, path, format_="online-retail", mode="history")

        assert done.counts == Counter({"captured": 1, "returned": 1})
        assert lines()["TEE"] == (5, 0, 2)

    def test_matches_a_credit_of_a_later_run_to_a_sale_of_an_earlier_one(self, network, tmp_path):
        path = retail(
            tmp_path,
            ("1", "TEE", "5", "2.55", "17850.0"),
            ("C2", "TEE", "-2", "2.55", "17850.0"),
            ("C3", "TEE", "-2", "2.55", "17850.0"),
        )
        for _ in range(3):
            run(network, path, format_="online-retail", batch=1, limit=1)
            run(network, path, format_="online-retail", batch=1, limit=2)
        run(network, path, format_="online-retail")

        assert lines()["TEE"] == (5, 4, 0)

    def test_takes_the_first_lines_of_the_real_file_stopped_and_continued(self, network, tmp_path):
        """5,000 real lines as history, stopped halfway: as if it had never stopped."""
        head = tmp_path / "head.csv"
        with gzip.open(need(ONLINE_RETAIL), "rt", encoding="utf-8") as file:
            head.write_text("".join(file.readline() for _ in range(5_001)))

        half = run(network, head, format_="online-retail", mode="history", limit=2_500)
        done = run(network, head, format_="online-retail", mode="history")

        assert not half.finished
        assert done.finished
        assert sum(done.counts.values()) == done.total == 5_000
        assert done.counts["failed"] == done.counts["refused"] == done.counts["repeated"] == 0
        kept = OrderLine.objects.for_scope(ALL_ACCOUNTS).count()
        assert kept == done.counts["captured"] + done.counts["service"]
        returned = sum(units for *_, units in lines().values())
        assert returned >= 0
        assert run(network, head, format_="online-retail", mode="history").before == 5_000


class TestDeriveStock:
    def test_defines_what_the_file_sold_and_receives_it_once(self, network, tmp_path):
        path = retail(
            tmp_path,
            ("1", "85123a", "6", "2.55", "17850.0"),
            ("2", "85123A", "4", "2.95", "17850.0"),
            ("2", "POST", "1", "18.00", "17850.0"),
            ("C3", "85123A", "-2", "2.55", "17850.0"),
        )
        profile, channel = PROFILES["online-retail"], selectors.channel_ref(network.channel)

        for _ in range(2):
            derived = derive_stock(
                profile.stock_lines(path), channel, "ab" * 32, at=NOON, actor=SYSTEM
            )

        sku = Sku.objects.for_scope(ALL_ACCOUNTS).get(code="85123A")
        units = StockPosition.objects.for_scope(ALL_ACCOUNTS).filter(sku=sku)
        assert (derived.skus, derived.units) == (1, 10)
        assert sorted(units.values_list("sellable", flat=True)) == [3, 7]
        assert sku.price_minor == 295

    def test_needs_a_node_to_put_it(self, tmp_path):
        path = retail(tmp_path, ("1", "85123A", "6", "2.55", "17850.0"))
        channel = selectors.channel_ref(ChannelFactory())

        with pytest.raises(Invalid):
            derive_stock(
                PROFILES["online-retail"].stock_lines(path), channel, "x", at=NOON, actor=SYSTEM
            )


class TestCommand:
    def test_prints_a_table_whose_lines_add_up(self, network, tmp_path):
        path = native(tmp_path, ("W-1", "TEE", "2"), ("W-2", "", "1"))
        errors = tmp_path / "errors.csv"

        code, printed = command(
            network, path, "--format", "csv", "--mode", "live", "--errors", str(errors)
        )

        assert code == 3
        assert "1 │ captured" in printed
        assert "1 │ unreadable" in printed
        assert "2 │ lines of 2 orders" in printed
        with errors.open(newline="") as file:
            [row] = csv.DictReader(file)
        assert (row["line"], row["order"], row["bucket"]) == ("3", "W-2", "unreadable")

    def test_keeps_nothing_of_a_dry_run(self, network, tmp_path):
        path = native(tmp_path, ("W-1", "TEE", "2"))

        code, printed = command(
            network, path, "--format", "csv", "--mode", "live", "--dry-run", "--json"
        )

        assert code == 0
        assert json.loads(printed)["buckets"] == {"captured": 1}
        assert order_count() == 0
        assert not ImportRun.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_reads_tabs_and_gzip(self, network, tmp_path):
        path = tmp_path / "orders.tsv.gz"
        with gzip.open(path, "wt", newline="") as file:
            file.write("order_id\tsku\tquantity\taddress1\tpostal_code\tcountry\n")
            file.write("W-1\tTEE\t2\t350 Fifth Avenue\t10118\tUS\n")

        code, _ = command(network, path, "--format", "tsv", "--mode", "live")

        assert (code, order_count()) == (0, 1)

    def test_reads_shopify_documents(self, network, tmp_path):
        from tests.integrations.documents import shop_order

        path = tmp_path / "orders.json"
        path.write_text(json.dumps({"orders": [shop_order(), shop_order(id=2), {"id": 3}]}))

        code, printed = command(network, path, "--format", "shopify", "--mode", "history", "--json")

        assert code == 3
        assert json.loads(printed)["buckets"] == {"captured": 2, "unreadable": 1}

    def test_takes_stock_from_the_file_first(self, network, tmp_path):
        path = native(tmp_path, ("W-1", "NEW-SKU", "2"))

        code, printed = command(
            network, path, "--format", "csv", "--mode", "live", "--derive-stock", "--json"
        )

        assert (code, json.loads(printed)["buckets"]) == (0, {"captured": 1})
        assert Order.objects.for_scope(ALL_ACCOUNTS).get().progress == "reserved"

    @pytest.mark.parametrize(
        ("content", "args"),
        [
            ("", ()),
            ("order_id,qty\n", ()),
            ("order_id,sku,quantity,moon\n", ()),
            ("order_id,sku,quantity\n", ("--batch", "0")),
            ("order_id,sku,quantity\n", ("--limit", "-1")),
        ],
    )
    def test_says_what_it_does_not_understand(self, network, tmp_path, content, args):
        path = tmp_path / "orders.csv"
        path.write_text(content)

        code, _ = command(network, path, "--format", "csv", "--mode", "live", *args)

        assert code == 2

    def test_needs_a_file_and_a_channel(self, network, tmp_path):
        missing, _ = command(network, tmp_path / "x", "--format", "csv", "--mode", "live")
        network.channel.code = "nowhere"
        path = native(tmp_path, ("W-1", "TEE", "2"))
        unknown, _ = command(network, path, "--format", "csv", "--mode", "live")

        assert (missing, unknown) == (2, 2)


class TestFiles:
    def test_finds_the_orders_with_gaps(self, tmp_path):
        path = native(tmp_path, ("1", "A", "1"), ("2", "A", "1"), ("1", "B", "1"), ("3", "A", "1"))

        known = files.scan(path, ",", lambda row: row["order_id"])

        assert (known.lines, known.orders, known.scattered) == (4, 3, {"1": 4})

    def test_gives_back_lines_that_do_not_fit_the_header(self, tmp_path):
        path = tmp_path / "orders.csv"
        path.write_text("order_id,sku\n1,A\n1,B,C\n1,D\n")
        known = files.scan(path, ",", lambda row: row["order_id"])

        found = [
            (piece.key, piece.numbers)
            for piece in files.pieces(path, ",", lambda row: row["order_id"], known)
        ]

        assert sorted(number for _, numbers in found for number in numbers) == [2, 3, 4]
        assert ("", [3]) in found

    def test_labels_every_bucket(self):
        assert len({bucket.label for bucket in Bucket}) == len(Bucket)
