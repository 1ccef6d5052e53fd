"""Production's settings, read as a deployment reads them: in a process of their own."""

import os
import subprocess
import sys

import pytest

from config.embedded.home import CHECKOUT

COMPLETE = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "ALLOWED_HOSTS": "oms.example.com",
    "SECRET_KEY": "k" * 20 + "0123456789-abcdefghijklmnopqrstuvwxyz",
    "SWITCHYARD_VAULT_KEY": "vault",
    "DATABASE_URL": "postgresql://switchyard_app@db.example/switchyard",
    "DATABASE_OWNER_URL": "postgresql://switchyard_owner@db.example/switchyard",
    "REDIS_URL": "redis://redis.example:6379/0",
}


def shown(expression: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    program = f"from django.conf import settings; print({expression})"
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        env=inherited | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "SWITCHYARD_VAULT_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"]
)
def test_a_deployment_that_forgets_it_does_not_start(name: str):
    told = {key: value for key, value in COMPLETE.items() if key != name}

    done = shown("settings.DEBUG", **told)

    assert done.returncode != 0
    assert f"{name} is not set" in done.stderr


def test_it_runs_as_the_application_role():
    user = "settings.DATABASES['default']['USER']"

    assert shown(user, **COMPLETE).stdout == "switchyard_app\n"
    assert shown(user, SWITCHYARD_DB_ROLE="owner", **COMPLETE).stdout == "switchyard_owner\n"


def test_only_the_web_process_pools_its_connections():
    pool = "settings.DATABASES['default']['OPTIONS'].get('pool')"

    assert shown(pool, **COMPLETE).stdout == "None\n"
    assert shown(pool, SWITCHYARD_PROCESS="web", WEB_THREADS="4", **COMPLETE).stdout == (
        "{'min_size': 1, 'max_size': 5, 'timeout': 10}\n"
    )


def test_the_cache_and_the_broker_are_apart():
    both = "settings.CACHES['default']['LOCATION'], settings.CELERY_BROKER_URL"

    assert shown(both, **COMPLETE).stdout == (
        "redis://redis.example:6379/1 redis://redis.example:6379/0\n"
    )
