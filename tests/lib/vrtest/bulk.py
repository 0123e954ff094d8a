# SPDX-License-Identifier: GPL-2.0-only
"""Much data by TCP from one place to another, and what devices made of it."""

import hashlib
import random
import selectors
import socket

from .node import SLOW
from .probe import family_of


def bulk(src, dst, addr, size):
    """Octets that TCP brought from src to this address of dst; an AssertionError if they are
    not those that were sent."""
    family = family_of(addr)
    with dst.ns:
        server = socket.create_server((addr, 0), family=family)
    with src.ns:
        client = socket.socket(family)
    client.settimeout(20 * SLOW)
    client.connect(server.getsockname()[:2])
    conn, _ = server.accept()
    data = random.Random(size).randbytes(size)
    try:
        got = _pump(client, conn, data)
    finally:
        for sock in (server, client, conn):
            sock.close()
    if hashlib.sha256(got).digest() != hashlib.sha256(data[:len(got)]).digest():
        raise AssertionError(f"{len(got)} octets of TCP to {addr} are not those that were sent")
    return len(got)


def _pump(client, conn, data):
    """What came, after all of it or when nothing more comes."""
    left, got = memoryview(data), bytearray()
    client.setblocking(False)
    with selectors.DefaultSelector() as sel:
        sel.register(client, selectors.EVENT_WRITE)
        sel.register(conn, selectors.EVENT_READ)
        while len(got) < len(data):
            ready = [key.fileobj for key, _ in sel.select(20 * SLOW)]
            if conn in ready:
                more = conn.recv(1 << 20)
                if not more:
                    break
                got += more
            if client in ready:
                left = left[client.send(left[:65536]):]
                if not left:
                    sel.unregister(client)
            if not ready:
                break
    return bytes(got)


class Count:
    """Packets that a device of a namespace has sent ("tx") or received ("rx") since."""

    def __init__(self, ns, direction, dev="eth0"):
        self.ns, self.dev, self.at = ns, dev, {"rx": 0, "tx": 8}[direction]
        self.start = self._read()

    def _read(self):
        lines = self.ns.run(["cat", "/proc/net/dev"]).stdout.splitlines()
        words = next(l for l in lines if f" {self.dev}:" in f" {l.strip()}").split(":")[1].split()
        return int(words[self.at]), int(words[self.at + 1])

    def mean(self):
        """Octets of a packet, on average."""
        octets, packets = (now - then for now, then in zip(self._read(), self.start))
        return octets / max(packets, 1)
