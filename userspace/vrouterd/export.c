// SPDX-License-Identifier: GPL-2.0-only
/* Pods' addresses for routing daemons, and for the node itself. */

#include <errno.h>

#include "dlog.h"
#include "export.h"
#include "mem.h"
#include "rtnl.h"

struct prefixes {
	struct vr_prefix *v;
	unsigned int	n;
};

static int compare(const void *a, const void *b)
{
	const struct vr_prefix *x = a, *y = b;
	int diff = vr_addr_compare(&x->addr, &y->addr);

	return diff ? diff : (int)x->len - (int)y->len;
}

static void push(struct prefixes *p, const struct vr_prefix *prefix)
{
	p->v = mem_grow(p->v, p->n, sizeof(*p->v));
	p->v[p->n++] = *prefix;
}

static bool has(const struct prefixes *p, const struct vr_prefix *prefix)
{
	return p->n && bsearch(prefix, p->v, p->n, sizeof(*p->v), compare);
}

static void sort(struct prefixes *p)
{
	if (p->n)
		qsort(p->v, p->n, sizeof(*p->v), compare);
}

static bool is_wanted(const struct export *x, const struct model *m, const struct vmi *v)
{
	const struct res *net;

	if (x->joined)
		return v->joined;
	net = model_get(m, RES_NETWORK, v->network);
	return net && net->network.reachable;
}

/* Of the interfaces that have a device here. */
static void wanted(const struct export *x, const struct model *m, const struct attachments *a,
		   struct prefixes *p)
{
	const struct attachment *at;
	const struct res *r;
	unsigned int i;

	for (at = a->list; at; at = at->next) {
		r = model_get(m, RES_VMI, at->vmi);
		if (!r || !is_wanted(x, m, &r->vmi))
			continue;
		for (i = 0; i < r->vmi.n_addrs; i++) {
			struct vr_prefix one = {
				.addr = r->vmi.addrs[i],
				.len = r->vmi.addrs[i].family == AF_INET ? 32 : 128,
			};

			push(p, &one);
		}
	}
	sort(p);
}

/* The main table has routes to whole networks, too: those are hostdev.c's. */
static void collect(const struct vr_prefix *prefix, void *arg)
{
	if (prefix->len == (prefix->addr.family == AF_INET ? 32 : 128))
		push(arg, prefix);
}

static void change(struct export *x, struct rtnl *r, const struct hostdev *h, bool add,
		   const struct vr_prefix *p)
{
	char text[VR_PREFIX_TEXT];
	int err = rtnl_table_change(r, add, x->table, PROTO_VROUTER, h->dev.ifindex, p);

	if (!err || (!add && err == -ESRCH))
		return;
	log_warn("route table %u: cannot %s %s: %s", x->table, add ? "add" : "delete",
		 vr_prefix_text(p, text), r->text);
	x->stale = true;
}

void export_update(struct export *x, const struct model *m, const struct attachments *a,
		   const struct hostdev *h)
{
	struct prefixes want = {}, have = {};
	struct rtnl r;
	unsigned int i;

	x->stale = false;
	if (!x->table || !h->dev.ifindex)
		return;
	if (rtnl_open(&r, -1) || rtnl_table_each(&r, x->table, PROTO_VROUTER, collect, &have)) {
		log_warn("route table %u: %s", x->table, r.text);
		x->stale = true;
	} else {
		wanted(x, m, a, &want);
		sort(&have);
		for (i = 0; i < have.n; i++)
			if (!has(&want, &have.v[i]))
				change(x, &r, h, false, &have.v[i]);
		for (i = 0; i < want.n; i++)
			if (!has(&have, &want.v[i]))
				change(x, &r, h, true, &want.v[i]);
	}
	rtnl_close(&r);
	free(want.v);
	free(have.v);
}
