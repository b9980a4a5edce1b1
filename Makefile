# One entry for each thing to do. `make help` lists them.

BIN     := bin/syncline
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
TOOL    := go tool -modfile=tools/go.mod
DATA    ?=        # demo: empty for the bank story, or "debian"
SEEDS   ?= 20000  # soak: seeds of the simulation
KILLS   ?= 50     # soak: kill -9 of one node under load; a fifth as many of all at once
SCRIPTS ?= 1      # soak: rounds of all chaos scripts, on every way to cut
MINUTES ?= 20     # soak: of drawn compositions of faults
BENCH   ?=        # bench: flags, such as "-only solo -window 5s"
BASELINE ?=       # bench: a commit to compare with, such as 71e21b3^
LEDGER  := $(CURDIR)/soak/ledger.jsonl

.PHONY: help demo build web test bench profile soak lint fmt clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## three real processes tell the bank story; DATA=debian: the main job on real input
	@scripts/web.sh --if-node
	@$(MAKE) --no-print-directory build
	$(BIN) demo $(if $(strip $(DATA)),--data $(strip $(DATA)))

build: ## the binary, bin/syncline
	CGO_ENABLED=0 go build -o $(BIN) ./cmd/syncline

web: ## the dashboard, from web/app into web/dist, where the binary embeds it
	@scripts/web.sh

test: ## everything that must be green, with its own set-up
	@scripts/test.sh

bench: build ## figures and ratios; BENCH="-only solo" for a part of them
	CGO_ENABLED=0 go build -o bin/bare ./bench/bare
	$(if $(strip $(BASELINE)),scripts/baseline.sh '$(strip $(BASELINE))' bin/baseline)
	CGO_ENABLED=0 go run ./bench -product $(BIN) -bare bin/bare -commit $(COMMIT) $(if $(strip $(BASELINE)),-baseline bin/baseline) $(BENCH)
	go test -count=1 -run '^$$' -bench '^BenchmarkResolve$$' ./conflict/script

profile: build ## what the compiler optimises the binary by, from the figures' own load
	CGO_ENABLED=0 go build -o bin/bare ./bench/bare
	rm -rf bin/profiles && mkdir -p bin/profiles
	CGO_ENABLED=0 go run ./bench -product $(BIN) -bare bin/bare -only solo,pair,catchup -rounds 1 -profiles bin/profiles
	go tool pprof -proto bin/profiles/*.prof > cmd/syncline/default.pgo

soak: build ## long runs, kept in soak/ledger.jsonl: SEEDS=n KILLS=n SCRIPTS=n MINUTES=n
	@mkdir -p $(dir $(LEDGER))
	SYNCLINE_SOAK_SEEDS=$(strip $(SEEDS)) SYNCLINE_SOAK_LEDGER=$(LEDGER) \
		go test -count=1 -timeout 0 -run '^TestSoak' -v ./node/nodetest/world
	SYNCLINE_SOAK_KILLS=$(strip $(KILLS)) SYNCLINE_SOAK_LEDGER=$(LEDGER) SYNCLINE_BIN=$(CURDIR)/$(BIN) \
		SYNCLINE_SOAK_SCRIPTS=$(strip $(SCRIPTS)) SYNCLINE_SOAK_MINUTES=$(strip $(MINUTES)) SYNCLINE_SOAK_COMMIT=$(COMMIT) \
		go test -count=1 -timeout 0 -run '^TestSoak' -v ./scripts/e2e
	SYNCLINE_BROWSER_NODES=9 SYNCLINE_BIN=$(CURDIR)/$(BIN) node --test web/app/test/budgets.test.js

lint: ## golangci-lint, slower and stricter than the checks of make test
	$(TOOL) golangci-lint run ./...

fmt: ## format all Go files
	$(TOOL) gofumpt -w .

clean: ## remove what builds leave behind
	rm -rf bin web/app/node_modules web/dist/index.html web/dist/assets
