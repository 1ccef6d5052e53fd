"""The page of drift: what does not hold, what its repair would do, and the repair."""

from django.db import connection

from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors, services
from inventory.models import StockPosition
from tests.console.conftest import ACTOR, AT, House


def test_previews_a_repair_and_applies_it(house: House) -> None:
    house.network.stock("VASE", RENO=5)
    position = StockPosition.objects.for_scope(ALL_ACCOUNTS).order_by("-id")[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_stockposition SET sellable = 2 WHERE id = %s", [position.pk]
        )
    services.watch_drift(seconds=0, at=AT, actor=ACTOR)
    (row,) = selectors.open_drifts(ALL_ACCOUNTS)
    client = house.client("ops_manager")

    listed = client.get("/console/drift/").content.decode()
    shown = client.get("/console/drift/repair/", {"id": row.pk})
    answer = client.post("/console/drift/repair/", {"id": row.pk, "token": shown.context["token"]})

    assert "VASE" in listed
    assert "Sellable becomes what lies there: 2 → 5." in shown.content.decode()
    assert answer.status_code == 302
    assert selectors.open_drifts(ALL_ACCOUNTS) == []
