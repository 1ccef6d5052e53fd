from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The operators' pages that span apps, and the commands that see the whole house."""

    name = "config.console"
    label = "console"
    verbose_name = "Console"

    def ready(self) -> None:
        from config.console import verbs  # apps must be loaded first

        verbs.register_jobs()
