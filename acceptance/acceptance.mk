# Acceptance tests: real clients against the real binary. Part of the Makefile at the root, whose CARGO and TARGET it uses.
# BINARY=path tests a binary of your own, PYTEST_ARGS='-k …' picks tests. See acceptance/README.md.

VENV := .venv
BINARY ?= $(TARGET)/debug/yardarm
RUST_SDK := $(abspath $(TARGET))/acceptance-rust-sdk
PYTEST_ARGS ?=
# The clients in JavaScript, installed.
NODE_CLIENTS := acceptance/node/node_modules/.acceptance
PYTEST = $(VENV)/bin/pytest acceptance --yardarm $(abspath $(BINARY))

.PHONY: acceptance acceptance-rust-sdk acceptance-crash acceptance-binary acceptance-prometheus

acceptance: $(VENV)/.acceptance $(NODE_CLIENTS) acceptance-prometheus acceptance-binary ## Clients in Python and JavaScript against the binary
	$(PYTEST) --quiet $(PYTEST_ARGS)

acceptance-rust-sdk: $(VENV)/.acceptance acceptance-binary ## The AWS SDK for Rust against the binary
	$(CARGO) build --quiet --locked --manifest-path acceptance/rust-sdk/Cargo.toml --target-dir $(RUST_SDK)
	$(PYTEST) --quiet --rust-sdk $(RUST_SDK)/debug/rust-sdk-smoke -k test_rust_sdk

acceptance-crash: $(VENV)/.acceptance acceptance-binary ## The binary killed 100 times under load
	$(PYTEST) -s --crash-rounds 100 -k test_crash $(PYTEST_ARGS)

$(VENV)/.acceptance: acceptance/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

$(NODE_CLIENTS): acceptance/node/package.json acceptance/node/package-lock.json
	cd acceptance/node && npm ci --ignore-scripts --silent
	touch $@

# Debian's package; the tests start its program themselves.
acceptance-prometheus:
	@command -v prometheus >/dev/null || { \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends prometheus; \
	} >/dev/null || { echo 'install prometheus: the tests of alarms need it'; exit 1; }

# cargo knows best whether its own binary is fresh; one that was named is taken as it is.
acceptance-binary:
ifeq ($(origin BINARY),file)
	$(CARGO) build --quiet --locked --package yardarm
endif
