// SPDX-License-Identifier: GPL-2.0-only
#include "twin.h"

bool twin_bit(const union vr_addr *a, unsigned int i)
{
	return ((const u8 *)a)[i / 8] & (0x80 >> (i % 8));
}

void twin_mask(union vr_addr *a, u8 len)
{
	unsigned int i;

	for (i = len; i < 128; i++)
		((u8 *)a)[i / 8] &= ~(0x80 >> (i % 8));
}

bool twin_prefix_holds(const union vr_addr *prefix, u8 len, const union vr_addr *a)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		if (twin_bit(prefix, i) != twin_bit(a, i))
			return false;
	return true;
}

int twin_prefix_cmp(const union vr_addr *a, u8 alen, const union vr_addr *b, u8 blen)
{
	return memcmp(a, b, sizeof(*a)) ?: (int)alen - blen;
}

struct twin_prefix *twin_lpm_get(struct twin_lpm *t, const union vr_addr *addr, u8 len)
{
	unsigned int i;

	for (i = 0; i < t->n; i++)
		if (!twin_prefix_cmp(&t->p[i].addr, t->p[i].len, addr, len))
			return &t->p[i];
	return NULL;
}

bool twin_lpm_set(struct twin_lpm *t, const union vr_addr *addr, u8 len, void *value, void **old)
{
	struct twin_prefix *p = twin_lpm_get(t, addr, len);

	*old = p ? p->value : NULL;
	if (!p) {
		if (t->n == TWIN_PREFIXES)
			return false;
		p = &t->p[t->n++];
		p->addr = *addr;
		p->len = len;
	}
	p->value = value;
	return true;
}

void *twin_lpm_del(struct twin_lpm *t, const union vr_addr *addr, u8 len)
{
	struct twin_prefix *p = twin_lpm_get(t, addr, len);
	void *value;

	if (!p)
		return NULL;
	value = p->value;
	*p = t->p[--t->n];
	return value;
}

struct twin_prefix *twin_lpm_lookup(struct twin_lpm *t, const union vr_addr *addr)
{
	struct twin_prefix *best = NULL;
	unsigned int i;

	for (i = 0; i < t->n; i++)
		if (twin_prefix_holds(&t->p[i].addr, t->p[i].len, addr) &&
		    (!best || t->p[i].len > best->len))
			best = &t->p[i];
	return best;
}

struct twin_prefix *twin_lpm_next(struct twin_lpm *t, const union vr_addr *addr, u8 len)
{
	struct twin_prefix *best = NULL;
	unsigned int i;

	for (i = 0; i < t->n; i++) {
		struct twin_prefix *p = &t->p[i];

		if (addr && twin_prefix_cmp(&p->addr, p->len, addr, len) <= 0)
			continue;
		if (!best || twin_prefix_cmp(&p->addr, p->len, &best->addr, best->len) < 0)
			best = p;
	}
	return best;
}

static bool peer_matches(const struct vr_sg_rule *r, const struct vr_sg_query *q)
{
	unsigned int i;

	switch (r->peer) {
	case VR_PEER_SG:
		for (i = 0; i < q->n_peer_sgs; i++)
			if (q->peer_sgs[i] == r->peer_sg)
				return true;
		return false;
	case VR_PEER_PREFIX:
		if (r->prefix.family != q->family ||
		    !twin_prefix_holds(&r->prefix.addr, r->prefix.len, q->peer))
			return false;
		for (i = 0; i < r->n_except; i++)
			if (twin_prefix_holds(&r->except[i].addr, r->except[i].len, q->peer))
				return false;
		return true;
	default:
		return true;
	}
}

bool twin_rule_matches(const struct vr_sg_rule *r, const struct vr_sg_query *q)
{
	if (r->direction != q->direction || (r->family && r->family != q->family))
		return false;
	if (r->proto && r->proto != q->proto)
		return false;
	if (r->proto && (q->port < r->lo || q->port > r->hi))
		return false;
	return peer_matches(r, q);
}

struct twin_flow *twin_flow_find(struct twin_flows *t, const struct vr_tuple *tuple, int *dir)
{
	unsigned int i;

	for (i = 0; i < t->n; i++) {
		if (!memcmp(&t->f[i].orig, tuple, sizeof(*tuple))) {
			*dir = VR_ORIG;
			return &t->f[i];
		}
		if (!memcmp(&t->f[i].reply, tuple, sizeof(*tuple))) {
			*dir = VR_REPLY;
			return &t->f[i];
		}
	}
	return NULL;
}

void twin_flow_remove(struct twin_flows *t, struct twin_flow *f)
{
	*f = t->f[--t->n];
}
