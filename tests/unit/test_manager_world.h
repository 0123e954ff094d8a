/* SPDX-License-Identifier: GPL-2.0-only */
/* A manager without files and sockets: manifests in as text, events and resources out. */
#ifndef TEST_MANAGER_WORLD_H
#define TEST_MANAGER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config.h"
#include "field.h"
#include "model.h"
#include "reader.h"
#include "store.h"
#include "xmem.h"

struct world {
	struct config	cfg;
	struct vr_log	log;
	struct store	store;
	struct model	model;
	json_t		*events;	/* since the last world_run() */
	char		*complaints;	/* lines, since the last world_clear() */
	json_t		*read;		/* resources that a test has looked at, at the version */
	uint64_t	read_at;
};

static inline void world_event(void *arg, const char *line, size_t len)
{
	struct world *w = arg;
	json_t *event = json_loadb(line, len, 0, NULL);

	assert_non_null(event);
	assert_int_equal(line[len - 1], '\n');
	json_array_append_new(w->events, event);
}

static inline void world_complain(void *arg, const struct object *obj, const char *text)
{
	struct world *w = arg;
	char *more;

	(void)obj;
	if (!text)
		return;
	more = xasprintf("%s%s\n", w->complaints, text);
	free(w->complaints);
	w->complaints = more;
}

static inline void world_init(struct world *w, const char *pods, const char *services)
{
	memset(w, 0, sizeof(*w));
	config_init(&w->cfg);
	assert_null(config_network(pods, &w->cfg.pods));
	assert_null(config_network(services, &w->cfg.services));
	vr_log_init(&w->log, "test", VR_LOG_ERR);
	store_init(&w->store, &w->log, world_event, w);
	model_init(&w->model, &w->cfg, &w->store, world_complain, w);
	w->events = json_array();
	w->read = json_object();
	w->complaints = xstrdup("");
}

static inline void world_free(struct world *w)
{
	model_free(&w->model);
	store_free(&w->store);
	json_decref(w->events);
	json_decref(w->read);
	free(w->complaints);
}

static inline void world_clear(struct world *w)
{
	free(w->complaints);
	w->complaints = xstrdup("");
}

static inline void world_read(struct world *w, json_t *value, json_t *lines, unsigned int number)
{
	struct report report = {};
	struct place place = { .file = "t.yaml", .document = number, .config = &w->cfg, .report = &report };
	struct field doc = { .value = value, .lines = lines, .place = &place };
	char *key = NULL;
	struct object *obj = object_read(&doc, &key);
	size_t i;

	if (obj)
		model_put(&w->model, obj);
	for (i = 0; i < report.n; i++)
		world_complain(w, NULL, report.v[i].text);
	report_free(&report);
	free(key);
}

/* All events of it are in w->events then. */
static inline void world_run(struct world *w)
{
	json_array_clear(w->events);
	assert_int_equal(model_run(&w->model), 0);
}

/* The documents of a YAML text, without running. */
static inline void world_put(struct world *w, const char *yaml)
{
	struct documents docs;
	size_t i;

	yaml_read(yaml, strlen(yaml), &docs);
	if (docs.error)
		fail_msg("line %u: %s", docs.error_line, docs.error);
	for (i = 0; i < docs.n; i++)
		if (!json_is_null(docs.v[i].value))
			world_read(w, docs.v[i].value, docs.v[i].lines, docs.v[i].number);
	documents_free(&docs);
}

static inline void world_apply(struct world *w, const char *yaml)
{
	world_put(w, yaml);
	world_run(w);
}

static inline void world_delete(struct world *w, enum object_kind kind, const char *key)
{
	model_del(&w->model, kind, key);
	world_run(w);
}

static inline json_t *world_spec(struct world *w, enum resource_kind kind, const char *key)
{
	cleanup_free char *id = xasprintf("%d %s", kind, key);
	json_t *object;

	if (w->read_at != w->store.version) {
		json_object_clear(w->read);
		w->read_at = w->store.version;
	}
	object = json_object_get(w->read, id);
	if (!object) {
		object = store_read(&w->store, kind, key);
		json_object_set_new(w->read, id, object ? object : json_null());
	}
	return json_object_get(object, "spec");
}

static inline void assert_published(const struct world *w, enum resource_kind kind, const char *key,
				    const char *part)
{
	cleanup_free char *text = record_text(store_get(&w->store, kind, key));

	assert_non_null(strstr(text, part));
}

/* A compact text of a spec's member, to be freed; "null" when there is none. */
static inline char *world_text(struct world *w, enum resource_kind kind, const char *key, const char *member)
{
	json_t *v = json_object_get(world_spec(w, kind, key), member);

	return v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : xstrdup("null");
}

static inline void assert_spec_(struct world *w, enum resource_kind kind, const char *key,
				const char *member, const char *want, const char *file, int line)
{
	cleanup_free char *got = world_text(w, kind, key, member);

	if (strcmp(got, want)) {
		print_error("%s:%d: %s %s\n  is   %s\n  want %s\n", file, line, key, member, got, want);
		_fail(file, line);
	}
}
#define assert_spec(w, kind, key, member, want) \
	assert_spec_(w, kind, key, member, want, __FILE__, __LINE__)

#endif
