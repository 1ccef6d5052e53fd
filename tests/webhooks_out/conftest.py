from collections.abc import Iterator
from typing import Any

import pytest

from integrations.webhooks_out import pressure


@pytest.fixture(autouse=True)
def _here(settings: Any) -> Iterator[None]:
    """Endpoints of tests listen on this machine."""
    settings.WEBHOOK_NETWORKS = ["127.0.0.1/32"]
    pressure.forget()
    yield
    pressure.forget()
