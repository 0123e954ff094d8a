// SPDX-License-Identifier: GPL-2.0-only
/* Tables and JSON from the same calls. */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "print.h"

#define MAX_COLUMNS	24
#define MAX_DEPTH	8
#define MAX_ROWS	256	/* that are held back to find the columns' widths */
#define GAP		2	/* blanks between columns */

struct row {
	char	*cells[MAX_COLUMNS];	/* each line by line */
	char	*details;		/* lines, with tabs; may be NULL */
	size_t	len, size;		/* of these */
};

struct out {
	FILE		*f;
	bool		json, pretty;

	/* JSON: the row's object, and what is open in it */
	json_t		*stack[MAX_DEPTH];
	unsigned int	depth;
	bool		in_list, first;

	/* table */
	struct row	*rows;
	unsigned int	n_rows, n_columns, column;
	const char	*heads[MAX_COLUMNS];
	bool		right[MAX_COLUMNS];
	unsigned int	width[MAX_COLUMNS];
	bool		head_done;
};

struct out *out_new(FILE *f, bool json, bool pretty)
{
	struct out *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->f = f;
	o->json = json;
	o->pretty = pretty;
	o->rows = json ? NULL : calloc(MAX_ROWS, sizeof(*o->rows));
	if (json || o->rows)
		return o;
	free(o);
	return NULL;
}

static void clear_rows(struct out *o)
{
	unsigned int i, c;

	for (i = 0; i < o->n_rows; i++) {
		for (c = 0; c < MAX_COLUMNS; c++)
			free(o->rows[i].cells[c]);
		free(o->rows[i].details);
		memset(&o->rows[i], 0, sizeof(o->rows[i]));
	}
	o->n_rows = 0;
}

void out_free(struct out *o)
{
	if (!o)
		return;
	if (!o->json)
		clear_rows(o);
	if (o->depth)
		json_decref(o->stack[0]);
	free(o->rows);
	free(o);
}

bool out_is_json(const struct out *o)
{
	return o->json;
}

/* --- table --------------------------------------------------------------------------- */

/* Columns on a terminal: octets but for UTF-8's continuations. */
static unsigned int text_width(const char *text, size_t len)
{
	unsigned int width = 0;

	while (len--)
		width += (*text++ & 0xc0) != 0x80;
	return width;
}

/* Control characters but those of "keep" become '?'. */
static void clean(char *text, const char *keep)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && !strchr(keep, *text)) || *text == 0x7f)
			*text = '?';
}

/* The line of that number in a text of several; its length in *len. */
static const char *nth_line(const char *text, unsigned int number, size_t *len)
{
	while (text && number--) {
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	*len = text ? strcspn(text, "\n") : 0;
	return text;
}

static void measure(struct out *o)
{
	unsigned int i, c, k, width;
	const char *line;
	size_t len;

	for (c = 0; c < o->n_columns; c++) {
		if (o->width[c] < strlen(o->heads[c]))
			o->width[c] = strlen(o->heads[c]);
		for (i = 0; i < o->n_rows; i++) {
			for (k = 0; (line = nth_line(o->rows[i].cells[c], k, &len)); k++) {
				width = text_width(line, len);
				if (o->width[c] < width)
					o->width[c] = width;
			}
		}
	}
}

/* Blanks are written only before what follows, so that no line ends with some. */
static void print_cell(struct out *o, unsigned int c, const char *text, size_t len,
		       unsigned int *blanks)
{
	unsigned int fill = o->width[c] - text_width(text, len);

	if (!len) {
		*blanks += o->width[c] + GAP;
		return;
	}
	if (o->right[c])
		*blanks += fill;
	fprintf(o->f, "%*s%.*s", *blanks, "", (int)len, text);
	*blanks = GAP + (o->right[c] ? 0 : fill);
}

static void print_head(struct out *o)
{
	unsigned int c, blanks = 0;

	for (c = 0; c < o->n_columns; c++)
		print_cell(o, c, o->heads[c], strlen(o->heads[c]), &blanks);
	fputc('\n', o->f);
	o->head_done = true;
}

static void print_row(struct out *o, const struct row *row)
{
	unsigned int c, blanks, k = 0;
	const char *line;
	bool more;
	size_t len;

	do {
		blanks = 0;
		more = false;
		for (c = 0; c < o->n_columns; c++) {
			line = nth_line(row->cells[c], k, &len);
			print_cell(o, c, line ? line : "", len, &blanks);
			more |= line && line[len] == '\n';
		}
		fputc('\n', o->f);
		k++;
	} while (more);
}

static void print_details(struct out *o, const char *details)
{
	unsigned int width[MAX_COLUMNS] = { 0 }, c, blanks;
	const char *p;
	size_t len;

	for (c = 0, p = details; *p; p += len + 1) {
		len = strcspn(p, "\t\n");
		if (p[len] == '\t' && c < MAX_COLUMNS && width[c] < text_width(p, len))
			width[c] = text_width(p, len);
		c = p[len] == '\t' ? c + 1 : 0;
	}
	for (c = 0, p = details, blanks = 4; *p; p += len + 1) {
		len = strcspn(p, "\t\n");
		if (len) {
			fprintf(o->f, "%*s%.*s", blanks, "", (int)len, p);
			blanks = 0;
		}
		if (p[len] == '\t') {
			if (c < MAX_COLUMNS)
				blanks += width[c] - text_width(p, len) + GAP;
			c++;
		} else {
			fputc('\n', o->f);
			blanks = 4;
			c = 0;
		}
	}
}

static void print_table(struct out *o)
{
	unsigned int i;

	if (!o->n_rows)
		return;
	measure(o);
	if (!o->head_done)
		print_head(o);
	for (i = 0; i < o->n_rows; i++) {
		print_row(o, &o->rows[i]);
		if (o->rows[i].details)
			print_details(o, o->rows[i].details);
	}
	clear_rows(o);
}

static void add_cell(struct out *o, const char *head, char *text, bool right)
{
	if (!text || o->column >= MAX_COLUMNS) {
		free(text);
		return;
	}
	o->heads[o->column] = head;
	o->right[o->column] = right;
	o->rows[o->n_rows].cells[o->column++] = text;
	if (o->n_columns < o->column)
		o->n_columns = o->column;
}

/* --- JSON ---------------------------------------------------------------------------- */

static void write_json(struct out *o, const json_t *value, int indent)
{
	VR_AUTO_FREE char *text = NULL;
	const char *line;
	size_t len;

	text = json_dumps(value, o->pretty ? JSON_INDENT(4) : JSON_COMPACT);
	if (!text) {
		fprintf(o->f, "null");
		return;
	}
	for (line = text; *line; line += len) {
		len = strcspn(line, "\n");
		fprintf(o->f, "%*s%.*s", line != text && o->pretty ? indent : 0, "", (int)len, line);
		if (line[len] == '\n') {
			fputc('\n', o->f);
			len++;
		}
	}
}

/* Takes over value. */
static void add_json(struct out *o, const char *key, json_t *value)
{
	json_t *in = o->depth ? o->stack[o->depth - 1] : NULL;

	/* A key within an array, or none elsewhere: not for JSON. */
	if (!in || !key != json_is_array(in)) {
		json_decref(value);
		return;
	}
	if (key)
		json_object_set_new(in, key, value);
	else
		json_array_append_new(in, value);
}

static json_t *json_text(const char *text)
{
	json_t *value = json_string(text);
	char *copy, *p;

	if (value)
		return value;
	copy = strdup(text);		/* it is no UTF-8 */
	if (!copy)
		return NULL;
	for (p = copy; *p; p++)
		if (*p & 0x80)
			*p = '?';
	value = json_string(copy);
	free(copy);
	return value;
}

static void push(struct out *o, const char *key, json_t *value)
{
	if (o->depth == MAX_DEPTH || !value) {
		json_decref(value);
		return;
	}
	if (o->depth)
		add_json(o, key, json_incref(value));
	o->stack[o->depth++] = value;
}

void out_object_begin(struct out *o, const char *key)
{
	if (o->json)
		push(o, key, json_object());
}

void out_array_begin(struct out *o, const char *key)
{
	if (o->json)
		push(o, key, json_array());
}

void out_end(struct out *o)
{
	if (o->json && o->depth)
		json_decref(o->stack[--o->depth]);
}

/* --- both ------------------------------------------------------------------------------ */

static void new_table(struct out *o)
{
	o->head_done = false;
	o->n_columns = 0;
	memset(o->width, 0, sizeof(o->width));
}

void out_list_begin(struct out *o)
{
	o->in_list = true;
	o->first = true;
	new_table(o);
	if (o->json)
		fputc('[', o->f);
}

void out_list_end(struct out *o)
{
	o->in_list = false;
	if (!o->json)
		print_table(o);
	else
		fputs(o->pretty && !o->first ? "\n]\n" : "]\n", o->f);
}

void out_row_begin(struct out *o)
{
	o->column = 0;
	if (o->json)
		push(o, NULL, json_object());
	else if (!o->in_list)
		new_table(o);
}

void out_row_end(struct out *o)
{
	if (!o->json) {
		if (++o->n_rows == MAX_ROWS || !o->in_list)
			print_table(o);
		return;
	}
	if (o->depth != 1)
		return;
	if (o->in_list && !o->first)
		fputc(',', o->f);
	if (o->in_list && o->pretty)
		fputs("\n    ", o->f);
	o->first = false;
	write_json(o, o->stack[0], o->in_list ? 4 : 0);
	out_end(o);
	if (!o->in_list)
		fputc('\n', o->f);
}

bool out_flush(struct out *o)
{
	if (!o->json)
		print_table(o);
	return !fflush(o->f) && !ferror(o->f);
}

void out_cell(struct out *o, const char *head, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	if (o->json)
		return;
	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return;
	clean(text, "\n");
	add_cell(o, head, text, false);
}

static void add_detail(struct row *row, const char *line)
{
	size_t n = strlen(line), size = row->size ? row->size : 256;
	char *grown;

	while (size < row->len + n + 2)
		size *= 2;
	if (size != row->size) {
		grown = realloc(row->details, size);
		if (!grown)
			return;
		row->details = grown;
		row->size = size;
	}
	memcpy(row->details + row->len, line, n);
	row->len += n;
	memcpy(row->details + row->len++, "\n", 2);
}

void out_detail(struct out *o, const char *fmt, ...)
{
	VR_AUTO_FREE char *line = NULL;
	va_list args;
	int len;

	if (o->json)
		return;
	va_start(args, fmt);
	len = vasprintf(&line, fmt, args);
	va_end(args);
	if (len < 0) {
		line = NULL;
		return;
	}
	clean(line, "\t");
	add_detail(&o->rows[o->n_rows], line);
}

void out_line(struct out *o, const char *fmt, ...)
{
	VR_AUTO_FREE char *line = NULL;
	va_list args;
	int len;

	if (o->json)
		return;
	va_start(args, fmt);
	len = vasprintf(&line, fmt, args);
	va_end(args);
	if (len < 0) {
		line = NULL;
		return;
	}
	clean(line, "");
	fprintf(o->f, "%s\n", line);
}

void out_num(struct out *o, const char *key, const char *head, uint64_t number)
{
	char *text;

	if (o->json)
		add_json(o, key, json_integer(number));
	if (!o->json && head && asprintf(&text, "%llu", (unsigned long long)number) >= 0)
		add_cell(o, head, text, true);
}

void out_str(struct out *o, const char *key, const char *head, const char *text)
{
	char *copy;

	if (o->json && text)
		add_json(o, key, json_text(text));
	if (o->json || !head)
		return;
	copy = strdup(text ? text : "-");
	if (copy)
		clean(copy, "");
	add_cell(o, head, copy, false);
}

void out_bool(struct out *o, const char *key, bool value)
{
	if (o->json && value)
		add_json(o, key, json_true());
}
