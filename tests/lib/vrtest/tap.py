# SPDX-License-Identifier: GPL-2.0-only
"""TAP output. One check, one line; a failed check tells what was seen."""

import sys
import time
import traceback


class Skip(Exception):
    """Raised by a case that cannot run here; counted as skipped."""


class Tap:
    def __init__(self, name):
        self.name = name
        self.count = 0
        self.failed = 0
        print("TAP version 13", flush=True)
        self.say(f"suite {name}")

    @staticmethod
    def say(text):
        for line in str(text).splitlines() or [""]:
            print(f"# {line}", flush=True)

    def check(self, good, what, seen=None):
        """One result. `seen` is printed when it failed."""
        self.count += 1
        if not good:
            self.failed += 1
        what = what.replace("#", "")
        print(f"{'ok' if good else 'not ok'} {self.count} - {self.name}: {what}", flush=True)
        if not good and seen is not None:
            self.say(seen)
        return bool(good)

    def equal(self, got, want, what):
        return self.check(got == want, what, f"got  {got!r}\nwant {want!r}")

    def until(self, cond, what, seconds, logs, step=0.1):
        """A result that is waited for; logs() is printed when it does not come."""
        try:
            wait_for(cond, what, seconds, step=step)
            return self.check(True, what)
        except AssertionError as err:
            return self.check(False, what, f"{err}\n{logs()}")

    def skip(self, what, why):
        self.count += 1
        print(f"ok {self.count} - {self.name}: {what} # SKIP {why}", flush=True)

    def run(self, cases, only=None):
        """Calls each (title, function); an exception fails the case, not the suite."""
        for title, func in cases:
            if only and only not in title:
                continue
            try:
                func()
            except Skip as why:
                self.skip(title, str(why))
            except Exception:  # pylint: disable=broad-except
                self.check(False, title, traceback.format_exc())

    def done(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed or not self.count else 0)


def wait_for(cond, what, seconds=30, step=0.02):
    """Polls until cond() is true and returns its value; an AssertionError that names
    what was waited for when the time is over (a bound for a hang, never a pace)."""
    end = time.monotonic() + seconds
    while True:
        value = cond()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for: {what}")
        time.sleep(step)
