# Everything here works on a fresh clone with nothing installed but make and Python 3.11 to 3.13 (with venv).
# Everything it downloads or caches stays in this folder: .venv and .cache. `make` alone lists the targets.

# Passed on to demo, test, quick, bench and lock: make test ARGS="-k import"
ARGS ?=
# The interpreter for .venv; empty means the newest supported one on the PATH.
PYTHON ?=
export PYTHON

MAKEFLAGS += --no-print-directory
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Four workers, each with its own database servers, also on two cores: many tests wait for processes that they killed.
# A worker that runs dry takes tests from another.
TEST := $(PYTEST) -n 4 --dist worksteal

.PHONY: help setup demo test test-command quick soak check format generate lock bench clean

help: ## list these targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## create or update .venv from the lock files (PYTHON=... chooses the interpreter)
	@sh requirements/install

demo: setup ## watch the whole job happen: import, sync, labels, in about a minute
	@$(BIN)/electis demo $(ARGS)

test: setup ## run all tests (ARGS="-k word" for some)
	$(TEST) $(ARGS)

test-command: ## print the command behind make test
	@echo '$(TEST)'

# The rules, the queries and the services on SQLite, and the simulator; the rest needs processes or PostgreSQL.
quick: setup ## run the part of the tests that takes less than two minutes
	$(TEST) -m "not slow" -k "not postgresql" tests/domain tests/db tests/services tests/simulator $(ARGS)

# Days nobody lived before: the first seed is the time. A red one says how to see it again.
soak: setup ## live thousands of random days of the sync, and die a thousand times (hours; ARGS="-x -k sqlite")
	ELECTIS_TEST_SOAK=$$(date +%s) $(TEST) tests/simulation/test_state_machine.py $(ARGS)
	ELECTIS_TEST_KILLS=1000 ELECTIS_TEST_KILL_SEED=$$(date +%s) $(TEST) tests/flows/test_kill_points.py::test_processes_killed_at_random_moments_lose_nothing $(ARGS)

# The cheap ones first, so that a typing mistake is told in a second.
check: setup ## format, lint, types, architecture, spelling, generated files, then all tests
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/codespell
	$(BIN)/lint-imports --no-logo --cache-dir .cache/import-linter
	$(BIN)/mypy
	$(PYTEST) --quiet tests/packaging/test_generated.py
	$(TEST) $(ARGS)

format: setup ## rewrite the code in the project's format and fix what can be fixed safely
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --quiet --fix-only .

generate: setup ## write the generated files again (completions/)
	$(BIN)/python -m tests.packaging.test_generated

lock: ## resolve the dependencies again (ARGS=--upgrade takes newer versions)
	@UV_ARGS="$(ARGS)" sh requirements/lock

bench: setup ## measure speed and memory
	@sh requirements/install-bench
	$(BIN)/python -m bench $(ARGS)

clean: ## remove .venv, .cache, .demo and everything built
	rm -rf .venv .cache .demo build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
