# SPDX-License-Identifier: GPL-2.0-only
# Everything is built into $(O) (default: build/); the source tree stays clean.
# "make help" lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := all
MAKEFLAGS += --no-print-directory

VERSION := 0.1.0
O ?= build
override O := $(abspath $(O))
top := $(CURDIR)
lib := tests/lib
Q := $(if $(V),,@)
say = @printf '  %-8s%s\n' '$(1)' '$(2)'

# The newest installed kernel headers, unless KDIR says other.
KDIR ?= $(shell ls -d /lib/modules/*/build 2>/dev/null | sort -V | tail -n 1)

CC ?= gcc
PKG_CONFIG ?= pkg-config
PYTHON ?= /usr/bin/python3
PREFIX ?= /usr/local
DESTDIR ?=

# ---- user-space programs --------------------------------------------------

packages := libmnl jansson yaml-0.1 libsystemd libmicrohttpd libcurl libcrypto zlib
ifeq ($(shell $(PKG_CONFIG) --exists $(packages) 2>/dev/null && echo y),y)
pkg_cflags := $(shell $(PKG_CONFIG) --cflags $(packages))
pkg_libs := $(shell $(PKG_CONFIG) --libs $(packages))
endif

warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
base_cflags := -std=gnu11 -g -D_GNU_SOURCE -DVR_VERSION='"$(VERSION)"' \
	-I$(top)/uapi -I$(top)/userspace/lib -I$(top)/userspace/kube $(warnings) $(pkg_cflags)
hardening := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
# gcc's flow warnings guess wrong in instrumented code; the other build has them.
sanitize := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer -Wno-maybe-uninitialized \
	-Wno-stringop-overread -Wno-stringop-overflow -Wno-array-bounds
base_ldflags := -Wl,--as-needed -Wl,-z,relro -Wl,-z,now

# folder:program
programs := vrctl:vrctl vrouterd:vrouterd manager:contrail-kube-manager cni:contrail-cni
sources = $(sort $(wildcard userspace/$(1)/*.c))
objects = $(patsubst %.c,$(O)/obj/%.o,$(call sources,$(1)))
folder = $(firstword $(subst :, ,$(1)))
binary = $(O)/$(lastword $(subst :, ,$(1)))
present := $(foreach p,$(programs),$(if $(wildcard userspace/$(call folder,$(p))/main.c),$(p)))
binaries := $(foreach p,$(present),$(call binary,$(p)))
libvr := $(O)/libvr.a
libkube := $(O)/libkube.a

.PHONY: all
all: modules programs

.PHONY: programs
programs: $(binaries)
	$(if $(binaries),,$(call say,NOTE,userspace/: nothing there yet))

$(O)/obj/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(base_cflags) $(hardening) $(CFLAGS) -MMD -MP -c -o $@ $<

$(libvr): $(call objects,lib)
$(libkube): $(call objects,kube)
$(libvr) $(libkube):
	$(call say,AR,$(@F))
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

define program_rules
$(call binary,$(1)): $(call objects,$(call folder,$(1))) $(libkube) $(libvr)
	$$(call say,LD,$$(@F))
	$(Q)$(CC) -pie $(base_ldflags) $(LDFLAGS) -o $$@ $$^ $$(pkg_libs)
.PHONY: $(notdir $(call binary,$(1)))
$(notdir $(call binary,$(1))): $(call binary,$(1))
endef
$(foreach p,$(present),$(eval $(call program_rules,$(p))))

# node.yaml copies the plugin from its image to nodes of any distribution: it brings jansson with it, where the archive is
# installed. libmnl is there wherever iproute2 is.
ifneq ($(wildcard $(shell $(CC) -print-file-name=libjansson.a)),)
$(O)/contrail-cni: pkg_libs := $(patsubst -ljansson,-l:libjansson.a,$(pkg_libs))
endif

-include $(shell find $(O)/obj $(O)/unit -name '*.d' 2>/dev/null)

# ---- the kernel module ----------------------------------------------------

.PHONY: modules
modules:
ifeq ($(wildcard kmod/Makefile.objs),)
	$(call say,NOTE,kmod/Makefile.objs: nothing there yet)
else
	$(call say,KMOD,$(O)/vrouter.ko for $(KDIR))
	@test -n "$(KDIR)" || { echo 'no kernel headers: set KDIR= or run $(lib)/deps.sh build' >&2; exit 1; }
	$(Q)farm=$$($(lib)/kmod.sh -o $(O) $(KDIR)) && cp -u $$farm/vrouter.ko $(O)/vrouter.ko
endif

# ---- install --------------------------------------------------------------

deploy := userspace/deploy
release = $(shell cut -d'"' -f2 $(KDIR)/include/generated/utsrelease.h)
man_pages := $(wildcard $(deploy)/man/*.scd)
units := $(wildcard $(deploy)/systemd/*.service $(deploy)/systemd/*.socket)
completions := $(wildcard $(deploy)/completion/*)

.PHONY: install
install: all
	$(call say,INSTALL,into $(DESTDIR)/ prefix $(PREFIX))
	$(Q)[ ! -e $(O)/vrouter.ko ] || install -D -m 644 -t $(DESTDIR)/lib/modules/$(release)/updates $(O)/vrouter.ko
	$(Q)for b in $(binaries); do case $$b in \
		*/contrail-cni) d=/opt/cni/bin ;; \
		*/vrctl) d=$(PREFIX)/bin ;; *) d=$(PREFIX)/sbin ;; esac; \
		install -D -t $(DESTDIR)$$d $$b || exit; done
	$(Q)install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/linux uapi/linux/vrouter.h
	$(Q)for m in $(man_pages); do n=$$(basename $$m .scd); \
		d=$(DESTDIR)$(PREFIX)/share/man/man$${n##*.}; \
		mkdir -p $$d && scdoc <$$m >$$d/$$n || exit; done
	$(Q)for u in $(units); do d=$(DESTDIR)$(PREFIX)/lib/systemd/system; mkdir -p $$d; \
		sed 's,/usr/local,$(PREFIX),g' $$u >$$d/$${u##*/} || exit; done
	$(Q)install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/vrouter/kubernetes $(deploy)/kubernetes/*.yaml
	$(Q)install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/vrouter/kubernetes/examples $(deploy)/kubernetes/examples/*.yaml
	$(Q)install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/vrouter/cni $(deploy)/cni/*.conflist
	$(Q)[ -z "$(completions)" ] || install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(completions)
	$(Q)[ -n "$(DESTDIR)" ] || depmod -a $(release)

# ---- tests ----------------------------------------------------------------
# Each part leaves TAP logs in $(O)/log/<part>/ and ends with its totals line.

# SUITE=name or T=glob narrows, KERNEL=um|6.1 picks the kernel of "node".
export SUITE T KERNEL V

totals = $(PYTHON) $(lib)/totals.py

.PHONY: deps
deps:
	$(Q)$(lib)/deps.sh

.PHONY: lint
lint:
	$(Q)$(lib)/lint.sh $(O)

unit_tests := $(sort $(wildcard tests/unit/test_*.c))
unit_names := $(patsubst tests/unit/%.c,%,$(unit_tests))
unit_run := $(foreach n,$(unit_names),$(if $(or $(T),$(SUITE)),$(filter \
	$(subst *,%,$(T)) $(SUITE) test_$(SUITE) test_$(subst *,%,$(T)),$(n)),$(n)))

# A test's head says which folders it links with: /* links: manager lib */
links = $(shell sed -n '1,12s,.*/\* *links: *\(.*[^ ]\) *\*/.*,\1,p' $(1))
unit_objects = $(patsubst %.c,$(O)/unit/obj/%.o,$(filter-out %/main.c,\
	$(foreach f,$(call links,$(1)),$(call sources,$(f)))))

$(O)/unit/obj/%.o: %.c
	$(call say,CC-SAN,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(base_cflags) $(sanitize) -DVR_SRCDIR='"$(top)"' \
		$(foreach f,$(if $(filter tests/unit/%,$<),$(filter-out lib,$(call links,$<))),-I$(top)/userspace/$(f)) \
		-MMD -MP -c -o $@ $<

define unit_rules
$(O)/unit/$(1): $(O)/unit/obj/tests/unit/$(1).o $(call unit_objects,tests/unit/$(1).c)
	$$(call say,LD-SAN,$(1))
	$(Q)$(CC) $(sanitize) $(base_ldflags) -o $$@ $$^ -lcmocka $(pkg_libs)
endef
# Only then, because reading the tests' heads costs time.
ifneq ($(filter unit-build $(O)/unit/%,$(MAKECMDGOALS)),)
$(foreach n,$(unit_names),$(eval $(call unit_rules,$(n))))
endif

.PHONY: unit-build
unit-build: $(addprefix $(O)/unit/,$(unit_run))

# A test that does not build fails, and keeps no other one from running.
.PHONY: unit
unit:
	$(Q)built=ok; $(MAKE) -k -j$$(nproc) unit-build || built='not ok'; \
	$(lib)/unit.sh $(O) "$$built" $(addprefix $(O)/unit/,$(unit_run))

.PHONY: kunit
kunit:
	$(Q)$(lib)/kunit.sh $(O)

.PHONY: node
node: programs
	$(Q)$(lib)/node.sh $(O)

.PHONY: node-um node-stock
node-um: programs
	$(Q)KERNEL=um $(lib)/node.sh $(O) node-um
node-stock: programs
	$(Q)KERNEL=stock $(lib)/node.sh $(O) node-stock

.PHONY: cluster
cluster:
	$(Q)$(lib)/deps.sh build run cluster
	$(Q)$(MAKE) programs
	$(Q)$(lib)/cluster.sh $(O)

# The last three run beside each other: most of what they do is waiting for one emulated CPU.
parts := lint unit kunit node-um node-stock cluster

# A failing part does not keep the next ones from running; all are summed up.
.PHONY: test
test: deps
	$(Q)$(lib)/deps.sh cluster
	@rm -rf $(O)/log; mkdir -p $(O)/log
	@export VROUTER_PART=1; start=$$SECONDS; failed=; n=0; um=; \
	for part in $(parts); do n=$$((n + 1)); \
		echo "==== test: $$part ($$n of $(words $(parts)), $$((SECONDS - start)) s so far)"; \
		case $$part in \
		node-um) $(MAKE) programs && echo 'beside the next ones; what it says comes after them'; \
			$(MAKE) node-um </dev/null >$(O)/log/node-um.out 2>&1 & um=$$! ;; \
		*)	$(MAKE) $$part </dev/null || failed="$$failed $$part" ;; \
		esac; \
	done; \
	echo "==== test: node-um, what it said ($$((SECONDS - start)) s so far)"; \
	wait $$um || failed="$$failed node-um"; \
	cat $(O)/log/node-um.out; \
	echo "==== test: all parts done after $$((SECONDS - start)) s$${failed:+; failed:$$failed}"; \
	unset VROUTER_PART; ok=0; \
	$(totals) $(foreach p,$(parts),$(O)/log/$(p)) || ok=1; \
	[ $$ok = 0 ] && [ -z "$$failed" ]

.PHONY: demo
demo: deps
	@test -x tests/demo/run.sh || { echo 'tests/demo/run.sh: nothing there yet' >&2; exit 1; }
	@$(MAKE) all
	@VROUTER_SRC=$(top) VROUTER_BUILD=$(O) tests/demo/run.sh

.PHONY: bench
bench: deps
	@test -x tests/bench/run.sh || { echo 'tests/bench/run.sh: nothing there yet' >&2; exit 1; }
	@$(MAKE) programs
	@VROUTER_SRC=$(top) VROUTER_BUILD=$(O) tests/bench/run.sh

.PHONY: fuzz
fuzz:
	@if [ -x tests/fuzz/run.sh ]; then VROUTER_SRC=$(top) VROUTER_BUILD=$(O) tests/fuzz/run.sh; \
	else echo 'tests/fuzz/run.sh: nothing there yet'; fi

# ---- the rest -------------------------------------------------------------

.PHONY: clean
clean:
	$(call say,CLEAN,$(O))
	$(Q)rm -rf $(O)

.PHONY: help
help:
	@echo 'make            the module for KDIR and all programs, into O=build'
	@echo 'make modules    only the module: build/vrouter.ko'
	@echo 'make programs   only the programs'
	@echo 'make install    module, programs, header, man pages, units (DESTDIR=, PREFIX=)'
	@echo 'make demo       a compute node on the stock kernel serves a real service'
	@echo 'make test       lint, unit, kunit, node and cluster, with one totals line'
	@echo 'make lint       checkpatch, sparse, W=1, cppcheck, clang-tidy, shellcheck, netlink spec'
	@echo 'make unit       user-space unit tests under ASan and UBSan'
	@echo 'make kunit      KUnit in the sanitised UML kernel'
	@echo 'make node       scenarios in the sanitised UML kernel and in the stock one'
	@echo 'make cluster    suites against a real kube-apiserver and etcd (built once: long)'
	@echo 'make bench      peers side by side; writes build/bench.json'
	@echo 'make fuzz       fuzzers, for FUZZ_SECONDS'
	@echo 'make clean      removes O'
	@echo
	@echo 'SUITE=name or T=glob narrows a test target, KERNEL=um|6.1 the kernel of node and cluster.'
	@echo 'VROUTER_CACHE=folder holds kernels and Kubernetes (default: ~/.cache/vrouter), V=1 shows commands.'
