# Everything a contributor runs. `make test` needs Rust and a C compiler, nothing else.
.PHONY: help test test-core lint fmt bench bench-check sim recount planted fuzz proto-image tools clean

CARGO  ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
SIM    := $(TARGET)/release/souk-sim
TOOLS  := $(TARGET)/tools
BUF    := $(TOOLS)/node_modules/.bin/buf
SEEDS  ?= 20000
JOBS   ?= $(shell nproc)

help:                ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

test: test-core      ## everything that proves the project; CI runs this

test-core:           ## the pure core: unit, property and layering tests, then the simulator
	$(CARGO) test --locked --workspace --quiet
	$(MAKE) sim SEEDS=2000
	$(MAKE) planted

sim:                 ## run SEEDS simulated worlds (20,000 by default) against every oracle
	$(CARGO) build --locked --release --quiet -p souk-sim
	$(SIM) run --seeds $(SEEDS) --jobs $(JOBS)

recount:             ## fold and recount 10,000 random journals: every figure must be equal
	$(CARGO) test --locked --release --quiet -p souk-sim --test recount_model -- --ignored ten_thousand

planted:             ## show that the simulator notices each planted bug
	$(CARGO) build --locked --release --quiet -p souk-sim
	$(SIM) planted --jobs $(JOBS)

bench:               ## fold, memory, cuts, timers, windows; one table
	$(CARGO) build --locked --release --quiet -p souk-bench
	$(TARGET)/release/souk-bench all

bench-check:         ## instruction counts against the tracked ones, 2 % gate (needs valgrind)
	$(CARGO) build --locked --release --quiet -p souk-bench
	actors/bench/check-instructions.sh $(TARGET)/release/souk-bench

lint: $(BUF)         ## formatting, clippy, docs, protos
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" $(CARGO) doc --locked --workspace --no-deps --quiet
	$(BUF) lint proto
	$(BUF) format proto --diff --exit-code
	$(BUF) breaking proto --against proto/image.binpb

fmt: $(BUF)          ## format Rust and protos
	$(CARGO) fmt --all
	$(BUF) format proto --write

proto-image: $(BUF)  ## record today's protos as what `make lint` guards against breaking
	$(BUF) build proto -o proto/image.binpb

fuzz:                ## each fuzz target for SECONDS (60); needs nightly and cargo-fuzz
	cd actors/model/fuzz && for target in $$(cargo +nightly fuzz list); do \
	  cargo +nightly fuzz run $$target -- -max_total_time=$${SECONDS_EACH:-60} -rss_limit_mb=4096 -len_control=0 -max_len=4096 || exit 1; done

$(BUF):
	npm install --silent --no-fund --no-audit --prefix $(TOOLS) @bufbuild/buf@1.75.0

clean:               ## remove what builds made
	$(CARGO) clean
