// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
/* What the manager shows of itself: pages and metrics, without an API server. */
#include "test_manager_world.h"

#include "http.h"

#define NODE "{apiVersion: v1, kind: Node, metadata: {name: n1}}\n---\n"
#define POD(name, notes) "{apiVersion: v1, kind: Pod, metadata: {name: " name ", labels: {app: x}, "	\
	"annotations: {" notes "}}, spec: {containers: []}}\n---\n"

struct shown {
	struct world		w;
	struct manager		mgr;
	struct http_parts	parts;
};

/* The world's model and store, where the pages look for them. */
static void look(struct shown *s)
{
	s->mgr.model = s->w.model;
	s->mgr.store = s->w.store;
	s->parts = (struct http_parts){ .mgr = &s->mgr };
}

static void begin(struct shown *s, const char *yaml)
{
	memset(s, 0, sizeof(*s));
	world_init(&s->w, "10.32.0.0/24", "10.96.0.0/24");
	world_apply(&s->w, NODE);
	world_apply(&s->w, yaml);
	look(s);
}

static json_t *page(struct shown *s, const char *path, const char *after)
{
	json_t *j = introspect(&s->parts, path, after);

	if (!j)
		fail_msg("%s is not there", path);
	return j;
}

static json_t *find(json_t *list, const char *key, const char *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (!strcmp(json_string_value(json_object_get(item, key)), value))
			return item;
	fail_msg("nothing has %s %s", key, value);
	return NULL;
}

static void kinds(void **state)
{
	struct shown s;
	json_t *j;

	(void)state;
	begin(&s, POD("a", "") POD("b", ""));
	j = page(&s, "/debug/", NULL);
	assert_int_equal(json_integer_value(json_object_get(
		find(json_object_get(j, "objects"), "kind", "Pod"), "count")), 2);
	assert_int_equal(json_integer_value(json_object_get(
		find(json_object_get(j, "resources"), "kind", "InstanceIP"), "count")), 2);
	json_decref(j);
	assert_null(introspect(&s.parts, "/debug/objects/Po", NULL));
	assert_null(introspect(&s.parts, "/debug/objects/Pod/default/c", NULL));
	assert_null(introspect(&s.parts, "/debug/resources/Pod", NULL));
	world_free(&s.w);
}

/* No answer has more than 500 of a kind, and by the links all are found, each once. */
static void pages(void **state)
{
	struct shown s;
	unsigned int i, n = 0, answers = 0;
	char *after = NULL;

	(void)state;
	begin(&s, "");
	for (i = 0; i < 1001; i++) {
		char yaml[200];

		snprintf(yaml, sizeof(yaml), "{apiVersion: v1, kind: Namespace, metadata: {name: n%u}}\n", i);
		world_put(&s.w, yaml);
	}
	world_run(&s.w);
	look(&s);
	do {
		json_t *j = page(&s, "/debug/resources/Project", after);
		const char *next = json_string_value(json_object_get(j, "next"));

		assert_in_range(json_array_size(json_object_get(j, "items")), 1, 500);
		n += json_array_size(json_object_get(j, "items"));
		answers++;
		free(after);
		after = next ? strdup(strchr(next, '=') + 1) : NULL;
		json_decref(j);
	} while (after);
	assert_int_equal(n, s.w.store.published[RES_PROJECT].n);
	assert_int_equal(answers, 3);
	world_free(&s.w);
}

static void object(void **state)
{
	struct shown s;
	json_t *j;

	(void)state;
	begin(&s, POD("a", "") POD("lost", "opencontrail.org/network: nowhere"));
	j = page(&s, "/debug/objects/Pod/default/a", NULL);
	assert_true(json_is_null(json_object_get(j, "problem")));
	assert_string_equal(json_string_value(json_object_get(
		find(json_object_get(j, "resources"), "kind", "VirtualMachineInterface"), "link")),
		"/debug/resources/VirtualMachineInterface/default/a");
	find(json_object_get(j, "resources"), "kind", "InstanceIP");
	json_decref(j);
	j = page(&s, "/debug/objects/Pod/default/lost", NULL);
	assert_non_null(strstr(json_string_value(json_object_get(j, "problem")), "nowhere"));
	json_decref(j);
	world_free(&s.w);
}

/* Nothing that a user wrote becomes markup, or a link. */
static void hostile(void **state)
{
	json_t *j = json_pack("{s:s, s:[{s:s, s:s}, s], s:s, s:{s:n}}", "<k>", "<script>alert('&\"')</script>",
			      "list", "link", "javascript:alert(1)", "\"><i>", "x", "</td>", "next",
			      "http://example/", "labels", "<a>");
	char *html = html_page("/debug/<b>", j);

	(void)state;
	assert_null(strstr(html, "<script"));
	assert_null(strstr(html, "<b>"));
	assert_null(strstr(html, "<k>"));
	assert_null(strstr(html, "<i>"));
	assert_null(strstr(html, "<a>"));
	assert_null(strstr(html, "href=\"javascript"));
	assert_null(strstr(html, "href=\"http"));
	assert_non_null(strstr(html, "&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;"));
	assert_non_null(strstr(html, "<title>/debug/&lt;b&gt;</title>"));
	free(html);
	json_decref(j);
}

static void has_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	if (!at || (at != text && at[-1] != '\n') || at[strlen(line)] != '\n')
		fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void metrics(void **state)
{
	struct shown s;
	char *text;

	(void)state;
	begin(&s, POD("a", "") POD("lost", "opencontrail.org/network: nowhere"));
	text = metrics_text(&s.parts);
	has_line(text, "vrouter_manager_objects{kind=\"Pod\"} 2");
	has_line(text, "vrouter_manager_resources{kind=\"InstanceIP\"} 1");
	has_line(text, "vrouter_manager_problems 1");
	has_line(text, "# TYPE vrouter_manager_addresses_free gauge");
	/* of 256 not the first, the gateway and the last */
	has_line(text, "vrouter_manager_addresses_in_use{network=\"default/cluster-network\",family=\"IPv4\"} 1");
	has_line(text, "vrouter_manager_addresses_free{network=\"default/cluster-network\",family=\"IPv4\"} 252");
	has_line(text, "vrouter_manager_addresses_in_use{network=\"services\",family=\"IPv4\"} 0");
	assert_null(strstr(text, "vrouter_manager_leader"));
	free(text);
	world_free(&s.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds), cmocka_unit_test(pages), cmocka_unit_test(object),
		cmocka_unit_test(hostile), cmocka_unit_test(metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
