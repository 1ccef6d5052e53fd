"""Pages for people, roles, grants, accounts, brands, channels and keys."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from config.kernel import clock
from config.kernel.access import Permission, grants_of, scope_of
from config.kernel.actors import actor_of
from config.kernel.admin_base import AuditedAdmin, AuditedForm, ScopedRelatedFilter
from config.kernel.models import Account, ApiKey, Brand, Channel, Grant, Role, User
from config.kernel.services import access as access_services

__all__ = ["AuditedAdmin", "AuditedForm", "ScopedRelatedFilter"]

# Rights come from roles and grants; Django's groups would be a second, silent way.
admin.site.unregister(Group)


# What a key may be trusted with beyond the API's own: to lift holds that others placed, and to
# read names and addresses in full.
_FURTHER_SCOPES = (Permission.ORDERS_HOLD, Permission.ORDERS_VIEW_CONTACT)


class _CodesField(forms.MultipleChoiceField):
    """Permission codes as tick boxes, kept as a sorted list."""

    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def clean(self, value: Any) -> list[str]:
        return sorted(super().clean(value))


class RoleForm(AuditedForm):
    permissions = _CodesField(choices=Permission.choices, required=False)

    class Meta:
        model = Role
        fields = ("code", "name", "permissions")


class ApiKeyForm(AuditedForm):
    scopes = _CodesField(
        choices=[
            choice
            for choice in Permission.choices
            if choice[0].startswith("api.") or choice[0] in _FURTHER_SCOPES
        ]
    )

    class Meta:
        model = ApiKey
        fields = ("account", "channel", "name", "scopes", "requests_per_minute", "expires_at")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, AuditedAdmin):  # type: ignore[type-arg]
    """People. What they may do stands in their grants."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "is_staff")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    editing = (Permission.ACCESS_EDIT,)

    def _edits(self, request: HttpRequest, obj: Any) -> bool:
        """A person is changed by who may give power wherever that person has some."""
        if obj is None or request.user.is_superuser:
            return True
        reach = scope_of(request.user, Permission.ACCESS_EDIT)
        return not obj.is_superuser and all(
            reach.allows(each.account_id) for each in grants_of(obj)
        )

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """People have Django's own log: their rows hold personal data and no history."""
        return admin.ModelAdmin.history_view(self, request, object_id, extra_context)

    def get_urls(self) -> Any:
        return DjangoUserAdmin.get_urls(self)


@admin.register(Role)
class RoleAdmin(AuditedAdmin):
    editing = (Permission.ACCESS_EDIT,)
    form = RoleForm
    list_display = ("name", "code")
    search_fields = ("code", "name")


@admin.register(Grant)
class GrantAdmin(AuditedAdmin):
    editing = (Permission.ACCESS_EDIT,)
    list_display = ("user", "role", "account", "node_id")
    list_filter = ("role", "account")
    list_select_related = ("user", "role", "account")
    autocomplete_fields = ("user",)


@admin.register(Account)
class AccountAdmin(AuditedAdmin):
    list_display = ("name", "code", "currency", "timezone")
    search_fields = ("code", "name")


@admin.register(Brand)
class BrandAdmin(AuditedAdmin):
    list_display = ("name", "code", "account")
    list_select_related = ("account",)
    search_fields = ("code", "name")


@admin.register(Channel)
class ChannelAdmin(AuditedAdmin):
    list_display = ("name", "code", "kind", "brand", "currency", "active")
    list_filter = ("kind", "active", ("brand", ScopedRelatedFilter))
    list_select_related = ("brand", "account")
    search_fields = ("code", "name")
    version_topics = ("channels",)


@admin.register(ApiKey)
class ApiKeyAdmin(AuditedAdmin):
    """Keys are issued and revoked, never edited or deleted. The key is shown once, after issuing."""

    form = ApiKeyForm
    editing = (Permission.ACCESS_EDIT,)
    list_display = ("name", "prefix", "account", "channel", "last_used_at", "revoked_at")
    list_select_related = ("account", "channel")
    list_filter = (("channel", ScopedRelatedFilter),)
    search_fields = ("name", "prefix")
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(Permission.ACCESS_EDIT)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        if obj is None:
            return fields
        return ["account", "channel", "name", "prefix", "scopes", "requests_per_minute",
                "created_at", "expires_at", "revoked_at", "last_used_at"]  # fmt: skip

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: Any) -> None:
        del change
        values = form.cleaned_data
        channel = values["channel"]
        key, secret = access_services.issue_api_key(
            account_id=values["account"].pk,
            channel_id=channel.pk if channel else None,
            name=values["name"],
            scopes=values["scopes"],
            requests_per_minute=values["requests_per_minute"],
            expires_at=values["expires_at"],
            at=clock.now(),
            actor=actor_of(request, Permission.ACCESS_EDIT),
        )
        obj.__dict__.update(key.__dict__)
        self.message_user(
            request,
            f"Copy this key now, it is not shown again: {secret}",
            messages.WARNING,
        )

    @action(description="Revoke the selected keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        at, actor = clock.now(), actor_of(request, Permission.ACCESS_EDIT)
        for key in queryset:
            access_services.revoke_api_key(key.pk, at=at, actor=actor)
        self.message_user(request, "The keys are revoked, everywhere within five seconds.")
