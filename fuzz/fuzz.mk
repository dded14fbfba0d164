# Fuzzing: outside bytes against the readers that meet them first. fuzz/README.md says how to go on from here.

FUZZ_TARGETS := rule document ion context
# How long each target runs, in seconds.
FUZZ_SECONDS ?= 600
FUZZ_HOST := $(shell rustc -vV | sed -n 's/^host: //p')
FUZZ_BINARIES = fuzz/target/$(FUZZ_HOST)/release
# What libFuzzer needs to see: which branches are taken, and what is compared with what. Stable flags, as cargo-fuzz sets
# them; there is no unsafe code here for a sanitizer to watch.
FUZZ_RUSTFLAGS := --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares

.PHONY: fuzz fuzz-build fuzz-merge

fuzz: $(FUZZ_TARGETS:%=fuzz-%) ## Run every fuzz target for FUZZ_SECONDS (600)

# With a target given, build scripts and macros are not instrumented.
fuzz-build:
	RUSTFLAGS='$(FUZZ_RUSTFLAGS)' $(CARGO) build --release --manifest-path fuzz/Cargo.toml --target $(FUZZ_HOST) \
	  --target-dir fuzz/target

fuzz-%: fuzz-build
	mkdir -p fuzz/found/$* fuzz/new/$*
	$(FUZZ_BINARIES)/$* -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
	  -max_len=8192 $(if $(wildcard fuzz/$*.dict),-dict=fuzz/$*.dict) -artifact_prefix=fuzz/found/$*/ \
	  fuzz/new/$* fuzz/corpus/$*

# Few and small inputs that reach every branch that all of them reach become the corpus.
fuzz-merge: fuzz-build
	for target in $(FUZZ_TARGETS); do \
	  rm -rf fuzz/merged && mkdir -p fuzz/merged fuzz/new/$$target && \
	  $(FUZZ_BINARIES)/$$target -set_cover_merge=1 -use_counters=0 -max_len=512 \
	    fuzz/merged fuzz/corpus/$$target fuzz/new/$$target && \
	  rm -rf fuzz/corpus/$$target && mv fuzz/merged fuzz/corpus/$$target; \
	done
