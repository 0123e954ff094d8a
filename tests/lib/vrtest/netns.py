# SPDX-License-Identifier: GPL-2.0-only
"""Network namespaces: one process opens sockets in all of them.

A socket stays in the namespace in which it was made, so a test needs no
process for each pod.
"""

import ctypes
import os
import subprocess

_LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def _setns(fd):
    if _LIBC.setns(fd, CLONE_NEWNET):
        err = ctypes.get_errno()
        raise OSError(err, os.strerror(err), "setns")


class Netns:
    """A named namespace (ip netns); a context in which the calling thread is inside it."""

    def __init__(self, name, create=True):
        self.name = name
        self.path = f"/run/netns/{name}"
        self._stack = []
        if create:
            run(["ip", "netns", "add", name])
            with self:
                run(["ip", "link", "set", "lo", "up"])

    def __enter__(self):
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        there = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(there)
        finally:
            os.close(there)
        self._stack.append(home)
        return self

    def __exit__(self, *_exc):
        home = self._stack.pop()
        try:
            _setns(home)
        finally:
            os.close(home)
        return False

    def run(self, argv, **kw):
        with self:
            return run(argv, **kw)

    def popen(self, argv, **kw):
        with self:
            return subprocess.Popen(argv, **kw)  # pylint: disable=consider-using-with

    def delete(self):
        run(["ip", "netns", "del", self.name], check=False)


def run(argv, check=True, stdin=None, timeout=120, env=None):
    """Runs a program; its result with text output. Failure names command and output."""
    res = subprocess.run([str(a) for a in argv], input=stdin, text=True, timeout=timeout,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, env=env)
    if check and res.returncode:
        raise AssertionError(f"{' '.join(map(str, argv))}: exit status {res.returncode}\n"
                             f"{res.stdout}{res.stderr}")
    return res
