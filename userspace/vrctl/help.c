// SPDX-License-Identifier: GPL-2.0-only
/* Help, from the tables that the words are parsed by */

#include <stdio.h>
#include <string.h>

#include "vrctl.h"

#define WIDTH 88	/* columns of a synopsis */

/* One word of a synopsis; begins a new line when it does not fit. */
static void put_word(FILE *f, const char *word, unsigned int indent, unsigned int *column)
{
	if (*column + 1 + strlen(word) > WIDTH) {
		fprintf(f, "\n%*s", indent, "");
		*column = indent;
	}
	*column += fprintf(f, " %s", word);
}

static void arg_text(const struct arg *a, char *buf, size_t size)
{
	bool multi = a->type == ARG_ADDRS || a->type == ARG_REFS || a->type == ARG_LIST ||
		     a->type == ARG_PREFIXES;
	bool optional = !(a->flags & ARG_REQUIRED);

	snprintf(buf, size, "%s%s%s%s%s%s%s", optional ? "[" : "", a->word ? a->word : "",
		 a->word && a->value ? " " : "", a->value ? a->value : "",
		 a->type == ARG_LIST ? " ..." : "", optional ? "]" : "", multi ? "..." : "");
}

static void put_args(FILE *f, const struct arg_table *t, unsigned int indent,
		     unsigned int *column)
{
	const struct arg *a;
	char text[96];

	for (a = t->args; a < t->args + t->n; a++) {
		if (a->flags & ARG_HIDDEN)
			continue;
		arg_text(a, text, sizeof(text));
		put_word(f, text, indent, column);
	}
}

static void put_meanings(FILE *f, const struct arg_table *t)
{
	const struct arg *a;
	char text[64];

	for (a = t->args; a < t->args + t->n; a++) {
		if (a->flags & ARG_HIDDEN || !a->help)
			continue;
		snprintf(text, sizeof(text), "%s%s%s", a->word ? a->word : "",
			 a->word && a->value ? " " : "", a->value ? a->value : "");
		fprintf(f, "  %-26s  %s\n", text, a->help);
	}
}

/* "PREFIX NAME ARGS" with continuation lines; then what each means. */
static void synopsis(FILE *f, const char *prefix, const char *name, const struct arg_table *t)
{
	unsigned int column = fprintf(f, "%s%s", prefix, name);

	put_args(f, t, strlen(prefix) + 1, &column);
	fputc('\n', f);
}

static const char *page(const struct object *o)
{
	return o->page ? o->page : o->name;
}

void help_verb(FILE *f, const struct object *o, const struct verb *v)
{
	const struct arg *a;
	char name[48];

	snprintf(name, sizeof(name), "%s%s%s", o->name, *v->name ? " " : "", v->name);
	synopsis(f, "Usage: vrctl ", name, &v->args);
	fprintf(f, "\n%c%s.\n", v->help[0] >= 'a' && v->help[0] <= 'z' ? v->help[0] - 32 :
		v->help[0], v->help + 1);
	if (v->args.n)
		fputc('\n', f);
	put_meanings(f, &v->args);
	for (a = v->args.args; a < v->args.args + v->args.n; a++) {
		if (a->type != ARG_LIST)
			continue;
		fputc('\n', f);
		synopsis(f, "  ", a->word, a->sub);
		put_meanings(f, a->sub);
	}
	if (v->more)
		fprintf(f, "\n%s", v->more);
	fprintf(f, "\nAn object is named by its id or its label. See vrctl-%s(8).\n", page(o));
}

void help_object(FILE *f, const struct object *o)
{
	unsigned int i;

	fprintf(f, "%s: %s\n\n", o->name, o->help);
	for (i = 0; i < o->n; i++)
		fprintf(f, "  vrctl %s %-8s  %s\n", o->name, o->verbs[i].name, o->verbs[i].help);
	fprintf(f, "\n\"vrctl %s VERB --help\" has the words of each. See vrctl-%s(8).\n", o->name,
		page(o));
}

void help_all(FILE *f)
{
	const struct object *const *o;
	unsigned int i;

	fputs("Usage: vrctl [OPTIONS] OBJECT [VERB] [WORDS]\n"
	      "       vrctl [OPTIONS] -b FILE\n\n", f);
	for (o = objects; *o; o++) {
		fprintf(f, "  %-11s  %s", (*o)->name, (*o)->help);
		for (i = 0; i < (*o)->n && *(*o)->verbs[0].name; i++)
			fprintf(f, "%s%s", i ? ", " : ": ", (*o)->verbs[i].name);
		fputc('\n', f);
	}
	fputs("\nOptions:\n"
	      "  -j, --json         JSON, one line\n"
	      "  -p, --pretty       JSON for reading\n"
	      "  -s, --stats        counters too\n"
	      "  -a, --all          drops: also reasons that did not occur\n"
	      "  -n, --netns NETNS  in this network namespace: a name or a path\n"
	      "  -b, --batch FILE   commands from a file, one a line; - is standard input\n"
	      "      --force        with -b: go on after a command that failed\n"
	      "  -V, --version      version\n"
	      "  -h, --help         this; also after an object and after a verb\n\n"
	      "Exit status: 0 done, 1 refused by the kernel, 2 wrong words, 3 trace: dropped.\n"
	      "See vrctl(8), vrouter(7).\n", f);
}
