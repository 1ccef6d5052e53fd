"""Development and the demo: everything has an answer, and what is missing is embedded."""

import secrets

from config import embedded
from config.env import boolean, broker, database, env, kept, next_redis_database, words
from config.logs import logging_settings
from config.settings.base import *  # noqa: F403 (settings are layers of one namespace)
from config.settings.base import DATABASE_ROLE, cache_settings, database_settings

_home = embedded.Home.of_checkout()
_services = embedded.addresses(_home)

DEBUG = env("DEBUG", boolean, default=True)
ALLOWED_HOSTS = env("ALLOWED_HOSTS", words, default=["localhost", "127.0.0.1", "[::1]"])
SECRET_KEY = env("SECRET_KEY", default="") or kept(
    _home.root / "secret.key", lambda: secrets.token_urlsafe(64)
)
SWITCHYARD_VAULT_KEY = env("SWITCHYARD_VAULT_KEY", default="") or kept(
    _home.root / "vault.key", lambda: secrets.token_urlsafe(32)
)

_url = _services.owner_url if DATABASE_ROLE == "owner" else _services.database_url
DATABASES = {"default": database_settings(database(_url))}
CACHES = cache_settings(
    env("CACHE_URL", default="") or next_redis_database(_services.redis_url),
)
CELERY_BROKER_URL = env("CELERY_BROKER_URL", default="") or broker(_services.redis_url)

# `manage.py sandbox --only gateway`; the demo connects a gateway of its own instead.
FAKEPAY_URL = env("FAKEPAY_URL", default="http://127.0.0.1:8907")

MEDIA_ROOT = _home.root / "files"

# The demo serves files from where they lie, with DEBUG and without.
WHITENOISE_USE_FINDERS = True

EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
LOGGING = logging_settings(readable=True, level=env("LOG_LEVEL", default="INFO"))

# Receivers of the demo and of a developer listen on this machine.
WEBHOOK_NETWORKS = env("WEBHOOK_NETWORKS", words, default=["127.0.0.0/8"])
