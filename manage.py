#!/usr/bin/env python
"""Switchyard's command line. Starts the embedded services first, for commands that need them."""

import os
import sys

from config.command_line import prepare


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    prepare(sys.argv)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
