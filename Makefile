# Darkroom: `make run` starts everything, `make test` proves it.
PYTHON ?= python3
VENV_PYTHON := .venv/bin/python
INSTALLED := .venv/.installed

.PHONY: help setup run demo test test-wordpress chaos check format

help:
	@echo "make run     start Darkroom: database, web, worker (Ctrl-C stops all of it)"
	@echo "make demo    send generated photos to a running Darkroom, counted against true"
	@echo "make test    run all tests"
	@echo "make test-wordpress  publish on a real WordPress, installed for it (root installs php, mariadb)"
	@echo "make chaos   kill, freeze and cut off workers and database, hundreds of runs (most of an hour)"
	@echo "make check   lint, types, import contracts"
	@echo "make setup   install into .venv (the others do this by themselves)"

setup: $(INSTALLED)

$(INSTALLED): pyproject.toml scripts/constraints.txt scripts/setup
	@PYTHON="$(PYTHON)" bash scripts/setup

run: $(INSTALLED)
	@exec $(VENV_PYTHON) -m darkroom.cli up

demo: $(INSTALLED)
	@$(VENV_PYTHON) scripts/demo.py

test: $(INSTALLED)
	@$(VENV_PYTHON) -m pytest -n $${TEST_PROCESSES:-4} --dist loadfile

test-wordpress: $(INSTALLED)
	@$(VENV_PYTHON) -m pytest tests/wordpress

chaos: $(INSTALLED)
	@CHAOS_RUNS=$${CHAOS_RUNS:-200} PUBLISHES=$${PUBLISHES:-100} CHAOS_PHOTOS=$${CHAOS_PHOTOS:-100} \
		$(VENV_PYTHON) -m pytest tests/chaos tests/integration/test_variants_under_fire.py

check: $(INSTALLED)
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .
	@$(VENV_PYTHON) -m mypy
	@.venv/bin/lint-imports --no-cache --no-logo

format: $(INSTALLED)
	@$(VENV_PYTHON) -m ruff check --fix .
	@$(VENV_PYTHON) -m ruff format .
