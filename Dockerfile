# syntax=docker/dockerfile:1
# One image for migrate, web, worker and beat. PostgreSQL and Valkey are not in it.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements/core.txt /tmp/core.txt
RUN /opt/venv/bin/pip install --require-hashes -r /tmp/core.txt
COPY . /srv/switchyard
WORKDIR /srv/switchyard
# Values that open nothing: collecting static files reads settings and connects to nobody.
RUN DJANGO_SETTINGS_MODULE=config.settings.production ALLOWED_HOSTS=build SECRET_KEY=build \
    SWITCHYARD_VAULT_KEY=build DATABASE_URL=postgresql://build@127.0.0.1/build \
    REDIS_URL=redis://127.0.0.1/0 /opt/venv/bin/python manage.py collectstatic --noinput \
 && /opt/venv/bin/python -m compileall -q config inventory orders routing fulfillment integrations

FROM python:3.13-slim
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin switchyard \
 && install -d -o switchyard /files
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/switchyard /srv/switchyard
WORKDIR /srv/switchyard
USER switchyard
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", \
     "--worker-class", "gthread", "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
