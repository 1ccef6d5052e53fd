"""What every installation has in common. No secrets here, and importing it starts nothing."""

from pathlib import Path
from typing import Any, Final

from kombu.entity import Queue

from config.console.unfold import UNFOLD as CONSOLE_UNFOLD
from config.env import boolean, env, pairs, words
from config.logs import logging_settings

BASE_DIR: Final = Path(__file__).resolve().parents[2]
PROCESS: Final[str] = env("SWITCHYARD_PROCESS", default="command")
"""`web` or `worker` where a server says so, else `command`."""

# --- Applications ---------------------------------------------------------------------------

INSTALLED_APPS = [
    # unfold overrides templates of those that follow it, so it comes first.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.simple_history",
    # A worker shows no pages: without their admin modules it is smaller.
    "django.contrib.admin.apps.SimpleAdminConfig"
    if PROCESS == "worker"
    else "config.console.apps.ConfigurationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "simple_history",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    # Ours, in the order in which they may know each other.
    "config.kernel.apps.KernelConfig",
    "inventory",
    "orders",
    "routing",
    "fulfillment",
    "returns",
    "integrations",
    "config.console.apps.ConsoleConfig",
]

MIDDLEWARE = [
    "config.middleware.RequestContextMiddleware",
    "config.metrics.RequestMetrics",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ContentPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.kernel.middleware.RateLimitHeaders",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- Time, language, people -----------------------------------------------------------------

TIME_ZONE, USE_TZ = "UTC", True
LANGUAGE_CODE, USE_I18N = "en-us", True

AUTH_USER_MODEL = "kernel.User"
AUTHENTICATION_BACKENDS = ["config.kernel.backends.RoleBackend"]
LOGIN_URL = "console:login"
LOGIN_REDIRECT_URL = "console:home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- Database -------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASE_APP_ROLE = "switchyard_app"
"""The role that runs; migrations take from it what append-only tables must refuse."""
DATABASE_ROLE: str = env("SWITCHYARD_DB_ROLE", default="app")
"""`owner` for commands that change the schema (manage.py sets it), `app` for everything else."""
WEB_THREADS: int = env("WEB_THREADS", int, default=8)


DATABASE_PATIENCE: dict[str, Any] = {
    "connect_timeout": 15,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""A server that does not answer is given up after 15 s, one that vanished in mid-query after a minute."""


def database_settings(config: dict[str, Any]) -> dict[str, Any]:
    """Complete a database: services own their transactions, and only the web process pools."""
    options = DATABASE_PATIENCE | dict(config["OPTIONS"])
    if PROCESS == "web":
        options["pool"] = {"min_size": 1, "max_size": WEB_THREADS + 1, "timeout": 10}
    return config | {
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 0,
        # A pooler in transaction mode forgets cursors between statements.
        "DISABLE_SERVER_SIDE_CURSORS": env("DATABASE_POOLER", boolean, default=False),
        "OPTIONS": options,
    }


def cache_settings(url: str, *, prefix: str = "switchyard") -> dict[str, Any]:
    """Every process sees the same cache."""
    return {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": url,
            "KEY_PREFIX": prefix,
            # A cache that does not answer must not hold up who can do without it.
            "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        }
    }


# --- Celery: the bell, rung after commit ----------------------------------------------------

CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_TIMEZONE, CELERY_ENABLE_UTC = "UTC", True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Tasks wait for the database most of the time. One process with threads needs half the memory of a
# parent and two children. Celery cannot end a thread: what a task may take is bounded by the role's
# statement_timeout, by the time-outs of calls, and by its leases.
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY: int = env("WORKER_THREADS", int, default=4)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Longer than any task may take: an unacknowledged message comes back after it, in seconds.
# A broker that does not answer is given up soon: the tick rings again, and a worker asks each second.
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": 1800,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}
CELERY_TASK_DEFAULT_QUEUE = "work"
# A worker takes from all three; a large installation gives each its own workers (-Q).
CELERY_TASK_QUEUES = [Queue(name) for name in ("ticks", "work", "remote")]  # type: ignore[no-untyped-call] # kombu
CELERY_TASK_ROUTES = {
    # What takes long must not stand before the next tick.
    "config.kernel.tasks.run_deliveries": {"queue": "work"},
    "config.kernel.tasks.run_job": {"queue": "work"},
    "config.kernel.tasks.run_intents": {"queue": "remote"},
    "config.kernel.tasks.*": {"queue": "ticks"},
    "integrations.*": {"queue": "remote"},
}
# Beat only ticks. A tick that no worker took in time is worth nothing, hence `expires`, in seconds.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "tick": {"task": "config.kernel.tasks.tick", "schedule": 1.0, "options": {"expires": 5}},
    "sweep": {"task": "config.kernel.tasks.sweep", "schedule": 10.0, "options": {"expires": 30}},
}

# --- API ------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.kernel.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["config.kernel.throttling.ApiKeyThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "config.kernel.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.kernel.problems.problem_details",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Switchyard",
    "DESCRIPTION": "Order management: capture, promise, reserve, source, release, ship, take back.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ItemOutcome": ["done", "repeated", "refused"],
        "Outcome": ["done", "refused"],
        "QuoteOutcome": ["waits", "kept", "missed"],
        "QuoteKind": ["product", "cart", "checkout"],
        "QuoteMethod": "routing.quotes.types.METHODS",
        "SampleKind": "routing.simulating_samples.KINDS",
        "RemedyKind": "fulfillment.states.RemedyKind.choices",
        "DeliveryMethod": "orders.states.Method.choices",
        "OrderState": "orders.states.OrderState.choices",
        "DisputeState": "orders.states.DisputeState.choices",
        "NodeState": "inventory.states.NodeState.choices",
        "StockCondition": "inventory.states.Condition.values",
        "StockChangeKind": "inventory.api.serializers.KINDS",
        "SkuKind": "inventory.states.SkuKind.values",
        "BarcodeKind": "inventory.states.BarcodeKind.values",
        "ReservationState": "inventory.states.ReservationState.choices",
        "FulfillmentOrderState": "fulfillment.states.FulfillmentState.choices",
        "ParcelState": "fulfillment.states.ParcelState.choices",
        "ReturnState": "returns.states.ReturnState.choices",
        "ClaimState": "returns.states.ClaimState.choices",
        "WebhookState": "integrations.models.webhooks.WebhookState.choices",
        "EndpointState": "integrations.models.webhooks.EndpointState.choices",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Pages ----------------------------------------------------------------------------------

CONSOLE_ENVIRONMENT = env("CONSOLE_ENVIRONMENT", default="")
"""A word shown on every page: demo, sandbox, staging. Empty says what the settings are."""

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "var" / "static"
MEDIA_ROOT = BASE_DIR / "var" / "files"
"""Where uploaded files lie. They are served by views that ask who may see them, never by address."""

UNFOLD = CONSOLE_UNFOLD
# Reverting posts an old row back, its state included: past every guard of the state machines.
SIMPLE_HISTORY_REVERT_DISABLED = True

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
CONTENT_POLICY_EVAL_PREFIXES = ("/admin/",)
"""Where unfold's Alpine needs 'unsafe-eval'; nowhere else."""
PERMISSIONS_POLICY = "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# --- Mail and logs --------------------------------------------------------------------------

PUBLIC_URL: str = env("PUBLIC_URL", default="http://localhost:8000").rstrip("/")
"""Where buyers reach the tracking pages: the beginning of the links in messages."""
WEBHOOK_PORTS: list[int] = [
    int(port) for port in env("WEBHOOK_PORTS", words, default=["443", "80"])
]
WEBHOOK_NETWORKS: list[str] = env("WEBHOOK_NETWORKS", words, default=[])
"""Networks that webhooks may go to although they are not public, on any port: 127.0.0.0/8."""
WEBHOOK_DISABLE_AFTER_DAYS: int = env("WEBHOOK_DISABLE_AFTER_DAYS", int, default=3)
METRICS_TOKEN: str = env("METRICS_TOKEN", default="")
FAKEPAY_URL: str = env("FAKEPAY_URL", default="")
"""Where the fake payment provider listens. Empty, as in production: there is none."""
SANDBOX_URLS: dict[str, str] = env("SANDBOX_URLS", pairs, default={})
"""Where simulators listen, by name: `wms=http://127.0.0.1:8904,…`. Empty, as in production: none run."""
BUYER_MESSAGES = env("BUYER_MESSAGES", boolean, default=False)
"""Whether buyers are written to by EMAIL_HOST where their account has no mail connection."""
MATCHING_APART: bool = env("MATCHING_APART", boolean, default=True)
"""Whether price books and better plans are made in processes of their own, which end with their memory."""
DEFAULT_FROM_EMAIL: str = env("DEFAULT_FROM_EMAIL", default="switchyard@localhost")
LOGGING = logging_settings(readable=False, level=env("LOG_LEVEL", default="INFO"))
