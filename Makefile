# Everything a contributor runs. `make test-core` needs Rust and a C compiler, nothing else; `make test` also Go, for grpcurl.
.PHONY: help demo test test-core test-node readme release crash load lint fmt bench bench-check sim recount planted fuzz proto-image tools clean

CARGO  ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
SIM    := $(TARGET)/release/souk-sim
SOUK   := $(TARGET)/release/souk
LOAD   := $(TARGET)/release/souk-load
TOOLS  := $(TARGET)/tools
BUF    := $(TOOLS)/node_modules/.bin/buf
GRPCURL := $(TOOLS)/grpcurl
ROUNDS ?= 100
SEED   ?= 1
PAUSE  ?= 5..20
SEEDS  ?= 20000
JOBS   ?= $(shell nproc)

help:                ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo:                ## builds and starts one process with synthetic shoppers
	$(CARGO) build --locked --release -p souk-node
	$(SOUK) dev

test: test-core test-node readme test-kafka test-bridges test-foreign test-redis test-cluster test-cassandra test-views  ## everything that proves the project; CI runs this

test-core:           ## the pure core: unit, property and layering tests, then the simulator
	$(CARGO) test --locked --workspace --quiet
	$(MAKE) sim SEEDS=2000
	$(MAKE) planted

test-node: release   ## one node from outside: killed under load, short runs of every load
	$(LOAD) crash --rounds 8 --seed 1
	$(LOAD) latency --rate 2000 --seconds 5 --watchers 20
	$(LOAD) ingest --seconds 2 --only stream
	$(LOAD) reads --seconds 2
	$(LOAD) watchers --count 1000 --seconds 1
	$(LOAD) drain
	$(LOAD) start --users 50000
	$(LOAD) disk-full

readme: $(GRPCURL)   ## the README's calls against a live shop, their output compared
	PATH="$(abspath $(TOOLS)):$$PATH" $(CARGO) test --locked --quiet --workspace --test readme -- --ignored

release:
	$(CARGO) build --locked --release --quiet -p souk-node -p souk-loadtest

crash: release       ## kill -9 under load ROUNDS times: nothing lost, nothing counted twice, every metric right
	$(LOAD) crash --rounds $(ROUNDS)

load: release        ## latency, throughput and fan-out of one node, each with its bar
	$(LOAD) latency --rate 10000 --seconds 60 --watchers 100
	$(LOAD) ingest --seconds 20

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

$(GRPCURL):
	GOBIN="$(abspath $(TOOLS))" go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3

clean:               ## remove what builds made
	$(CARGO) clean

# Real Kafka, Cassandra and Redis (docker/README.md): in containers, or as plain processes where there is no engine.
.PHONY: services-up services-down test-kafka test-bridges test-foreign test-cassandra test-redis test-views test-cluster chaos test-cluster-load bench-failover bench-away bench-adopt bench-rows bench-poison
# Servers of their own for tests and loads: they kill them, and begin with them empty.
FRESH = SOUK_FRESH_DIR=$(abspath $(TARGET))/test-services docker/fresh
# Of the whole workspace, as `test-core` builds it: a package alone would be built again with features of its own.
WITH_SERVERS = $(CARGO) test --locked --quiet --workspace
# Where the nodes of a load write what they say.
LOGS = --logs $(TARGET)/chaos-logs

services-up:         ## start what does not run of Kafka, Cassandra and Redis, and wait until it answers
	docker/services up

services-down:       ## end what services-up started
	docker/services down

test-kafka:          ## the journal on Kafka against a real broker: conformance, a broker's death, lost records
	$(FRESH) kafka -- $(WITH_SERVERS) --test kafka_conformance --test adopt --test bridge --test broker -- --test-threads=1

test-bridges:        ## nodes with bridges from topics of others, against a real broker: once over kills and restarts, poison set aside
	$(FRESH) kafka -- $(WITH_SERVERS) --test bridges -- --test-threads=1

test-foreign:        ## nodes of a cluster with topics of others, adopted and bridged, against a real broker and Cassandra
	$(FRESH) kafka cassandra -- $(WITH_SERVERS) --test foreign -- --test-threads=1

test-cluster:        ## nodes together against a real broker: placement, takeover, positions
	$(FRESH) kafka -- $(WITH_SERVERS) --test placement --test positions -- --test-threads=1

test-cassandra:      ## store and tables on Cassandra against a real server: conformance, its death, its hanging, other schemas
	$(FRESH) cassandra -- $(WITH_SERVERS) --test cassandra_conformance --test cassandra_history --test cassandra_server --test cassandra_tables -- --test-threads=1

test-redis:          ## the view in Redis against a real server: conformance, its death, its forgetting
	$(FRESH) redis -- $(WITH_SERVERS) --test redis_conformance --test redis_server -- --test-threads=1

test-views:          ## what a node publishes to real Cassandra and Redis is what it answers, also when they are killed
	$(FRESH) cassandra redis -- $(WITH_SERVERS) --test views

chaos: release       ## three nodes on real servers, ROUNDS rounds of kills, pauses and cuts under load: nothing lost, nothing twice
	$(FRESH) -- $(LOAD) chaos --rounds $(ROUNDS) --seed $(SEED) --pause $(PAUSE) $(LOGS)

test-cluster-load: release  ## short: an owner killed and nodes moved under load, then two rounds of chaos
	$(FRESH) -- $(LOAD) failover --users 2000 --rate 500 --only-kill $(LOGS)
	$(FRESH) -- $(LOAD) chaos --rounds 2 --seed $(SEED) --rate 500 --pause 5..8 $(LOGS)

bench-failover: release  ## how soon shards answer again after kill -9, with few users and with USERS, and p99 of planned moves
	$(FRESH) -- $(LOAD) $(FLAGS) failover --users 10000,$(USERS) $(LOGS)

bench-away: release      ## Cassandra away for a minute under load, once with an owner killed meanwhile; then Redis killed
	$(FRESH) -- $(LOAD) $(FLAGS) away --server cassandra --seconds 60 $(LOGS)
	$(FRESH) -- $(LOAD) $(FLAGS) away --server cassandra --seconds 60 --kill-owner $(LOGS)
	$(FRESH) -- $(LOAD) $(FLAGS) away --server redis --seconds 20 --killed $(LOGS)

bench-adopt: release     ## a topic others filled with JSON, folded from its beginning by one node: events/s, and totals against a recount
	$(FRESH) -- $(LOAD) $(FLAGS) adopt $(LOGS)

bench-rows: release      ## rows of tables an event costs at two rates, and how old they are; then of a shop with few products
	$(FRESH) -- $(LOAD) $(FLAGS) rows $(LOGS)
	$(FRESH) -- $(LOAD) $(FLAGS) --scenario loadtest/scenarios/boutique.toml rows $(LOGS)

bench-poison: release    ## 100,000 messages that cannot count pour into a bridged topic: no shard stands still, each is set aside
	$(FRESH) -- $(LOAD) $(FLAGS) poison $(LOGS)

# The other loads, each on a server of its own (loadtest/README.md). FLAGS=--strict fails on a missed bar too.
.PHONY: bench-latency bench-ingest bench-observe bench-reads bench-watchers bench-drain bench-start bench-cut disk-full
USERS ?= 1000000
FLAGS ?=

bench-latency: release  ## acks and watchers at 10,000 events/s, from the due time
	$(LOAD) $(FLAGS) latency

bench-ingest: release   ## events/s the server keeps up with, by both calls
	$(LOAD) $(FLAGS) ingest

bench-observe: release  ## what logs, histograms and a scrape a second cost
	$(LOAD) $(FLAGS) observe

bench-reads: release    ## unary reads and batches of queries against a plain echo
	$(LOAD) $(FLAGS) reads

bench-watchers: release ## 10,000 watchers, and one that never reads
	$(LOAD) $(FLAGS) watchers

bench-drain: release    ## SIGTERM with 1,000 streams open
	$(LOAD) $(FLAGS) drain

bench-start: release    ## exec to first answer, empty and with USERS; idle cost
	$(LOAD) $(FLAGS) start --users $(USERS)

bench-cut: release      ## what a cut of USERS changed users adds to p99
	$(LOAD) $(FLAGS) cut --users $(USERS)

disk-full: release      ## a disk that runs full and has room again (root)
	$(LOAD) $(FLAGS) disk-full
