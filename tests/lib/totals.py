#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""totals.py LOG|FOLDER...: adds up TAP and KTAP logs.

Results are counted at the leaves: a result that closes deeper ones is only
counted when it failed though all of them passed. Prints what failed, then
"N passed, N failed, N skipped" on a line of its own. Fails if something
failed, if nothing ran, if a plan was not kept, or if a kernel complained.

totals.py --splats LOG: only what a kernel complained of; fails if it did.
"""

import os
import re
import sys

STAMP = re.compile(r"^(?:<\d+>)?\[\s*\d+\.\d+\](?:\[[^\]]*\])? ?")
RESULT = re.compile(r"^(\s*)(ok|not ok)\b\s*(\d+)?\s*-?\s*(.*)$")
PLAN = re.compile(r"^(\s*)1\.\.(\d+)\s*(?:#\s*(.*))?$")
DIRECTIVE = re.compile(r"#\s*(SKIP|TODO)\b\s*(.*)$", re.IGNORECASE)

# Said by the kernel itself (a line with its time stamp), these are failures.
SPLAT = re.compile(
    r"BUG:|WARNING:|KASAN|UBSAN|possible circular locking|possible recursive locking"
    r"|suspicious RCU usage|sleeping function called|unreferenced object"
    r"|new suspected memory leaks|refcount_t:|Oops|Kernel panic"
    r"|unregister_netdevice: waiting|inconsistent lock state|list_add corruption"
    r"|list_del corruption|ODEBUG:|held lock freed|still has locks held"
    r"|ref_tracker:|blocked for more than|general protection fault|leaked reference")
# What a kernel says before its first program is not the module's doing (UML's
# second CPU: "Callback enqueued on offline CPU").
BOOTED = re.compile(r"Run \S+ as init process")


class Counts:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def fail(self, where, what):
        self.failed += 1
        self.failures.append(f"{where}: {what}")


class Log:
    """One log; `open_` holds what was seen at each depth since it was last closed."""

    def __init__(self, name, counts):
        self.name = name
        self.counts = counts
        self.open_ = {}         # indent -> [results, failed, planned or None]
        self.splats = []

    def deeper(self, indent):
        return [d for d in self.open_ if d > indent]

    def plan(self, indent, planned, reason):
        for depth in self.deeper(indent):
            self.settle(depth)
        level = self.open_.get(indent)
        if planned == 0 and reason and reason.upper().startswith("SKIP"):
            self.counts.skipped += 1
            return
        if level is None or level[2] is not None:
            if level is not None:
                self.settle(indent)
            self.open_[indent] = [0, 0, planned]
        else:
            level[2] = planned

    def settle(self, indent):
        """A level ends: were as many results seen as planned?"""
        results, failed, planned = self.open_.pop(indent)
        if planned is not None and results != planned:
            self.counts.fail(self.name, f"{planned} tests planned, {results} ran")
            failed += 1
        return results, failed

    def result(self, indent, passed, title):
        below = [self.settle(d) for d in sorted(self.deeper(indent), reverse=True)]
        level = self.open_.setdefault(indent, [0, 0, None])
        level[0] += 1
        directive = DIRECTIVE.search(title)
        if any(results for results, _ in below):
            failed_below = sum(failed for _, failed in below)
            if not passed and not directive and not failed_below:
                self.counts.fail(self.name, title)
                failed_below = 1
            level[1] += 1 if failed_below else 0
        elif directive:
            self.counts.skipped += 1
        elif passed:
            self.counts.passed += 1
        else:
            self.counts.fail(self.name, title)
            level[1] += 1

    def line(self, raw):
        stamp = STAMP.match(raw)
        text = raw[stamp.end():] if stamp else raw
        if stamp and BOOTED.search(text):
            del self.splats[:]
        if stamp and SPLAT.search(text):
            self.splats.append(text.strip())
            return
        match = RESULT.match(text)
        if match:
            self.result(len(match[1]), match[2] == "ok", match[4])
            return
        match = PLAN.match(text)
        if match:
            self.plan(len(match[1]), int(match[2]), match[3])
        elif text.startswith("Bail out!"):
            self.counts.fail(self.name, text.strip())

    def end(self):
        for depth in sorted(self.open_, reverse=True):
            self.settle(depth)
        for splat in self.splats:
            self.counts.fail(self.name, f"kernel: {splat}")


def logs(paths):
    for path in paths:
        if os.path.isdir(path):
            for name in sorted(os.listdir(path)):
                if name.endswith((".log", ".tap")):
                    yield os.path.join(path, name)
        elif os.path.exists(path):
            yield path


def splats(path):
    """Prints what the kernel complained of, with what followed."""
    found = []
    follow = 0
    with open(path, encoding="utf-8", errors="replace") as stream:
        for raw in stream:
            if STAMP.match(raw):
                if BOOTED.search(raw):
                    found.clear()
                    follow = 0
                elif SPLAT.search(raw):
                    follow = 40
            if follow:
                follow -= 1
                found.append(f"# {raw.rstrip()}")
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


def short(path):
    return "/".join(path.split("/")[-2:])


def main(paths):
    if len(paths) == 2 and paths[0] == "--splats":
        return splats(paths[1])
    counts = Counts()
    for path in logs(paths):
        log = Log(short(path), counts)
        with open(path, encoding="utf-8", errors="replace") as stream:
            for raw in stream:
                log.line(raw.rstrip("\r\n"))
        log.end()
    for failure in counts.failures[:200]:
        print(f"# FAILED {failure}")
    if len(counts.failures) > 200:
        print(f"# and {len(counts.failures) - 200} more")
    ran = counts.passed + counts.failed
    if not ran:
        print("# nothing ran")
    # A part of "make test" must not look like the whole's last line.
    part = "# part: " if os.environ.get("VROUTER_PART") else ""
    print(f"{part}{counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped",
          flush=True)
    return 0 if ran and not counts.failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
