// SPDX-License-Identifier: GPL-2.0-only
#include "map.h"

#include "xmem.h"

/* FNV-1a, then a final mix: neighbours ("web-0", "web-1") land far apart. */
uint64_t stable_hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ULL;
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdULL;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ULL;
	return h ^ (h >> 33);
}

static struct map_node **find(const struct map *m, const char *key, uint32_t hash)
{
	struct map_node **at = &map_buckets(m)[hash & (m->size - 1)];

	while (*at && ((*at)->hash != hash || strcmp((*at)->key, key)))
		at = &(*at)->next;
	return at;
}

void *map_get(const struct map *m, const char *key)
{
	struct map_node *node;

	if (!m->n)
		return NULL;
	node = *find(m, key, stable_hash(key));
	return node ? node->value : NULL;
}

static void grow(struct map *m)
{
	size_t size = m->size ? m->size * 2 : 1;
	struct map_node **buckets;

	if (size == 1) {
		m->size = 1;
		return;
	}
	buckets = xcalloc(size, sizeof(*buckets));

	map_for_each(m, node) {
		node->next = buckets[node->hash & (size - 1)];
		buckets[node->hash & (size - 1)] = node;
	}
	if (m->size > 1)
		free(m->buckets);
	m->buckets = buckets;
	m->size = size;
}

/* Where a node of that key is, or belongs. */
static struct map_node **place(struct map *m, const char *key, uint32_t hash)
{
	if (m->n >= m->size)
		grow(m);
	return find(m, key, hash);
}

struct map_node *map_link(struct map *m, struct map_node *node)
{
	struct map_node **at, *old;

	node->hash = stable_hash(node->key);
	at = place(m, node->key, node->hash);
	old = *at;
	node->next = old ? old->next : NULL;
	*at = node;
	m->n += !old;
	return old;
}

void *map_set(struct map *m, const char *key, void *value)
{
	uint32_t hash = stable_hash(key);
	struct map_node **at = place(m, key, hash), *node = *at;
	size_t len = strlen(key);
	void *old;

	if (node) {
		old = node->value;
		node->value = value;
		return old;
	}
	node = xzalloc(sizeof(*node) + len + 1);
	memcpy(node->key, key, len + 1);
	node->hash = hash;
	node->value = value;
	*at = node;
	m->n++;
	return NULL;
}

struct map_node *map_unlink(struct map *m, const char *key)
{
	struct map_node **at, *node;

	if (!m->n)
		return NULL;
	at = find(m, key, stable_hash(key));
	node = *at;
	if (!node)
		return NULL;
	*at = node->next;
	m->n--;
	return node;
}

void *map_del(struct map *m, const char *key)
{
	struct map_node *node = map_unlink(m, key);
	void *value = node ? node->value : NULL;

	free(node);
	return value;
}

void map_forget(struct map *m)
{
	if (m->size > 1)
		free(m->buckets);
	memset(m, 0, sizeof(*m));
}

void map_clear(struct map *m, void (*destroy)(void *value))
{
	map_for_each(m, node) {
		if (destroy)
			destroy(node->value);
		free(node);
	}
	map_forget(m);
}

static int by_key(const void *a, const void *b)
{
	const struct map_node *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

struct map_node **map_sorted(const struct map *m)
{
	struct map_node **nodes = xcalloc(m->n, sizeof(*nodes));
	size_t i = 0;

	map_for_each(m, node)
		nodes[i++] = node;
	qsort(nodes, i, sizeof(*nodes), by_key);
	return nodes;
}

void index_add(struct map *index, const char *bucket, const char *item, void *value)
{
	struct map *items = map_get(index, bucket);

	if (!items) {
		items = xzalloc(sizeof(*items));
		map_set(index, bucket, items);
	}
	map_set(items, item, value);
}

void index_del(struct map *index, const char *bucket, const char *item)
{
	struct map *items = map_get(index, bucket);

	if (!items)
		return;
	map_del(items, item);
	if (!items->n) {
		map_del(index, bucket);
		map_clear(items, NULL);
		free(items);
	}
}

const struct map *index_get(const struct map *index, const char *bucket)
{
	return map_get(index, bucket);
}

static void free_bucket(void *value)
{
	map_clear(value, NULL);
	free(value);
}

void index_clear(struct map *index)
{
	map_clear(index, free_bucket);
}
