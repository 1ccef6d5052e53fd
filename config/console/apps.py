from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AppConfig):
    """The operators' pages that span apps, and the commands that see the whole house."""

    name = "config.console"
    label = "console"
    verbose_name = "Console"

    def ready(self) -> None:
        from config.console import verbs  # apps must be loaded first
        from config.invariants import watching
        from config.reports.operations import job_keys
        from orders import erasing

        verbs.register_jobs()
        watching.register_all()
        erasing.declare("console.jobs", job_keys)


class ConfigurationConfig(AdminConfig):
    """Django's admin, with our own rule of who may enter."""

    default_site = "config.console.admin_site.ConfigurationSite"
