"""How the arrival of inbound goods was put off, or brought forward: append-only."""

from django.db import models
from django.db.models import F, Q

from config.kernel.querysets import ScopedQuerySet
from inventory.models.inbound import InboundLine


class InboundSlip(models.Model):
    """One change of one line's expected arrival: from when to when, who said so, and why."""

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    line = models.ForeignKey(InboundLine, models.CASCADE, related_name="slips")
    was_eta_at = models.DateTimeField()
    eta_at = models.DateTimeField()
    source = models.CharField(max_length=64)
    reason = models.CharField(max_length=200, blank=True, default="")
    actor_name = models.CharField(max_length=120, default="")
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(eta_at=F("was_eta_at")), name="inbound_slip_changes"
            )
        ]

    def __str__(self) -> str:
        return str(self.eta_at)
