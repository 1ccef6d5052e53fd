"""Real documents of channels, read where they lie; a test that needs one skips where it is absent."""

import json
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parents[3] / "shared" / "data"
ONLINE_RETAIL = SAMPLES / "orders" / "online_retail_2010-12_to_2011-08.csv.gz"


def need(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"the sample {path.name} is not on this machine")
    return path


def documents(folder: str, pattern: str) -> list[tuple[str, dict[str, Any]]]:
    """Every order document of a channel's samples: (file, document)."""
    found = []
    for path in sorted((SAMPLES / "channels" / folder).glob(pattern)):
        loaded = json.loads(path.read_text())
        whole = loaded if isinstance(loaded, dict) else {"orders": loaded}
        listed = whole.get("orders", [whole.get("order", whole)])
        found += [(path.name, one) for one in listed if isinstance(one, dict) and "id" in one]
    return found


SHOPIFY = documents("shopify", "order__*.json")
WOOCOMMERCE = documents("woocommerce", "*.json")
