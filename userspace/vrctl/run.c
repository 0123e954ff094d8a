// SPDX-License-Identifier: GPL-2.0-only
/* One command: object, verb, words; and the verbs that all objects have alike. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "vrctl.h"

const struct object *const objects[] = {
	&object_vrf, &object_vif, &object_nexthop, &object_route, &object_vip, &object_sg,
	&object_flow, &object_stats, &object_drops, &object_limits, &object_monitor,
	&object_trace, &object_tunnel, &object_snat, &object_chain, &object_host,
	&object_healthcheck, NULL
};

int refused(struct ctx *c)
{
	if (!c->err.code)
		vr_err_nomem(&c->err);
	return EXIT_REFUSED;
}

int usage(struct ctx *c, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	vr_err_set(&c->err, EINVAL, "%s", text);
	return EXIT_USAGE;
}

int open_nl(struct ctx *c)
{
	if (c->nl)
		return 0;
	return vr_nl_open(&c->nl, c->netns, &c->err);
}

int verb_set(struct ctx *c, const struct verb *v, void *obj)
{
	if (vr_set(c->nl, v->type, obj, v->mode, &c->err))
		return refused(c);
	labels_forget(c, v->type);
	return EXIT_OK;
}

int verb_del(struct ctx *c, const struct verb *v, void *obj)
{
	if (vr_del(c->nl, v->type, obj, &c->err))
		return refused(c);
	labels_forget(c, v->type);
	return EXIT_OK;
}

int show_one(struct ctx *c, const struct vr_obj_type *t, const void *key, show_fn show)
{
	VR_AUTO_FREE void *obj = calloc(1, vr_type_size(t));

	if (!obj || vr_get(c->nl, t, key, obj, &c->err))
		return refused(c);
	out_row_begin(c->out);
	show(c, obj);
	out_row_end(c->out);
	vr_obj_free(t, obj);
	return EXIT_OK;
}

int show_all(struct ctx *c, const struct vr_obj_type *t, const void *filter, show_fn show)
{
	struct vr_list list;
	unsigned int i;

	if (vr_dump(c->nl, t, filter, &list, &c->err))
		return refused(c);
	out_list_begin(c->out);
	for (i = 0; i < list.n; i++) {
		out_row_begin(c->out);
		show(c, (char *)list.objs + i * vr_type_size(t));
		out_row_end(c->out);
	}
	out_list_end(c->out);
	vr_list_free(&list);
	return EXIT_OK;
}

void out_flushed(struct ctx *c, unsigned long n, const struct vr_obj_type *t)
{
	if (out_is_json(c->out)) {
		out_row_begin(c->out);
		out_num(c->out, "flushed", NULL, n);
		out_row_end(c->out);
	}
	out_line(c->out, "%lu %s%s ended", n, vr_type_name(t), n == 1 ? "" : "s");
}

static void flushed_one(const struct vr_result *r, void *arg)
{
	struct ctx *c = arg;

	/* What went away by itself meanwhile is what was wanted. */
	if (r->err.code && r->err.code != ENOENT && !c->err.code)
		c->err = r->err;
}

int flush_all(struct ctx *c, const struct vr_obj_type *t, const void *filter)
{
	struct vr_batch *b = vr_batch_new();
	struct vr_list list = { .type = t };
	unsigned int i, n = 0;
	int err;

	if (!b)
		return refused(c);
	err = vr_dump(c->nl, t, filter, &list, &c->err);
	for (i = 0; i < list.n && !err; i++)
		err = vr_batch_del(b, t, (char *)list.objs + i * vr_type_size(t), NULL);
	n = list.n;
	vr_list_free(&list);
	if (!err)
		err = vr_batch_send(c->nl, b, flushed_one, c, &c->err);
	vr_batch_free(b);
	labels_forget(c, t);
	if (err || c->err.code)
		return refused(c);
	out_flushed(c, n, t);
	return EXIT_OK;
}

/* --- finding and running -------------------------------------------------------------- */

static const struct object *find_object(const char *name)
{
	const struct object *const *o;

	for (o = objects; *o; o++)
		if (!strcmp((*o)->name, name))
			return *o;
	return NULL;
}

static const struct verb *find_verb(const struct object *o, const char *name)
{
	unsigned int i;

	for (i = 0; i < o->n; i++)
		if (!strcmp(o->verbs[i].name, name))
			return &o->verbs[i];
	return NULL;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static bool asks_help(char *const *words, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (is_help(words[i]))
			return true;
	return n && !strcmp(words[0], "help");
}

static int run_verb(struct ctx *c, const struct object *o, const struct verb *v,
		    char *const *words, unsigned int n)
{
	VR_AUTO_FREE void *obj = calloc(1, v->args.size ? v->args.size : 1);
	struct parser p = {
		.words = words, .n = n, .err = &c->err, .resolve = label_resolve, .ctx = c,
	};
	int status;

	if (!obj)
		return refused(c);
	if (args_parse(&p, &v->args, obj)) {
		/* A label that is nobody's is for the kernel to know. */
		status = c->err.code == EINVAL ? EXIT_USAGE : EXIT_REFUSED;
		vr_err_wrap(&c->err, "%s%s%s", o->name, *v->name ? " " : "", v->name);
	} else if (!v->daemon && open_nl(c)) {
		status = EXIT_REFUSED;
	} else {
		status = v->run(c, v, obj);
		if (status == EXIT_USAGE)
			vr_err_wrap(&c->err, "%s%s%s", o->name, *v->name ? " " : "", v->name);
	}
	if (v->type)
		vr_obj_free(v->type, obj);
	return status;
}

static int list_verbs(struct ctx *c, const struct object *o, const char *word)
{
	char text[256] = "";
	unsigned int i;
	size_t len;

	for (i = 0; i < o->n; i++) {
		len = strlen(text);
		snprintf(text + len, sizeof(text) - len, "%s%s", i ? ", " : "", o->verbs[i].name);
	}
	return usage(c, "%s: unknown verb \"%.64s\", it has: %s", o->name, word, text);
}

int run_command(struct ctx *c, char *const *words, unsigned int n)
{
	const struct object *o = find_object(words[0]);
	const struct verb *v;
	unsigned int used = 1;

	c->err.code = 0;
	if (!o)
		return usage(c, "unknown object \"%.64s\", \"vrctl --help\" lists them", words[0]);
	v = &o->verbs[0];
	if (*v->name && n > 1 && !asks_help(words + 1, 1)) {
		v = find_verb(o, words[1]);
		if (!v)
			return list_verbs(c, o, words[1]);
		used = 2;
	}
	if (!asks_help(words + used, n - used))
		return run_verb(c, o, v, words + used, n - used);

	if (used == 1 && *v->name)
		help_object(stdout, o);
	else
		help_verb(stdout, o, v);
	return EXIT_OK;
}
