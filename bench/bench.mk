# Measures what is claimed about speed and size: bench/README.md.
# PART=polls|writes|startup|size|flags|ofrep|streams measures one part and writes no report; BENCH_FLAGS go to the program.

PART :=
BENCH_FLAGS :=

# Unleash Edge, beside which OFREP is measured if it is there: make bench-edge.
BENCH_EDGE := $(TARGET)/bench-tools/bin/unleash-edge
EDGE_VERSION := 19.15.1
# What its documentation pages are made of; its build would otherwise fetch them from somewhere else.
SWAGGER_UI_VERSION := 0.2.0

# The peers are compiled only when flag evaluation is measured.
BENCH_PEERS := $(if $(filter-out flags,$(PART)),,bench-peers)

bench: $(BENCH_PEERS) ## Measure everything side by side and write bench/RESULTS.md; PART=polls|writes|startup|size|flags|ofrep|streams for one part
	$(CARGO) build --release --locked --package yardarm
	CARGO_TARGET_DIR=$(abspath $(TARGET)) $(CARGO) build --release --locked --manifest-path bench/Cargo.toml --bins
	$(TARGET)/release/yardarm-bench --yardarm $(TARGET)/release/yardarm --folder $(TARGET)/bench-data \
		--peers $(TARGET)/release/yardarm-bench-peers --edge $(BENCH_EDGE) \
		$(if $(PART),--part $(PART),--report bench/RESULTS.md) $(BENCH_FLAGS)

bench-peers: ## Build the other Rust evaluators, beside which flag evaluation is measured
	CARGO_TARGET_DIR=$(abspath $(TARGET)) $(CARGO) build --release --locked --manifest-path bench/peers/Cargo.toml

bench-edge: $(BENCH_EDGE) ## Install Unleash Edge, beside which OFREP is measured
$(BENCH_EDGE):
	cargo info --quiet utoipa-swagger-ui-vendored@$(SWAGGER_UI_VERSION) >/dev/null
	SWAGGER_UI_DOWNLOAD_URL=file://$$(ls $${CARGO_HOME:-$$HOME/.cargo}/registry/src/*/utoipa-swagger-ui-vendored-$(SWAGGER_UI_VERSION)/res/*.zip | head -n 1) \
		CARGO_TARGET_DIR=$(abspath $(TARGET))/bench-tools/build \
		$(CARGO) install unleash-edge --version $(EDGE_VERSION) --locked --no-default-features --root $(TARGET)/bench-tools

test-bench: ## Test the bench itself
	CARGO_TARGET_DIR=$(abspath $(TARGET)) $(CARGO) test --locked --manifest-path bench/Cargo.toml

.PHONY: bench bench-peers bench-edge test-bench
