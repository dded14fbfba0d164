# Measures what is claimed about speed and size: bench/README.md.
# PART=polls|writes|startup|size|flags measures one part and writes no report; BENCH_FLAGS go to the program.

PART :=
BENCH_FLAGS :=

# The peers are compiled only when flag evaluation is measured.
BENCH_PEERS := $(if $(filter-out flags,$(PART)),,bench-peers)

bench: $(BENCH_PEERS) ## Measure everything side by side and write bench/RESULTS.md; PART=polls|writes|startup|size|flags for one part
	$(CARGO) build --release --locked --package yardarm
	CARGO_TARGET_DIR=$(abspath $(TARGET)) $(CARGO) build --release --locked --manifest-path bench/Cargo.toml --bins
	$(TARGET)/release/yardarm-bench --yardarm $(TARGET)/release/yardarm --folder $(TARGET)/bench-data \
		--peers $(TARGET)/release/yardarm-bench-peers \
		$(if $(PART),--part $(PART),--report bench/RESULTS.md) $(BENCH_FLAGS)

bench-peers: ## Build the other Rust evaluators, beside which flag evaluation is measured
	CARGO_TARGET_DIR=$(abspath $(TARGET)) $(CARGO) build --release --locked --manifest-path bench/peers/Cargo.toml

test-bench: ## Test the bench itself
	CARGO_TARGET_DIR=$(abspath $(TARGET)) $(CARGO) test --locked --manifest-path bench/Cargo.toml

.PHONY: bench bench-peers test-bench
