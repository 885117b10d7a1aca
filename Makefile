# Everything runs from .venv, which is made from uv.lock with nothing but Python and make.
PYTHON ?= python3
UV_VERSION := 0.13.8
BIN := .venv/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-thorough test-spark lint bench docs install clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/installed ## start a simulated company and its three systems, check them, open the console
	@$(BIN)/tieout demo $(ARGS)

serve: .venv/installed ## serve the API and the console of the installation in tieout.yaml
	@$(BIN)/tieout serve $(ARGS)

test: .venv/installed ## run the tests of every change (ARGS for pytest)
	@$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

test-thorough: .venv/installed ## what takes too long for every change: histories, kills, all kinds of source, more seeds
	@$(BIN)/pytest -n 2 --dist worksteal -m thorough $(ARGS)

test-spark: .venv/installed ## the checks on Spark against the embedded engine; installs the extra, needs Java 17
	@$(BIN)/uv sync --frozen --quiet --inexact --extra spark
	@$(BIN)/pytest -m spark $(ARGS)

lint: .venv/installed ## ruff, mypy --strict, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/installed ## measure, as ratios to hand-written SQL on the same data
	@$(BIN)/python -m bench $(ARGS)

docs: .venv/installed ## write docs/checks again, a page per check
	@$(BIN)/tieout docs

install: .venv/installed ## make .venv from the lock file

.venv/installed: uv.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@$(BIN)/uv sync --frozen --quiet --inexact
	@touch $@

clean: ## remove .venv and the state of the demo
	rm -rf .venv .tieout
