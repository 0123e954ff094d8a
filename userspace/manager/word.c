// SPDX-License-Identifier: GPL-2.0-only
#include "word.h"

#include "map.h"
#include "xmem.h"

struct word {
	struct map_node	node;
	size_t		refs;
	char		text[];
};

static struct map words;	/* text -> struct word */

const char *word_get(const char *text)
{
	struct word *w = text ? map_get(&words, text) : NULL;

	if (!text)
		return NULL;
	if (!w) {
		w = xzalloc(sizeof(*w) + strlen(text) + 1);
		w->node.key = strcpy(w->text, text);
		w->node.value = w;
		map_link(&words, &w->node);
	}
	w->refs++;
	return w->text;
}

void word_put(const char *word)
{
	struct word *w;

	if (!word)
		return;
	w = (struct word *)(word - offsetof(struct word, text));
	if (--w->refs)
		return;
	map_unlink(&words, word);
	free(w);
	if (!words.n)
		map_forget(&words);
}
