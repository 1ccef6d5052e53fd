"""`python -m bench`: the order road under load, beside the floor of the same run."""

import argparse
import os
from pathlib import Path

from bench import floor, ground
from bench.report import Report

FEEDS = ("snapshot", "deltas", "fold")
PARTS = (
    "floor",
    "engine",
    "prices",
    "backtest",
    "bulk",
    "post",
    "import",
    "list",
    "availability",
    "reserve",
    "rematch",
    "quote",
    *FEEDS,
)


def main() -> None:
    asked = _arguments()
    parts = asked.only or list(PARTS)
    report = Report()
    running = ground.stand()
    print(f"load before: {os.getloadavg()[0]:.2f}", flush=True)
    if "floor" in parts:
        floor.run(report, running.owner_url, seconds=4 if asked.quick else 10)
    if "engine" in parts:
        from bench import engine

        engine.run(report, 50 if asked.quick else 200)
    if "prices" in parts:
        from bench import price_book

        price_book.run(report, skus=2_000 if asked.quick else 20_000)
    if "backtest" in parts:
        import django

        django.setup()
        from bench import backtest

        backtest.run(report, quick=asked.quick)
    if {"bulk", "post", "import", "list", "reserve", "rematch", *FEEDS} & set(parts):
        _on_the_application(report, parts, asked, running.owner_url)
    if "availability" in parts:
        _availability(report, asked)
    if "quote" in parts:
        _quotes(report, asked)
    if asked.json:
        report.write(asked.json)


def _availability(report: Report, asked: argparse.Namespace) -> None:
    import django

    ground.migrate()
    django.setup()
    from bench import availability

    skus, nodes, rounds = (2_000, 100, 40) if asked.quick else (20_000, 1_000, 200)
    availability.run(report, skus=skus, nodes=nodes, rounds=rounds)


def _quotes(report: Report, asked: argparse.Namespace) -> None:
    import django

    ground.migrate()
    django.setup()
    from bench import quotes

    quotes.run(report, nodes=100 if asked.quick else 300, rounds=30 if asked.quick else 300)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples, 100,000 orders listed")
    parser.add_argument("--only", type=_parts, help=f"some of {','.join(PARTS)}")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    parser.add_argument("--retail", type=Path, help="a large UCI Online Retail file to import")
    return parser.parse_args()


def _parts(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no part is called {', '.join(sorted(unknown))}")
    return names


def _on_the_application(
    report: Report, parts: list[str], asked: argparse.Namespace, owner_url: str
) -> None:
    import django

    ground.migrate()
    django.setup()
    from bench import bulk, imports, pages, post, world

    built = world.build()
    if "bulk" in parts:
        bulk.run(report, built, batches=3 if asked.quick else 12)
    if "post" in parts:
        post.run(report, built, seconds=10 if asked.quick else 40)
    if "import" in parts:
        imports.run(report, built, asked.retail, quick=asked.quick)
    if "reserve" in parts:
        from bench import reserve

        reserve.run(report, built, owner_url, seconds=4 if asked.quick else 15)
    if "rematch" in parts:
        from bench import rematch

        rematch.run(report, built, orders=600 if asked.quick else 8_800)
    if set(FEEDS) & set(parts):
        from bench import feeds

        feeds.run(report, built, parts, quick=asked.quick)
    if "list" in parts:
        pages.run(report, built, orders=100_000 if asked.quick else 1_000_000)


if __name__ == "__main__":
    main()
