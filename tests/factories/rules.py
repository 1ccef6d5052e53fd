"""Factories of buffer rules and quota plans as rows; their commands make those that count."""

import factory
from factory.django import DjangoModelFactory

from inventory.models import BufferRule, QuotaPlan
from tests.factories.kernel import NOON, AccountFactory, ChannelFactory


class BufferRuleFactory(DjangoModelFactory):
    class Meta:
        model = BufferRule

    account = factory.SubFactory(AccountFactory)
    name = factory.Sequence("rule {}".format)
    sequence = factory.Sequence(int)
    safety_units = 1
    starts_at = NOON


class QuotaPlanFactory(DjangoModelFactory):
    class Meta:
        model = QuotaPlan

    channel = factory.SubFactory(ChannelFactory)
    account = factory.SelfAttribute("channel.account")
    name = factory.Sequence("quota {}".format)
    kind = "fixed"
    units = 1
    starts_at = NOON
