"""A real installation. What has no safe default has none: a deployment that forgets it stays down.

Every secret may come from a file: `NAME_FILE` instead of `NAME`.
"""

from pathlib import Path

from config.env import boolean, broker, database, env, next_redis_database, words
from config.settings.base import *  # noqa: F403 (settings are layers of one namespace)
from config.settings.base import DATABASE_ROLE, MEDIA_ROOT, cache_settings, database_settings

DEBUG = False
SECRET_KEY = env("SECRET_KEY")
SECRET_KEY_FALLBACKS: list[str] = env("SECRET_KEY_FALLBACKS", words, default=[])
SWITCHYARD_VAULT_KEY = env("SWITCHYARD_VAULT_KEY")
ALLOWED_HOSTS = env("ALLOWED_HOSTS", words)
CSRF_TRUSTED_ORIGINS = env(
    "CSRF_TRUSTED_ORIGINS",
    words,
    default=[f"https://{host.removeprefix('.')}" for host in ALLOWED_HOSTS if host != "*"],
)

_owner_url = env("DATABASE_OWNER_URL", default="") if DATABASE_ROLE == "owner" else ""
DATABASES = {"default": database_settings(database(_owner_url or env("DATABASE_URL")))}
_redis_url = env("REDIS_URL")
CACHES = cache_settings(env("CACHE_URL", default="") or next_redis_database(_redis_url))
CELERY_BROKER_URL = env("CELERY_BROKER_URL", default="") or broker(_redis_url)

MEDIA_ROOT = env("MEDIA_ROOT", Path, default=MEDIA_ROOT)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Behind a proxy that ends TLS and sets X-Forwarded-Proto itself, never passing on a client's.
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env("BEHIND_PROXY", boolean, default=True) else None
)
SECURE_SSL_REDIRECT = env("SECURE_SSL_REDIRECT", boolean, default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env("SECURE_HSTS_SECONDS", int, default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"

EMAIL_HOST: str = env("EMAIL_HOST", default="localhost")
EMAIL_PORT = env("EMAIL_PORT", int, default=25)
EMAIL_HOST_USER: str = env("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD: str = env("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env("EMAIL_USE_TLS", boolean, default=False)
