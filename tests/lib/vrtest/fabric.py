# SPDX-License-Identifier: GPL-2.0-only
"""Several nodes as an operator has them: one manager, a daemon on each, an underlay between.

    fabric = Fabric(3)
    fabric.nodes[1].apply("pods", [...])      # manifests are those of all nodes
    pod = fabric.nodes[2].pod("default", "web-0")
"""

from .netns import Netns, run
from .node import Node


class Fabric:
    """Nodes node1.. with eth0 192.0.2.1.., 2001:db8::1.. on a bridge."""

    def __init__(self, n, args=("--encap", "vxlan", "--external"), mtu=1500, manager_args=(), start=True, module=True):
        """start: the manager on manifests, and the daemons. module: as a Node has it."""
        self.bridge = Netns("underlay")
        self.bridge.run(["ip", "link", "add", "br0", "type", "bridge"])
        self.bridge.run(["ip", "link", "set", "br0", "up"])
        self.nodes = {}
        self.outside = self._outside()
        for i in range(1, n + 1):
            addrs = (f"192.0.2.{i}", f"2001:db8::{i}")
            node = Node(f"node{i}", first=self.nodes.get(1), addrs=addrs, args=args,
                        manager_args=manager_args, module=module)
            node.addrs = addrs
            self._join(node, i)
            self.nodes[i] = node
        self.mtu(mtu)
        if not start:
            return
        self.nodes[1].start_manager()
        for node in self.nodes.values():
            node.start_daemon()

    def _outside(self):
        """192.0.2.254, 2001:db8::254, the nodes' default gateway: a machine of no cluster."""
        ns = Netns("outside")
        self.bridge.run(["ip", "link", "add", "port-out", "type", "veth", "peer", "name", "eth0",
                         "netns", "outside"])
        self.bridge.run(["ip", "link", "set", "port-out", "master", "br0", "up"])
        ns.run(["ip", "link", "set", "eth0", "up"])
        ns.run(["ip", "addr", "add", "192.0.2.254/24", "dev", "eth0"])
        ns.run(["ip", "addr", "add", "2001:db8::254/64", "dev", "eth0", "nodad"])
        return ns

    def _join(self, node, i):
        self.bridge.run(["ip", "link", "add", f"port{i}", "type", "veth", "peer", "name", "eth0",
                         "netns", node.ns.name])
        self.bridge.run(["ip", "link", "set", f"port{i}", "master", "br0", "up"])
        node.ns.run(["ip", "link", "set", "eth0", "up"])
        node.ns.run(["ip", "addr", "add", f"{node.addrs[0]}/24", "dev", "eth0"])
        node.ns.run(["ip", "addr", "add", f"{node.addrs[1]}/64", "dev", "eth0", "nodad"])
        for family, gateway in (("-4", "192.0.2.254"), ("-6", "2001:db8::254")):
            node.ns.run(["ip", family, "route", "add", "default", "via", gateway, "dev", "eth0"])

    def mtu(self, octets):
        """Of all the underlay."""
        for i, node in self.nodes.items():
            self.bridge.run(["ip", "link", "set", f"port{i}", "mtu", octets])
            node.ns.run(["ip", "link", "set", "eth0", "mtu", octets])
        self.bridge.run(["ip", "link", "set", "br0", "mtu", octets])

    def netem(self, *words):
        """tc netem on every port, e.g. "loss", "5%"; none: as before."""
        for i in self.nodes:
            self.bridge.run(["tc", "qdisc", "del", "dev", f"port{i}", "root"], check=False)
            if words:
                self.bridge.run(["tc", "qdisc", "add", "dev", f"port{i}", "root", "netem", *words])

    def sync(self):
        """All that was applied is in the kernel of every node."""
        for node in self.nodes.values():
            node.sync()

    def logs(self):
        return "".join(node.logs() for node in self.nodes.values())


__all__ = ["Fabric", "run"]
