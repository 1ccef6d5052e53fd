"""Factories of promises: groups promised for a time, and paces that are known exactly."""

from datetime import datetime, timedelta
from uuid import UUID

from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import PromiseSlack, StageTime
from fulfillment.services import assess_groups
from fulfillment.slack import AT_NODE
from orders.models import DeliveryGroup, Order, Promise
from tests.factories.fulfillment import Placed
from tests.factories.kernel import NOON

HOUR = timedelta(hours=1)


def promise_for(
    placed: Placed, ship_by: datetime, deliver_by: datetime, *, version: int = 1
) -> Promise:
    """A version for the order's group; its dates stand from then on."""
    DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).filter(pk=placed.group.pk).update(
        ship_by=ship_by, deliver_by=deliver_by
    )
    Order.objects.for_scope(ALL_ACCOUNTS).filter(pk=placed.order.pk).update(
        ship_by=ship_by, deliver_by=deliver_by
    )
    made: Promise = Promise.objects.create(
        order=placed.order,
        group=placed.group,
        account=placed.order.account,
        version=version,
        ship_by=ship_by,
        deliver_earliest=ship_by,
        deliver_latest=deliver_by,
        at=NOON,
    )
    return made


def every_stage_takes_an_hour(account_id: UUID, *, node_id: int | None = None) -> None:
    """Usually an hour, half an hour at best, two hours when slow."""
    StageTime.objects.bulk_create(
        [
            StageTime(
                account_id=account_id,
                node_id=node_id,
                stage=stage,
                fast=1_800,
                usual=3_600,
                slow=7_200,
                samples=50,
                learnt_at=NOON,
            )
            for stage in AT_NODE
        ]
    )


def slack_of(placed: Placed, *, at: datetime) -> PromiseSlack:
    """Where the group's promise stands, assessed at that moment."""
    assess_groups([placed.group.pk], at=at)
    found: PromiseSlack = PromiseSlack.objects.for_scope(ALL_ACCOUNTS).get(pk=placed.group.pk)
    return found
