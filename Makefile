# One verb each for a developer's day; `make` alone lists them.
# Needs git, make and python3 (3.11 to 3.13) with venv and pip. npm, where there is one, adds the dashboard's dev server.

SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2])' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin

# The dashboard's tools want node 20.19 or later; with an older one, or none, the committed bundle is served.
NPM := $(shell node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' \
	2>/dev/null && command -v npm)
NODE_MODULES := $(if $(NPM),static/node_modules/.package-lock.json)

QUICKSTART := examples/quickstart/data/shop.db
# Only Debian's own packages, and only where we may install them; elsewhere the tests say what is missing.
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)

.PHONY: help run test test-packages lint lint-python lint-page format dashboard pictures chaos bench lock advisories clean

help:  ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.installed-run $(NODE_MODULES) $(QUICKSTART)  ## start development mode with the quickstart's jobs
	@export APP_ENV=development JOBS_FILE=$${JOBS_FILE:-examples/quickstart.yaml}; \
	( $(BIN)/python examples/quickstart/first_look.py $$$$ & ); \
	exec setpriv --pdeathsig TERM -- $(BIN)/python -m app

test: $(VENV)/.installed-test $(NODE_MODULES) test-packages  ## install what the tests need and run them all
	REQUIRE_SERVERS=1 $(BIN)/python -m pytest -n $${TEST_WORKERS:-3} --dist loadscope $(PYTEST_ARGS)

lint: lint-python lint-page  ## style, types, import contracts, and the dashboard's own checks

lint-python: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports setup.cfg

lint-page: $(NODE_MODULES)
	$(if $(NPM),cd static && npm run --silent check,@echo "No npm here: the dashboard is not checked.")

format: $(VENV)/.installed-test  ## put imports and layout in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

dashboard: $(VENV)/.installed-run $(NODE_MODULES)  ## make the wire types anew, and build static/src into static/dist
	$(BIN)/python -m app.api.typescript
	$(if $(NPM),cd static && npm run --silent build,$(error the dashboard needs node 20.19 or later, with npm))

pictures: $(VENV)/.installed-test test-packages  ## take the pictures of the documentation anew
	$(BIN)/python -m tests.browser.pictures

chaos: $(VENV)/.installed-test test-packages  ## the long runs under faults: kill, freeze, cut off
	REQUIRE_SERVERS=1 $(BIN)/python -m pytest -s --timeout 3600 -m chaos
	REQUIRE_SERVERS=1 NEMESIS_BLOWS=$${NEMESIS_BLOWS:-60} $(BIN)/python -m pytest -s --timeout 3600 tests/journeys/test_nemesis.py

bench: $(VENV)/.installed-test test-packages  ## measure routes against a hand-written copy, and pages beside very many jobs
	$(BIN)/python -m bench
	$(BIN)/python -m bench.pages

lock: $(VENV)/.installed-test  ## pin every package anew, with hashes
	@$(BIN)/pip install --quiet --disable-pip-version-check uv
	@for set in "run --extra embedded --extra postgres" "test --all-extras"; do \
		set -- $$set; name=$$1; shift; \
		echo 'setuptools>=69' | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
			--no-annotate --no-header "$$@" --output-file requirements-$$name.lock setup.cfg - || exit 1; \
	done

advisories: | $(BIN)/python  ## look the locked packages up among known holes; says so where nobody can be asked
	@$(BIN)/python -c 'import json, urllib.request as u; \
		json.load(u.urlopen("https://pypi.org/pypi/pip/24.0/json", timeout=10))["vulnerabilities"]' 2>/dev/null || \
		{ echo "https://pypi.org tells of no known holes here: nothing was looked up"; exit 0; }; \
	test -x $(VENV)/advisories/bin/pip-audit || { $(BIN)/python -m venv $(VENV)/advisories && \
		$(VENV)/advisories/bin/pip install --quiet --disable-pip-version-check 'pip-audit>=2.7,<3'; } || exit 1; \
	for set in run test; do \
		$(VENV)/advisories/bin/pip-audit --progress-spinner off --disable-pip --require-hashes -r requirements-$$set.lock || exit 1; \
	done

clean:  ## forget everything that was made or installed here, the data too
	rm -rf $(VENV) .data build *.egg-info static/node_modules examples/quickstart/data

# The stamps: a second `make run` finds them and starts at once.
$(VENV)/.installed-run: requirements-run.lock setup.cfg pyproject.toml
$(VENV)/.installed-test: requirements-test.lock setup.cfg pyproject.toml
$(VENV)/.installed-%: | $(BIN)/python
	@echo "installing into $(VENV), once"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-$*.lock
	@rm -rf build
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "syncworker needs python 3.11 to 3.13, and there is none on the PATH" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "no venv could be made; on Debian: apt-get install python3-venv" >&2; exit 1; }

static/node_modules/.package-lock.json: static/package.json static/package-lock.json
	cd static && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(QUICKSTART): examples/quickstart/make_shop.py
	@$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) examples/quickstart/make_shop.py

test-packages:
	@missing=; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v chromium >/dev/null 2>&1 || missing="$$missing chromium"; \
	ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing="$$missing libfaketime"; \
	test -z "$$missing" && exit 0; \
	if command -v apt-get >/dev/null 2>&1 && { [ "$$(id -u)" = 0 ] || [ -n "$(SUDO)" ]; }; then \
		echo "installing$$missing with apt-get"; \
		$(SUDO) apt-get -qq update && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get -qq install --no-install-recommends $$missing >/dev/null; \
	else \
		echo "not here, and not to be installed with apt-get:$$missing"; \
	fi
