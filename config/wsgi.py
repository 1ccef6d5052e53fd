"""The web process for gunicorn. Its threads share one small pool of connections."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
os.environ.setdefault("SWITCHYARD_PROCESS", "web")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from config.warm_up import warm_up  # noqa: E402  # needs the applications

warm_up(views=True)
