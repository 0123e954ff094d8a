// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pod's rate limits, by the kernel's token buckets, on the node's side where the pod cannot
 * take them away:
 *
 *	to the pod	vr...  ─ tbf ─> eth0
 *	from the pod	eth0 ─> vr... (ingress: redirect) ─> vi... (ifb) ─ tbf ─> vr..., the vrouter
 *
 * An ifb shapes where a policer would drop, which TCP takes badly.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni.h"
#include "rtnl.h"

#define LATENCY_MS	50		/* that a packet waits at most */
#define BURST_MS	5		/* of the rate, where no burst is said */
#define BURST_MIN	16384		/* octets; a frame of the largest MTU is more: see burst_of() */
#define ETHERNET	14

void cni_ifb_name(char name[IFNAMSIZ], const char *host)
{
	snprintf(name, IFNAMSIZ, "vi%s", host + 2);
}

static uint32_t at_most(uint64_t v)
{
	return v < UINT32_MAX ? v : UINT32_MAX;
}

/* In octets. A bucket that a whole frame does not fit in would let none through. */
static uint32_t burst_of(const struct cni_limit *l, unsigned int mtu)
{
	uint64_t burst = l->burst ? l->burst / 8 : l->rate / 8 / 1000 * BURST_MS;
	uint64_t least = l->burst ? mtu + ETHERNET : BURST_MIN;

	if (least < mtu + ETHERNET)
		least = mtu + ETHERNET;
	return at_most(burst > least ? burst : least);
}

static int set_limit(struct rtnl *r, unsigned int ifindex, const struct cni_limit *l,
		     unsigned int mtu)
{
	uint32_t burst = burst_of(l, mtu);

	return rtnl_tbf_set(r, ifindex, l->rate / 8, burst,
			    at_most(l->rate / 8 * LATENCY_MS / 1000 + burst));
}

static int fail(const struct rtnl *r, const char *what, const char *name, struct cni_error *e)
{
	return cni_fail(e, CNI_NETWORK, "bandwidth: %s %s: %.160s", what, name, r->text);
}

/* What the pod sends. An ifb that an ADD left that was killed is as good as a new one. */
static int limit_sender(struct rtnl *r, const struct rtnl_link *host, const char *name,
			const struct cni_limit *l, unsigned int mtu, struct cni_error *e)
{
	struct rtnl_link ifb;
	int err = rtnl_link_add(r, name, "ifb");

	if (err && err != -EEXIST)
		return fail(r, "device of kind ifb", name, e);
	if (rtnl_link_get(r, name, &ifb) || set_limit(r, ifb.ifindex, l, mtu))
		return fail(r, "token bucket of", name, e);
	if (rtnl_link_up(r, ifb.ifindex))
		return fail(r, "device", name, e);
	if (rtnl_ingress_redirect(r, host->ifindex, ifb.ifindex))
		return fail(r, "redirection to", name, e);
	return 0;
}

int cni_bandwidth_set(const struct cni_request *rq, const struct cni_interface *ifc,
		      struct cni_error *e)
{
	const struct cni_limit *to = &rq->limit[CNI_TO_POD], *from = &rq->limit[CNI_FROM_POD];
	struct rtnl_link host;
	char ifb[IFNAMSIZ];
	struct rtnl r;
	int err = 0;

	if (!to->rate && !from->rate)
		return 0;
	if (rtnl_open(&r, -1))
		return fail(&r, "rtnetlink", "in the node's namespace", e);
	cni_ifb_name(ifb, ifc->host);
	if (rtnl_link_get(&r, ifc->host, &host))
		err = fail(&r, "device", ifc->host, e);
	if (!err && to->rate && set_limit(&r, host.ifindex, to, ifc->mtu))
		err = fail(&r, "token bucket of", ifc->host, e);
	if (!err && from->rate)
		err = limit_sender(&r, &host, ifb, from, ifc->mtu, e);
	rtnl_close(&r);
	return err;
}

static int check_rate(struct rtnl *r, const char *name, uint64_t rate, struct cni_error *e)
{
	struct rtnl_link link;
	uint64_t found = 0;

	if (!rate)
		return 0;
	if (rtnl_link_get(r, name, &link) || rtnl_tbf_get(r, link.ifindex, &found))
		return cni_fail(e, CNI_CHECK_FAILED, "bandwidth: %s: %.160s", name, r->text);
	if (found != rate / 8)
		return cni_fail(e, CNI_CHECK_FAILED,
				"bandwidth: the rate of %s is %llu bits a second, not %llu", name,
				(unsigned long long)found * 8, (unsigned long long)rate);
	return 0;
}

int cni_bandwidth_check(const struct cni_request *rq, const struct cni_interface *ifc,
			struct cni_error *e)
{
	char ifb[IFNAMSIZ];
	struct rtnl r;
	int err;

	if (rtnl_open(&r, -1))
		return fail(&r, "rtnetlink", "in the node's namespace", e);
	cni_ifb_name(ifb, ifc->host);
	err = check_rate(&r, ifc->host, rq->limit[CNI_TO_POD].rate, e) ?:
	      check_rate(&r, ifb, rq->limit[CNI_FROM_POD].rate, e);
	rtnl_close(&r);
	return err;
}
