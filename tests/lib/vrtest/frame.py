# SPDX-License-Identifier: GPL-2.0-only
"""Frames made by hand, good and bad, and a tap to send them by: a VM's interface
with a program behind it."""

import fcntl
import ipaddress
import os
import select
import socket
import struct
import time

GATEWAY_MAC = bytes.fromhex("00005e000100")
BROADCAST = b"\xff" * 6
ETH_IP, ETH_ARP, ETH_IPV6 = 0x0800, 0x0806, 0x86DD
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip(text):
    return ipaddress.ip_address(text).packed


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def eth(dst, src, proto, payload):
    return dst + src + struct.pack("!H", proto) + payload


def pseudo(src, dst, proto, length):
    if len(src) == 4:
        return src + dst + struct.pack("!BBH", 0, proto, length)
    return src + dst + struct.pack("!IHBB", length, 0, 0, proto)


def ipv4(src, dst, proto, payload, ttl=64, frag=0, options=b"", **lie):
    """lie: any header field by name that shall be wrong (version, ihl, tot_len, check, id)."""
    ihl = lie.get("ihl", 5 + len(options) // 4)
    head = struct.pack("!BBHHHBBH4s4s", (lie.get("version", 4) << 4) | ihl, 0,
                       lie.get("tot_len", 20 + len(options) + len(payload)), lie.get("id", 1), frag, ttl, proto, 0,
                       ip(src), ip(dst)) + options
    check = lie.get("check", checksum(head))
    return head[:10] + struct.pack("!H", check) + head[12:] + payload


def ipv6(src, dst, proto, payload, hops=64, **lie):
    return struct.pack("!IHBB", lie.get("version", 6) << 28, lie.get("len", len(payload)),
                       proto, hops) + ip(src) + ip(dst) + payload


def ipx(src, dst, proto, payload, **kw):
    return (ipv6 if ":" in src else ipv4)(src, dst, proto, payload, **kw)


def fragment(src, dst, proto, data, off, more, ident=1, **kw):
    """One fragment: these octets of the datagram's payload, from this octet of it on."""
    if ":" in src:
        return ipv6(src, dst, 44, struct.pack("!BBHI", proto, 0, off | more, ident) + data, **kw)
    return ipv4(src, dst, proto, data, frag=off // 8 | more << 13, id=ident, **kw)


def fragments(src, dst, proto, payload, size=1448, ident=1):
    """A datagram in pieces of so many octets (a multiple of 8) of payload, in order."""
    return [fragment(src, dst, proto, payload[i:i + size], i, int(i + size < len(payload)), ident)
            for i in range(0, len(payload), size)]


def udp(src, dst, sport, dport, data=b"", **lie):
    length = 8 + len(data)
    head = struct.pack("!HHHH", sport, dport, lie.get("len", length), 0)
    check = checksum(pseudo(ip(src), ip(dst), 17, length) + head + data) or 0xFFFF
    return head[:6] + struct.pack("!H", lie.get("check", check)) + data


def tcp(src, dst, sport, dport, flags, seq=0, ack=0, data=b"", win=65535, **lie):
    """flags: a string of S A F R P U."""
    bits = sum({"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32}[f] for f in flags)
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                       lie.get("doff", 5) << 4, bits, win, 0, 0)
    check = checksum(pseudo(ip(src), ip(dst), 6, len(head) + len(data)) + head + data)
    return head[:16] + struct.pack("!H", check) + head[18:] + data


def icmp4(kind, code, rest, data=b""):
    head = struct.pack("!BBH", kind, code, 0) + rest
    return head[:2] + struct.pack("!H", checksum(head + data)) + head[4:] + data


def icmp6(src, dst, kind, code, rest, data=b""):
    head = struct.pack("!BBH", kind, code, 0) + rest
    check = checksum(pseudo(ip(src), ip(dst), 58, len(head) + len(data)) + head + data)
    return head[:2] + struct.pack("!H", check) + head[4:] + data


def echo(src, dst, ident=1, seq=1, reply=False):
    rest = struct.pack("!HH", ident, seq)
    if ":" in src:
        return icmp6(src, dst, 129 if reply else 128, 0, rest, b"x" * 16)
    return icmp4(0 if reply else 8, 0, rest, b"x" * 16)


def arp(op, smac, sip, tmac, tip):
    return struct.pack("!HHBBH", 1, ETH_IP, 6, 4, op) + smac + ip(sip) + tmac + ip(tip)


def neighbour_solicit(src, target, smac):
    """(payload, destination address) of a solicitation to the target's solicited-node group."""
    dst = "ff02::1:ff" + ipaddress.ip_address(target).exploded[-7:]
    opt = b"\x01\x01" + smac if src != "::" else b""
    return icmp6(src, dst, 135, 0, b"\0\0\0\0", ip(target) + opt), dst


class Packet:
    """What a received frame says. Raises nothing on short frames: fields are None.

    frag: (identification, offset of its payload, more to come) of a fragment.
    """

    def __init__(self, frame):
        self.frame = frame
        self.dst_mac, self.src_mac = frame[:6], frame[6:12]
        self.proto = struct.unpack("!H", frame[12:14])[0]
        self.src = self.dst = self.l4 = self.payload = self.frag = None
        self.ttl = self.sport = self.dport = self.flags = self.kind = self.code = None
        body = frame[14:]
        if self.proto == ETH_IP and len(body) >= 20:
            ihl = (body[0] & 15) * 4
            total = struct.unpack("!H", body[2:4])[0]
            self.ttl, self.l4 = body[8], body[9]
            self.src = str(ipaddress.ip_address(body[12:16]))
            self.dst = str(ipaddress.ip_address(body[16:20]))
            self.ip_ok = checksum(body[:ihl]) == 0
            self.payload = body[ihl:total]
            ident, frag = struct.unpack("!HH", body[4:8])
            if frag & 0x3fff:
                self.frag = (ident, (frag & 0x1fff) * 8, frag >> 13 & 1)
        elif self.proto == ETH_IPV6 and len(body) >= 40:
            self.ttl, self.l4, self.ip_ok = body[7], body[6], True
            self.src = str(ipaddress.ip_address(body[8:24]))
            self.dst = str(ipaddress.ip_address(body[24:40]))
            self.payload = body[40:40 + struct.unpack("!H", body[4:6])[0]]
            if self.l4 == 44 and len(self.payload) >= 8:
                self.l4, frag, ident = struct.unpack("!BxHI", self.payload[:8])
                self.payload = self.payload[8:]
                self.frag = (ident, frag & 0xfff8, frag & 1)
        self.read_l4()

    def read_l4(self):
        if self.frag and self.frag[1]:
            return
        if self.l4 in (6, 17, 132) and len(self.payload) >= 4:
            self.sport, self.dport = struct.unpack("!HH", self.payload[:4])
            if self.l4 == 6:
                self.flags = "".join(f for f, b in zip("FSRPAU", (1, 2, 4, 8, 16, 32))
                                     if self.payload[13] & b)
        elif self.l4 in (1, 58) and len(self.payload) >= 2:
            self.kind, self.code = self.payload[0], self.payload[1]

    def checksum_ok(self):
        """Of the transport header, as a receiver without offloads would see it."""
        if self.l4 == 1:
            return checksum(self.payload) == 0
        if self.l4 in (6, 17, 58):
            return checksum(pseudo(ip(self.src), ip(self.dst), self.l4, len(self.payload))
                            + self.payload) == 0
        return True

    def __repr__(self):
        return (f"<{self.src} -> {self.dst} proto {self.l4} {self.sport}->{self.dport} "
                f"{self.flags or ''} type {self.kind} code {self.code} ttl {self.ttl}>")


def whole(packets):
    """The datagram of these fragments, or None when they are not all of one."""
    packets = sorted((p for p in packets if p and p.frag), key=lambda p: p.frag[1])
    if not packets or packets[-1].frag[2] or any(p.frag[0] != packets[0].frag[0] for p in packets):
        return None
    data = b""
    for p in packets:
        if p.frag[1] != len(data):
            return None
        data += p.payload
    out = Packet(packets[0].frame)
    out.payload, out.frag = data, None
    out.ip_ok = all(p.ip_ok for p in packets)
    return out


class Tap:
    """A tap device in a namespace; send() and receive() are the VM."""

    def __init__(self, ns, name):
        with ns:
            self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
            ns.run(["ip", "link", "set", name, "addrgenmode", "none"])
            ns.run(["ip", "link", "set", name, "up"])
        self.name = name

    def send(self, frame):
        os.write(self.fd, frame)

    def receive(self, want=lambda p: True, seconds=10):
        """The next frame that `want` likes, or None."""
        end = time.monotonic() + seconds
        while True:
            try:
                p = Packet(os.read(self.fd, 65600))
                if want(p):
                    return p
                continue
            except BlockingIOError:
                pass
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return None

    def flush(self):
        while True:
            try:
                os.read(self.fd, 65600)
            except BlockingIOError:
                return

    def close(self):
        os.close(self.fd)


def raw_socket(ns, dev):
    """A packet socket on a device of a pod: sends and sees whole frames."""
    with ns:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.bind((dev, 0))
    return sock
