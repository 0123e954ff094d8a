// SPDX-License-Identifier: GPL-2.0-only
#include "kube_reflector.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <sys/random.h>

#include "cleanup.h"
#include "xmem.h"

#define LIST_TIMEOUT	60000	/* milliseconds, one page */
#define WATCH_MIN	300	/* seconds, and as many at random */
#define WATCH_GRACE	30	/* seconds that the server may be late */

struct kube_reflector {
	struct kube_client		*client;
	sd_event_source			*timer;
	char				*path, *first_path;
	struct kube_pace		pace;
	const struct kube_reflector_ops	*ops;
	void				*arg;
	struct kube_call		*call;
	void				*listed;	/* tree of keys: of the list that is being read */
	char				*version;	/* to watch from; NULL: list first */
	char				*next_page;	/* the list's continue token */
	char				*line;		/* of the watch, not yet complete */
	size_t				len, size;
	unsigned int			failures;
	struct kube_reflector_stats	stats;
	bool				synced, told, relist;
	bool				again;		/* the owner had something before this list */
	char				why[VR_ERR_TEXT];	/* the stream is given up */
};

static void begin(struct kube_reflector *r);

/* --- time ------------------------------------------------------------------ */

static unsigned int random_below(unsigned int n)
{
	uint32_t v = 0;

	if (getrandom(&v, sizeof(v), GRND_NONBLOCK) != sizeof(v))
		v = 0;
	return n ? v % n : 0;
}

static void wait_ms(struct kube_reflector *r, uint64_t ms)
{
	sd_event_source_set_time_relative(r->timer, ms * 1000);
	sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	begin(arg);
	return 0;
}

static void trouble(struct kube_reflector *r, const char *text)
{
	r->stats.failures++;
	if (!r->told)
		r->ops->trouble(r->arg, text);
	r->told = true;
}

static void fine(struct kube_reflector *r)
{
	r->failures = 0;
	if (r->told)
		r->ops->trouble(r->arg, NULL);
	r->told = false;
}

/* Full jitter: clients that were cut off together do not come back together. */
static void retry(struct kube_reflector *r, unsigned int at_least_s)
{
	uint64_t bound = (uint64_t)r->pace.min_ms << (r->failures < 10 ? r->failures : 10);

	if (bound > r->pace.max_ms)
		bound = r->pace.max_ms;
	r->failures++;
	wait_ms(r, at_least_s * 1000ULL + bound / 2 + random_below(bound / 2 + 1));
}

/* --- what is listed -------------------------------------------------------- */

static const char *version_of(const json_t *object)
{
	return json_string_value(
		json_object_get(json_object_get(object, "metadata"), "resourceVersion"));
}

/* "ns/name"; NULL: it has none. To be freed. */
static char *key_of(const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *ns = json_string_value(json_object_get(meta, "namespace"));
	const char *name = json_string_value(json_object_get(meta, "name"));

	if (!name || !*name)
		return NULL;
	return ns && *ns ? xasprintf("%s/%s", ns, name) : xstrdup(name);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void note_one(void *arg, const char *key)
{
	(void)key;
	*(bool *)arg = true;
}

static bool owner_has_any(const struct kube_reflector *r)
{
	bool any = false;

	r->ops->each(r->arg, note_one, &any);
	return any;
}

static void forget_listed(struct kube_reflector *r)
{
	tdestroy(r->listed, free);
	r->listed = NULL;
}

static bool put(struct kube_reflector *r, json_t *object)
{
	cleanup_free char *key = key_of(object);

	if (!key || !version_of(object)) {
		snprintf(r->why, sizeof(r->why), "an object without metadata.%s",
			 key ? "resourceVersion" : "name");
		return false;
	}
	r->stats.events++;
	r->ops->put(r->arg, key, object);
	return true;
}

static void del(struct kube_reflector *r, const char *key)
{
	r->stats.events++;
	r->ops->del(r->arg, key);
}

/* One of a list. What the owner had before and is not among them has gone. */
static bool put_listed(struct kube_reflector *r, json_t *object)
{
	char *key;

	if (!put(r, object))
		return false;
	if (!r->again)
		return true;
	key = key_of(object);
	if (*(char **)mem_check(tsearch(key, &r->listed, by_key)) != key)
		free(key);
	return true;
}

struct gone {
	struct kube_reflector	*r;
	char			**keys;
	size_t			n;
};

static void note_unlisted(void *arg, const char *key)
{
	struct gone *gone = arg;

	if (tfind(key, &gone->r->listed, by_key))
		return;
	gone->keys = mem_check(reallocarray(gone->keys, gone->n + 1, sizeof(*gone->keys)));
	gone->keys[gone->n++] = xstrdup(key);
}

static void del_unlisted(struct kube_reflector *r)
{
	struct gone gone = { .r = r };
	size_t i;

	if (r->again)
		r->ops->each(r->arg, note_unlisted, &gone);
	for (i = 0; i < gone.n; i++) {
		del(r, gone.keys[i]);
		free(gone.keys[i]);
	}
	free(gone.keys);
	forget_listed(r);
}

/* --- list ------------------------------------------------------------------ */

static void set(char **to, const char *value)
{
	free(*to);
	*to = xstrdup(value);
}

static void list_done(struct kube_reflector *r, const char *version)
{
	del_unlisted(r);
	set(&r->version, version);
	fine(r);
	if (!r->synced) {
		r->synced = true;
		r->ops->synced(r->arg);
	}
	begin(r);
}

/* The kind is not there, and need not be. */
static void absent(struct kube_reflector *r)
{
	fine(r);
	if (!r->synced) {
		r->synced = true;
		r->ops->synced(r->arg);
	}
	wait_ms(r, r->pace.absent_ms);
}

/* True: it was not asked for yet. */
static bool turn_version(struct kube_reflector *r)
{
	const char *other = strcmp(r->path, r->first_path) ? r->first_path : r->ops->other_version;
	char *path = xstrdup(other);

	free(r->path);
	r->path = path;
	return !r->failures;
}

static void on_page(void *arg, const struct kube_response *rsp, const struct vr_err *err)
{
	const json_t *meta = json_object_get(rsp->body, "metadata");
	const char *next = json_string_value(json_object_get(meta, "continue"));
	const char *version = json_string_value(json_object_get(meta, "resourceVersion"));
	struct kube_reflector *r = arg;
	struct vr_err bad = {};
	bool is_new = false;
	json_t *item;
	size_t i;

	r->call = NULL;
	if (!err && (!json_is_array(json_object_get(rsp->body, "items")) || !version)) {
		vr_err_set(&bad, EBADMSG, "GET %s: the answer is no list", r->path);
		err = &bad;
	}
	for (i = 0; !err && i < json_array_size(json_object_get(rsp->body, "items")); i++) {
		item = json_array_get(json_object_get(rsp->body, "items"), i);
		if (!put_listed(r, item)) {
			vr_err_set(&bad, EBADMSG, "GET %s: item %zu: %s", r->path, i, r->why);
			err = &bad;
		}
	}
	if (err) {
		/* also 410 on a page: what was read so far belongs to a past that is gone */
		set(&r->next_page, NULL);
		if (rsp->status == 404 && r->ops->optional && !owner_has_any(r)) {
			absent(r);
			return;
		}
		if (rsp->status == 404 && r->ops->other_version)
			is_new = turn_version(r);
		if (rsp->status != 410 && !is_new)
			trouble(r, err->text);
		retry(r, rsp->retry_after);
		return;
	}
	set(&r->next_page, next && *next ? next : NULL);
	if (r->next_page)
		begin(r);
	else
		list_done(r, version);
}

/* --- watch ----------------------------------------------------------------- */

static bool give_up(struct kube_reflector *r, const char *why)
{
	snprintf(r->why, sizeof(r->why), "watch of %s: %s", r->path, why);
	return false;
}

static bool on_error_event(struct kube_reflector *r, const json_t *status)
{
	json_int_t code = json_integer_value(json_object_get(status, "code"));
	const char *text = json_string_value(json_object_get(status, "message"));

	if (code == 410)
		r->relist = true;
	return give_up(r, text ? text : "the server ended it with an error");
}

static bool on_event(struct kube_reflector *r, json_t *event)
{
	const char *type = json_string_value(json_object_get(event, "type"));
	json_t *object = json_object_get(event, "object");
	cleanup_free char *key = NULL;

	if (!type || !json_is_object(object))
		return give_up(r, "a line that is no event");
	if (!strcmp(type, "ERROR"))
		return on_error_event(r, object);
	if (!version_of(object))
		return give_up(r, "an event without metadata.resourceVersion");
	if (!strcmp(type, "ADDED") || !strcmp(type, "MODIFIED")) {
		if (!put(r, object))
			return give_up(r, "an object without a name");
	} else if (!strcmp(type, "DELETED")) {
		key = key_of(object);
		if (!key)
			return give_up(r, "an object without a name");
		del(r, key);
	} else if (strcmp(type, "BOOKMARK")) {
		return give_up(r, "an event of a type that is not known");
	}
	set(&r->version, version_of(object));
	fine(r);
	return true;
}

static bool on_line(struct kube_reflector *r, const char *text, size_t len)
{
	json_t *event = json_loadb(text, len, 0, NULL);
	bool good;

	if (!event)
		return give_up(r, "a line that is not JSON");
	good = on_event(r, event);
	json_decref(event);
	return good;
}

static bool on_stream(void *arg, const char *data, size_t n)
{
	struct kube_reflector *r = arg;
	size_t size = r->size ? r->size : 4096, start = 0;
	char *end;

	if (r->len + n > KUBE_MAX_EVENT)
		return give_up(r, "an event of more than 8 MiB");
	while (size < r->len + n)
		size *= 2;
	if (size != r->size) {
		r->line = mem_check(realloc(r->line, size));
		r->size = size;
	}
	memcpy(r->line + r->len, data, n);
	r->len += n;
	while ((end = memchr(r->line + start, '\n', r->len - start))) {
		size_t len = end - (r->line + start);

		if (len && !on_line(r, r->line + start, len))
			return false;
		start += len + 1;
	}
	memmove(r->line, r->line + start, r->len - start);
	r->len -= start;
	return true;
}

static void on_watch_end(void *arg, const struct kube_response *rsp, const struct vr_err *err)
{
	struct kube_reflector *r = arg;

	r->call = NULL;
	if (rsp->status == 410 || rsp->status == 404 || r->relist)
		set(&r->version, NULL);
	if (r->relist || rsp->status == 410) {
		retry(r, rsp->retry_after);
	} else if (err || *r->why) {
		trouble(r, *r->why ? r->why : err->text);
		retry(r, rsp->retry_after);
	} else {
		/* its time was over; or a server that hangs up each time */
		retry(r, 0);
	}
}

/* --- both ------------------------------------------------------------------ */

static void begin(struct kube_reflector *r)
{
	VR_AUTO_FREE char *path = NULL, *token = NULL;
	char more = strchr(r->path, '?') ? '&' : '?';
	struct kube_request rq = { .method = "GET", .arg = r };
	struct vr_err err = {};

	r->why[0] = '\0';
	r->relist = false;
	r->len = 0;
	if (r->version) {
		unsigned int seconds = WATCH_MIN + random_below(WATCH_MIN);

		r->stats.watches++;
		path = xasprintf(
			"%s%cwatch=1&allowWatchBookmarks=true&resourceVersion=%s&timeoutSeconds=%u",
			r->path, more, r->version, seconds);
		/* the server ends it: silence is no sign of a fault */
		rq.timeout_ms = (seconds + WATCH_GRACE) * 1000;
		rq.stream = on_stream;
		rq.done = on_watch_end;
	} else {
		/* of a list that was broken off, too */
		if (!r->next_page) {
			forget_listed(r);
			r->again = owner_has_any(r);
			r->stats.lists++;
		}
		token = r->next_page ? curl_easy_escape(NULL, r->next_page, 0) : NULL;
		path = xasprintf("%s%climit=%u%s%s", r->path, more, KUBE_PAGE,
				    token ? "&continue=" : "", token ? token : "");
		rq.timeout_ms = LIST_TIMEOUT;
		rq.done = on_page;
	}
	rq.path = path;
	if (kube_request(&r->call, r->client, &rq, &err)) {
		trouble(r, err.text);
		retry(r, 0);
	}
}

struct kube_reflector *kube_reflector_new(struct kube_client *client, const char *path,
					  const struct kube_pace *pace,
					  const struct kube_reflector_ops *ops, void *arg)
{
	static const struct kube_pace usual = {.min_ms = 800, .max_ms = 30000, .absent_ms = 60000};
	struct kube_reflector *r = xzalloc(sizeof(*r));

	r->client = client;
	r->path = xstrdup(path);
	r->first_path = xstrdup(path);
	r->pace = pace ? *pace : usual;
	r->ops = ops;
	r->arg = arg;
	if (sd_event_add_time_relative(kube_client_loop(client), &r->timer, CLOCK_MONOTONIC, 0,
				       1000, on_timer, r) < 0) {
		free(r->path);
		free(r->first_path);
		free(r);
		return NULL;
	}
	return r;
}

const struct kube_reflector_stats *kube_reflector_stats(const struct kube_reflector *r)
{
	return &r->stats;
}

void kube_reflector_free(struct kube_reflector *r)
{
	if (!r)
		return;
	kube_call_cancel(r->call);
	sd_event_source_disable_unref(r->timer);
	forget_listed(r);
	free(r->version);
	free(r->next_page);
	free(r->line);
	free(r->path);
	free(r->first_path);
	free(r);
}
