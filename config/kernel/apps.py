import gc
from typing import Final

from django.apps import AppConfig

_COLLECT_AFTER: Final = (10_000, 20, 50)
"""Containers made before young garbage is looked for, and rounds before older is. A batch makes
hundreds of thousands that live to its end: with Python's 700 a quarter of its time went on looking.
With 50,000 one quote in sixty waited 30 to 70 ms for the one look at all that had been put off.
"""


class KernelConfig(AppConfig):
    """What three apps need and no app owns: access, events, cases, jobs, history, money, clock."""

    name = "config.kernel"
    label = "kernel"
    verbose_name = "Platform"

    def ready(self) -> None:
        from config.kernel import arrays, instants, registration  # models must be there first

        gc.set_threshold(*_COLLECT_AFTER)
        arrays.register()
        instants.register()
        registration.register_all()
