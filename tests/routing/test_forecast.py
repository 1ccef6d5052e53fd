"""What a forecast learns, and what it draws."""

from datetime import date, timedelta

import numpy as np

from routing.engine.forecast import Forecast, fitted_strength, orders_by_day, sure

SIZES = np.array([0.5, 0.3, 0.2])


def a_forecast(weights: list[float]) -> Forecast:
    return Forecast(sure(np.array(weights)), sure(np.ones(4)), SIZES)


def counts_of(truth: Forecast, orders: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    baskets = truth.sample(1, [orders], np.random.default_rng(seed))
    skus = np.concatenate([one.sku.ravel() for one in baskets])
    rows = np.concatenate([one.row for one in baskets])
    return np.bincount(skus, minlength=len(truth.skus.mean)), np.bincount(rows, minlength=4)


class TestForecast:
    def test_follows_what_was_ordered_where_it_was_wrong(self) -> None:
        truth, believed = a_forecast([1, 2, 4, 8, 16, 1]), a_forecast([16, 8, 4, 2, 1, 1])

        learned = believed.learned(*counts_of(truth, 2_000, 1), 2_000)

        assert np.allclose(learned.inclusion(), truth.inclusion(), atol=0.04)

    def test_stays_where_it_was_right(self) -> None:
        truth = a_forecast([1, 2, 4, 8, 16, 1])

        learned = truth.learned(*counts_of(truth, 60, 2), 60)

        assert np.allclose(learned.inclusion(), truth.inclusion(), atol=0.05)

    def test_draws_baskets_without_repeats_as_often_as_it_says(self) -> None:
        truth = a_forecast([1, 2, 4, 8, 16, 1])

        baskets = truth.sample(2, [3_000, 3_000], np.random.default_rng(3))

        seen = np.zeros(6)
        for one in baskets:
            assert all(len(set(row)) == len(row) for row in one.sku.tolist())
            seen += np.bincount(one.sku.ravel(), minlength=6)
        assert sum(len(one.row) for one in baskets) == 12_000
        assert np.allclose(seen / 12_000, truth.inclusion(), atol=0.05)


def test_a_strength_is_fitted_to_how_far_off_counts_are() -> None:
    expected = np.full(50, 20.0)
    close = np.random.default_rng(4).poisson(20, 50)
    off = np.random.default_rng(4).poisson(20 * np.random.default_rng(5).lognormal(0, 0.8, 50))

    assert fitted_strength(expected, off) < 6
    assert fitted_strength(expected, close) >= 30


def test_says_how_far_off_it_was() -> None:
    truth, believed = a_forecast([1, 2, 4, 8, 16, 1]), a_forecast([16, 8, 4, 2, 1, 1])
    lines, _ = counts_of(truth, 2_000, 6)

    assert truth.error(lines, 2_000) < 0.1
    assert believed.error(lines, 2_000) > 0.5
    assert truth.error(np.zeros(6, dtype=np.int64), 0) == 1


def test_weekdays_count_once_there_are_weeks_enough() -> None:
    monday = date(2026, 3, 2)
    recorded = {monday + timedelta(days=n): 70 if n % 7 < 5 else 10 for n in range(28)}

    assert orders_by_day(recorded, [monday, monday + timedelta(days=5)]) == [64, 24]
    few = dict(list(recorded.items())[:7])
    assert orders_by_day(few, [monday, monday + timedelta(days=5)]) == [53, 53]
