# The client portal for nginx.  "make help" lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

export RUN ?= .run
export PORT ?= 8080
export WORKERS ?= 2

CC ?= gcc
DESTDIR ?=
prefix ?= /usr
sysconfdir ?= /etc
export DESTDIR prefix sysconfdir

CTL_LIBS := -lsodium -ljansson -lmagic -lcrypto -lpq
CTL_FLAGS := -std=gnu11 -g -O2 -Wall -Wextra -Werror -fstack-protector-strong \
    -D_FORTIFY_SOURCE=2 -fPIE -pthread -Iinclude -I/usr/include/postgresql
CTL_OBJS := $(patsubst src/%.c,build/ctl/%.o,\
    $(wildcard src/ctl/*.c src/common/*.c))

.PHONY: help deps deps-test deps-check deps-asan build build-test build-asan module \
    portalctl run start stop test check bench install clean distclean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | \
	    while IFS=$$'\t' read -r name text; do \
	        printf '  make %-11s %s\n' "$$name" "$$text"; done
	@printf '%s\n' '' 'Variables: PORT=8080 RUN=.run WORKERS=2;' \
	    'of install: DESTDIR= prefix=/usr sysconfdir=/etc'

deps: ## install what building and running need
	@tools/deps run

deps-test: ## install what the tests need
	@tools/deps run test

deps-check: ## install what check and bench need
	@tools/deps run test check asan

deps-asan: ## install what the sanitizer build needs
	@tools/deps run asan

build: module portalctl ## the module and portalctl, into build/

module:
	@tools/build-module

ifneq ($(wildcard src/ctl/*.c),)
portalctl: build/portalctl
else
portalctl:
endif

build/portalctl: $(CTL_OBJS)
	@$(CC) -pie -pthread -Wl,-z,relro,-z,now $(LDFLAGS) -o $@ $^ $(CTL_LIBS)
	@echo "built $@"

build/ctl/%.o: src/%.c
	@mkdir -p $(@D)
	@$(CC) $(CTL_FLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(CTL_OBJS:.o=.d)

build-test: ## the module with directives for tests, into build/test/
	@tools/build-module test

build-asan: deps-asan ## nginx and the module with sanitizers, into build/asan/
	@tools/build-nginx-asan
	@tools/build-module asan

run: deps build ## the demonstration, until Ctrl-C
	@exec env --default-signal=INT tools/site run "$$RUN"

start: deps build ## the demonstration, in the background
	@tools/site start "$$RUN"

stop: ## end what make start has started
	@tools/site stop "$$RUN"

test: deps-test build build-test ## every test: units, database, end to end, browser
	@tools/test

check: deps-check build build-test ## the long tests: scale, fuzzing, all browsers
	@tools/check

bench: deps-check build ## the benchmarks
	@tools/bench

install: build ## the module, portalctl, pages and schema, under DESTDIR
	@tools/install

clean: ## remove what was built
	@rm -rf build

distclean: clean ## remove the demonstration and its data too
	@tools/site remove "$$RUN"
