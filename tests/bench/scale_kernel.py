# SPDX-License-Identifier: GPL-2.0-only
"""When the module was told of a change: its notifications, each with the time at which it came."""

import queue
import re
import socket
import struct
import threading
import time

NETLINK_GENERIC = GENL_ID_CTRL = 16
CTRL_CMD_GETFAMILY, CTRL_FAMILY_ID, CTRL_FAMILY_NAME, CTRL_MCAST_GROUPS, CTRL_GRP_NAME, CTRL_GRP_ID = 3, 1, 2, 7, 1, 2
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP = 270, 1
NLM_F_REQUEST, HEADERS = 1, 20      # octets of a message's two headers
NEXTHOP_ID = 1


def attrs(data):
    """Type and payload of each attribute."""
    at = 0
    while at + 4 <= len(data):
        size, kind = struct.unpack_from("=HH", data, at)
        yield kind & 0x3fff, data[at + 4:at + size]
        at += size + 3 & ~3


def command(src, name):
    """The number of a command of uapi/linux/vrouter.h, which counts from 1."""
    with open(f"{src}/uapi/linux/vrouter.h", encoding="ascii") as file:
        return re.findall(r"^\t(VROUTER_CMD_\w+)", file.read(), re.M).index(name) + 1


class Notices:
    """Of next hops that were set, from the time on at which this is made."""

    def __init__(self, ns, src):
        with ns:
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sock.bind((0, 0))
        self.command = command(src, "VROUTER_CMD_NEXTHOP_NEW_NTF")
        self.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, self.group("objects"))
        self.came = queue.SimpleQueue()
        threading.Thread(target=self.read, daemon=True).start()

    def group(self, name):
        family = b"vrouter\0"
        body = struct.pack("=BBH", CTRL_CMD_GETFAMILY, 1, 0) + struct.pack("=HH", 4 + len(family), CTRL_FAMILY_NAME) + family
        self.sock.send(struct.pack("=IHHII", 16 + len(body), GENL_ID_CTRL, NLM_F_REQUEST, 1, 0) + body)
        groups = dict(attrs(self.sock.recv(65536)[HEADERS:]))[CTRL_MCAST_GROUPS]
        for _, group in attrs(groups):
            one = dict(attrs(group))
            if one[CTRL_GRP_NAME].rstrip(b"\0").decode() == name:
                return struct.unpack("=I", one[CTRL_GRP_ID])[0]
        raise AssertionError(f"the module has no group {name}")

    def read(self):
        while True:
            data, now = self.sock.recv(65536), time.monotonic()
            if data[16] == self.command:
                self.came.put((struct.unpack("=I", dict(attrs(data[HEADERS:]))[NEXTHOP_ID])[0], now))

    def until(self, nexthop):
        """When it was set next."""
        while True:
            which, when = self.came.get(timeout=60)
            if which == nexthop:
                return when
