"""Finding one order by what people call it."""

from contextlib import suppress
from uuid import UUID

from django.db.models import Q

from config.kernel.types import Scope
from orders.models import Order


def find_by_number(text: str, scope: Scope) -> Order | None:
    """The order of this number, external number, external id or id; the latest of several."""
    wanted = Q(number=text.upper()) | Q(external_number=text) | Q(external_id=text)
    with suppress(ValueError):
        wanted |= Q(pk=UUID(text))
    found: Order | None = Order.objects.for_scope(scope).filter(wanted).order_by("-pk").first()
    return found
