"""Permission classes of the API and mixin of pages: one named permission each."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from config.kernel import access
from config.kernel.actors import pass_door


def needs(*permissions: str) -> type[BasePermission]:
    """A permission class that lets in whoever holds one of the codes.

    `permission_classes = [needs(Permission.ORDERS_VIEW, Permission.API_ORDERS_READ)]` lets staff and
    keys use the same view. What the request then reaches are the accounts where one is held
    (`actors.reach_of`, `actors.actor_of`).
    """
    wanted = frozenset(access.known(permissions))

    class Needs(BasePermission):
        message = "Your role or key does not permit this."

        def has_permission(self, request: Request, view: Any) -> bool:
            del view
            pass_door(request, wanted)
            return bool(wanted & access.permissions_of(request.user))

    return Needs
