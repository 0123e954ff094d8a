// SPDX-License-Identifier: GPL-2.0-only
#include "ipam_block.h"

#include <inttypes.h>

#include "xmem.h"

/* Sorts as the subnets and then the addresses do. */
#define BLOCK_TEXT 24

struct block {
	size_t			pool;		/* of its ipam's */
	uint64_t		number;		/* in its subnet */
	uint64_t		used;		/* addresses */
	struct map		counts;		/* node -> struct count */
	char			*owner;		/* node; NULL: only unknown ones */
};

struct count {
	uint64_t	n;
};

void ipam_block_free(void *value)
{
	struct block *b = value;

	map_clear(&b->counts, free);
	free(b->owner);
	free(b);
}

static const char *number_text(uint64_t number, char buf[BLOCK_TEXT])
{
	snprintf(buf, BLOCK_TEXT, "%016" PRIx64, number);
	return buf;
}

static const char *sort_key(const struct block *b, char buf[BLOCK_TEXT])
{
	snprintf(buf, BLOCK_TEXT, "%02zx %016" PRIx64, b->pool & 0xff, b->number);
	return buf;
}

void ipam_block_changed(struct ipam *ipam, const char *node)
{
	if (ipam->changed)
		map_set(ipam->changed, node, ipam->changed);
}

static const char *most_of(const struct block *b)
{
	const char *best = NULL;
	uint64_t n = 0;

	map_for_each(&b->counts, node) {
		const struct count *c = node->value;

		if (!best || c->n > n || (c->n == n && strcmp(node->key, best) < 0)) {
			best = node->key;
			n = c->n;
		}
	}
	return best;
}

static void disown(struct ipam *ipam, struct block *b)
{
	struct map *blocks = map_get(&ipam->nodes, b->owner);
	char key[BLOCK_TEXT];

	map_del(blocks, sort_key(b, key));
	if (!blocks->n) {
		map_clear(blocks, NULL);
		free(map_del(&ipam->nodes, b->owner));
	}
	ipam_block_changed(ipam, b->owner);
	free(b->owner);
	b->owner = NULL;
}

static void own(struct ipam *ipam, struct block *b, const char *node)
{
	struct map *blocks = map_get(&ipam->nodes, node);
	char key[BLOCK_TEXT];

	if (!blocks) {
		blocks = xzalloc(sizeof(*blocks));
		map_set(&ipam->nodes, node, blocks);
	}
	map_set(blocks, sort_key(b, key), b);
	b->owner = xstrdup(node);
	ipam_block_changed(ipam, node);
}

static void settle(struct ipam *ipam, struct block *b)
{
	const char *owner = most_of(b);

	if (owner && b->owner && !strcmp(owner, b->owner))
		return;
	if (b->owner)
		disown(ipam, b);
	if (owner)
		own(ipam, b, owner);
}

void ipam_block_count(struct ipam *ipam, struct ipam_pool *pool, uint64_t offset, const char *node,
		      int by)
{
	uint64_t number = offset >> pool->block_bits;
	struct block *b;
	struct count *c;
	char key[BLOCK_TEXT];

	if (!pool->block_bits)
		return;
	b = map_get(&pool->blocks, number_text(number, key));
	if (!b) {
		b = xzalloc(sizeof(*b));
		b->pool = pool - ipam->pools;
		b->number = number;
		map_set(&pool->blocks, key, b);
	}
	b->used += by;
	if (node) {
		c = map_get(&b->counts, node);
		if (!c) {
			c = xzalloc(sizeof(*c));
			map_set(&b->counts, node, c);
		}
		c->n += by;
		if (!c->n)
			free(map_del(&b->counts, node));
		settle(ipam, b);
	}
	if (!b->used)
		ipam_block_free(map_del(&pool->blocks, key));
}

/* The offsets in it that may be given out. False: none. */
static bool range_of(const struct ipam_pool *pool, uint64_t number, uint64_t *from, uint64_t *to)
{
	*from = number << pool->block_bits;
	*to = *from + (1ULL << pool->block_bits) - 1;
	if (*from < pool->first)
		*from = pool->first;
	if (*to > pool->last)
		*to = pool->last;
	return *from <= *to;
}

/* The first of its blocks here, by address, with room. */
static const struct block *own_with_room(const struct ipam *ipam, const struct ipam_pool *pool,
					 const char *node)
{
	const struct map *blocks = map_get(&ipam->nodes, node);
	const struct block *best = NULL;
	uint64_t from, to;

	if (!blocks)
		return NULL;
	map_for_each(blocks, n) {
		const struct block *b = n->value;

		if (&ipam->pools[b->pool] == pool && (!best || b->number < best->number) &&
		    range_of(pool, b->number, &from, &to) && b->used < to - from + 1)
			best = b;
	}
	return best;
}

bool ipam_block_find(const struct ipam *ipam, const struct ipam_pool *pool, const char *node,
		     uint64_t *from, uint64_t *to)
{
	uint64_t n = (pool->last >> pool->block_bits) + 1, start = stable_hash(node) % n, i;
	const struct block *b = own_with_room(ipam, pool, node);
	char key[BLOCK_TEXT];

	if (b)
		return range_of(pool, b->number, from, to);
	if (pool->blocks.n == n)
		return false;
	for (i = 0; i < n; i++) {
		uint64_t number = (start + i) % n;

		if (!map_get(&pool->blocks, number_text(number, key)) &&
		    range_of(pool, number, from, to))
			return true;
	}
	return false;
}

void ipam_blocks(const struct ipam *ipam, const char *node, ipam_block_fn *visit, void *arg)
{
	const struct map *blocks = map_get(&ipam->nodes, node);
	struct map_node **sorted;
	size_t i;

	if (!blocks)
		return;
	sorted = map_sorted(blocks);
	for (i = 0; i < blocks->n; i++) {
		const struct block *b = sorted[i]->value;
		const struct ipam_pool *pool = &ipam->pools[b->pool];
		unsigned int bits = family_bits(pool->prefix.addr.family);
		struct prefix p = { .len = bits - pool->block_bits };

		p.addr = ipam_addr_at(&pool->prefix, b->number << pool->block_bits);
		visit(&p, arg);
	}
	free(sorted);
}
