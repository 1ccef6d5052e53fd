"""What was last known of each statement that must hold."""

import uuid

from django.db import models
from django.db.models import Q, TextChoices

from config.kernel.models.access import Account
from config.kernel.querysets import ScopedQuerySet


class CheckState(TextChoices):
    """How a look at an invariant ended; too slow says nothing about whether it holds."""

    HOLDS = "holds", "Holds"
    BROKEN = "broken", "Broken"
    TOO_SLOW = "too_slow", "Took too long"


class InvariantCheck(models.Model):
    """An invariant of one account: when it was looked at last, how long that took, what was found.

    `id` follows from account and code: cases name it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    code = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=CheckState)
    found = models.IntegerField(default=0)
    detail = models.TextField(default="")
    spent_ms = models.IntegerField(default=0)
    checked_at = models.DateTimeField()
    held_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "code"], name="invariant_check_once"),
            models.CheckConstraint(
                condition=Q(state__in=CheckState.values), name="invariant_check_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.code
