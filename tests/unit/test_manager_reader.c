// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reader.h"
#include "xmem.h"

struct sample {
	const char	*text, *want;		/* compact JSON of all documents, one a line */
	const char	*error;			/* "line N document M: reason" instead */
};

static char *show(struct documents *docs)
{
	char *all = xstrdup("");
	size_t i;

	if (docs->error) {
		free(all);
		return xasprintf("line %u document %u: %s", docs->error_line, docs->error_document, docs->error);
	}
	for (i = 0; i < docs->n; i++) {
		cleanup_free char *one = json_dumps(docs->v[i].value, JSON_COMPACT | JSON_ENCODE_ANY);
		char *more = xasprintf("%s%s%s", all, i ? "\n" : "", one);

		assert_int_equal(docs->v[i].number, i + 1);
		free(all);
		all = more;
	}
	return all;
}

static void check(void (*reader)(const char *, size_t, struct documents *), const struct sample *s)
{
	struct documents docs;

	reader(s->text, strlen(s->text), &docs);
	cleanup_free char *got = show(&docs);

	if (strcmp(got, s->error ? s->error : s->want))
		fail_msg("%s\n gives %s\n not   %s", s->text, got, s->error ? s->error : s->want);
	documents_free(&docs);
}

static void yaml_values(void **state)
{
	static const struct sample samples[] = {
		{ "a: 1", "{\"a\":1}", NULL },
		{ "", "", NULL },
		{ "---\n---\na: b\n...\n", "null\n{\"a\":\"b\"}", NULL },
		{ "[1, -2, +3, 0x1F, 0o17, 010, 1.5, 1e3, .5]", "[1,-2,3,31,15,10,1.5,1000.0,0.5]", NULL },
		{ "[true, True, FALSE, yes, on, ~, null, '', ]", "[true,true,false,\"yes\",\"on\",null,null,\"\"]", NULL },
		{ "['1', \"true\", !!str 5, ! 6, 1.2.3, 1:30]", "[\"1\",\"true\",\"5\",\"6\",\"1.2.3\",\"1:30\"]", NULL },
		{ "1: x\ntrue: y", "{\"1\":\"x\",\"true\":\"y\"}", NULL },
		{ "a: |\n  x\n  y\nb: >\n  p\n  q\n", "{\"a\":\"x\\ny\\n\",\"b\":\"p q\\n\"}", NULL },
		{ "a: &x {k: 1}\nb: *x\nc: [*x]", "{\"a\":{\"k\":1},\"b\":{\"k\":1},\"c\":[{\"k\":1}]}", NULL },
		{ "a: &x 1\nb: &x 2\nc: *x", "{\"a\":1,\"b\":2,\"c\":2}", NULL },
		{ "{\"json\": [\"in\", {\"yaml\": null}]}", "{\"json\":[\"in\",{\"yaml\":null}]}", NULL },
		{ "[99999999999999999999]", "[1e20]", NULL },
		{ "[.inf, .nan, -.inf, 1e999]", "[\".inf\",\".nan\",\"-.inf\",\"1e999\"]", NULL },
		{ "[!!int 3, !!null '', !!bool true, !!float 1.5]", "[3,null,true,1.5]", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		check(yaml_read, &samples[i]);
}

static void yaml_refusals(void **state)
{
	static const struct sample samples[] = {
		{ "a: 1\nb:\n  c: 1\n  c: 2", NULL, "line 4 document 1: key \"c\" is given twice" },
		{ "x: 1\n---\n? [a]\n: 1", NULL, "line 3 document 2: a key is not a plain word or a quoted string" },
		{ "a: &x {b: *x}", NULL, "line 1 document 1: alias *x has no anchor before it" },
		{ "a: &x 1\n---\nb: *x", NULL, "line 3 document 2: alias *x has no anchor before it" },
		{ "<<: {a: 1}", NULL, "line 1 document 1: merge keys (<<) are not supported" },
		{ "a: !local x", NULL, "line 1 document 1: \"x\" does not fit its tag !local" },
		{ "a: !!int x", NULL, "line 1 document 1: \"x\" does not fit its tag int" },
		{ "a: !!set {x}", NULL, "line 1 document 1: tag tag:yaml.org,2002:set is not supported" },
		{ "a: \"x\\0y\"", NULL, "line 1 document 1: a string holds a NUL character" },
		{ "a: [1\nb: 2", NULL, "line 2 document 1: while parsing a flow sequence: did not find expected ',' or ']'" },
		{ "good: 1\n---\nbad: {", NULL, "line 4 document 2: while parsing a flow node: did not find expected node content" },
		{ "a:\n\t- b", NULL, "line 2 document 1: while scanning for the next token: found character that cannot start any token" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		check(yaml_read, &samples[i]);
}

/* "PART" n times, then end */
static char *repeat(const char *part, size_t n, const char *end)
{
	size_t len = strlen(part), i;
	char *text = mem_check(malloc(len * n + strlen(end) + 1));

	for (i = 0; i < n; i++)
		memcpy(text + i * len, part, len);
	strcpy(text + len * n, end);
	return text;
}

static void expect_error(void (*reader)(const char *, size_t, struct documents *), const char *text,
			 const char *part)
{
	struct documents docs;

	reader(text, strlen(text), &docs);
	assert_non_null(docs.error);
	if (!strstr(docs.error, part))
		fail_msg("\"%s\" does not say \"%s\"", docs.error, part);
	assert_int_equal(docs.n, 0);
	documents_free(&docs);
}

static void bounds(void **state)
{
	cleanup_free char *deep = repeat("[", READER_MAX_DEPTH + 1, ""), *many = repeat("- 1\n", 1000001, "");
	cleanup_free char *docs = repeat("---\na: 1\n", 10001, ""), *json_docs = NULL;
	cleanup_free char *json_deep = NULL, *closing = NULL;
	char laughs[2048] = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
	int i;

	(void)state;
	expect_error(yaml_read, deep, "nested deeper than 64 levels");
	expect_error(yaml_read, many, "more than 1000000 values in one file");
	expect_error(yaml_read, docs, "more than 10000 documents");
	for (i = 1; i < 9; i++)
		sprintf(laughs + strlen(laughs), "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n",
			i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	expect_error(yaml_read, laughs, "with aliases written out");
	closing = repeat("]", READER_MAX_DEPTH + 1, "");
	json_deep = xasprintf("%s%s", deep, closing);
	expect_error(json_read, json_deep, "nested deeper than 64 levels");
	json_docs = repeat("{}", 10001, "");
	expect_error(json_read, json_docs, "more than 10000 documents");
}

/* Aliases that nest into each other must not get round the depth. */
static void alias_depth(void **state)
{
	char *text = xstrdup("a0: &a0 [x]\n"), *more;
	int i;

	(void)state;
	for (i = 1; i < 100; i++) {
		more = xasprintf("%sa%d: &a%d [*a%d]\n", text, i, i, i - 1);
		free(text);
		text = more;
	}
	expect_error(yaml_read, text, "nested deeper than 64 levels");
	free(text);
}

static void json_values(void **state)
{
	static const struct sample samples[] = {
		{ "{\"a\": [1, \"\\u00e9\\ud83d\\ude00\", \"x\\\"y\\\\\", {}, []]}",
		  "{\"a\":[1,\"\u00e9\U0001F600\",\"x\\\"y\\\\\",{},[]]}", NULL },
		{ "{\"a\":1}\n{\"b\":2}", "{\"a\":1}\n{\"b\":2}", NULL },
		{ " \n", "", NULL },
		{ "{\n\"a\": 1,\n\"a\": 2}", NULL, "line 3 document 1: duplicate object key near '\"a\"'" },
		{ "{}\n{\n\n\"a\": }", NULL, "line 4 document 2: unexpected token near '}'" },
		{ "{'a': 1}", NULL, "line 1 document 1: string or '}' expected near '''" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		check(json_read, &samples[i]);
}

static unsigned int line_at(const json_t *lines, const char *key, size_t index, const char *key2)
{
	lines = json_object_get(json_array_get(lines, 1), key);
	lines = json_array_get(json_array_get(lines, 1), index);
	return lines_line(json_object_get(json_array_get(lines, 1), key2));
}

static void lines(void **state)
{
	static const char yaml[] = "# c\na: 1\nlist:\n- x: 1\n\n- y:\n    2\n  z: 3\n";
	static const char json[] = "\n{\"a\": \"}\\\"\",\n \"list\": [{\"x\"\n: 1},\n\n {\"y\" : [],\n\"z\":\n3\n}]}";
	struct documents docs;

	(void)state;
	yaml_read(yaml, strlen(yaml), &docs);
	assert_int_equal(docs.n, 1);
	assert_int_equal(lines_line(docs.v[0].lines), 2);
	assert_int_equal(line_at(docs.v[0].lines, "list", 0, "x"), 4);
	assert_int_equal(line_at(docs.v[0].lines, "list", 1, "y"), 7);
	assert_int_equal(line_at(docs.v[0].lines, "list", 1, "z"), 8);
	documents_free(&docs);
	json_read(json, strlen(json), &docs);
	assert_int_equal(docs.n, 1);
	assert_int_equal(lines_line(docs.v[0].lines), 2);
	assert_int_equal(line_at(docs.v[0].lines, "list", 0, "x"), 4);
	assert_int_equal(line_at(docs.v[0].lines, "list", 1, "y"), 6);
	assert_int_equal(line_at(docs.v[0].lines, "list", 1, "z"), 8);
	documents_free(&docs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml_values),
		cmocka_unit_test(yaml_refusals),
		cmocka_unit_test(bounds),
		cmocka_unit_test(alias_depth),
		cmocka_unit_test(json_values),
		cmocka_unit_test(lines),
	};

	return cmocka_run_group_tests_name("manager: reader", tests, NULL, NULL);
}
