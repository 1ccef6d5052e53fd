"""The voices of brands, as the configuration pages show them."""

from django.contrib import admin

from config.kernel.admin_base import AuditedAdmin, ScopedRelatedFilter
from integrations.models import BrandVoice


@admin.register(BrandVoice)
class BrandVoiceAdmin(AuditedAdmin):
    """How a brand writes to its buyers: sender, language, colour, help."""

    list_display = ("brand", "display_name", "from_address", "language")
    list_filter = (("account", ScopedRelatedFilter),)
    list_select_related = ("brand",)
    search_fields = ("=display_name",)
    ordering = ("brand_id",)
