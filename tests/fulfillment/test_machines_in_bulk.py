"""Every (state × transition) of fulfillment's machines in bulk: who moved meanwhile stops it all."""

from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from config.kernel.errors import Conflict
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.services.parcels import write_parcels
from fulfillment.services.work import Work, open_parcels
from fulfillment.states import FulfillmentState, ParcelState
from tests.factories.fulfillment import BEN, many_packed, packed
from tests.factories.kernel import NOON
from tests.fulfillment.test_machines import ARGUMENTS, PARCEL

pytestmark = pytest.mark.django_db

MOVES = [
    pytest.param(source, name, id=f"{source}-{name}")
    for name, (sources, _) in PARCEL.items()
    for source in sorted(sources)
]


def put(model: Any, pk: UUID, state: str) -> None:
    """Set a row's state behind the machine's back."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET state = %s WHERE id = %s",  # noqa: S608
            [state, pk],
        )


@transaction.atomic
def write(work: Work, was: dict[UUID, str], *, meanwhile: str | None = None) -> None:
    """Write all that were opened; the last one may move before that."""
    if meanwhile is not None:
        put(Parcel, max(work.parcels), meanwhile)
    write_parcels(
        work,
        list(work.parcels.values()),
        was,
        topic="parcel.changed",
        reason="test",
        at=NOON,
        actor=BEN,
    )


@pytest.fixture(scope="module")
def boxes(kept_rows: None) -> list[Parcel]:
    return [box for _, _, box in many_packed(2)]


def states(boxes: list[Parcel]) -> list[str]:
    kept = Parcel.objects.for_scope(ALL_ACCOUNTS).in_bulk([box.pk for box in boxes])
    return [kept[box.pk].state for box in boxes]


@pytest.mark.parametrize(("source", "name"), MOVES)
def test_parcels_move_together_or_not_at_all(boxes: list[Parcel], source: str, name: str) -> None:
    for box in boxes:
        put(Parcel, box.pk, source)

    with transaction.atomic():
        work = open_parcels([box.pk for box in boxes], scope=ALL_ACCOUNTS)
        was = {pk: box.state for pk, box in work.parcels.items()}
        for box in work.parcels.values():
            # A fulfillment order is taken back at a time, a parcel without one.
            getattr(box, name)(**({} if name == "take_back" else ARGUMENTS.get(name, {})))
        for meanwhile in sorted(set(ParcelState.values) - {source}):
            with pytest.raises(Conflict):
                write(work, was, meanwhile=meanwhile)
            assert states(boxes) == [source, source], meanwhile
        write(work, was)

    target = PARCEL[name][1]
    assert states(boxes) == [target, target]


@pytest.mark.parametrize(
    ("model", "known"), [(FulfillmentOrder, FulfillmentState), (Parcel, ParcelState)]
)
def test_the_database_refuses_a_state_nobody_declared(model: Any, known: Any) -> None:
    _, work, box = packed()
    pk = work.pk if model is FulfillmentOrder else box.pk
    assert "mislaid" not in known.values

    with pytest.raises(IntegrityError, match="state_known"), transaction.atomic():
        put(model, pk, "mislaid")
