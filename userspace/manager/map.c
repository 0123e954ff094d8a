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

static struct map_node **bucket_of(const struct map *m, const char *key)
{
	return &map_buckets(m)[stable_hash(key) & (m->size - 1)];
}

static struct map_node **find(const struct map *m, const char *key)
{
	struct map_node **at = bucket_of(m, key);

	while (*at && strcmp((*at)->key, key))
		at = &(*at)->next;
	return at;
}

void *map_get(const struct map *m, const char *key)
{
	struct map_node *node;

	if (!m->n)
		return NULL;
	node = *find(m, key);
	return node ? node->value : NULL;
}

static void grow(struct map *m)
{
	struct map larger = { .size = m->size ? m->size * 2 : 1, .n = m->n };

	if (larger.size > 1)
		larger.buckets = xcalloc(larger.size, sizeof(*larger.buckets));
	map_for_each(m, node) {
		struct map_node **at = bucket_of(&larger, node->key);

		node->next = *at;
		*at = node;
	}
	map_forget(m);
	*m = larger;
}

/* Where a node of that key is, or belongs: two to a bucket, because pointers to none are memory, too. */
static struct map_node **place(struct map *m, const char *key)
{
	if (m->n >= 2 * m->size)
		grow(m);
	return find(m, key);
}

struct map_node *map_link(struct map *m, struct map_node *node)
{
	struct map_node **at = place(m, node->key), *old = *at;

	node->next = old ? old->next : NULL;
	*at = node;
	m->n += !old;
	return old;
}

/* At the end of a bucket. */
static void append(struct map *m, struct map_node **at, struct map_node *node, const char *key,
		   void *value)
{
	node->key = key;
	node->value = value;
	*at = node;
	m->n++;
}

void *map_set(struct map *m, const char *key, void *value)
{
	struct map_node **at = place(m, key), *node = *at;
	void *old = node ? node->value : NULL;
	size_t room = strlen(key) + 1;

	if (node) {
		node->value = value;
	} else {
		node = xzalloc(sizeof(*node) + room);
		append(m, at, node, memcpy(node + 1, key, room), value);
	}
	return old;
}

void *map_keep(struct map *m, const char *key, void *value)
{
	struct map_node **at = place(m, key), *node = *at;
	void *old = node ? node->value : NULL;

	if (node) {
		node->key = key;
		node->value = value;
	} else {
		append(m, at, xzalloc(sizeof(*node)), key, value);
	}
	return old;
}

struct map_node *map_unlink(struct map *m, const char *key)
{
	struct map_node **at, *node;

	if (!m->n)
		return NULL;
	at = find(m, key);
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
	map_keep(items, item, value);
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
