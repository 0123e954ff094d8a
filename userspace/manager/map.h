/* SPDX-License-Identifier: GPL-2.0-only */
/* A string-keyed hash map. Values are the caller's, and so are the keys of some of the functions. */
#ifndef MANAGER_MAP_H
#define MANAGER_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_node {
	struct map_node	*next;
	const char	*key;
	void		*value;
};

struct map {
	union {
		struct map_node	**buckets;
		struct map_node	*only;	/* of size 1: most maps have one node or two */
	};
	size_t		size;		/* a power of two, or 0 */
	size_t		n;
};

static inline struct map_node **map_buckets(const struct map *m)
{
	return m->size == 1 ? (struct map_node **)&m->only : m->buckets;
}

/* Hash of a string that is the same on every run and machine. */
uint64_t stable_hash(const char *s);

void *map_get(const struct map *m, const char *key);
/* Sets or replaces; returns the value that was there, or NULL. The key is copied. */
void *map_set(struct map *m, const char *key, void *value);
/*
 * The same, with the key as it is: it lives as long as the value, of which it is a part in most
 * cases. Each call for a key sets it anew. A map is filled by this or by map_set(), not by both.
 */
void *map_keep(struct map *m, const char *key, void *value);
/* Returns the value that was removed, or NULL. */
void *map_del(struct map *m, const char *key);
/* Frees the nodes; the values first, when destroy is given. */
void map_clear(struct map *m, void (*destroy)(void *value));

/*
 * Nodes that are part of their value, which saves one allocation for each: in a struct that the
 * caller has made, with key and value filled in. A map has either these or those of the
 * functions above, which free them. Returns the node that was there, or NULL.
 */
struct map_node *map_link(struct map *m, struct map_node *node);
struct map_node *map_unlink(struct map *m, const char *key);
/* Empties the map, and leaves its nodes to the caller. */
void map_forget(struct map *m);

/* The nodes sorted by key, m->n of them; the array is the caller's to free. */
struct map_node **map_sorted(const struct map *m);

/* Every node once, in no order. The node at hand may be deleted; nothing may be added. */
#define map_for_each(m, node)							\
	for (size_t _b = 0; _b < (m)->size; _b++)				\
		for (struct map_node *_n, *node = map_buckets(m)[_b];		\
		     node && (_n = node->next, 1); node = _n)

/* A multimap: bucket name -> (item name -> item). The bucket's name is copied, the item's is kept: see map_keep(). */
void index_add(struct map *index, const char *bucket, const char *item, void *value);
void index_del(struct map *index, const char *bucket, const char *item);
/* The bucket, or NULL when it is empty. */
const struct map *index_get(const struct map *index, const char *bucket);
void index_clear(struct map *index);

#endif
