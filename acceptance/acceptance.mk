# Acceptance tests: real clients against the real binary. Included by the Makefile at the root.
#
#   make acceptance                       the whole suite against a debug build
#   make acceptance BINARY=path           against a binary of your own
#   make acceptance PYTEST_ARGS='-k seed' some of it
#   make acceptance-rust-sdk              the AWS SDK for Rust against the same binary
#   make crash                            the long form of the crash test

VENV := .venv
TARGET := $(or $(CARGO_TARGET_DIR),target)
BINARY ?= $(TARGET)/debug/yardarm
PYTEST_ARGS ?=

$(VENV)/.acceptance: acceptance/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

# Not a file target: cargo knows best whether the binary is fresh.
.PHONY: acceptance-binary acceptance acceptance-rust-sdk crash
acceptance-binary:
ifeq ($(origin BINARY),file)
	cargo build --quiet -p yardarm
endif

acceptance: $(VENV)/.acceptance acceptance-binary
	$(VENV)/bin/pytest acceptance --yardarm $(abspath $(BINARY)) $(PYTEST_ARGS)

acceptance-rust-sdk: $(VENV)/.acceptance acceptance-binary
	cargo build --quiet --manifest-path acceptance/rust-sdk/Cargo.toml --target-dir $(TARGET)/rust-sdk
	$(VENV)/bin/pytest acceptance/test_rust_sdk.py --yardarm $(abspath $(BINARY)) --rust-sdk $(abspath $(TARGET))/rust-sdk/debug/smoke

crash: $(VENV)/.acceptance acceptance-binary
	$(VENV)/bin/pytest acceptance/test_crash.py --yardarm $(abspath $(BINARY)) --crash-rounds 100 -s $(PYTEST_ARGS)
