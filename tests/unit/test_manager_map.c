// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
/* What the manager keeps its objects in: maps whose keys are their values', shared words, packed text. */
#include "map.h"
#include "pack.h"
#include "test_manager_world.h"
#include "word.h"

#define MANY 1000

/* The key of what is replaced goes with it: the map has the new one's. */
static void kept_keys(void **state)
{
	char *old = xstrdup("default/web"), *new = xstrdup("default/web");
	struct map m = {};

	(void)state;
	assert_null(map_keep(&m, old, old));
	assert_ptr_equal(map_keep(&m, new, new), old);
	free(old);
	assert_ptr_equal(map_get(&m, "default/web"), new);
	map_for_each(&m, node)
		assert_ptr_equal(node->key, new);
	assert_ptr_equal(map_del(&m, new), new);
	assert_int_equal(m.n, 0);
	map_clear(&m, NULL);
	free(new);
}

struct thing {
	struct map_node	node;
	char		name[16];
};

/* All are found while the map grows, and after half of them went. */
static void linked_nodes(void **state)
{
	struct thing *things = xcalloc(MANY, sizeof(*things));
	struct map m = {};
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < MANY; i++) {
		snprintf(things[i].name, sizeof(things[i].name), "pod-%zu", i);
		things[i].node.key = things[i].name;
		things[i].node.value = &things[i];
		assert_null(map_link(&m, &things[i].node));
		assert_ptr_equal(map_get(&m, things[i / 2].name), &things[i / 2]);
	}
	for (i = 0; i < MANY; i += 2)
		assert_ptr_equal(map_unlink(&m, things[i].name), &things[i].node);
	for (i = 0; i < MANY; i++)
		assert_ptr_equal(map_get(&m, things[i].name), i % 2 ? &things[i] : NULL);
	map_for_each(&m, node)
		n += node->value != NULL;
	assert_int_equal(n, MANY / 2);
	map_forget(&m);
	free(things);
}

static void words(void **state)
{
	const char *one = word_get("node-1"), *two;
	char text[] = "node-1";

	(void)state;
	two = word_get(text);
	assert_ptr_equal(one, two);
	*text = 'x';
	assert_string_equal(two, "node-1");
	word_put(one);
	assert_string_equal(two, "node-1");
	assert_null(word_get(NULL));
	word_put(NULL);
	word_put(two);
}

static void packs(const char *text, size_t len)
{
	cleanup_free char *back = xzalloc(len + 1);
	size_t packed, again;
	cleanup_free char *small = pack(text, len, &packed);
	cleanup_free char *same = pack(text, len, &again);

	assert_int_equal(packed, again);
	assert_memory_equal(small, same, packed);
	unpack(small, packed, back, len);
	assert_memory_equal(back, text, len);
}

/* As it was: nothing, what the dictionary has, what it has not, and much more than the window. */
static void packed_text(void **state)
{
	static const char pool[] = "\0\0{\"network\":\"default/cluster-network\",\"protocol\":\"TCP\"}";
	size_t i, large = 1 << 20, packed;
	char *noise = xzalloc(large);
	uint32_t x = 1;

	(void)state;
	packs("", 1);
	packs(pool, sizeof(pool));
	free(pack(pool, sizeof(pool), &packed));
	assert_true(packed < sizeof(pool) / 2);
	for (i = 0; i < large; i++)
		noise[i] = (x = x * 1664525 + 1013904223) >> 24;
	packs(noise, large);
	memset(noise, 'a', large);
	packs(noise, large);
	free(noise);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_keys), cmocka_unit_test(linked_nodes), cmocka_unit_test(words),
		cmocka_unit_test(packed_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
