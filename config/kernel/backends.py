"""Django's own permission questions, answered from roles: the admin asks here."""

from typing import Any, Final

from django.contrib.auth.backends import ModelBackend

from config.kernel import access
from config.kernel.access import Permission

# Models behind which stands the power to give power.
_ACCESS_MODELS: Final = frozenset({"user", "role", "grant", "apikey", "group", "permission"})
_VIEWING: Final = frozenset({Permission.AUDIT_VIEW.value, Permission.CONFIG_EDIT.value})


class RoleBackend(ModelBackend):
    """Signs in by password; permissions come from grants.

    A code of `Permission` is answered as such (`user.has_perm("orders.hold")`). Of Django's own,
    `view` needs audit.view or config.edit; `add`, `change` and `delete` need config.edit, and
    access.edit for users, roles, grants and keys.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        del obj  # rights are per account and node, never per row
        held = access.permissions_of(user_obj)
        if perm in Permission.values:
            return perm in held
        action, _, model = perm.partition(".")[2].partition("_")
        if action == "view":
            return bool(_VIEWING & held)
        if action not in {"add", "change", "delete"}:
            return False
        needed = Permission.ACCESS_EDIT if model in _ACCESS_MODELS else Permission.CONFIG_EDIT
        return needed.value in held

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        del app_label
        return bool(_VIEWING & access.permissions_of(user_obj))

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        del obj
        return set(access.permissions_of(user_obj))
