// SPDX-License-Identifier: GPL-2.0-only
/* HealthMonitor: how the members of services that name it are probed. */
#include "field.h"
#include "objects.h"
#include "xmem.h"

#define INTERVAL_DEFAULT 5
#define TIMEOUT_DEFAULT 3
#define SECONDS_MAX 3600
#define HEALTHY_DEFAULT 2
#define UNHEALTHY_DEFAULT 3
#define THRESHOLD_MAX 10
#define PATH_LENGTH_MAX 1024
#define EXPECTED_MAX 16

static bool read_type(struct monitor_spec *mon, const struct field *spec)
{
	static const char *const names[] = {
		[MONITOR_PING] = "PING", [MONITOR_TCP] = "TCP", [MONITOR_HTTP] = "HTTP",
	};
	struct field f = field_get(spec, "type");
	const char *s = field_string(spec, "type");
	size_t i;

	field_required(spec, "type");
	for (i = 0; s && i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(s, names[i])) {
			mon->type = i;
			json_object_set_new(mon->json, "type", json_string(s));
			return true;
		}
	}
	if (s)
		field_error(&f, "must be PING, TCP or HTTP, not \"%.30s\"", s);
	return false;
}

static void take_int(struct monitor_spec *mon, const struct field *spec, const char *key,
		     json_int_t max, json_int_t absent)
{
	json_object_set_new(mon->json, key, json_integer(field_int(spec, key, 1, max, absent)));
}

static void read_times(struct monitor_spec *mon, const struct field *spec)
{
	struct field f = field_get(spec, "timeoutSeconds");
	json_int_t interval = field_int(spec, "intervalSeconds", 1, SECONDS_MAX, INTERVAL_DEFAULT);
	json_int_t absent = interval < TIMEOUT_DEFAULT ? interval : TIMEOUT_DEFAULT, timeout;

	timeout = field_int(spec, "timeoutSeconds", 1, SECONDS_MAX, absent);
	if (timeout > interval)
		field_error(&f, "%d is longer than intervalSeconds, %d", (int)timeout,
			    (int)interval);
	json_object_set_new(mon->json, "intervalSeconds", json_integer(interval));
	json_object_set_new(mon->json, "timeoutSeconds", json_integer(timeout));
	take_int(mon, spec, "healthyThreshold", THRESHOLD_MAX, HEALTHY_DEFAULT);
	take_int(mon, spec, "unhealthyThreshold", THRESHOLD_MAX, UNHEALTHY_DEFAULT);
}

/* It stands in a request's first line as it is. */
static void read_path(struct monitor_spec *mon, const struct field *spec)
{
	struct field f = field_get(spec, "path");
	const char *s = field_string(spec, "path"), *c;

	if (s && *s != '/')
		field_error(&f, "must begin with /");
	if (s && strlen(s) > PATH_LENGTH_MAX)
		field_error(&f, "must be no longer than %d characters", PATH_LENGTH_MAX);
	for (c = s ? s : ""; *c; c++) {
		if (*c <= ' ' || *c > '~' || *c == '#') {
			field_error(&f, "must hold printable ASCII without spaces and #; write "
				    "others as %%XX");
			break;
		}
	}
	json_object_set_new(mon->json, "path", json_string(s ? s : "/"));
}

static void read_host(struct monitor_spec *mon, const struct field *spec)
{
	struct field f = field_get(spec, "host");
	const char *s = field_string(spec, "host"), *reason = s ? name_dns_subdomain(s) : NULL;

	if (reason)
		field_error(&f, "\"%.80s\" %s", s, reason);
	if (s)
		json_object_set_new(mon->json, "host", json_string(s));
}

/* 200, or "200-399"; false after a complaint. */
static bool read_range(const struct field *f, int *from, int *to)
{
	const char *s = json_string_value(f->value);
	int end = 0;

	if (json_is_integer(f->value))
		*from = *to = json_integer_value(f->value) > 999 ? 0 : json_integer_value(f->value);
	else if (!s || strlen(s) != 7 || sscanf(s, "%3d-%3d%n", from, to, &end) != 2 || end != 7)
		*from = 0;
	if (*from >= 100 && *to >= *from && *to <= 599)
		return true;
	field_error(f, "must be an HTTP status from 100 to 599, or a range as \"200-399\"");
	return false;
}

static void read_expected(struct monitor_spec *mon, const struct field *spec)
{
	struct field list = field_array(spec, "expectedStatus");
	json_t *out = mem_check(json_array());
	int from, to;
	size_t i;

	if (field_count(&list) > EXPECTED_MAX)
		field_error(&list, "has more than %d elements", EXPECTED_MAX);
	for (i = 0; i < field_count(&list); i++) {
		struct field e = field_at(&list, i);

		if (read_range(&e, &from, &to))
			json_array_append_new(out, json_pack("{s:i, s:i}", "from", from, "to", to));
	}
	if (!field_count(&list))
		json_array_append_new(out, json_pack("{s:i, s:i}", "from", 200, "to", 399));
	json_object_set_new(mon->json, "expectedStatus", out);
}

/* What only some types have. */
static void refuse_others(const struct monitor_spec *mon, const struct field *spec)
{
	static const char *const http[] = { "path", "host", "expectedStatus" };
	size_t i;

	for (i = 0; mon->type != MONITOR_HTTP && i < sizeof(http) / sizeof(*http); i++) {
		struct field f = field_get(spec, http[i]);

		if (f.value)
			field_error(&f, "is only for type HTTP");
	}
	if (mon->type == MONITOR_PING && field_get(spec, "port").value) {
		struct field f = field_get(spec, "port");

		field_error(&f, "is not for type PING");
	}
}

void monitor_read(struct object *obj, const struct field *doc)
{
	static const char *const known[] = {
		"type", "intervalSeconds", "timeoutSeconds", "healthyThreshold",
		"unhealthyThreshold", "port", "path", "host", "expectedStatus", NULL
	};
	struct monitor_spec *mon = xzalloc(sizeof(*mon));
	struct field spec = field_object(doc, "spec");

	obj->monitor = mon;
	mon->json = mem_check(json_pack("{s:s}", "name", obj->key));
	field_required(doc, "spec");
	if (!spec.value)
		return;
	/* A misspelt one would be a monitor that does something else. */
	field_only(&spec, known, true);
	if (!read_type(mon, &spec))
		return;
	read_times(mon, &spec);
	refuse_others(mon, &spec);
	if (mon->type != MONITOR_PING)
		mon->port = field_int(&spec, "port", 1, 65535, 0);
	if (mon->port)
		json_object_set_new(mon->json, "port", json_integer(mon->port));
	if (mon->type != MONITOR_HTTP)
		return;
	read_path(mon, &spec);
	read_host(mon, &spec);
	read_expected(mon, &spec);
}

void monitor_spec_free(struct monitor_spec *mon)
{
	if (!mon)
		return;
	json_decref(mon->json);
	free(mon);
}
