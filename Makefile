# `make demo` and `make test` need only Python and make on the machine, and Go for the real servers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FOR ?= 120s
STACK ?=
PYTHONS ?=
GROUPS ?=
# Groups of tests run side by side, since most of their time is waiting.
SERIES := $(addprefix tests/runtime/,recording multiprocess prometheus slo)
PROCESS := tests/runtime tests/web
PROGRAMS := tests/cli tests/examples tests/testing tests/workers
BACKENDS := tests/backends
# docs/reliability.md is compared with the faults and export paths of the same session.
PATHS_OF_DATA := $(addprefix $(BACKENDS)/,collector exposition parity faults test_reliability.py)
UNIT_GROUPS := test-process test-programs test-other test-series
# The comparison of the cores does not depend on the core that records.
CORELESS := --ignore-glob='*/test_native_*.py'
SERVER_GROUPS := test-backends test-data-paths test-rules test-render
# No long group is left for the end, when nothing runs beside it.
LONGEST_FIRST := test-process test-rules test-programs test-backends test-other test-data-paths test-render test-native-series test-series test-newest-python
PYTEST := $(BIN)/pytest
WITH_NATIVE_CORE := $(BIN)/python tools/native_core.py
# A clean checkout is checked in a fraction of the time if its modules have not changed.
export MYPY_CACHE_DIR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/otel-meta/mypy

.DEFAULT_GOAL := help
.PHONY: help demo test test-unit test-versions test-newest-python test-native test-native-series lint docs generate dashboard-images bench alert-quality mutation differential tools clean coverage $(UNIT_GROUPS) $(SERVER_GROUPS)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/ready $(if $(STACK),tools) ## two services under traffic, with a fault; FOR=60s, STACK=1 adds real servers
	$(BIN)/otel-meta demo --for $(FOR) --stack $(if $(STACK),yes,auto)

test: tools ## everything that .ci/run checks
	$(MAKE) --jobs=4 --keep-going --output-sync=target $(LONGEST_FIRST) lint docs

test-unit: $(VENV)/ready ## the tests that need no server
	$(MAKE) --jobs=4 --keep-going --output-sync=target $(UNIT_GROUPS)

test-native: $(VENV)/ready ## the tests that need no server, with the native core, which needs a C compiler
	$(MAKE) PYTEST="$(WITH_NATIVE_CORE) $(BIN)/pytest" --jobs=4 --keep-going --output-sync=target $(UNIT_GROUPS)

test-native-series:
	$(WITH_NATIVE_CORE) $(PYTEST) $(CORELESS) $(addprefix tests/runtime/,recording multiprocess)

test-series:
	$(PYTEST) $(SERIES)

test-process:
	$(PYTEST) $(addprefix --ignore=,$(SERIES)) $(PROCESS)

test-programs:
	$(PYTEST) $(PROGRAMS)

test-other:
	$(PYTEST) $(addprefix --ignore=,$(PROCESS) $(PROGRAMS) $(BACKENDS) tests/rules tests/render)

test-rules:
	$(BIN)/pytest tests/rules

test-render:
	$(BIN)/pytest tests/render

test-data-paths:
	$(BIN)/pytest $(PATHS_OF_DATA)

test-backends:
	$(BIN)/pytest $(addprefix --ignore=,$(PATHS_OF_DATA)) $(BACKENDS)

test-versions: $(VENV)/ready ## the tests on Python 3.11 to 3.14 and 3.14t where found; PYTHONS="/opt/py/bin/python ...", GROUPS=tests/runtime
	$(BIN)/python tools/python_versions.py --pythons="$(PYTHONS)" --groups="$(GROUPS)"

# What depends on CPython's byte code, on the newest Python that is found.
test-newest-python:
	$(BIN)/python tools/python_versions.py --newest --pythons="$(PYTHONS)"

coverage: $(VENV)/ready ## the tests that need no server, with coverage, which takes twice the time
	$(BIN)/coverage erase
	$(MAKE) PYTEST="$(BIN)/coverage run -m pytest" --jobs=4 --keep-going $(UNIT_GROUPS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: $(VENV)/ready ## formatting, lint, types and import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

docs: $(VENV)/ready ## build the documentation site in site/; a broken link is an error
	$(BIN)/python tools/site.py

generate: $(VENV)/ready ## write the generated files: rules, dashboards, documents, configurations
	$(BIN)/otel-meta generate

dashboard-images: $(VENV)/ready tools ## draw the dashboards in docs/images/
	$(BIN)/python tools/dashboard_images/draw.py

bench: $(VENV)/ready ## cost of recording, scraping and workers, compared with alternatives
	$(BIN)/python benchmarks/report.py

alert-quality: $(VENV)/ready tools ## judge the alerts of otel_meta and of others; writes docs/alert-quality.md
	$(BIN)/python benchmarks/alert_quality

mutation: $(VENV)/ready ## run the tests against mutants; FILES=otel_meta/render or --mistakes, SAMPLE=100
	$(BIN)/python tools/mutation $(FILES) $(if $(SAMPLE),--sample $(SAMPLE))

differential: $(VENV)/ready ## compare applications with and without telemetry by random requests; MINUTES=10
	$(BIN)/python -m tests.web.differential $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

tools: $(VENV)/ready ## build missing servers for tests and the demo, and install npm packages
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/build.py
	$(BIN)/python tools/dashboard_images/packages.py

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) build site .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*

# Rebuilt when the pins or the metadata change.
$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "otel_meta needs Python 3.11 or newer; choose another with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@
