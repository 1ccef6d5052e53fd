"""The composition root. Exposes the Celery app, so that `@shared_task` finds it everywhere."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
