# The front door. Every target does its own set-up: on a fresh machine `make rehearse` or `make test` is enough.
.DEFAULT_GOAL := build
SHELL := /bin/sh

BIN := .venv/bin
READY := .venv/.ready
UV_VERSION := 0.13.9
COVERAGE := --cov --cov-report=term --cov-fail-under=100

# Much of the time a test waits for a process of its own; each of ours takes a gigabyte or two. A file stays together.
SHARED := --numprocesses=auto --maxprocesses=4 --dist=loadfile

# At a terminal uv draws its own bars; elsewhere it is silent for as long as it takes.
QUIET := $(shell [ -t 2 ] || echo --quiet)
UNREACHED := { echo "the Python package index cannot be reached, or lacks this version; see the lines above" >&2; exit 1; }

$(READY): requirements.lock pyproject.toml deploy/find-python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { echo "making .venv" && python=$$(deploy/find-python) && "$$python" -m venv --clear .venv; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) || $(UNREACHED)
	@echo "installing $$(grep -c == requirements.lock) pinned packages into .venv (a few GB and some minutes the first time; kept in uv's cache for the next)"
	@$(BIN)/uv pip install $(QUIET) --python $(BIN)/python --require-hashes -r requirements.lock || $(UNREACHED)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable ./protocol --editable .
	@touch $@

.PHONY: build install rehearse test detectors laws faults soak drill-trainer bench systemd-test check format lock wheels clean help

build: $(READY)  ## build everything into .venv/

install: $(READY)  ## the same, and fetch the ImageNet weights that training in production begins with
	@$(BIN)/python -m trainer weights

rehearse: $(READY)  ## play one whole cycle on this machine; options through ARGS="--fast --episodes 60"
	@$(BIN)/training-claw rehearse $(ARGS)

test: $(READY)  ## every rule of the house and every test; options through ARGS="-k roster"
	@deploy/get-chromium
	@$(BIN)/python -m pytest $(or $(ARGS),$(SHARED) $(COVERAGE))

detectors: $(READY)  ## which planted causes the detectors find in recorded runs, and after how many epochs
	@$(BIN)/python -m benches.histories.table $(ARGS)

laws: $(READY)  ## the laws of the language with thousands of examples (about six minutes on an idle machine)
	@LAWS=long $(BIN)/python -m pytest tests/protocol/test_laws.py --timeout 7200 --override-ini faulthandler_timeout=7500

faults: $(READY)  ## every fault of Discord's against the real daemon, one row each (some minutes)
	@$(BIN)/python -m bot.rehearsal.troubles $(ARGS)

soak: $(READY)  ## 10,200 messages under faults and kills; ARGS="--folder ~/soak" keeps it, and goes on in it
	@$(BIN)/python -m bot.rehearsal.soak $(ARGS)

drill-trainer: $(READY)  ## kill a training a hundred times, compare its bits; goes on where it was stopped; ARGS="--kills 500"
	@PYTHONPATH=tests $(BIN)/python -m drill.trainer $(ARGS)

bench: $(READY)  ## how fast training is, against LeRobot in the same run; ARGS="--model card --only loop,saves"
	@$(BIN)/python -m benches.bench_trainer $(ARGS)

systemd-test: $(READY)  ## the units under a real systemd, in a container; needs root (about ten minutes)
	@$(BIN)/python -m benches.systemd $(ARGS)

check: format test  ## put the format right, then everything `make test` looks at

format: $(READY)  ## put the format right
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix --quiet || true

lock: $(READY)  ## resolve pyproject.toml anew into requirements.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --group dev pyproject.toml \
		--no-emit-package training-claw-protocol \
		--custom-compile-command "make lock" --output-file requirements.lock

wheels: $(READY)  ## build both wheels into dist/ and install them into a clean environment to see that they work
	@rm -rf dist && for each in ./protocol .; do $(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir dist $$each; done
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python dist/venv
	@echo "installing dist/*.whl with everything they need into dist/venv"
	@$(BIN)/uv pip install --quiet --python dist/venv/bin/python --constraint requirements.lock dist/*.whl
	@cd dist && venv/bin/training-claw --version && venv/bin/python -c "import protocol; print(protocol.__file__)"

clean:  ## take away what the other targets made
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14
