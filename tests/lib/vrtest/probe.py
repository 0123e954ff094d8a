# SPDX-License-Identifier: GPL-2.0-only
"""Servers and clients in many pods, driven by one event loop.

A server answers each connection or datagram with its pod's name. A probe's
result is that name, "refused", "unreachable", or None while nothing came.
"""

import errno
import select
import socket
import time

SCTP = 132
PROTO = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP, "sctp": SCTP}


def _socket(proto, family):
    kind = socket.SOCK_DGRAM if proto == "udp" else socket.SOCK_STREAM
    sock = socket.socket(family, kind, PROTO[proto])
    sock.setblocking(False)
    return sock


def family_of(addr):
    return socket.AF_INET6 if ":" in addr else socket.AF_INET


class Probe:
    """One client socket."""

    def __init__(self, src, proto, addr, port, sport=0):
        self.src, self.proto, self.addr, self.port = src, proto, addr, port
        self.result = None
        self.peer_seen = None
        family = family_of(addr)
        with src.ns:
            self.sock = _socket(proto, family)
        if sport:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", sport))
        try:
            self.sock.connect((addr, port))
        except BlockingIOError:
            pass
        except OSError as err:
            self._fail(err)
        if proto == "udp" and self.result is None:
            self._send()

    def _send(self):
        try:
            self.sock.send(b"who")
        except OSError as err:
            self._fail(err)

    def _fail(self, err):
        self.result = {errno.ECONNREFUSED: "refused", errno.EHOSTUNREACH: "unreachable",
                       errno.ENETUNREACH: "unreachable"}.get(err.errno, err.strerror)

    def ready(self):
        """Readable or in error."""
        try:
            data = self.sock.recv(4096)
            if data:
                self.result = data.decode()
            elif self.result is None:
                self.result = "closed"
        except BlockingIOError:
            pass
        except OSError as err:
            self._fail(err)

    def close(self):
        self.sock.close()


class World:
    """All pods' servers, and the loop in which probes run."""

    def __init__(self):
        self.poll = select.epoll()
        self.handlers = {}
        self.seen = []          # (server pod, client address) of each request

    def add(self, sock, handler):
        self.handlers[sock.fileno()] = (sock, handler)
        self.poll.register(sock.fileno(), select.EPOLLIN | select.EPOLLERR | select.EPOLLHUP)

    def remove(self, sock):
        if self.handlers.pop(sock.fileno(), None):
            self.poll.unregister(sock.fileno())
        sock.close()

    def serve(self, pod, proto, port, addr="::", reply=None):
        """Pod answers on the port of all its addresses; the listening socket."""
        family = family_of(addr)
        with pod.ns:
            sock = _socket(proto, family)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and proto != "sctp":
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((addr, port))
        name = (reply or pod.name).encode()
        if proto == "udp":
            self.add(sock, lambda: self._datagram(pod, sock, name))
        else:
            sock.listen(128)
            self.add(sock, lambda: self._accept(pod, sock, name))
        return sock

    def _datagram(self, pod, sock, name):
        try:
            _, peer = sock.recvfrom(65536)
            self.seen.append((pod.name, peer[0].removeprefix("::ffff:")))
            sock.sendto(name, peer)
        except OSError:
            pass

    def _accept(self, pod, sock, name):
        try:
            conn, peer = sock.accept()
        except OSError:
            return
        self.seen.append((pod.name, peer[0].removeprefix("::ffff:")))
        try:
            conn.send(name)
        except OSError:
            pass
        conn.close()

    def step(self, timeout=0.02):
        for fd, _ in self.poll.poll(timeout):
            if fd in self.handlers:
                self.handlers[fd][1]()

    def run(self, probes, until=None, seconds=20):
        """Runs until every probe has a result, or until() says that no more can
        come; `seconds` only ends a run that would never end."""
        for p in probes:
            if p.result is None:
                self.add(p.sock, p.ready)
        end = time.monotonic() + seconds
        while any(p.result is None for p in probes) and time.monotonic() < end:
            self.step()
            if until and until():
                break
        for _ in range(3):
            self.step(0)
        results = [p.result for p in probes]
        for p in probes:
            self.handlers.pop(p.sock.fileno(), None)
            p.close()
        return results

    def ask(self, pod, proto, addr, port, seconds=20, sport=0):
        """One probe, one result."""
        return self.run([Probe(pod, proto, addr, port, sport)], seconds=seconds)[0]


class Stream:
    """One TCP connection between two pods, used again and again."""

    def __init__(self, src, dst, seconds, port=8200):
        with dst.ns:
            server = socket.create_server((dst.v4, port))
        with src.ns:
            self.client = socket.create_connection((dst.v4, port), seconds)
        self.conn, _ = server.accept()
        server.close()

    def talks(self, seconds):
        """An octet sent arrives before that."""
        self.conn.settimeout(seconds)
        try:
            self.client.send(b"x")
            return self.conn.recv(10) != b""
        except OSError:
            return False

    def close(self):
        self.client.close()
        self.conn.close()
