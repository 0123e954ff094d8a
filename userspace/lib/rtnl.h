/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_RTNL_H
#define VR_RTNL_H

/*
 * The little of rtnetlink that a node takes: links, addresses, routes.
 * Each call is one request and its answer, and returns 0 or a negative errno;
 * then rtnl::text is the kernel's sentence where it gave one, else errno's.
 */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "util.h"

struct mnl_socket;

struct rtnl {
	struct mnl_socket *nl;
	unsigned int	portid, seq;
	char		text[256];
};

struct rtnl_link {
	unsigned int	ifindex;
	unsigned int	flags;		/* IFF_* */
	unsigned int	mtu;		/* octets */
	uint8_t		mac[6];
	bool		running;	/* operational: carrier seen, queue started */
	bool		veth;
};

/* In the network namespace of the descriptor; -1 = the caller's. */
int rtnl_open(struct rtnl *r, int netns);
void rtnl_close(struct rtnl *r);

/* A veth pair, both ends down: host here, peer in the namespace of netns with
 * the MAC. host_ifindex stays unknown; look it up by name.
 */
int rtnl_veth_add(struct rtnl *r, const char *host, const char *peer, int netns,
		  const uint8_t mac[6], unsigned int mtu);
int rtnl_link_get(struct rtnl *r, const char *name, struct rtnl_link *link); /* -ENODEV */
int rtnl_link_del(struct rtnl *r, const char *name);			     /* -ENODEV */
int rtnl_link_up(struct rtnl *r, unsigned int ifindex);
int rtnl_link_mtu(struct rtnl *r, unsigned int ifindex, unsigned int mtu);
/* One of this kind without options, down. -EEXIST; -EOPNOTSUPP: no such kind. */
int rtnl_link_add(struct rtnl *r, const char *name, const char *kind);
/* Reverse path filtering of IPv4: 0 = none, 1 = strict, 2 = loose. */
int rtnl_link_rp_filter(struct rtnl *r, unsigned int ifindex, unsigned int value);
/* No IPv6 link-local address when the link comes up. */
int rtnl_link_no_addrgen(struct rtnl *r, unsigned int ifindex);

/* Addresses: network byte order, 4 or 16 octets by family; len in bits. */
int rtnl_addr_add(struct rtnl *r, unsigned int ifindex, uint8_t family, const void *addr,
		  uint8_t len);
int rtnl_addr_del(struct rtnl *r, unsigned int ifindex, uint8_t family, const void *addr,
		  uint8_t len);						/* -EADDRNOTAVAIL */
int rtnl_addr_find(struct rtnl *r, unsigned int ifindex, uint8_t family, const void *addr,
		   bool *found);
/* dst (its len in bits) NULL = default; gateway NULL = on the link. A gateway is taken to be on
 * the link, whatever the other routes say. One that exists already is fine.
 */
int rtnl_route_add(struct rtnl *r, unsigned int ifindex, uint8_t family, const void *dst,
		   uint8_t len, const void *gateway);
/* A route out by the interface, from this source (NULL = any) where a socket has none;
 * replaces what the table has for the prefix. proto: RTPROT_*.
 */
int rtnl_route_set(struct rtnl *r, unsigned int ifindex, uint8_t family, const void *dst,
		   uint8_t len, const void *source, uint8_t proto);
/* Is there a default route through this gateway and interface? */
int rtnl_route_find(struct rtnl *r, unsigned int ifindex, uint8_t family, const void *gateway,
		    bool *found);

/* A route of any table, out by the interface; replaced if it is there, and gone is fine when it
 * is to go (-ESRCH). proto: RTPROT_*.
 */
int rtnl_table_change(struct rtnl *r, bool add, uint32_t table, uint8_t proto,
		      unsigned int ifindex, const struct vr_prefix *p);
/* Each IPv4 and IPv6 route of the table that proto made. */
int rtnl_table_each(struct rtnl *r, uint32_t table, uint8_t proto,
		    void (*fn)(const struct vr_prefix *p, void *arg), void *arg);

/* --- queueing (rtnl_tc.c) ---------------------------------------------------- */

/* A token bucket as the device's root: rate in octets per second, burst and limit (of what waits)
 * in octets; replaces what is there.
 */
int rtnl_tbf_set(struct rtnl *r, unsigned int ifindex, uint64_t rate, uint32_t burst,
		 uint32_t limit);
/* Its rate; 0 = the device has none. */
int rtnl_tbf_get(struct rtnl *r, unsigned int ifindex, uint64_t *rate);
/* What the device receives goes out by another (an ifb, which gives it back): -EEXIST if it has
 * an ingress qdisc already.
 */
int rtnl_ingress_redirect(struct rtnl *r, unsigned int ifindex, unsigned int to);

#endif
