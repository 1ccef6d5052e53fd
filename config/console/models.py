"""What people keep for themselves in the console."""

from django.db import models
from django.db.models import Q

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet


class ViewPage(models.TextChoices):
    ORDERS = "orders", "Orders"
    CASES = "cases", "Cases"


class SavedView(models.Model):
    """A name for the query of a list: somebody's own, or with no owner the whole account's."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    owner = models.ForeignKey(
        "kernel.User", models.CASCADE, null=True, blank=True, related_name="+"
    )
    page = models.CharField(max_length=16, choices=ViewPage)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=2000, blank=True)
    saved_by = models.CharField(max_length=120)
    saved_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(page__in=ViewPage.values), name="saved_view_page_known"
            ),
            models.UniqueConstraint(
                fields=["account", "page", "owner", "name"],
                name="saved_view_name_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return self.name
