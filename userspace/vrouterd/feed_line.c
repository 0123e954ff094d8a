// SPDX-License-Identifier: GPL-2.0-only
/* A line of the feed as an event. */

#include "feed.h"
#include "mem.h"

static bool bad(char *why, size_t size, unsigned long line, const char *what)
{
	snprintf(why, size, "line %lu: %s", line, what);
	return false;
}

/* The bookmark that ends the list; other bookmarks only tell how far it is. */
static bool ends_list(const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");
	const json_t *mark = json_object_get(json_object_get(meta, "annotations"),
					     "k8s.io/initial-events-end");

	return json_is_string(mark) && !strcmp(json_string_value(mark), "true");
}

static bool dispatch(const struct feed_ops *ops, void *arg, unsigned long line,
		     const json_t *event, char *why, size_t size)
{
	const char *type = json_string_value(json_object_get(event, "type"));
	const json_t *object = json_object_get(event, "object");
	enum event_type t = EVENT_SET;
	char text[512];

	if (!json_is_object(event))
		return bad(why, size, line, "not a JSON object");
	if (!type)
		return bad(why, size, line, "type: is missing or not a string");
	if (!json_is_object(object))
		return bad(why, size, line, "object: is missing or not an object");

	if (!strcmp(type, "BOOKMARK")) {
		if (!ends_list(object))
			return true;
		t = EVENT_SYNCED;
		object = NULL;
	} else if (!strcmp(type, "DELETED")) {
		t = EVENT_DELETED;
	} else if (strcmp(type, "ADDED") && strcmp(type, "MODIFIED")) {
		snprintf(text, sizeof(text), "type: \"%.64s\" is not ADDED, MODIFIED, DELETED "
			 "or BOOKMARK", type);
		return bad(why, size, line, text);
	}
	if (ops->event(arg, t, object, text, sizeof(text)))
		return true;
	return bad(why, size, line, text);
}

bool feed_line(const struct feed_ops *ops, void *arg, unsigned long line, const char *text,
	       size_t len, char *why, size_t size)
{
	json_error_t je;
	char what[256];
	json_t *event;
	bool good;

	if (!len)
		return bad(why, size, line, "empty");
	event = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
	if (!event) {
		snprintf(what, sizeof(what), "column %d: %s", je.column, je.text);
		return bad(why, size, line, what);
	}
	good = dispatch(ops, arg, line, event, why, size);
	json_decref(event);
	return good;
}
