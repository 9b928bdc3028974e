# The commands of the house. `make help` lists them.
# Builds need no database: the queries are checked against the committed `.sqlx` (made anew by `cargo xtask sql`).
export SQLX_OFFLINE := true
CARGO ?= cargo
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
PROGRAM := $(TARGET_DIR)/release/tradewind

.DEFAULT_GOAL := help
.PHONY: artwork help run build tools test lint e2e deploy-test image lab lab-test lab-open lab-down scan bench openapi

help: ## Say what there is
	@grep -E '^[a-z0-9-]+:.*##' Makefile | sed -E 's/^([a-z0-9-]+):[^#]*## */  make \1\t/' | expand -t 22

run: build ## Build the shop, start it with demo data, and print a link into the back office
	@demo/run.sh $(PROGRAM)

build: tools ## Build the one binary, optimised
	@echo "Building tradewind (the first time this takes a few minutes) ..."
	$(CARGO) build --release --locked --package tradewind

tools: ## See that what a build and a private database need is installed; as root on Debian, install it
	@.ci/tools build

test: ## Everything that must hold before a change lands: form, rules, lints, tests, a purchase in a browser, deployment
	@.ci/tools test
	@deploy/pipeline/build
	@deploy/pipeline/test

lint: ## Only form, rules of the house and lints
	$(CARGO) fmt --all --check
	$(CARGO) xtask tidy
	$(CARGO) xtask slo --check
	docs/images/draw --check
	$(CARGO) clippy --workspace --all-targets --locked --features tradewind/faults -- -D warnings

e2e: ## Only the tests in a browser: shoppers and staff, pictures of every page, axe, budgets, the keyboard
	@.ci/tools browser
	@tests/browser/run

deploy-test: ## Only deployment: the chart, its gateway under load, alerts from rule to pager, dashboards, the pipeline on seeded faults; no cluster needed
	@.ci/tools pipeline
	@deploy/pipeline/told chart deploy/helm/test
	@deploy/pipeline/told argocd deploy/argocd/test
	@deploy/pipeline/told observability deploy/observability/test
	@deploy/pipeline/told tools deploy/tools/test
	@deploy/lab/check
	@deploy/pipeline/tests

image: ## Build the image and the list of its parts into target/image, look at it and run it
	@deploy/pipeline/image

lab: ## A real cluster on this machine with the whole road of a release (Linux, root; the first time most of an hour of compiling, then minutes)
	@deploy/lab/lab up

lab-test: ## The lab's drills: releases good and bad under load, faults, scale; their figures go to docs/evidence
	@deploy/lab/lab test $(DRILLS)

lab-open: ## Say where the lab's shop, back office, Argo CD and Prometheus are
	@deploy/lab/lab open

lab-down: ## Take down all that the lab put up
	@deploy/lab/lab down

scan: ## Look for secrets, licences, misconfiguration and vulnerabilities (VULNERABILITIES=off where no database can be reached)
	@deploy/pipeline/scan

bench: tools ## Measure the optimised build beside plain programs of the same machine; `make bench BENCH=--short` takes a minute
	$(CARGO) build --release --locked --package tradewind --package bench
	$(TARGET_DIR)/release/bench run --program $(PROGRAM) --into $(TARGET_DIR)/bench $(BENCH)

openapi: ## Write docs/api/store.json and docs/api/admin.json from the handlers that serve
	$(CARGO) run --quiet --locked --package tradewind -- openapi --write docs/api

artwork: ## Draw the demo shop's pictures anew (a few minutes; same input, same bytes)
	@.ci/tools build
	@command -v node >/dev/null || { echo "Drawing needs node." >&2; exit 1; }
	demo/artwork/make
