"""The web process for an ASGI server. Its threads share one small pool of connections."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
os.environ.setdefault("SWITCHYARD_PROCESS", "web")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
