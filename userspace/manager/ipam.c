// SPDX-License-Identifier: GPL-2.0-only
#include "ipam.h"

#include <inttypes.h>

#include "ipam_block.h"
#include "word.h"
#include "xmem.h"

/* More than anybody has pods; keeps the arithmetic in 64 bits. */
#define MAX_HOST_BITS 62
#define MIN_BLOCKS_LOG2 2	/* fewer than four blocks are not worth dividing for */

struct lease {
	struct map_node	at;		/* by address */
	const char	*node;		/* a word; NULL: unknown */
	const char	*owner;
	char		address[];	/* text; then the owner's */
};

static void lease_free(struct lease *lease)
{
	word_put(lease->node);
	free(lease);
}

static uint64_t size_of(const struct prefix *p)
{
	unsigned int bits = family_bits(p->addr.family) - p->len;

	return 1ULL << (bits < MAX_HOST_BITS ? bits : MAX_HOST_BITS);
}

struct addr ipam_addr_at(const struct prefix *p, uint64_t offset)
{
	struct addr a = p->addr;
	int i = family_bits(a.family) / 8 - 1;

	for (; offset; offset >>= 8, i--)
		a.bytes[i] |= offset & 0xff;
	return a;
}

static uint64_t offset_of(const struct prefix *p, const struct addr *a)
{
	unsigned int i, octets = family_bits(a->family) / 8;
	uint64_t offset = 0;

	for (i = octets > 8 ? octets - 8 : 0; i < octets; i++)
		offset = offset << 8 | a->bytes[i];
	/* The host part only; one beyond MAX_HOST_BITS stays large, as it should. */
	return octets * 8 - p->len >= 64 ? offset : offset & ((1ULL << (octets * 8 - p->len)) - 1);
}

struct addr ipam_gateway(const struct prefix *p)
{
	return ipam_addr_at(p, 1);
}

static void pool_init(struct ipam_pool *pool, const struct prefix *p,
		      const struct ipam_options *opts)
{
	enum family f = p->addr.family;
	uint64_t size = size_of(p), low;

	pool->prefix = *p;
	pool->first = opts->gateway ? 2 : 1;
	/* IPv4's last is the broadcast address. */
	pool->last = size - (f == V4 ? 2 : 1);
	low = size / 16 < 16 ? 16 : size / 16 > 256 ? 256 : size / 16;
	pool->low = opts->band && size > 2 * low ? low : pool->first;
	if (opts->block_len[f] && p->len + MIN_BLOCKS_LOG2 <= opts->block_len[f])
		pool->block_bits = family_bits(f) - opts->block_len[f];
}

void ipam_init(struct ipam *ipam, const char *name, const struct network *net,
	       const struct ipam_options *opts)
{
	size_t i;

	memset(ipam, 0, sizeof(*ipam));
	ipam->name = name;
	ipam->net = *net;
	ipam->changed = opts->changed;
	for (i = 0; i < net->n; i++)
		pool_init(&ipam->pools[i], &net->subnets[i], opts);
}

void ipam_free(struct ipam *ipam)
{
	size_t i;

	map_for_each(&ipam->leases, node)
		lease_free(node->value);
	map_forget(&ipam->leases);
	for (i = 0; i < ipam->net.n; i++)
		map_clear(&ipam->pools[i].blocks, ipam_block_free);
	map_for_each(&ipam->nodes, node) {
		map_clear(node->value, NULL);
		free(node->value);
	}
	map_clear(&ipam->nodes, NULL);
}

char *ipam_reshape(struct ipam *ipam, const struct network *net, const struct ipam_options *opts)
{
	struct ipam_options quiet = *opts;
	char *problem = NULL;
	struct ipam next;

	quiet.changed = NULL;
	ipam_init(&next, ipam->name, net, &quiet);
	map_for_each(&ipam->leases, node) {
		const struct lease *lease = node->value;
		struct addr a;

		addr_parse(node->key, &a);
		if (!problem)
			problem = ipam_claim(&next, &a, lease->owner, lease->node);
	}
	if (problem) {
		ipam_free(&next);
		return problem;
	}
	next.changed = opts->changed;
	map_for_each(&ipam->nodes, node)
		ipam_block_changed(&next, node->key);
	map_for_each(&next.nodes, node)
		ipam_block_changed(&next, node->key);
	ipam_free(ipam);
	*ipam = next;
	return NULL;
}

static struct ipam_pool *pool_of(const struct ipam *ipam, const struct addr *a)
{
	size_t i;

	for (i = 0; i < ipam->net.n; i++)
		if (prefix_contains(&ipam->net.subnets[i], a))
			return (struct ipam_pool *)&ipam->pools[i];
	return NULL;
}

/* How many addresses the node has in the address's block: by one more or less. */
static void count(struct ipam *ipam, struct ipam_pool *pool, const struct addr *a, const char *node,
		  int by)
{
	uint64_t offset = offset_of(&pool->prefix, a);
	struct addr back = ipam_addr_at(&pool->prefix, offset);

	/* a given one of a large subnet may be further up than offsets go */
	if (addr_equal(&back, a))
		ipam_block_count(ipam, pool, offset, node, by);
}

/* --- given ones ------------------------------------------------------------- */

static void take(struct ipam *ipam, struct ipam_pool *pool, const struct addr *a, const char *owner,
		 const char *node)
{
	struct lease *lease;
	char text[ADDR_TEXT];
	size_t len = strlen(addr_text(a, text)) + 1;

	lease = xzalloc(sizeof(*lease) + len + strlen(owner) + 1);
	lease->owner = strcpy(stpcpy(lease->address, text) + 1, owner);
	lease->node = word_get(node);
	lease->at.key = lease->address;
	lease->at.value = lease;
	map_link(&ipam->leases, &lease->at);
	pool->used++;
	count(ipam, pool, a, node, 1);
}

char *ipam_unusable(const struct ipam *ipam, const struct addr *a)
{
	const struct ipam_pool *pool = pool_of(ipam, a);
	char text[ADDR_TEXT];
	uint64_t offset;

	addr_text(a, text);
	if (!pool)
		return xasprintf("%s is outside of the %s", text, ipam->name);
	offset = offset_of(&pool->prefix, a);
	if (offset == 1 && pool->first == 2)
		return xasprintf("%s is the gateway of the %s", text, ipam->name);
	if (!offset || (a->family == V4 && offset > pool->last))
		return xasprintf("%s is reserved in the %s", text, ipam->name);
	return NULL;
}

char *ipam_claim(struct ipam *ipam, const struct addr *a, const char *owner, const char *node)
{
	char *problem = ipam_unusable(ipam, a);
	const struct lease *holder;
	char text[ADDR_TEXT];

	if (problem)
		return problem;
	holder = map_get(&ipam->leases, addr_text(a, text));
	if (holder)
		return xasprintf("%s belongs to %s", text, holder->owner);
	take(ipam, pool_of(ipam, a), a, owner, node);
	return NULL;
}

/* --- found ones ------------------------------------------------------------- */

struct search {
	struct ipam	*ipam;
	enum family	family;
	const char	*owner, *node;
	struct addr	*out;
};

/* Upward from a start in from..to, once around. */
static bool probe(const struct search *s, struct ipam_pool *pool, uint64_t from, uint64_t to)
{
	cleanup_free char *seed = xasprintf("%s %s", family_name(s->family), s->owner);
	uint64_t n = to - from + 1, start = stable_hash(seed) % n, i;
	char text[ADDR_TEXT];

	for (i = 0; i < n; i++) {
		*s->out = ipam_addr_at(&pool->prefix, from + (start + i) % n);
		if (map_get(&s->ipam->leases, addr_text(s->out, text)))
			continue;
		take(s->ipam, pool, s->out, s->owner, s->node);
		return true;
	}
	return false;
}

static bool probe_anywhere(const struct search *s, struct ipam_pool *pool)
{
	if (pool->used >= pool->last - pool->first + 1)
		return false;
	return probe(s, pool, pool->low, pool->last) ||
	       (pool->low > pool->first && probe(s, pool, pool->first, pool->low - 1));
}

/* In a block that the node has or can have. */
static bool probe_blocks(const struct search *s, struct ipam_pool *pool)
{
	uint64_t from, to;

	return ipam_block_find(s->ipam, pool, s->node, &from, &to) && probe(s, pool, from, to);
}

static char *exhausted(const struct ipam *ipam, enum family f)
{
	char *list = xstrdup(""), *more, text[PREFIX_TEXT], *problem;
	size_t i;

	for (i = 0; i < ipam->net.n; i++) {
		if (ipam->net.subnets[i].addr.family != f)
			continue;
		more = xasprintf("%s%s%s", list, *list ? ", " : "",
				 prefix_text(&ipam->net.subnets[i], text));
		free(list);
		list = more;
	}
	problem = xasprintf("the %s is exhausted: all of its %" PRIu64 " %s addresses (%s) are in use",
			    ipam->name, ipam_size(ipam, f), family_name(f), list);
	free(list);
	return problem;
}

char *ipam_allocate(struct ipam *ipam, enum family f, const char *owner, const char *node,
		    struct addr *out)
{
	const struct search s = { ipam, f, owner, node, out };
	struct ipam_pool *pool;
	size_t i;

	for (i = 0; i < ipam->net.n; i++) {
		pool = &ipam->pools[i];
		if (pool->prefix.addr.family != f)
			continue;
		if (pool->block_bits && node ? probe_blocks(&s, pool) : probe_anywhere(&s, pool))
			return NULL;
	}
	/* in blocks of others */
	for (i = 0; i < ipam->net.n; i++)
		if (ipam->pools[i].prefix.addr.family == f && probe_anywhere(&s, &ipam->pools[i]))
			return NULL;
	return exhausted(ipam, f);
}

/* --- afterwards ------------------------------------------------------------- */

void ipam_move(struct ipam *ipam, const struct addr *a, const char *node)
{
	struct ipam_pool *pool = pool_of(ipam, a);
	char text[ADDR_TEXT];
	struct lease *lease = map_get(&ipam->leases, addr_text(a, text));

	if (!lease || !pool || (!node && !lease->node) ||
	    (node && lease->node && !strcmp(node, lease->node)))
		return;
	count(ipam, pool, a, node, 1);
	count(ipam, pool, a, lease->node, -1);
	word_put(lease->node);
	lease->node = word_get(node);
}

void ipam_release(struct ipam *ipam, const struct addr *a)
{
	struct ipam_pool *pool = pool_of(ipam, a);
	char text[ADDR_TEXT];
	struct map_node *at = map_unlink(&ipam->leases, addr_text(a, text));
	struct lease *lease;

	if (!at)
		return;
	lease = at->value;
	pool->used--;
	count(ipam, pool, a, lease->node, -1);
	lease_free(lease);
}

uint64_t ipam_size(const struct ipam *ipam, enum family f)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < ipam->net.n; i++)
		if (ipam->pools[i].prefix.addr.family == f)
			n += ipam->pools[i].last - ipam->pools[i].first + 1;
	return n;
}

uint64_t ipam_used(const struct ipam *ipam, enum family f)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < ipam->net.n; i++)
		if (ipam->pools[i].prefix.addr.family == f)
			n += ipam->pools[i].used;
	return n;
}
