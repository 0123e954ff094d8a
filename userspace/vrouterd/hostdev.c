// SPDX-License-Identifier: GPL-2.0-only
/* The node's own interface in the virtual network. */

#include <errno.h>
#include <ifaddrs.h>
#include <linux/vrouter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "dlog.h"
#include "hostdev.h"
#include "rtnl.h"

/* Octets around an inner IP packet. */
#define VXLAN_OVERHEAD	(8 + 8 + 14)	/* UDP, VXLAN, frame */
#define MPLS_OVERHEAD	(8 + 4)		/* UDP, label */

static void warn(const struct hostdev *h, const struct rtnl *r, const char *what)
{
	log_warn("--host-device %s: %s: %s", h->name, what, r->text);
}

static int make_link(struct hostdev *h, struct rtnl *r)
{
	struct rtnl_link link;
	int err;

	err = rtnl_link_add(r, h->name, "vrouter");
	if (err && err != -EEXIST)
		return err;
	err = rtnl_link_get(r, h->name, &link);
	if (!err)
		err = rtnl_link_up(r, link.ifindex);
	if (err)
		return err;
	/* Strict filtering would drop what comes by a service from outside. */
	if (rtnl_link_rp_filter(r, link.ifindex, 2))
		warn(h, r, "its reverse path filter");
	h->dev.ifindex = link.ifindex;
	h->dev.name = h->name;
	return 0;
}

void hostdev_open(struct hostdev *h, const char *name)
{
	struct rtnl r;
	int err;

	memset(h, 0, sizeof(*h));
	snprintf(h->name, sizeof(h->name), "%s", name);
	if (!*name)
		return;
	err = rtnl_open(&r, -1);
	if (!err)
		err = make_link(h, &r);
	if (err)
		log_warn("--host-device %s: %s; the node itself is not in the network", name, r.text);
	rtnl_close(&r);
}

void hostdev_close(struct hostdev *h)
{
	memset(h, 0, sizeof(*h));
}

/* The first address of a family, or NULL. */
static const struct vr_addr *addr_of(const struct router *node, uint8_t family)
{
	unsigned int i;

	for (i = 0; i < node->n_addrs; i++)
		if (!family || node->addrs[i].family == family)
			return &node->addrs[i];
	return NULL;
}

/* --- routes ---------------------------------------------------------------------- */

static void set_route(struct hostdev *h, struct rtnl *r, const struct router *node,
		      const struct vr_prefix *p)
{
	const struct vr_addr *source = addr_of(node, p->addr.family);
	char text[VR_ADDR_TEXT];

	if (!source)
		return;
	if (rtnl_route_set(r, h->dev.ifindex, p->addr.family, p->addr.b, p->len, source->b,
			   PROTO_VROUTER)) {
		log_warn("--host-device %s: route to %s/%u: %s", h->name,
			 vr_addr_text(&p->addr, text), p->len, r->text);
		h->stale = true;
	}
}

/* With an address of its own, the link's reverse paths are filtered loosely, not strictly. */
static void set_addr(struct hostdev *h, struct rtnl *r, const struct router *node)
{
	const struct vr_addr *a = addr_of(node, AF_INET);
	int err;

	if (h->addr.family && (!a || memcmp(a, &h->addr, sizeof(*a))))
		rtnl_addr_del(r, h->dev.ifindex, AF_INET, h->addr.b, 32);
	h->addr = a ? *a : (struct vr_addr){};
	if (!a)
		return;
	err = rtnl_addr_add(r, h->dev.ifindex, AF_INET, a->b, 32);
	if (err && err != -EEXIST)
		warn(h, r, "its address");
}

/* --- MTU -------------------------------------------------------------------------- */

static bool has_addr(const struct ifaddrs *i, const struct vr_addr *a)
{
	if (!i->ifa_addr || i->ifa_addr->sa_family != a->family)
		return false;
	if (a->family == AF_INET)
		return !memcmp(&((const struct sockaddr_in *)i->ifa_addr)->sin_addr, a->b, 4);
	return !memcmp(&((const struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, a->b, 16);
}

/* The device that has the address, other than our own; false: none. */
static bool uplink(const struct hostdev *h, const struct vr_addr *a, char name[IF_NAMESIZE])
{
	struct ifaddrs *list, *i;
	bool found = false;

	if (getifaddrs(&list))
		return false;
	for (i = list; i && !found; i = i->ifa_next) {
		found = has_addr(i, a) && strcmp(i->ifa_name, h->name);
		if (found)
			snprintf(name, IF_NAMESIZE, "%s", i->ifa_name);
	}
	freeifaddrs(list);
	return found;
}

static unsigned int overhead(const struct plan_env *env, uint8_t family)
{
	return (family == AF_INET ? 20 : 40) + (env->encap == VROUTER_TUNNEL_ENCAP_VXLAN ?
						VXLAN_OVERHEAD : MPLS_OVERHEAD);
}

static void follow_mtu(struct hostdev *h, struct rtnl *r, const struct router *node,
		       const struct plan_env *env)
{
	const struct vr_addr *a = addr_of(node, env->family);
	unsigned int mtu = h->mtu;
	char name[IF_NAMESIZE];
	struct rtnl_link link;

	if (!env->tunnels || !a || !uplink(h, a, name) || rtnl_link_get(r, name, &link))
		return;
	if (link.mtu >= 1280 + overhead(env, a->family))
		h->mtu = link.mtu - overhead(env, a->family);
	if (h->mtu == mtu && !h->stale)
		return;
	log_info("%s has an MTU of %u, of which tunnels leave %u", name, link.mtu, h->mtu);
	if (h->dev.ifindex && h->mtu && rtnl_link_mtu(r, h->dev.ifindex, h->mtu))
		warn(h, r, "its MTU");
}

void hostdev_update(struct hostdev *h, const struct router *node, const struct network *net,
		    const struct plan_env *env)
{
	bool all = h->stale && h->dev.ifindex;
	struct rtnl r;
	unsigned int i;

	if (rtnl_open(&r, -1)) {
		warn(h, &r, "rtnetlink");
		return;
	}
	follow_mtu(h, &r, node, env);
	h->stale = false;
	if (all) {
		set_addr(h, &r, node);
		for (i = 0; i < net->n_subnets; i++)
			set_route(h, &r, node, &net->subnets[i].prefix);
		for (i = 0; i < net->n_services; i++)
			set_route(h, &r, node, &net->services[i]);
	}
	rtnl_close(&r);
}
