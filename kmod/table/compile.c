// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compiles the rules of a security group.
 *
 * Each rule becomes items: one for each family it applies to, one for each
 * prefix that is left of its own when the exceptions are taken out. Sorted,
 * those of the same peer stand together and become its intervals of ports.
 */

#include <linux/bsearch.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <net/ipv6.h>

#include "classify.h"

/* --- items ---------------------------------------------------------------- */

struct item {
	u8		section;
	u8		peer;		/* enum vr_peer */
	u8		len;		/* of the prefix */
	u32		sg;
	u32		rule;
	union vr_addr	addr;
};

struct items {
	unsigned int	n;
	struct item	*at;		/* NULL while they are only counted */
	struct vr_prefix *except;	/* room for a rule's exceptions */
};

static int cmp_key(const struct item *a, const struct item *b)
{
	if (a->section != b->section)
		return (int)a->section - b->section;
	if (a->peer != b->peer)
		return (int)a->peer - b->peer;
	if (a->sg != b->sg)
		return a->sg < b->sg ? -1 : 1;
	return memcmp(&a->addr, &b->addr, sizeof(a->addr)) ?: (int)a->len - b->len;
}

static int cmp_item(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return cmp_key(x, y) ?: (x->rule < y->rule ? -1 : x->rule > y->rule);
}

static void add_item(struct items *l, const struct item *item)
{
	if (l->at)
		l->at[l->n] = *item;
	l->n++;
}

static int cmp_prefix(const void *a, const void *b)
{
	const struct vr_prefix *x = a, *y = b;

	return memcmp(&x->addr, &y->addr, sizeof(x->addr)) ?: (int)x->len - y->len;
}

static bool inside(const struct vr_prefix *e, const union vr_addr *addr, u8 len)
{
	return e->len >= len && ipv6_prefix_equal(&e->addr.v6, &addr->v6, len);
}

/* A rule's exceptions in order of address, without those inside of others. */
static unsigned int sort_except(const struct vr_sg_rule *r, struct vr_prefix *e)
{
	unsigned int i, n = 0;

	if (!r->n_except)
		return 0;
	memcpy(e, r->except, r->n_except * sizeof(*e));
	sort(e, r->n_except, sizeof(*e), cmp_prefix, NULL);
	for (i = 0; i < r->n_except; i++)
		if (!n || !inside(&e[i], &e[n - 1].addr, e[n - 1].len))
			e[n++] = e[i];
	return n;
}

static void set_bit_of(union vr_addr *a, u8 i, bool on)
{
	u8 *octet = (u8 *)a + i / 8, mask = 0x80 >> (i % 8);

	*octet = on ? *octet | mask : *octet & ~mask;
}

/* To the next prefix in order of address that is not inside of this one. False:
 * there is none below "top".
 */
static bool advance(struct item *item, u8 top)
{
	while (item->len > top) {
		u8 last = item->len - 1;

		if (!(((u8 *)&item->addr)[last / 8] & (0x80 >> (last % 8)))) {
			set_bit_of(&item->addr, last, true);
			return true;
		}
		set_bit_of(&item->addr, last, false);
		item->len--;
	}
	return false;
}

/* What is left of the prefix: a walk down its halves in order of address, and
 * so in that of the exceptions, which stops at what has none inside.
 */
static void add_prefixes(struct items *l, const struct vr_sg_rule *r, struct item *item)
{
	unsigned int n = sort_except(r, l->except), i = 0;

	item->addr = r->prefix.addr;
	item->len = r->prefix.len;
	do {
		while (i < n && l->except[i].len > item->len &&
		       inside(&l->except[i], &item->addr, item->len))
			item->len++;
		if (i < n && inside(&l->except[i], &item->addr, item->len))
			i++;
		else
			add_item(l, item);
	} while (advance(item, r->prefix.len));
}

static void add_rule(struct items *l, const struct vr_sg_rule *r, unsigned int index, u8 family)
{
	struct item item = {
		.section = vr_section_of(r->direction, family),
		.peer = r->peer,
		.rule = index,
	};

	if ((r->family && r->family != family) ||
	    (r->proto == IPPROTO_ICMP && family != AF_INET) ||
	    (r->proto == IPPROTO_ICMPV6 && family != AF_INET6))
		return;

	switch (r->peer) {
	case VR_PEER_PREFIX:
		if (r->prefix.family == family)
			add_prefixes(l, r, &item);
		break;
	case VR_PEER_SG:
		item.sg = r->peer_sg;
		fallthrough;
	default:
		add_item(l, &item);
	}
}

static int add_rules(struct items *l, const struct vr_sg_rule *rules, unsigned int n,
		     struct netlink_ext_ack *extack)
{
	unsigned int i;

	l->n = 0;
	for (i = 0; i < n; i++) {
		if (rules[i].proto && vr_class_of(rules[i].proto) == VR_OTHER) {
			NL_SET_ERR_MSG_FMT(extack, "Rule %u: protocol %u has no flows", i,
					   rules[i].proto);
			return -EPROTONOSUPPORT;
		}
		add_rule(l, &rules[i], i, AF_INET);
		add_rule(l, &rules[i], i, AF_INET6);
		if (l->n > VR_SG_MAX_COMPILED) {
			NL_SET_ERR_MSG_FMT(extack,
					   "Rule %u: exceptions leave more than %u prefixes", i,
					   VR_SG_MAX_COMPILED);
			return -E2BIG;
		}
	}
	return 0;
}

static unsigned int max_except(const struct vr_sg_rule *rules, unsigned int n)
{
	unsigned int i, max = 0;

	for (i = 0; i < n; i++)
		max = max(max, rules[i].n_except);
	return max;
}

/* All rules as sorted items. l->at is the caller's on success. */
static int make_items(struct items *l, const struct vr_sg_rule *rules, unsigned int n,
		      struct netlink_ext_ack *extack)
{
	int err;

	l->at = NULL;
	l->except = kvmalloc_array(max_except(rules, n) + 1, sizeof(*l->except), GFP_KERNEL);
	if (!l->except)
		return -ENOMEM;

	err = add_rules(l, rules, n, extack);
	if (!err) {
		l->at = kvmalloc_array(l->n, sizeof(*l->at), GFP_KERNEL);
		err = l->at ? add_rules(l, rules, n, extack) : -ENOMEM;
	}
	kvfree(l->except);
	if (!err)
		sort(l->at, l->n, sizeof(*l->at), cmp_item, NULL);
	return err;
}

/* --- intervals ------------------------------------------------------------ */

#define NO_RULE	U32_MAX

/* Room to work in, for as many rules as the largest set has. */
struct scratch {
	u32		*point;		/* where an interval begins, or the next after it */
	u32		*owner;		/* of the ports from point[i] up to before point[i + 1] */
	u32		*skip;		/* at or after i, the next without owner */
	struct vr_interval	*out;
	u32		n_out;
	struct vr_ports	*last;		/* of a single rule */
	u32		last_rule;
};

static bool applies(const struct vr_sg_rule *r, enum vr_proto_class class)
{
	return !r->proto || vr_class_of(r->proto) == class;
}

static u32 lo_of(const struct vr_sg_rule *r)
{
	return r->proto ? r->lo : 0;
}

static u32 end_of(const struct vr_sg_rule *r)
{
	return (r->proto ? r->hi : U16_MAX) + 1U;
}

static int cmp_u32(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* Where any of the rules begins or ends, in order, each once. */
static u32 find_points(struct scratch *w, const struct vr_sg_rule *rules,
		       const struct item *items, unsigned int n, enum vr_proto_class class)
{
	u32 i, m = 0, points = 0;

	for (i = 0; i < n; i++) {
		if (!applies(&rules[items[i].rule], class))
			continue;
		w->point[m++] = lo_of(&rules[items[i].rule]);
		w->point[m++] = end_of(&rules[items[i].rule]);
	}
	sort(w->point, m, sizeof(*w->point), cmp_u32, NULL);
	for (i = 0; i < m; i++)
		if (!points || w->point[i] != w->point[points - 1])
			w->point[points++] = w->point[i];
	return points;
}

static u32 index_of(const struct scratch *w, u32 points, u32 port)
{
	return (u32 *)bsearch(&port, w->point, points, sizeof(port), cmp_u32) - w->point;
}

static u32 next_free(struct scratch *w, u32 i)
{
	while (w->skip[i] != i) {
		w->skip[i] = w->skip[w->skip[i]];
		i = w->skip[i];
	}
	return i;
}

/* Items are in order of rule, so what has an owner keeps it. */
static void own_points(struct scratch *w, const struct vr_sg_rule *rules,
		       const struct item *items, unsigned int n, enum vr_proto_class class,
		       u32 points)
{
	const struct vr_sg_rule *r;
	u32 i, p, end;

	for (p = 0; p < points; p++) {
		w->skip[p] = p;
		w->owner[p] = NO_RULE;
	}
	for (i = 0; i < n; i++) {
		r = &rules[items[i].rule];
		if (!applies(r, class) || r->hi < r->lo)
			continue;
		end = index_of(w, points, end_of(r));
		for (p = next_free(w, index_of(w, points, lo_of(r))); p < end;
		     p = next_free(w, p)) {
			w->owner[p] = items[i].rule;
			w->skip[p] = p + 1;
		}
	}
}

/* Neighbours of the same owner are one interval. The last point begins none. */
static void put_intervals(struct scratch *w, u32 points)
{
	struct vr_interval *last = NULL;
	u32 p;

	for (p = 0; p + 1 < points; p++) {
		if (w->owner[p] == NO_RULE)
			continue;
		if (last && last->rule == w->owner[p] && last->hi + 1U == w->point[p]) {
			last->hi = w->point[p + 1] - 1;
			continue;
		}
		last = &w->out[w->n_out++];
		last->lo = w->point[p];
		last->hi = w->point[p + 1] - 1;
		last->rule = w->owner[p];
	}
}

static struct vr_ports *make_ports(struct scratch *w, const struct vr_sg_rule *rules,
				   const struct item *items, unsigned int n)
{
	u32 points, start[VR_CLASSES + 1];
	struct vr_ports *ports;
	int class;

	w->n_out = 0;
	for (class = 0; class < VR_CLASSES; class++) {
		start[class] = w->n_out;
		points = find_points(w, rules, items, n, class);
		own_points(w, rules, items, n, class, points);
		put_intervals(w, points);
	}
	start[VR_CLASSES] = w->n_out;

	ports = kvmalloc(struct_size(ports, at, w->n_out), GFP_KERNEL_ACCOUNT);
	if (!ports)
		return NULL;
	ports->users = 1;
	memcpy(ports->start, start, sizeof(start));
	memcpy(ports->at, w->out, w->n_out * sizeof(*w->out));
	return ports;
}

/* --- sections ------------------------------------------------------------- */

/* Number of items from the first on that belong to the same set. */
static unsigned int run_of(const struct items *l, unsigned int i)
{
	unsigned int n = 1;

	while (i + n < l->n && !cmp_key(&l->at[i], &l->at[i + n]))
		n++;
	return n;
}

/* Item i is the first of the section's with a group as peer. */
static int make_peers(struct vr_section *s, const struct items *l, unsigned int i)
{
	unsigned int n = 1, k;

	for (k = i + 1; k < l->n && l->at[k].section == l->at[i].section &&
	     l->at[k].peer == VR_PEER_SG; k++)
		n += l->at[k].sg != l->at[k - 1].sg;

	s->peer_bits = order_base_2(2 * n);
	s->peers = kvcalloc(1U << s->peer_bits, sizeof(*s->peers), GFP_KERNEL_ACCOUNT);
	return s->peers ? 0 : -ENOMEM;
}

/* ports is taken over on success. */
static int put_set(struct vr_section *s, const struct items *l, unsigned int i,
		   struct vr_ports *ports)
{
	const struct item *item = &l->at[i];
	struct vr_peer_slot *slot;
	void *old;
	int err;

	switch (item->peer) {
	case VR_PEER_PREFIX:
		return vr_lpm_set(&s->prefixes, &item->addr, item->len, ports, &old);
	case VR_PEER_SG:
		err = s->peers ? 0 : make_peers(s, l, i);
		if (err)
			return err;
		slot = vr_peer_slot(s, item->sg);
		slot->sg = item->sg;
		slot->ports = ports;
		return 0;
	default:
		s->any = ports;
		return 0;
	}
}

/* A rule's exceptions may leave many prefixes, most of which no other rule has:
 * they share the ports of the last one.
 */
static struct vr_ports *get_ports(struct scratch *w, const struct vr_sg_rule *rules,
				  const struct item *items, unsigned int n)
{
	struct vr_ports *ports;

	if (n == 1 && w->last && w->last_rule == items->rule) {
		w->last->users++;
		return w->last;
	}
	ports = make_ports(w, rules, items, n);
	w->last = n == 1 ? ports : NULL;
	w->last_rule = items->rule;
	return ports;
}

static int make_sets(struct vr_ruleset *rs, const struct items *l,
		     const struct vr_sg_rule *rules, struct scratch *w)
{
	struct vr_ports *ports;
	unsigned int i, n;
	int err;

	for (i = 0; i < l->n; i += n) {
		n = run_of(l, i);
		ports = get_ports(w, rules, &l->at[i], n);
		if (!ports)
			return -ENOMEM;
		err = put_set(&rs->section[l->at[i].section], l, i, ports);
		if (err) {
			if (!--ports->users)
				kvfree(ports);
			return err;
		}
		if (!(i % 1024))
			cond_resched();
	}
	return 0;
}

/* A rule has two points, and each class as many intervals as points at most. */
static int scratch_alloc(struct scratch *w, const struct items *l)
{
	unsigned int i, n, max = 0;
	u32 *room;

	for (i = 0; i < l->n; i += n) {
		n = run_of(l, i);
		max = max(max, n);
	}
	w->out = kvmalloc_array(max, 2 * VR_CLASSES * sizeof(*w->out), GFP_KERNEL);
	room = kvmalloc_array(max, 6 * sizeof(*room), GFP_KERNEL);
	w->point = room;
	if (!w->out || !room) {
		kvfree(w->out);
		kvfree(room);
		return -ENOMEM;
	}
	w->owner = room + 2 * max;
	w->skip = room + 4 * max;
	return 0;
}

int vr_rules_compile(struct vr_ruleset *rs, const struct vr_sg_rule *rules, unsigned int n,
		     struct netlink_ext_ack *extack)
{
	struct scratch w = {};
	struct items l;
	int err;

	err = make_items(&l, rules, n, extack);
	if (err)
		return err;
	err = scratch_alloc(&w, &l);
	if (!err) {
		err = make_sets(rs, &l, rules, &w);
		kvfree(w.out);
		kvfree(w.point);
	}
	kvfree(l.at);
	return err;
}
