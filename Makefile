# make run     start the API and the page          make test   install what the tests need and run them all
# make check   lint, type-check, check workflows   make lock   pin all requirements anew
# make texts   collect the page's texts for its translations, compile these, and make the font for them (apt: fonts-noto-cjk)
# make model DATA=DIR   train the model that ships and install it: four teachers, JOBS=N at once, then their pupil
PYTHON ?= python3
BIN := .venv/bin
INFRA := infra/.venv/bin
INSTALL := pip install --quiet --disable-pip-version-check --require-hashes -r
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11

.DEFAULT_GOAL := run
.PHONY: run test check lock texts model

.venv/runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/$(INSTALL) requirements.txt
	@touch $@

.venv/development: requirements-dev.txt .venv/runtime
	$(BIN)/$(INSTALL) requirements-dev.txt
	@touch $@

infra/.venv/installed: infra/requirements.txt
	$(PYTHON) -m venv infra/.venv
	$(INFRA)/$(INSTALL) infra/requirements.txt
	@touch $@

run: .venv/runtime
	@exec $(BIN)/python -m app

test: .venv/development infra/.venv/installed
	$(INFRA)/python -m pytest infra/tests
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

check: .venv/development infra/.venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd infra && .venv/bin/mypy
	$(BIN)/hadolint Dockerfile container/Dockerfile.training
	$(INFRA)/zizmor --offline --quiet .github
	$(INFRA)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(INFRA)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(INFRA)/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml

lock: .venv/development
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-function.in -o requirements-function.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt
	$(COMPILE) infra/requirements.in -o infra/requirements.txt
	$(COMPILE) container/uv.in -o container/uv.txt

LOCALE := app/ui/locale
BABEL := $(BIN)/pybabel --quiet

texts: .venv/development
	$(BABEL) extract --add-comments=Translators: --strip-comments --add-location=file \
		--sort-by-file --project="Digit Recognition App" -o $(LOCALE)/page.pot app/ui
	$(BABEL) update --domain=page --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -i $(LOCALE)/page.pot -d $(LOCALE)
	$(BABEL) compile --domain=page -d $(LOCALE)
	$(BIN)/python -m training.font
	rm $(LOCALE)/page.pot

DATA ?= data
JOBS ?= 1

model: .venv/development
	$(BIN)/python -m training.recipe --data $(DATA) --jobs $(JOBS) --install
