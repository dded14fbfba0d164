# Measures what is claimed about speed and size: bench/README.md.
# PART=polls|writes|startup|size measures one part and writes no report; BENCH_FLAGS go to the program.

PART :=
BENCH_FLAGS :=

bench: ## Measure everything side by side and write bench/RESULTS.md; PART=polls|writes|startup|size for one part
	$(CARGO) build --release --locked --package yardarm
	CARGO_TARGET_DIR=$(abspath $(TARGET)) $(CARGO) build --release --locked --manifest-path bench/Cargo.toml --bins
	$(TARGET)/release/yardarm-bench --yardarm $(TARGET)/release/yardarm --folder $(TARGET)/bench-data \
		$(if $(PART),--part $(PART),--report bench/RESULTS.md) $(BENCH_FLAGS)

test-bench: ## Test the bench itself
	CARGO_TARGET_DIR=$(abspath $(TARGET)) $(CARGO) test --locked --manifest-path bench/Cargo.toml

.PHONY: bench test-bench
