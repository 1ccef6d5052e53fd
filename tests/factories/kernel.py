"""Factories of the kernel's models; traits name states."""

from datetime import UTC, datetime, timedelta
from typing import Any

import factory
from factory.django import DjangoModelFactory

from config.kernel import authentication, ids
from config.kernel.access import ROLE_PERMISSIONS
from config.kernel.models import (
    Account,
    ApiKey,
    Brand,
    Case,
    CaseState,
    Channel,
    ChannelKind,
    Grant,
    Intent,
    IntentState,
    Job,
    JobState,
    Role,
    User,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    username = factory.Sequence("user-{}".format)
    is_active = True
    is_staff = True
    password = factory.django.Password("correct horse battery staple")

    class Params:
        superuser = factory.Trait(is_superuser=True)


class AccountFactory(DjangoModelFactory):
    class Meta:
        model = Account

    code = factory.Sequence("account-{}".format)
    name = factory.LazyAttribute(lambda account: account.code.title())


class BrandFactory(DjangoModelFactory):
    class Meta:
        model = Brand

    account = factory.SubFactory(AccountFactory)
    code = factory.Sequence("brand-{}".format)
    name = factory.LazyAttribute(lambda brand: brand.code.title())


class ChannelFactory(DjangoModelFactory):
    class Meta:
        model = Channel

    account = factory.SubFactory(AccountFactory)
    brand = factory.SubFactory(BrandFactory, account=factory.SelfAttribute("..account"))
    code = factory.Sequence("channel-{}".format)
    name = factory.LazyAttribute(lambda channel: channel.code.title())
    kind = ChannelKind.WEB
    currency = "USD"


class RoleFactory(DjangoModelFactory):
    """`RoleFactory(code="cs_agent")` has the permissions that the role comes with."""

    class Meta:
        model = Role
        django_get_or_create = ("code",)

    code = "ops_manager"
    name = factory.LazyAttribute(lambda role: role.code.replace("_", " ").capitalize())
    permissions = factory.LazyAttribute(
        lambda role: (
            sorted(ROLE_PERMISSIONS[role.code].permissions) if role.code in ROLE_PERMISSIONS else []
        )
    )


class GrantFactory(DjangoModelFactory):
    class Meta:
        model = Grant

    user = factory.SubFactory(UserFactory)
    role = factory.SubFactory(RoleFactory)
    account = factory.SubFactory(AccountFactory)
    node_id = None


class ApiKeyFactory(DjangoModelFactory):
    """`ApiKeyFactory().secret` is what the caller sends as its bearer token."""

    class Meta:
        model = ApiKey

    account = factory.SubFactory(AccountFactory)
    channel = None
    name = "Web shop"
    scopes = factory.LazyFunction(
        lambda: ["api.fulfillment.write", "api.orders.read", "api.orders.write", "api.stock.write"]
    )
    created_at = NOON

    class Params:
        revoked = factory.Trait(revoked_at=NOON)
        expired = factory.Trait(expires_at=NOON - timedelta(days=1))

    @classmethod
    def _create(cls, model_class: type[ApiKey], *args: Any, **kwargs: Any) -> ApiKey:
        prefix, secret, digest = authentication.draw()
        key: ApiKey = super()._create(
            model_class, *args, **{"prefix": prefix, "digest": digest, **kwargs}
        )
        key.secret = secret  # type: ignore[attr-defined]  # shown once, never stored
        return key


class CaseFactory(DjangoModelFactory):
    class Meta:
        model = Case

    account = factory.SubFactory(AccountFactory)
    kind = "STUCK"
    subject_kind = "job"
    subject_id = factory.LazyFunction(ids.uuid7)
    dedupe_key = factory.LazyAttribute(lambda case: f"{case.kind}:{case.subject_id}")
    severity = 3
    owner_team = "operations"
    state = CaseState.OPEN
    opened_at = last_seen_at = NOON
    due_at = NOON + timedelta(hours=8)

    class Params:
        resolved = factory.Trait(state=CaseState.RESOLVED, resolved_at=NOON)


class JobFactory(DjangoModelFactory):
    class Meta:
        model = Job

    account = factory.SubFactory(AccountFactory)
    kind = "test.job"
    title = "A job"
    state = JobState.QUEUED
    actor_kind, actor_id, actor_name = "system", "tests", "tests"
    at = NOON


class IntentFactory(DjangoModelFactory):
    class Meta:
        model = Intent

    account = factory.SubFactory(AccountFactory)
    kind = "test.intent"
    key = factory.Sequence("key-{}".format)
    subject_kind = "job"
    subject_id = factory.LazyFunction(ids.uuid7)
    state = IntentState.PENDING
    actor_id = "tests"
    at = NOON
