"""The test suite: fixed keys, quick passwords, services of its own, and the owner's role."""

import os

from config import embedded
from config.env import broker, database, env, next_redis_database
from config.settings.base import *  # noqa: F403 (settings are layers of one namespace)
from config.settings.base import CELERY_BROKER_TRANSPORT_OPTIONS, cache_settings, database_settings

TEST_HOME = embedded.Home.of_tests(os.environ.get("PYTEST_XDIST_WORKER", ""))
_services = embedded.addresses(TEST_HOME)
_database_name: str = env("SY_TEST_DB", default="test_switchyard")

DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
SECRET_KEY = "tests-only-key-that-guards-nothing-and-is-long-enough-for-every-check"  # noqa: S105
SWITCHYARD_VAULT_KEY = "tests-only-vault-key-of-a-fitting-length"

# As the owner, who creates the test database; its default privileges give the application's role
# what it has elsewhere, for the tests that ask for that role.
DATABASES = {
    "default": database_settings(database(_services.owner_url)) | {"TEST": {"NAME": _database_name}}
}
CACHES = cache_settings(next_redis_database(_services.redis_url), prefix=_database_name)
# Not eager: a task that is rung goes to the broker. A queue per run keeps runs apart.
CELERY_BROKER_URL = broker(_services.redis_url)
CELERY_BROKER_TRANSPORT_OPTIONS |= {
    "global_keyprefix": f"{_database_name}:",
}

# Nobody listens there: a test that needs the provider says where its own is.
FAKEPAY_URL = env("FAKEPAY_URL", default="http://127.0.0.1:9")

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
BUYER_MESSAGES = True
MATCHING_APART = False
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
