# Two commands for a newcomer: `make demo` runs the main job, `make test` passes the tests.
VENV := .venv
ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN := $(VENV)/Scripts
else
PYTHON ?= python3
BIN := $(VENV)/bin
endif
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Options for pytest: `make test PYTEST="-k journal"`.
PYTEST ?=
# Processes that run tests: one more than there are processors, since tests wait for disks, servers and other processes.
TESTERS ?= $(shell $(PYTHON) -c 'import os; print(1 + (os.cpu_count() or 1))')

.PHONY: demo environment test coverage lint types docs conformance bench constraints dist demo-from-wheel package \
	release-check test-lowest test-highest clean

# A copy of a shipped example, made once and ignored by git: what a run writes stays out of the checkout.
demo: $(VENV)/installed
	@test -d demo || $(BIN)/fhirmap init --example ch-valmorel demo
	@$(BIN)/fhirmap run demo || test $$? -eq 1

# What all targets need, in one installation, as one for each kind of target asks for the same packages four times.
# A module is compiled when it is first used: by far not all of them are.
environment: $(BIN)/python
	@$(BIN)/python -m pip install --quiet --no-compile --editable '.[test,docs,release]'
	@touch $(addprefix $(VENV)/,installed test-ready docs-ready release-ready)

test: $(VENV)/test-ready
	$(BIN)/python -m pytest -n $(TESTERS) --dist loadgroup $(PYTEST)

# The tests, with the share of lines and branches that they run; less than pyproject.toml asks for is an error.
coverage:
	$(MAKE) test PYTEST="--cov $(PYTEST)"

lint: $(VENV)/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/test-ready
	$(BIN)/mypy

# The documentation as a site in build/site; a link that leads nowhere, or a page that loads from the web, is an error.
docs: $(VENV)/docs-ready
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/site
	$(BIN)/python tools/offline_site.py build/site

# The language's official cases and both FHIRPath suites, as tables; they are in the reference data beside the checkout.
conformance: $(VENV)/test-ready
	$(BIN)/python -m tests.conformance.fml_suite ../shared/fml/suite
	$(BIN)/python -m tests.runtime.fhirpath_suite ../shared/fml/fhirpath

bench: $(VENV)/test-ready
	$(BIN)/python -m benchmarks

# Exact versions with hashes of everything an installation with all its extras may need, for Python 3.11 and later.
constraints: $(VENV)/release-ready
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--upgrade --extra postgresql --extra mariadb --extra parquet --extra spark --extra models --extra metrics \
		--extra simulator --extra socks --extra keyring --no-emit-package fhirmap --output-file constraints.txt

# Wheel, source distribution, constraints and bill of materials. From what is committed: a checkout in which the demo has
# run holds a journal, which has no place in a package.
dist: $(VENV)/release-ready
	rm -rf dist build/source
	mkdir -p build/source dist
	git archive --format=tar HEAD | tar -x -C build/source
	$(BIN)/python -m build --installer uv --outdir dist build/source
	cp build/source/constraints.txt dist/constraints.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/installed
	$(BIN)/uv pip install --quiet --python build/installed --require-hashes --requirement dist/constraints.txt
	$(BIN)/cyclonedx-py environment --pyproject build/source/pyproject.toml --output-reproducible \
		--output-file dist/fhirmap.cdx.json build/installed
	$(BIN)/python tools/bill_of_materials.py dist/fhirmap.cdx.json dist/constraints.txt

# The main job from the wheel, in an environment of its own that has nothing of the checkout.
demo-from-wheel:
	tools/demo_from_wheel dist

# Both of these, where other targets run at the same time.
package:
	$(MAKE) dist
	$(MAKE) demo-from-wheel

# `make release-check TAG=v1.2.3`: the tag names the version, and the changelog has a dated section for it.
release-check:
	$(PYTHON) tools/release_check.py "$(TAG)"

test-lowest test-highest: test-%: $(VENV)/release-ready
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-$*
	$(BIN)/uv pip install --quiet --python .venv-$* --resolution $(subst lowest,lowest-direct,$*) --editable '.[test]'
	.venv-$*/$(notdir $(BIN))/python -m pytest -n $(TESTERS) --dist loadgroup $(PYTEST)

clean:
	rm -rf demo $(VENV) .venv-lowest .venv-highest dist build .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fhirmap needs Python 3.11 or later (make demo PYTHON=python3.12)")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(BIN)/python
	@echo "preparing the environment ($(VENV)), about a minute the first time"
	@$(BIN)/python -m pip install --quiet --editable '.[simulator]'
	@echo "environment ready ($(VENV))"
	@touch $@

$(VENV)/test-ready: $(VENV)/installed
	@$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

$(VENV)/docs-ready: $(VENV)/installed
	@$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@

$(VENV)/release-ready: $(VENV)/installed
	@$(BIN)/python -m pip install --quiet --editable '.[release]'
	@touch $@
