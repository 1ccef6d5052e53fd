"""What surrounds every page: who reads it, in which zone and at which business time."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest

from config.console.places import PLACES, Place
from config.kernel import access, clock
from config.kernel.access import Permission
from config.kernel.models import User
from config.kernel.types import Scope
from config.reports import frame as reports
from config.reports.order_filters import Moment

THEMES = ("auto", "light", "dark")


@dataclass
class Frame:
    """The reader and the moment; made once per request. Counts are read when a page shows them."""

    user: User
    now: datetime
    theme: str = "auto"
    keys: str = "on"
    permissions: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, request: HttpRequest) -> "Frame":
        theme = request.COOKIES.get("theme", "auto")
        user: Any = request.user
        return cls(
            user=user,
            now=clock.now(),
            theme=theme if theme in THEMES else "auto",
            keys="off" if request.COOKIES.get("keys") == "off" else "on",
            permissions=access.permissions_of(user),
        )

    def may(self, permission: Permission | str) -> bool:
        return str(permission) in self.permissions

    @cached_property
    def can(self) -> dict[str, bool]:
        """`frame.can.orders_hold` in templates."""
        return {code.value.replace(".", "_"): code.value in self.permissions for code in Permission}

    def scope(self, permission: Permission | str) -> Scope:
        return access.scope_of(self.user, str(permission))

    def nodes(self, permission: Permission | str) -> set[int] | None:
        return access.nodes_of(self.user, str(permission))

    @cached_property
    def places(self) -> list[Place]:
        simulated = bool(settings.SANDBOX_URLS)
        return [
            place
            for place in PLACES
            if self.may(place.permission) and (simulated or not place.demo)
        ]

    @cached_property
    def zone(self) -> ZoneInfo:
        reach = access.scope_of(self.user)
        ids: list[UUID] = sorted(reach.account_ids)
        return ZoneInfo(reports.account_zone(ids, everything=reach.everything))

    @property
    def zone_name(self) -> str:
        """The place that the zone is named after: `New York`."""
        return self.zone.key.rpartition("/")[2].replace("_", " ")

    @cached_property
    def moment(self) -> Moment:
        return Moment(self.now, self.zone)

    @cached_property
    def counts(self) -> dict[str, int]:
        return reports.counts(
            cases=self.scope(Permission.CASES_VIEW) if self.may(Permission.CASES_VIEW) else None,
            jobs=self.scope(Permission.JOBS_VIEW) if self.may(Permission.JOBS_VIEW) else None,
            nodes=self.nodes(Permission.CASES_VIEW),
        )

    @cached_property
    def environment(self) -> str:
        return getattr(settings, "CONSOLE_ENVIRONMENT", "") or (
            "development" if settings.DEBUG else "production"
        )

    @property
    def admin(self) -> bool:
        """Configuration is open to those who may read or change it there."""
        return self.user.is_staff and (
            self.may(Permission.CONFIG_EDIT) or self.may(Permission.AUDIT_VIEW)
        )
