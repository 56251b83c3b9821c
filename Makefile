# Everything a contributor runs. `make test` needs Rust and a C compiler, nothing else.
.PHONY: help test test-core lint fmt bench bench-check sim recount planted fuzz proto-image tools clean \
  load-build load crash bench-latency bench-ingest bench-reads bench-watchers bench-drain bench-start bench-cut disk-full

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

# Load from outside, on a server of its own (loadtest/README.md). LOAD=--strict fails on a missed bar too.
SOUK_LOAD := $(TARGET)/release/souk-load
ROUNDS ?= 20
SEED   ?= 1
USERS  ?= 1000000
LOAD   ?=

load-build:
	$(CARGO) build --locked --release --quiet -p souk-node -p souk-loadtest

load: load-build     ## every load test, short: about ten minutes
	$(SOUK_LOAD) $(LOAD) crash --rounds 5 --seed $(SEED)
	$(SOUK_LOAD) $(LOAD) latency --seconds 10
	$(SOUK_LOAD) $(LOAD) ingest --seconds 10
	$(SOUK_LOAD) $(LOAD) reads --seconds 5
	$(SOUK_LOAD) $(LOAD) watchers --count 2000 --seconds 2
	$(SOUK_LOAD) $(LOAD) drain
	$(SOUK_LOAD) $(LOAD) start --users 100000
	$(SOUK_LOAD) $(LOAD) cut --users 100000 --seconds 60

crash: load-build    ## kill -9 under load, ROUNDS times from SEED: every row equals the recount
	$(SOUK_LOAD) $(LOAD) crash --rounds $(ROUNDS) --seed $(SEED)

bench-latency: load-build ## acks and watchers at 10,000 events/s, from the due time
	$(SOUK_LOAD) $(LOAD) latency

bench-ingest: load-build ## events/s the server keeps up with, by both calls
	$(SOUK_LOAD) $(LOAD) ingest

bench-reads: load-build ## unary reads and batches of queries against a plain echo
	$(SOUK_LOAD) $(LOAD) reads

bench-watchers: load-build ## 10,000 watchers, and one that never reads
	$(SOUK_LOAD) $(LOAD) watchers

bench-drain: load-build ## SIGTERM with 1,000 streams open
	$(SOUK_LOAD) $(LOAD) drain

bench-start: load-build ## exec to first answer, empty and with USERS; idle cost
	$(SOUK_LOAD) $(LOAD) start --users $(USERS)

bench-cut: load-build ## what a cut of USERS changed users adds to p99
	$(SOUK_LOAD) $(LOAD) cut --users $(USERS)

disk-full: load-build ## a disk that runs full and has room again (root)
	$(SOUK_LOAD) $(LOAD) disk-full
