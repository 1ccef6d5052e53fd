# demo · test · lint · bench · soak · lock. Each makes .venv from the hashed lock by itself.
# Needed: make and Python 3.11 or newer.

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.PHONY: demo test lint bench soak lock setup setup-demo

PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && \
	{ echo $$p; break; }; done)
# A process compiles a thousand modules where this forbids to keep them: seconds at every start.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
CODE := manage.py $(wildcard config inventory orders routing fulfillment returns integrations)
OFFLINE := DJANGO_SETTINGS_MODULE=config.settings.local $(BIN)/python manage.py
# Values that open nothing: the deployment check reads settings and connects to nobody.
DEPLOYED := DJANGO_SETTINGS_MODULE=config.settings.production ALLOWED_HOSTS=oms.example.com \
	SECRET_KEY=lint-lint-lint-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ \
	SWITCHYARD_VAULT_KEY=lint-only DATABASE_URL=postgresql://nobody@127.0.0.1:1/none \
	REDIS_URL=redis://127.0.0.1:1/0 $(BIN)/python manage.py

demo: setup-demo  ## everything on this machine: make demo ARGS="--once"
	@exec $(BIN)/python manage.py demo $(ARGS)

# A module's tests stay together; the slow modules come first, in the order of tests/conftest.py.
test: setup  ## the whole suite; make test ARGS="tests/orders -x"
ifdef ARGS
	@$(BIN)/pytest $(ARGS)
else
	@$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder
endif

lint: setup  ## style, types, layers, migrations, deployment settings, API schema; needs no database
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports
	$(OFFLINE) makemigrations --check --dry-run
	$(DEPLOYED) check --deploy --fail-level WARNING
	$(OFFLINE) spectacular --validate --fail-on-warn --file /dev/null

bench: setup  ## capture, promise and routing under load, beside their floor
	@exec $(BIN)/python -m bench $(ARGS)

# An installation of its own; make soak ARGS="--speed 60".
soak: setup  ## the suite's tests in their full sizes, then a day of life with every failure in turn
	@$(BIN)/pytest -q -m soak
	@SWITCHYARD_VAR=var/soak exec $(BIN)/python manage.py soak $(ARGS)

COMPILE = uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet
lock:  ## resolve the dependencies anew; needs uv
	@command -v uv >/dev/null || { echo "make lock needs uv" >&2; exit 2; }
	$(COMPILE) -o requirements/core.txt $(ARGS)
	$(COMPILE) --group pyproject.toml:embedded -o requirements/demo.txt $(ARGS)
	$(COMPILE) --group pyproject.toml:embedded --group pyproject.toml:dev \
		-o requirements/dev.txt $(ARGS)

setup:
	@$(call sync,dev)

setup-demo:
	@$(call sync,demo)

define sync
[ -n "$(PYTHON)" ] || { echo "Switchyard needs Python 3.11 or newer; none was found." >&2; exit 2; }; \
$(PYTHON) requirements/sync.py $(1)
endef
