// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pod's side: a veth pair, host end in the node's namespace, the other in
 * the pod's, with addresses and routes.
 *
 * Every address is a host's (/32, /128), and everything else, neighbours
 * included, is behind the gateway: the vrouter answers for it. So there is
 * nothing to resolve but the gateway, which is on the link by decree.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cni.h"
#include "rtnl.h"

#define OPER_WAIT_MS	3000	/* until both ends are running */

struct pod {
	int		netns;
	struct rtnl	node, in;	/* in the node's namespace, in the pod's */
};

static void pod_close(struct pod *p)
{
	rtnl_close(&p->in);
	rtnl_close(&p->node);
	if (p->netns >= 0)
		close(p->netns);
}

static int netfail(struct cni_error *e, const struct rtnl *r, int code, const char *what,
		   const char *name)
{
	cni_fail(e, code, "%s %s: %.160s", what, name, r->text);
	return -1;
}

static int pod_open(struct pod *p, const struct cni_request *rq, struct cni_error *e)
{
	memset(p, 0, sizeof(*p));
	p->netns = open(rq->netns, O_RDONLY | O_CLOEXEC);
	if (p->netns < 0)
		return cni_fail_errno(e, CNI_IO, errno, "CNI_NETNS: cannot open %.160s",
				      rq->netns);
	if (rtnl_open(&p->node, -1)) {
		netfail(e, &p->node, CNI_IO, "rtnetlink", "in the node's namespace");
		goto err_close;
	}
	if (rtnl_open(&p->in, p->netns)) {
		netfail(e, &p->in, CNI_IO, "rtnetlink in", rq->netns);
		goto err_close;
	}
	return 0;

err_close:
	pod_close(p);
	return -1;
}

/* A file of /proc/sys shows the namespace of the process that opens it. */
static void set_sysctl(int dir, const char *ifname, const char *name, const char *value)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", ifname, name);
	fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Where it matters, the address is refused with a sentence of its own. */
	n = write(fd, value, strlen(value));
	(void)n;
	close(fd);
}

/* Runtimes turn IPv6 off for containers that they think have none. Router
 * advertisements come from nobody here, so only a forged one could be heard.
 */
static int set_sysctls(const struct pod *p, const char *ifname, struct cni_error *e)
{
	int home, dir, err = 0;

	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return cni_fail_errno(e, CNI_IO, errno, "cannot open /proc/self/ns/net");
	if (setns(p->netns, CLONE_NEWNET)) {
		err = cni_fail_errno(e, CNI_IO, errno, "cannot enter the pod's namespace");
		goto out;
	}
	dir = open("/proc/sys/net/ipv6/conf", O_PATH | O_CLOEXEC);
	if (dir >= 0) {
		set_sysctl(dir, ifname, "disable_ipv6", "0");
		set_sysctl(dir, ifname, "accept_ra", "0");
		close(dir);
	}
	if (setns(home, CLONE_NEWNET))
		err = cni_fail_errno(e, CNI_IO, errno, "cannot return to the node's namespace");
out:
	close(home);
	return err;
}

static const char *addr_text(const struct cni_addr *a, char buf[INET6_ADDRSTRLEN])
{
	return inet_ntop(a->family, a->addr, buf, INET6_ADDRSTRLEN);
}

/* The pod's end, still down: addresses. */
static int set_addrs(struct pod *p, const struct cni_interface *ifc, struct cni_error *e)
{
	char text[INET6_ADDRSTRLEN];
	struct rtnl_link link;
	unsigned int i;

	if (rtnl_link_get(&p->in, ifc->ifname, &link))
		return netfail(e, &p->in, CNI_NETWORK, "pod's interface", ifc->ifname);
	if (set_sysctls(p, ifc->ifname, e))
		return -1;
	for (i = 0; i < ifc->n_addrs; i++)
		if (rtnl_addr_add(&p->in, link.ifindex, ifc->addrs[i].family, ifc->addrs[i].addr,
				  ifc->addrs[i].len))
			return netfail(e, &p->in, CNI_NETWORK, "pod's address",
				       addr_text(&ifc->addrs[i], text));
	return 0;
}

int cni_pod_create(const struct cni_request *rq, struct cni_interface *ifc, struct cni_error *e)
{
	struct rtnl_link host;
	struct cni_error undo;
	struct pod p;
	int err = -1;

	if (pod_open(&p, rq, e))
		return -1;
	if (rtnl_veth_add(&p.node, ifc->host, ifc->ifname, p.netns, ifc->mac, ifc->mtu)) {
		cni_fail(e, CNI_NETWORK, "veth %s with %s in %.96s: %.96s", ifc->host, ifc->ifname,
			 rq->netns, p.node.text);
		goto out;
	}

	/* From here on the device is ours to remove. */
	if (rtnl_link_get(&p.node, ifc->host, &host) ||
	    rtnl_link_no_addrgen(&p.node, host.ifindex)) {
		netfail(e, &p.node, CNI_NETWORK, "host's end", ifc->host);
	} else {
		memcpy(ifc->host_mac, host.mac, sizeof(host.mac));
		err = set_addrs(&p, ifc, e);
	}
	if (err)
		cni_pod_delete(ifc->host, &undo);
out:
	pod_close(&p);
	return err;
}

static int loopback_up(struct pod *p, struct cni_error *e)
{
	struct rtnl_link lo;

	if (rtnl_link_get(&p->in, "lo", &lo) ||
	    (!(lo.flags & IFF_UP) && rtnl_link_up(&p->in, lo.ifindex)))
		return netfail(e, &p->in, CNI_NETWORK, "pod's interface", "lo");
	return 0;
}

/* The kernel starts a device's queue some time after its carrier came; what is
 * sent to it before is dropped.
 */
static int await_running(struct rtnl *r, const char *name, struct cni_error *e)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	struct rtnl_link link;
	int waited;

	for (waited = 0; waited < OPER_WAIT_MS; waited += 2) {
		if (rtnl_link_get(r, name, &link))
			return netfail(e, r, CNI_NETWORK, "interface", name);
		if (link.running)
			return 0;
		nanosleep(&pause, NULL);
	}
	return cni_fail(e, CNI_NETWORK, "interface %s has no carrier after %d ms", name,
			OPER_WAIT_MS);
}

static int route_fails(const struct pod *p, const struct cni_interface *ifc, const char *what,
		       uint8_t family, const void *addr, struct cni_error *e)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family, addr, text, sizeof(text));
	return cni_fail(e, CNI_NETWORK, "%s of %s by %s: %.128s", what, ifc->ifname, text,
			p->in.text);
}

/* What leads on behind a gateway: everything, or what is behind an interface that is not the
 * pod's first.
 */
static int set_routes_by(struct pod *p, unsigned int ifindex, const struct cni_interface *ifc,
			 const struct cni_addr *a, struct cni_error *e)
{
	unsigned int i;

	if (ifc->first) {
		if (rtnl_route_add(&p->in, ifindex, a->family, NULL, 0, a->gateway))
			return route_fails(p, ifc, "default route", a->family, a->gateway, e);
		return 0;
	}
	for (i = 0; i < ifc->n_routes; i++) {
		const struct cni_prefix *r = &ifc->routes[i];

		if (r->family == a->family &&
		    rtnl_route_add(&p->in, ifindex, a->family, r->addr, r->len, a->gateway))
			return route_fails(p, ifc, "route", a->family, a->gateway, e);
	}
	return 0;
}

static int set_routes(struct pod *p, unsigned int ifindex, const struct cni_interface *ifc,
		      struct cni_error *e)
{
	bool seen[2] = { false, false };
	unsigned int i;

	for (i = 0; i < ifc->n_addrs; i++) {
		const struct cni_addr *a = &ifc->addrs[i];
		bool v6 = a->family == AF_INET6;

		if (seen[v6])
			continue;
		seen[v6] = true;
		/* fe80::1 is on every link; an IPv4 gateway is so only by a route. */
		if (!v6 && rtnl_route_add(&p->in, ifindex, a->family, a->gateway, 32, NULL))
			return route_fails(p, ifc, "route to the gateway", a->family, a->gateway, e);
		if (set_routes_by(p, ifindex, ifc, a, e))
			return -1;
	}
	return 0;
}

int cni_pod_up(const struct cni_request *rq, const struct cni_interface *ifc,
	       struct cni_error *e)
{
	struct rtnl_link host, link;
	struct pod p;
	int err = -1;

	if (pod_open(&p, rq, e))
		return -1;
	if (rtnl_link_get(&p.node, ifc->host, &host) || rtnl_link_up(&p.node, host.ifindex))
		netfail(e, &p.node, CNI_NETWORK, "host's end", ifc->host);
	else if (rtnl_link_get(&p.in, ifc->ifname, &link) || rtnl_link_up(&p.in, link.ifindex))
		netfail(e, &p.in, CNI_NETWORK, "pod's interface", ifc->ifname);
	else
		err = loopback_up(&p, e) ?: set_routes(&p, link.ifindex, ifc, e) ?:
		      await_running(&p.node, ifc->host, e) ?: await_running(&p.in, ifc->ifname, e);
	pod_close(&p);
	return err;
}

static int delete_link(struct rtnl *r, const char *name, struct cni_error *e)
{
	int err = rtnl_link_del(r, name);

	return err && err != -ENODEV ? netfail(e, r, CNI_NETWORK, "cannot delete", name) : 0;
}

int cni_pod_delete(const char *host, struct cni_error *e)
{
	char ifb[IFNAMSIZ];
	struct rtnl r;
	int err;

	if (rtnl_open(&r, -1))
		return netfail(e, &r, CNI_IO, "rtnetlink", "in the node's namespace");
	cni_ifb_name(ifb, host);
	/* Takes the other end along, wherever it is. */
	err = delete_link(&r, host, e);
	/* also then: what it took from the pod would be lost in it */
	if (delete_link(&r, ifb, e))
		err = -1;
	rtnl_close(&r);
	return err;
}

static int check_host(struct pod *p, const struct cni_interface *ifc, struct cni_error *e)
{
	struct rtnl_link host;

	if (rtnl_link_get(&p->node, ifc->host, &host))
		return netfail(e, &p->node, CNI_CHECK_FAILED, "host's end", ifc->host);
	if (!host.veth)
		return cni_fail(e, CNI_CHECK_FAILED, "%s is not a veth", ifc->host);
	if (!(host.flags & IFF_UP))
		return cni_fail(e, CNI_CHECK_FAILED, "%s is down", ifc->host);
	return 0;
}

static int check_link(struct pod *p, const struct cni_interface *ifc, struct rtnl_link *link,
		      struct cni_error *e)
{
	static const uint8_t none[6];

	if (rtnl_link_get(&p->in, ifc->ifname, link))
		return netfail(e, &p->in, CNI_CHECK_FAILED, "pod's interface", ifc->ifname);
	if (!(link->flags & IFF_UP))
		return cni_fail(e, CNI_CHECK_FAILED, "pod's interface %s is down", ifc->ifname);
	if (memcmp(ifc->mac, none, 6) && memcmp(ifc->mac, link->mac, 6))
		return cni_fail(e, CNI_CHECK_FAILED, "pod's interface %s has another MAC address",
				ifc->ifname);
	return 0;
}

static int check_addr(struct pod *p, const struct cni_interface *ifc, unsigned int ifindex,
		      const struct cni_addr *a, struct cni_error *e)
{
	char text[INET6_ADDRSTRLEN];
	bool found;

	if (rtnl_addr_find(&p->in, ifindex, a->family, a->addr, &found))
		return netfail(e, &p->in, CNI_CHECK_FAILED, "addresses of", ifc->ifname);
	if (!found)
		return cni_fail(e, CNI_CHECK_FAILED, "pod's interface %s lacks the address %s",
				ifc->ifname, addr_text(a, text));
	return 0;
}

static int check_route(struct pod *p, const struct cni_interface *ifc, unsigned int ifindex,
		       const struct cni_addr *a, struct cni_error *e)
{
	char text[INET6_ADDRSTRLEN];
	bool found;

	if (rtnl_route_find(&p->in, ifindex, a->family, a->gateway, &found))
		return netfail(e, &p->in, CNI_CHECK_FAILED, "routes of", ifc->ifname);
	if (found)
		return 0;
	inet_ntop(a->family, a->gateway, text, sizeof(text));
	return cni_fail(e, CNI_CHECK_FAILED, "pod has no default route by %s on %s", text,
			ifc->ifname);
}

int cni_pod_check(const struct cni_request *rq, const struct cni_interface *ifc,
		  struct cni_error *e)
{
	bool seen[2] = { false, false };
	struct rtnl_link link;
	unsigned int i;
	struct pod p;
	int err;

	if (pod_open(&p, rq, e))
		return -1;
	err = check_host(&p, ifc, e) ?: check_link(&p, ifc, &link, e);
	for (i = 0; !err && i < ifc->n_addrs; i++) {
		const struct cni_addr *a = &ifc->addrs[i];
		bool v6 = a->family == AF_INET6;

		err = check_addr(&p, ifc, link.ifindex, a, e);
		/* As in set_routes(): the first of the family gave the gateway. */
		if (!err && !seen[v6] && ifc->first)
			err = check_route(&p, ifc, link.ifindex, a, e);
		seen[v6] = true;
	}
	pod_close(&p);
	return err;
}
