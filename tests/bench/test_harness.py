"""The benchmark's own parts: what it measures must be what it says."""

import json
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

import pytest

from bench import baskets, ground, post
from bench.__main__ import PARTS, _parts
from bench.report import Figure, Report, percentile
from bench.world import BRAND, CHANNEL, World
from config.demo.catalog import catalog
from config.demo.made import Retailer

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
WORLD = World(
    Retailer(UUID(int=1), {BRAND: UUID(int=2)}, {CHANNEL: UUID(int=3)}, {}, {}),
    tuple(sku for sku in catalog() if sku.kind == "stock" and sku.price_minor),
)


class TestPercentile:
    def test_is_the_sample_below_which_the_share_lies(self):
        samples = [float(number) for number in range(100, 0, -1)]
        assert [percentile(samples, share) for share in (0.5, 0.95, 0.99)] == [51.0, 96.0, 100.0]

    def test_of_one_sample_is_that_sample(self):
        assert percentile([7.0], 0.99) == 7.0


class TestReport:
    def test_relates_a_rate_to_a_floor_of_the_same_run_only(self):
        report = Report(floor={"batch50_uniform": 9_000.0})
        assert report.of_floor(900.0, "batch50_uniform") == pytest.approx(0.1)
        assert report.of_floor(900.0, "fn_uniform") is None

    def test_writes_figures_and_what_was_skipped(self, tmp_path, capsys):
        report = Report()
        report.add(Figure("bulk", 1_234.5, "orders/s", ">= 1", 0.1))
        report.skip("import", "there is no file")
        report.write(tmp_path / "out.json")
        written = json.loads((tmp_path / "out.json").read_text())
        assert written["figures"][0]["value"] == 1_234.5
        assert written["skipped"] == {"import": "there is no file"}
        assert "0.100 of its floor" in capsys.readouterr().out


class TestBaskets:
    def test_have_three_lines_a_fifth_two_places_a_twentieth_a_wrong_total(self):
        drafts = list(islice(baskets.drafts(WORLD, "test", at=AT), 2_000))
        lines = {sum(len(group.lines) for group in draft.groups) for draft in drafts}
        split = sum(len(draft.groups) == 2 for draft in drafts) / len(drafts)
        wrong = sum(
            draft.totals.total_minor != draft.tenders[0].amount_minor for draft in drafts
        ) / len(drafts)
        assert lines == {3}
        assert split == pytest.approx(baskets.TWO_PLACES, abs=0.03)
        assert wrong == pytest.approx(baskets.HELD, abs=0.015)

    def test_are_the_same_for_the_same_name(self):
        first, again = (list(islice(baskets.drafts(WORLD, "same", at=AT), 20)) for _ in range(2))
        assert first == again

    def test_carry_discount_and_tax_that_add_up(self):
        for draft in islice(baskets.drafts(WORLD, "sums", at=AT), 50):
            for line in (line for group in draft.groups for line in group.lines):
                gross = int(line.unit_price * 100) * line.quantity
                assert line.discount_minor
                assert line.tax_minor
                assert line.total_minor == gross - line.discount_minor + line.tax_minor


class TestBody:
    def test_says_what_a_client_knows_and_nothing_of_ours(self):
        draft = next(baskets.drafts(WORLD, "body", at=AT))
        body = json.loads(post.body_of(draft))
        assert body["external_id"] == draft.external_id
        assert body["placed_at"] == AT.isoformat()
        assert {"channel_id", "account_id", "mode", "inbox_id"}.isdisjoint(body)
        assert body["groups"][0]["lines"][0]["unit_price"].count(".") == 1


class TestParts:
    def test_are_named_by_only(self):
        assert _parts("floor,bulk") == ["floor", "bulk"]
        assert set(PARTS) >= {"floor", "engine", "bulk", "post", "import", "list"}

    def test_refuse_a_name_that_is_none(self):
        with pytest.raises(Exception, match="warp"):
            _parts("floor,warp")


class TestGround:
    def test_has_a_cluster_of_its_own_with_the_tuning_of_the_floor(self):
        home = ground.home()
        assert home.root.name == "bench"
        assert home.durable
        assert dict(home.tuning)["fsync"] == "on"
        assert dict(home.tuning)["shared_buffers"] == "1GB"

    def test_reads_a_database_address_with_a_socket(self):
        url = "postgresql://sy:secret@/shop?host=/run/pg%20x"
        assert ground.socket_of(url) == ("/run/pg x", "sy", "secret", "shop")
