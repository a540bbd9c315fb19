# `make demo` runs the main job, `make test` passes the tests; both on a machine with Python alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FOR ?= 120s
STACK ?=
# Tests in heaps that run side by side, since most of their time is waiting; the last two need servers.
RUNTIME := tests/runtime tests/web
RULES := tests/rules tests/render
BACKENDS := tests/backends
HEAPS := heap-runtime heap-rest heap-rules heap-backends

.DEFAULT_GOAL := help
.PHONY: help demo test test-unit lint generate bench tools clean coverage $(HEAPS)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/ready $(if $(STACK),tools) ## two services under traffic, with a fault; FOR=60s, STACK=1 adds real servers
	$(BIN)/otel-meta demo --for $(FOR) --stack $(if $(STACK),yes,auto)

test: lint tools ## everything that .ci/run checks
	$(MAKE) --jobs=4 --keep-going --output-sync=target $(HEAPS)
	$(MAKE) coverage

test-unit: $(VENV)/ready ## the tests that need no backend, with coverage
	$(MAKE) --jobs=2 --keep-going --output-sync=target heap-runtime heap-rest
	$(MAKE) coverage

heap-runtime:
	$(BIN)/coverage run -m pytest $(RUNTIME)

heap-rest:
	$(BIN)/coverage run -m pytest $(addprefix --ignore=,$(RUNTIME) $(RULES) $(BACKENDS))

heap-rules:
	$(BIN)/pytest $(RULES)

heap-backends:
	$(BIN)/pytest $(BACKENDS)

coverage:
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: $(VENV)/ready ## formatting, lint, types, and which stage may import which
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

generate: $(VENV)/ready ## write what follows from the catalogue: rules and the rest
	$(BIN)/otel-meta generate

bench: $(VENV)/ready ## what recording, scraping and workers cost, against what you would use instead
	$(BIN)/python benchmarks/report.py

tools: $(VENV)/ready ## build the real servers that tests and the demo use, where they are missing
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/build.py

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*

# Rebuilt when the pins or the metadata change.
$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "otel_meta needs Python 3.11 or newer; say which with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@
