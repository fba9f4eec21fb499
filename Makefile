# The front door. What a target needs, scripts/bootstrap.sh installs.

PREFIX ?= /usr/local
CARGO ?= cargo

TOOLS = th-backup th-restore th-prune th-swap
SCRIPTS = find .ci/run etc lib scripts tests tracehub \( -name node_modules -o -name .venv \) -prune \
  -o -type f \( -name '*.sh' -o -path .ci/run \) -print
# Most of an end-to-end test is waiting, so more of them run at once than there are processors.
RUN_TESTS = TH_BIN_DIR='$(CURDIR)/target/debug' RUST_TEST_THREADS=5 $(CARGO) test --locked
BINDIR = $(DESTDIR)$(PREFIX)/bin
SHARE = $(DESTDIR)$(PREFIX)/share
INSTALLED = $(TOOLS:%=$(BINDIR)/%) $(TOOLS:%=$(SHARE)/man/man1/%.1) \
  $(SHARE)/man/man5/th.toml.5 $(SHARE)/man/man7/th-records.7 $(SHARE)/th \
  $(TOOLS:%=$(SHARE)/bash-completion/completions/%) \
  $(TOOLS:%=$(SHARE)/zsh/site-functions/_%) \
  $(TOOLS:%=$(SHARE)/fish/vendor_completions.d/%.fish)

.PHONY: build debug demo test e2e lint bench gen install uninstall images \
  app-test stack-test stack-up stack-down stack-status image-budget bench-api soak

build: ## The release binaries, in target/release
	scripts/bootstrap.sh build
	$(CARGO) build --release --locked $(TOOLS:%=--package %)

demo: ## Back up, break, restore and compare, on a scratch server of its own
	scripts/bootstrap.sh demo
	scripts/demo.sh

test: ## Every test but that in a browser, which stack-test has
	scripts/bootstrap.sh test
	$(MAKE) --jobs=2 images debug
	$(RUN_TESTS) --workspace
	$(MAKE) app-test
	TH_NO_BROWSER=1 $(MAKE) stack-test

e2e: images debug ## Only the end-to-end tests
	$(RUN_TESTS) --package th-e2e

app-test: ## The reference app's own checks and tests
	scripts/bootstrap.sh test
	tracehub/backend/check.sh
	scripts/in-node.sh ./check.sh

stack-test: ## The reference deployment, end to end, in a browser too
	scripts/bootstrap.sh test
	scripts/compose-plugin.sh
	$(MAKE) debug
	tests/stack/nginx.sh
	TH_BIN_DIR='$(CURDIR)/target/debug' tests/stack/test.sh

stack-up: ## Staging and production of the reference app on this machine, behind nginx
	scripts/bootstrap.sh stack
	scripts/compose-plugin.sh
	scripts/stack.sh up

stack-status stack-down:
	scripts/stack.sh $(@:stack-%=%)

image-budget: ## The sizes of the reference app's images
	scripts/bootstrap.sh stack
	scripts/stack/images.sh 1.0.0
	tests/images/budget.sh 1.0.0

bench-api: ## 50 requests a second for a minute against a running stack
	scripts/bootstrap.sh test
	tests/bench/api.sh

debug:
	scripts/bootstrap.sh build
	$(CARGO) build --workspace --bins --locked

images:
	scripts/bootstrap.sh test
	scripts/compose-plugin.sh
	tests/images/build.sh postgres:15 postgres:17 python:3.11-slim

lint: ## Formatting, clippy, generated files, scripts, man pages; with cargo-deny, licences
	scripts/bootstrap.sh lint
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) xtask gen --check
	$(SCRIPTS) | xargs shellcheck --external-sources --shell=sh
	mandoc -T lint -W error man/*.[157]
	if command -v cargo-deny >/dev/null; then $(CARGO) deny --locked check; fi

bench: build ## Compare with other tools on this machine
	scripts/bootstrap.sh bench
	scripts/compose-plugin.sh
	tests/bench/run.sh
	tests/bench/prune.sh
	SOAK_SWAPS=$${SOAK_SWAPS:-20} tests/bench/soak.sh

soak: build ## Releases under load; SOAK_SWAPS=10 is a short one
	scripts/bootstrap.sh bench
	scripts/compose-plugin.sh
	tests/bench/soak.sh

gen: ## Man pages, completions, schemas, the tables of docs/records.md
	$(CARGO) xtask gen

# Not `build`: under sudo there may be no cargo, and what was built is to be installed as it is.
$(TOOLS:%=target/release/%):
	$(MAKE) build

install: $(TOOLS:%=target/release/%) ## PREFIX and DESTDIR say where
	install -d $(sort $(dir $(INSTALLED))) $(SHARE)/th/schemas
	install $(TOOLS:%=target/release/%) $(BINDIR)
	install -m 644 man/*.1 $(SHARE)/man/man1
	install -m 644 man/*.5 $(SHARE)/man/man5
	install -m 644 man/*.7 $(SHARE)/man/man7
	install -m 644 completions/bash/* $(SHARE)/bash-completion/completions
	install -m 644 completions/zsh/* $(SHARE)/zsh/site-functions
	install -m 644 completions/fish/* $(SHARE)/fish/vendor_completions.d
	install -m 644 schemas/* $(SHARE)/th/schemas
	install scripts/nightly.sh scripts/deploy.sh scripts/rollback.sh $(SHARE)/th
	install -m 644 scripts/lock.sh $(SHARE)/th
	cp -R etc $(SHARE)/th
	sed -i 's|/usr/local|$(PREFIX)|g' $(SHARE)/th/etc/cron.d/th

uninstall:
	rm -rf $(INSTALLED)
