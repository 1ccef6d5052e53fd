"""Named sets of nodes: what a rule says of stores, it says of every store that is added later."""

from django.db import models

from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from inventory.models.network import Node


class NodeGroup(models.Model):
    """Nodes that an account treats alike, under one code."""

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    code = models.SlugField(max_length=32)
    name = models.CharField(max_length=120)
    nodes = models.ManyToManyField(Node, through="NodeGroupMember", related_name="groups")

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "code"], name="node_group_code_once")
        ]

    def __str__(self) -> str:
        return self.code


class NodeGroupMember(models.Model):
    """A node stands in a group."""

    group = models.ForeignKey(NodeGroup, models.CASCADE, related_name="members")
    node = models.ForeignKey(Node, models.CASCADE, related_name="+")

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "node"], name="node_group_member_once")
        ]

    def __str__(self) -> str:
        return f"{self.group_id} {self.node_id}"
