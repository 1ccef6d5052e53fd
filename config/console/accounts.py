"""Which account a new record of the console is for."""

from uuid import UUID

from django.http import HttpRequest

from config.console.pages import frame_of
from config.kernel.access import Permission
from config.kernel.errors import Forbidden
from config.kernel.models import Account


def account_of_new(request: HttpRequest, permission: Permission, refusal: str) -> UUID:
    """The account named in the address (`?account=`), or the first that the permission reaches.

    Raises Forbidden with the refusal where it reaches none.
    """
    scope = frame_of(request).scope(permission)
    found = Account.objects.order_by("code")
    if not scope.everything:
        found = found.filter(pk__in=scope.account_ids)
    named = found.filter(code=request.GET.get("account", ""))
    account_id = (named if named.exists() else found).values_list("pk", flat=True).first()
    if account_id is None:
        raise Forbidden(refusal)
    return account_id
