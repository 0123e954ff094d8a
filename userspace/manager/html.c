// SPDX-License-Identifier: GPL-2.0-only
/* JSON as a page for people: tables in tables, no scripts, no styles. */
#include "http.h"

#include "xmem.h"

static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void put_scalar(FILE *out, const json_t *value)
{
	cleanup_free char *text = NULL;

	if (json_is_string(value)) {
		put_escaped(out, json_string_value(value));
		return;
	}
	text = mem_check(json_dumps(value, JSON_ENCODE_ANY));
	put_escaped(out, text);
}

static void put_value(FILE *out, const json_t *value);

/* Only what introspect() made itself is under these keys. */
static bool is_link(const char *key, const json_t *value)
{
	return json_is_string(value) && (!strcmp(key, "link") || !strcmp(key, "next")) &&
	       !strncmp(json_string_value(value), "/debug/", 7);
}

static void put_member(FILE *out, const char *key, const json_t *value)
{
	if (!is_link(key, value)) {
		put_value(out, value);
		return;
	}
	fputs("<a href=\"", out);
	put_scalar(out, value);
	fputs("\">", out);
	put_scalar(out, value);
	fputs("</a>", out);
}

static void put_object(FILE *out, const json_t *object)
{
	const char *key;
	json_t *value;

	fputs("<table border=\"1\">\n", out);
	json_object_foreach((json_t *)object, key, value) {
		fputs("<tr><th align=\"left\">", out);
		put_escaped(out, key);
		fputs("</th><td>", out);
		put_member(out, key, value);
		fputs("</td></tr>\n", out);
	}
	fputs("</table>\n", out);
}

/* Objects in a list: a row each. */
static void put_row(FILE *out, const json_t *item)
{
	const char *key;
	json_t *value;

	fputs("<tr>", out);
	if (!json_is_object(item)) {
		fputs("<td>", out);
		put_value(out, item);
		fputs("</td>", out);
	}
	json_object_foreach((json_t *)item, key, value) {
		fputs("<td>", out);
		put_escaped(out, key);
		fputs(": ", out);
		put_member(out, key, value);
		fputs("</td>", out);
	}
	fputs("</tr>\n", out);
}

static void put_value(FILE *out, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (json_is_object(value)) {
		put_object(out, value);
	} else if (json_is_array(value)) {
		fputs("<table border=\"1\">\n", out);
		json_array_foreach(value, i, item) {
			put_row(out, item);
		}
		fputs("</table>\n", out);
	} else {
		put_scalar(out, value);
	}
}

char *html_page(const char *title, const json_t *content)
{
	char *text = NULL;
	size_t len;
	FILE *out = mem_check(open_memstream(&text, &len));

	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", out);
	put_escaped(out, title);
	fputs("</title></head><body>\n<p><a href=\"/debug/\">contrail-kube-manager</a></p>\n<h1>", out);
	put_escaped(out, title);
	fputs("</h1>\n", out);
	put_value(out, content);
	fputs("</body></html>\n", out);
	fclose(out);
	return mem_check(text);
}
