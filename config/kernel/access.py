"""Who may do what: permission codes, the roles that hold them, and the one place that asks.

A user's rights come from grants: (role, account, node or all nodes). An API key's rights are its
scopes, within its account; a channel's key reaches its own channel's documents only. The system's
own actors may do everything. A permission counts in the account where it is held: reads and
commands take the scope of the permission that opened the door (`scope_of(user, permission)`).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import TextChoices

from config.kernel.errors import Forbidden
from config.kernel.models import ApiKey, Grant, User
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Scope

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


class Permission(TextChoices):
    ORDERS_VIEW = "orders.view", "See orders"
    ORDERS_HOLD = "orders.hold", "Place and release holds"
    ORDERS_CANCEL = "orders.cancel", "Cancel orders, lines and units"
    ORDERS_CHANGE_ADDRESS = "orders.change_address", "Correct addresses"
    ORDERS_REROUTE = "orders.reroute", "Send from another node"
    ORDERS_NOTE = "orders.note", "Add notes"
    ORDERS_EXPORT = "orders.export", "Export orders"
    ORDERS_VIEW_CONTACT = "orders.view_contact", "See names, addresses and phone numbers"
    INVENTORY_VIEW = "inventory.view", "See stock"
    INVENTORY_ADJUST = "inventory.adjust", "Adjust stock"
    INVENTORY_APPROVE = "inventory.approve", "Approve large adjustments and transfers"
    INVENTORY_CLAIM = "inventory.claim", "Move reservations and free them for somebody else"
    INVENTORY_PLAN = "inventory.plan", "Set buffers, thresholds and quotas"
    INVENTORY_RECALL = "inventory.recall", "Hold and recall lots"
    NETWORK_PAUSE = "network.pause", "Pause and resume nodes"
    NETWORK_EDIT = "network.edit", "Change nodes, their calendars and capacity"
    ROUTING_VIEW = "routing.view", "See policies and decisions"
    ROUTING_EDIT = "routing.edit", "Edit and publish policies"
    FULFILLMENT_VIEW = "fulfillment.view", "See fulfillment orders"
    FULFILLMENT_WORK = "fulfillment.work", "Pick, pack, ship, report shorts"
    FULFILLMENT_RELEASE = "fulfillment.release", "Release orders to nodes"
    FULFILLMENT_REVERSE = "fulfillment.reverse", "Take shipments back"
    RETURNS_VIEW = "returns.view", "See returns"
    RETURNS_WORK = "returns.work", "Receive and grade returns"
    RETURNS_DECIDE = "returns.decide", "Authorise, decline and settle returns"
    RETURNS_OVERRIDE = "returns.override", "Let returns in against the policy"
    PAYMENTS_SETTLE = "payments.settle", "Settle payments by hand"
    CASES_VIEW = "cases.view", "See cases"
    CASES_WORK = "cases.work", "Work on cases"
    JOBS_VIEW = "jobs.view", "See jobs"
    HEALTH_VIEW = "health.view", "See the health of feeds and workers"
    AUDIT_VIEW = "audit.view", "Read the audit history"
    INTEGRATIONS_VIEW = "integrations.view", "See messages from outside"
    INTEGRATIONS_REPLAY = "integrations.replay", "Replay messages and deliveries"
    INTEGRATIONS_MANAGE = "integrations.manage", "Set up and switch connections"
    CONFIG_EDIT = "config.edit", "Change configuration"
    ACCESS_EDIT = "access.edit", "Change users, roles, grants and keys"
    API_ORDERS_WRITE = "api.orders.write", "API: send orders"
    API_ORDERS_READ = "api.orders.read", "API: read orders"
    API_STOCK_WRITE = "api.stock.write", "API: send stock"
    API_AVAILABILITY = "api.availability", "API: ask what can be sold, and hold it for a cart"
    API_CATALOG_WRITE = "api.catalog.write", "API: send SKUs, nodes, inbound and quotas"
    API_FULFILLMENT_WRITE = "api.fulfillment.write", "API: report fulfillment"
    API_WEBHOOKS_WRITE = "api.webhooks.write", "API: manage webhook endpoints"
    API_RETURNS_WRITE = "api.returns.write", "API: ask for and report returns"


@dataclass(frozen=True, slots=True)
class RoleKind:
    """A role that the software brings along; its permissions may be narrowed in the console."""

    name: str
    permissions: frozenset[Permission]


_VIEWS: Final = frozenset(
    code
    for code in Permission
    if code.value.endswith(".view") and code is not Permission.AUDIT_VIEW
)
_API: Final = frozenset(code for code in Permission if code.value.startswith("api."))

ROLE_PERMISSIONS: Final[dict[str, RoleKind]] = {
    "ops_manager": RoleKind(
        "Operations manager", frozenset(Permission) - _API - {Permission.ACCESS_EDIT}
    ),
    "cs_agent": RoleKind(
        "Customer service agent",
        frozenset(
            {
                Permission.ORDERS_VIEW,
                Permission.ORDERS_HOLD,
                Permission.ORDERS_CANCEL,
                Permission.ORDERS_CHANGE_ADDRESS,
                Permission.ORDERS_NOTE,
                Permission.ORDERS_VIEW_CONTACT,
                Permission.INVENTORY_VIEW,
                Permission.ROUTING_VIEW,
                Permission.FULFILLMENT_VIEW,
                Permission.RETURNS_VIEW,
                Permission.RETURNS_DECIDE,
                Permission.CASES_VIEW,
                Permission.CASES_WORK,
                Permission.JOBS_VIEW,
            }
        ),
    ),
    "node_operator": RoleKind(
        "Node operator",
        frozenset(
            {
                Permission.FULFILLMENT_VIEW,
                Permission.FULFILLMENT_WORK,
                Permission.RETURNS_VIEW,
                Permission.RETURNS_WORK,
                Permission.INVENTORY_VIEW,
                Permission.CASES_VIEW,
            }
        ),
    ),
    "auditor": RoleKind("Auditor", _VIEWS | {Permission.AUDIT_VIEW}),
    "integrator": RoleKind(
        "Integrator",
        frozenset(
            {
                Permission.INTEGRATIONS_VIEW,
                Permission.INTEGRATIONS_REPLAY,
                Permission.INTEGRATIONS_MANAGE,
                Permission.HEALTH_VIEW,
                Permission.JOBS_VIEW,
                Permission.CASES_VIEW,
                Permission.ORDERS_VIEW,
                Permission.INVENTORY_VIEW,
            }
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whoever calls with an API key: `request.user` and `request.auth` of such a request."""

    id: UUID
    account_id: UUID
    channel_id: UUID | None
    name: str
    prefix: str
    scopes: frozenset[str]
    requests_per_minute: int
    is_authenticated: bool = True
    is_anonymous: bool = False
    is_active: bool = True
    is_staff: bool = False
    is_superuser: bool = False

    @classmethod
    def of(cls, key: ApiKey) -> "KeyHolder":
        return cls(
            id=key.id,
            account_id=key.account_id,
            channel_id=key.channel_id,
            name=key.name,
            prefix=key.prefix,
            scopes=frozenset(key.scopes),
            requests_per_minute=key.requests_per_minute,
        )

    @property
    def pk(self) -> UUID:
        return self.id


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """One grant as it counts: within which account and node, which permissions."""

    account_id: UUID
    node_id: int | None
    permissions: frozenset[str]


Principal: TypeAlias = "User | KeyHolder | AnonymousUser | AbstractBaseUser | Actor"

_EVERYTHING: Final = frozenset(Permission.values)
_GRANTS_ATTRIBUTE: Final = "_held_grants"

NodesUsed: TypeAlias = Callable[[Collection[UUID]], Mapping[UUID, set[int]]]
_nodes_used: list[NodesUsed] = []


def grants_of(user: User) -> list[HeldGrant]:
    """The user's grants, read once per instance: a request sees one answer."""
    held: list[HeldGrant] | None = getattr(user, _GRANTS_ATTRIBUTE, None)
    if held is None:
        held = [
            HeldGrant(account_id, node_id, frozenset(permissions))
            for account_id, node_id, permissions in Grant.objects.filter(user=user).values_list(
                "account_id", "node_id", "role__permissions"
            )
        ]
        setattr(user, _GRANTS_ATTRIBUTE, held)
    return held


def permissions_of(principal: Principal, account_id: UUID | None = None) -> frozenset[str]:
    """The codes the principal holds: within one account, or in any of its accounts.

    An actor of kind user or API key is looked up again; a system actor holds everything.
    """
    principal = _resolved(principal)
    if isinstance(principal, Actor):
        held = principal.kind is ActorKind.SYSTEM
        return _EVERYTHING if held else frozenset()
    if isinstance(principal, KeyHolder):
        within = account_id is None or account_id == principal.account_id
        return principal.scopes if within else frozenset()
    if not isinstance(principal, User) or not principal.is_active:
        return frozenset()
    if principal.is_superuser:
        return _EVERYTHING
    return frozenset().union(
        *(
            grant.permissions
            for grant in grants_of(principal)
            if account_id is None or grant.account_id == account_id
        )
    )


def allows(principal: Principal, permission: str, account_id: UUID | None = None) -> bool:
    return permission in permissions_of(principal, account_id)


def require(principal: Principal, permission: str, account_id: UUID | None = None) -> None:
    """Raise Forbidden unless the principal holds the permission (within the account, if given)."""
    if not allows(principal, permission, account_id):
        raise Forbidden(
            f"This needs the permission “{Permission(permission).label}”.", permission=permission
        )


def scope_of(principal: Principal, *permissions: str) -> Scope:
    """The accounts where the principal holds one of the permissions; with none named, any role."""
    if isinstance(principal, Actor):
        return principal.scope
    if isinstance(principal, KeyHolder):
        holds = not permissions or not principal.scopes.isdisjoint(permissions)
        return Scope(frozenset({principal.account_id} if holds else ()))
    if not isinstance(principal, User) or not principal.is_active:
        return Scope(frozenset())
    if principal.is_superuser:
        return ALL_ACCOUNTS
    return Scope(frozenset(grant.account_id for grant in _giving(principal, permissions)))


def nodes_of(principal: Principal, *permissions: str) -> set[int] | None:
    """The nodes whose work the principal may see or do (with a permission); None means all.

    A grant for one node says nothing about another account. At a node that several of the
    principal's accounts use, what each of them allows counts: nobody sees one account's work there
    because another account lets them.
    """
    principal = _resolved(principal)
    if isinstance(principal, KeyHolder | Actor):
        return None
    if not isinstance(principal, User) or not principal.is_active:
        return set()
    if principal.is_superuser:
        return None
    reach: dict[UUID, set[int] | None] = {}
    for grant in _giving(principal, permissions):
        within = reach.setdefault(grant.account_id, set())
        if grant.node_id is None or within is None:
            reach[grant.account_id] = None
        else:
            within.add(grant.node_id)
    return _shared_nodes(reach)


def declare_nodes(used_by: NodesUsed) -> None:
    """Tell how to learn which nodes accounts use; the app that knows nodes does, at start-up."""
    _nodes_used.append(used_by)


def _giving(user: User, permissions: Collection[str]) -> list[HeldGrant]:
    """The user's grants that hold one of the permissions; all when none is named."""
    return [
        grant
        for grant in grants_of(user)
        if not permissions or not grant.permissions.isdisjoint(permissions)
    ]


def _shared_nodes(reach: Mapping[UUID, set[int] | None]) -> set[int] | None:
    """What grants per account (None: all nodes) come to; asks for the nodes only when they differ."""
    limits = list(reach.values())
    if limits and all(limit is None for limit in limits):
        return None
    if not limits or all(limit == limits[0] for limit in limits):
        return set(limits[0] or ()) if limits else set()
    used = {
        account_id: nodes
        for answer in _nodes_used
        for account_id, nodes in answer(list(reach)).items()
    }
    wanted: set[int] = set()
    for account_id, limit in reach.items():
        wanted |= used.get(account_id, set()) if limit is None else limit
    return {
        node
        for node in wanted
        if all(
            limit is None or node in limit or node not in used.get(account_id, ())
            for account_id, limit in reach.items()
        )
    }


def known(codes: Iterable[str]) -> list[str]:
    """The codes sorted; raises ValueError for one that does not exist."""
    return sorted(Permission(code).value for code in codes)


def _resolved(principal: Principal) -> Any:
    """Turn an actor of a person or a key back into that person or key."""
    if not isinstance(principal, Actor):
        return principal
    if principal.kind is ActorKind.USER:
        return User.objects.filter(pk=principal.id).first() or AnonymousUser()
    if principal.kind is ActorKind.API_KEY:
        key = ApiKey.objects.for_scope(ALL_ACCOUNTS).filter(pk=principal.id).first()
        return KeyHolder.of(key) if key and key.revoked_at is None else AnonymousUser()
    return principal
