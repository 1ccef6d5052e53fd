"""How the configuration (Django's admin, dressed by unfold) looks, and what its sidebar offers.

It is part of the settings, which processes without pages read too: nothing that draws or answers is
imported before it is asked for. For beat alone that is a fifth of its size.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django.utils.functional import lazy

if TYPE_CHECKING:
    from django.http import HttpRequest


def _address(name: str) -> str:
    from django.urls import reverse

    return reverse(name)


def _favicon(request: "HttpRequest") -> str:
    from django.templatetags.static import static

    del request
    return static("console/favicon.svg")


_address_lazily = lazy(_address, str)


def _list(model: str) -> "Callable[[HttpRequest], str]":
    """The address of a model's list, found when the page is drawn; the start if it has none."""

    def link(request: "HttpRequest") -> str:
        from django.urls import NoReverseMatch, reverse

        del request
        try:
            return reverse(f"admin:{model}_changelist")
        except NoReverseMatch:
            return reverse("admin:index")

    return link


def _item(title: str, icon: str, model: str) -> dict[str, Any]:
    app, _, name = model.partition(".")
    return {
        "title": title,
        "icon": icon,
        "link": _list(f"{app}_{name}"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
    }


UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "Switchyard configuration",
    "SITE_HEADER": "Switchyard",
    "SITE_SUBHEADER": "Configuration",
    "SITE_SYMBOL": "alt_route",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": _favicon,
        },
    ],
    "SITE_URL": _address_lazily("console:home"),
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "COMMAND": {"search_models": True, "show_history": False},
    "COLORS": {
        "primary": {
            "50": "239 244 255", "100": "224 233 254", "200": "196 213 252", "300": "157 187 249",
            "400": "111 151 234", "500": "58 106 221", "600": "36 84 197", "700": "31 69 160",
            "800": "28 58 128", "900": "26 49 104", "950": "17 31 66",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Work",
                "items": [
                    {
                        "title": "Console",
                        "icon": "alt_route",
                        "link": _address_lazily("console:home"),
                    },
                ],
            },
            {
                "title": "Merchants and channels",
                "separator": True,
                "items": [
                    _item("Accounts", "apartment", "kernel.account"),
                    _item("Brands", "sell", "kernel.brand"),
                    _item("Channels", "storefront", "kernel.channel"),
                    _item("API keys", "key", "kernel.apikey"),
                    _item("Connections", "cable", "integrations.connection"),
                ],
            },
            {
                "title": "Network",
                "separator": True,
                "items": [
                    _item("Nodes", "warehouse", "inventory.node"),
                    _item("Carriers", "local_shipping", "inventory.carrier"),
                    _item("Service levels", "bolt", "inventory.servicelevel"),
                ],
            },
            {
                "title": "Catalog and supply",
                "separator": True,
                "items": [
                    _item("SKUs", "inventory_2", "inventory.sku"),
                    _item("Listings", "link", "inventory.channellisting"),
                    _item("Inbound", "move_to_inbox", "inventory.inbound"),
                ],
            },
            {
                "title": "Routing",
                "separator": True,
                "items": [
                    _item("Sourcing policies", "rule", "routing.sourcingpolicy"),
                    _item("Rate cards", "payments", "routing.ratecard"),
                    _item("Rejection rules", "rule", "routing.rejectionrule"),
                ],
            },
            {
                "title": "Returns",
                "separator": True,
                "items": [
                    _item("Return policies", "assignment_return", "returns.returnpolicy"),
                ],
            },
            {
                "title": "People",
                "separator": True,
                "items": [
                    _item("Users", "person", "kernel.user"),
                    _item("Roles", "badge", "kernel.role"),
                    _item("Grants", "verified_user", "kernel.grant"),
                ],
            },
        ],
    },
}  # fmt: skip
