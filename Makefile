PYTHON ?= python3
BIN := .venv/bin
ifneq ($(shell command -v uv),)
VENV := uv venv --quiet --allow-existing --python $(PYTHON) .venv
INSTALL := uv pip install --quiet --python $(BIN)/python --no-deps --compile-bytecode
else
VENV := $(PYTHON) -m venv .venv
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps
endif

LOCK := uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header

PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup
QUICK_TESTS := -m "not slow and not browser"

.DEFAULT_GOAL := help
.PHONY: help nightly test acceptance browser screenshots check bench kills study serve lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

nightly: .venv/requirements.stamp ## run the whole night (ends with 0 for a confirmed regression, too)
	@$(BIN)/daybreak nightly || [ $$? -eq 1 ]

test: .venv/requirements-dev.stamp ## run the tests (minutes)
	@$(PYTEST) $(QUICK_TESTS)

acceptance: .venv/requirements-dev.stamp ## whole nights on recorded answers, schedules, servers that die (minutes more)
	@$(PYTEST) -m "slow and not browser"

browser: .venv/requirements-dev.stamp ## the report in Debian's chromium (skipped where it is not installed)
	@$(BIN)/python -m pytest -m browser

screenshots: .venv/requirements-dev.stamp ## pictures of the pages at both widths (TO=FOLDER; default: a temporary one)
	@$(BIN)/python -m tests.reports.screenshots $(TO)

check: .venv/requirements-dev.stamp ## everything CI runs: format, lint, types, architecture, tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(PYTEST) $(QUICK_TESTS)

bench: .venv/requirements-dev.stamp ## measure start-up, throughput, pace, memory, the warehouse and the report (QUICK=1: a minute)
	@$(BIN)/python -m tests.bench $(if $(QUICK),--quick)

kills: .venv/requirements-dev.stamp ## kill nights at 50 random moments and resume them (a quarter of an hour; QUICK=1: five)
	@$(BIN)/python -m tests.kills $(if $(QUICK),5)

study: .venv/requirements-dev.stamp ## simulate the verdicts' error rates (35 minutes of CPU; QUICK=1: seconds)
	@$(BIN)/python -m tests.study --processes 2 $(if $(QUICK),--quick,--out tasks/verdicts/ERROR-RATES.md)

serve: .venv/requirements.stamp ## serve every deployment with its schedule
	@$(BIN)/daybreak serve

lock: ## resolve the pinned requirements anew (needs uv)
	$(LOCK) --upgrade --group dev --output-file requirements-dev.txt
	$(LOCK) --upgrade --group locked --constraints requirements-dev.txt --output-file requirements.txt

clean: ## remove .venv and the tools' caches; results stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/%.stamp: %.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null || { \
		echo "Daybreak needs Python 3.11 to 3.14, which $(PYTHON) is not. Name another: make PYTHON=python3.12" >&2; \
		exit 2; }
	@echo "Setting up .venv from $< (about a minute the first time)" >&2
	@$(VENV)
	@$(INSTALL) --require-hashes --requirement $<
	@$(INSTALL) --no-build-isolation --editable .
	@touch $@
