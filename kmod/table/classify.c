// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which rule of a security group matches a packet? Asks the ports of any peer, those of
 * the peer's groups, and those of the prefixes that hold its address. Where all rules
 * allow, the first answer will do.
 */

#include <linux/slab.h>

#include "classify.h"

static int match_ports(const struct vr_ports *p, enum vr_proto_class class, u16 port)
{
	u32 lo = p->start[class], hi = p->start[class + 1], mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (port < p->at[mid].lo)
			hi = mid;
		else if (port > p->at[mid].hi)
			lo = mid + 1;
		else
			return p->at[mid].rule;
	}
	return -1;
}

static int match_peers(const struct vr_section *s, const struct vr_sg_query *q,
		       enum vr_proto_class class)
{
	const struct vr_peer_slot *slot;
	unsigned int i;
	int rule;

	for (i = 0; s->peers && i < q->n_peer_sgs; i++) {
		slot = vr_peer_slot(s, q->peer_sgs[i]);
		rule = slot->sg ? match_ports(slot->ports, class, q->port) : -1;
		if (rule >= 0)
			return rule;
	}
	return -1;
}

struct prefix_query {
	enum vr_proto_class	class;
	u16			port;
	int			rule;
};

static bool match_prefix(void *value, u8 len, void *arg)
{
	struct prefix_query *q = arg;

	q->rule = match_ports(value, q->class, q->port);
	return q->rule >= 0;
}

int vr_ruleset_match(const struct vr_ruleset *rs, const struct vr_sg_query *q)
{
	const struct vr_section *s = &rs->section[vr_section_of(q->direction, q->family)];
	struct prefix_query pq = { .class = vr_class_of(q->proto), .port = q->port, .rule = -1 };
	int rule = -1;

	if (s->any)
		rule = match_ports(s->any, pq.class, q->port);
	if (rule < 0)
		rule = match_peers(s, q, pq.class);
	if (rule < 0 && vr_lpm_match(&s->prefixes, q->peer, match_prefix, &pq))
		rule = pq.rule;
	return rule;
}

/* Of two answers the rule that comes first; -1 is none. */
static int earlier(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static bool first_of_prefix(void *value, u8 len, void *arg)
{
	struct prefix_query *q = arg;

	q->rule = earlier(q->rule, match_ports(value, q->class, q->port));
	return false;
}

int vr_ruleset_first(const struct vr_ruleset *rs, const struct vr_sg_query *q)
{
	const struct vr_section *s = &rs->section[vr_section_of(q->direction, q->family)];
	struct prefix_query pq = { .class = vr_class_of(q->proto), .port = q->port, .rule = -1 };
	const struct vr_peer_slot *slot;
	unsigned int i;

	if (s->any)
		pq.rule = match_ports(s->any, pq.class, q->port);
	for (i = 0; s->peers && i < q->n_peer_sgs; i++) {
		slot = vr_peer_slot(s, q->peer_sgs[i]);
		if (slot->sg)
			pq.rule = earlier(pq.rule, match_ports(slot->ports, pq.class, q->port));
	}
	vr_lpm_match(&s->prefixes, q->peer, first_of_prefix, &pq);
	return pq.rule;
}

unsigned int vr_ruleset_len(const struct vr_ruleset *rs)
{
	return rs->n;
}

const struct vr_sg_rule *vr_ruleset_rule(const struct vr_ruleset *rs, unsigned int i)
{
	return &rs->rules[i];
}

/* On 32 bits a reader may see half of an increment; these are for people. */
u64 vr_ruleset_hits(const struct vr_ruleset *rs, unsigned int i)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(rs->hits[i / VR_HITS_CHUNK], cpu)[i % VR_HITS_CHUNK]);
	return sum;
}

void vr_ruleset_hit(struct vr_ruleset *rs, unsigned int i)
{
	this_cpu_inc(rs->hits[i / VR_HITS_CHUNK][i % VR_HITS_CHUNK]);
}

/* --- life ----------------------------------------------------------------- */

static void ports_free(void *value)
{
	struct vr_ports *ports = value;

	if (ports && !--ports->users)
		kvfree(ports);
}

static void section_free(struct vr_section *s)
{
	unsigned int i;

	for (i = 0; s->peers && i < 1U << s->peer_bits; i++)
		ports_free(s->peers[i].ports);
	kvfree(s->peers);
	ports_free(s->any);
	vr_lpm_destroy(&s->prefixes, ports_free);
}

/* All but the rules. */
static void compiled_free(struct vr_ruleset *rs)
{
	unsigned int i;

	for (i = 0; i < VR_SECTIONS; i++)
		section_free(&rs->section[i]);
	for (i = 0; i < rs->n_chunks; i++)
		free_percpu(rs->hits[i]);
	kvfree(rs);
}

void vr_ruleset_free(struct vr_ruleset *rs)
{
	vr_sg_rules_free(rs->rules, rs->n);
	kvfree(rs->rules);
	compiled_free(rs);
}

static void free_work(struct work_struct *work)
{
	vr_ruleset_free(container_of(to_rcu_work(work), struct vr_ruleset, free));
}

void vr_ruleset_free_later(struct vr_ruleset *rs)
{
	queue_rcu_work(vr_wq, &rs->free);
}

static struct vr_ruleset *ruleset_alloc(unsigned int n)
{
	unsigned int i, rest, chunks = DIV_ROUND_UP(n, VR_HITS_CHUNK);
	struct vr_ruleset *rs;

	rs = kvzalloc(struct_size(rs, hits, chunks), GFP_KERNEL_ACCOUNT);
	if (!rs)
		return NULL;
	rs->n = n;
	INIT_RCU_WORK(&rs->free, free_work);
	for (i = 0; i < VR_SECTIONS; i++)
		vr_lpm_init(&rs->section[i].prefixes, i & 1 ? 128 : 32);

	for (; rs->n_chunks < chunks; rs->n_chunks++) {
		rest = min_t(unsigned int, n - rs->n_chunks * VR_HITS_CHUNK, VR_HITS_CHUNK);
		rs->hits[rs->n_chunks] = __alloc_percpu_gfp(rest * sizeof(u64), sizeof(u64),
							    GFP_KERNEL_ACCOUNT);
		if (!rs->hits[rs->n_chunks]) {
			compiled_free(rs);
			return NULL;
		}
	}
	return rs;
}

struct vr_ruleset *vr_ruleset_build(struct vr_sg_rule *rules, unsigned int n,
				    struct netlink_ext_ack *extack)
{
	struct vr_ruleset *rs = ruleset_alloc(n);
	int err;

	if (!rs)
		return ERR_PTR(-ENOMEM);
	err = n ? vr_rules_compile(rs, rules, n, extack) : 0;
	if (err) {
		compiled_free(rs);
		return ERR_PTR(err);
	}
	rs->rules = rules;
	return rs;
}
