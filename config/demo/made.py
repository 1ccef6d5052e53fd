"""The retailer as it stands in the database: the ids of what was set up, by code."""

from dataclasses import dataclass
from uuid import UUID

from config.kernel.types import Actor

ACTOR = Actor.system("demo installer")


@dataclass(frozen=True, slots=True)
class Retailer:
    """Ids of what was set up, by code."""

    account_id: UUID
    brand_ids: dict[str, UUID]
    channel_ids: dict[str, UUID]
    node_ids: dict[str, int]
    sku_ids: dict[str, int]
