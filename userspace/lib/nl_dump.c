// SPDX-License-Identifier: GPL-2.0-only
/* Dumps: objects put together from their messages, and the whole begun anew after a change. */

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "nl_priv.h"

#define MAX_TRIES	20

/* A dump under way. The last object is held back: the next message may be more of it. */
struct dump {
	const struct vr_obj_type *t;
	void	*last;
	bool	has_last;
	int	(*fn)(void *obj, void *arg);	/* takes over what obj owns */
	void	*arg;
};

static unsigned int told(const struct vr_obj_type *t, const void *obj)
{
	return *(unsigned int *)vr_at(obj, t->split_told);
}

/* Moves the elements of one object's list to the end of another's. */
static int append_list(const struct vr_obj_type *t, void *to, void *from)
{
	const struct vr_field *f = t->split;
	unsigned int i, n = *vr_count(from, f);
	size_t size = vr_element_size(f);
	char *list = *vr_pointer(from, f);
	void *element;

	for (i = 0; i < n; i++) {
		element = vr_list_grow(f, to);
		if (!element)
			return -ENOMEM;
		memcpy(element, list + i * size, size);
		memset(list + i * size, 0, size);
	}
	return 0;
}

static int flush_last(struct dump *d)
{
	if (!d->has_last)
		return 0;
	d->has_last = false;
	return d->fn(d->last, d->arg);
}

static int take_object(struct dump *d, void *obj, struct vr_err *e)
{
	const struct vr_obj_type *t = d->t;
	int err;

	if (d->has_last && t->split && vr_obj_same_key(t, d->last, obj) &&
	    *vr_count(d->last, t->split) < told(t, d->last)) {
		err = append_list(t, d->last, obj);
		vr_obj_free(t, obj);
		return err ? vr_err_nomem(e) : 0;
	}
	err = flush_last(d);
	if (err) {
		vr_obj_free(t, obj);
		return err;
	}
	memcpy(d->last, obj, t->body.size);
	d->has_last = true;
	return 0;
}

static int take_message(const struct nlmsghdr *nlh, void *arg, struct vr_err *e)
{
	struct dump *d = arg;
	const void *attrs;
	size_t len;
	void *obj;
	int err;

	obj = calloc(1, d->t->body.size);
	if (!obj)
		return vr_err_nomem(e);
	attrs = vr_nl_attrs(nlh, &len);
	err = vr_decode(&d->t->body, obj, attrs, len, e);
	if (err) {
		vr_err_wrap(e, "a %s in the kernel's dump cannot be read", d->t->name);
		vr_obj_free(d->t, obj);
	} else {
		err = take_object(d, obj, e);
	}
	free(obj);
	return err;
}

/* One try. *intr: something changed meanwhile. */
static int dump_once(struct vr_nl *nl, const struct vr_obj_type *t, const void *filter,
		     int (*fn)(void *obj, void *arg), void *arg, bool *intr, struct vr_err *e)
{
	struct dump d = { .t = t, .fn = fn, .arg = arg };
	int err;

	d.last = calloc(1, t->body.size);
	if (!d.last)
		return vr_err_nomem(e);

	*intr = false;
	vr_nl_begin(nl, NLM_F_DUMP, t->get);
	if (filter)
		vr_encode(&nl->tx, &t->filter, filter, VR_PART_CONFIG);
	err = vr_nl_talk(nl, &t->filter, take_message, &d, intr, e);
	if (!err)
		err = flush_last(&d);
	if (d.has_last)
		vr_obj_free(t, d.last);
	free(d.last);
	return err;
}

static int collect(void *obj, void *arg)
{
	struct vr_list *list = arg;
	size_t size = list->type->body.size;
	void *objs;

	if (!(list->n & (list->n - 1))) {
		objs = reallocarray(list->objs, list->n ? list->n * 2UL : 1, size);
		if (!objs) {
			vr_obj_free(list->type, obj);
			return -ENOMEM;
		}
		list->objs = objs;
	}
	memcpy((char *)list->objs + list->n * size, obj, size);
	list->n++;
	return 0;
}

void vr_list_free(struct vr_list *list)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		vr_obj_free(list->type, (char *)list->objs + i * list->type->body.size);
	free(list->objs);
	list->objs = NULL;
	list->n = 0;
}

int vr_dump(struct vr_nl *nl, const struct vr_obj_type *t, const void *filter,
	    struct vr_list *list, struct vr_err *e)
{
	bool intr = false;
	int i, err;

	*list = (struct vr_list){ .type = t };
	for (i = 0; i < MAX_TRIES; i++) {
		if (e)
			e->code = 0;
		err = dump_once(nl, t, filter, collect, list, &intr, e);
		if (!err && !intr)
			return 0;
		vr_list_free(list);
		if (err && e && !e->code)
			vr_err_nomem(e);
		if (err && err != -EINTR)
			return err;
	}
	return vr_err_set(e, EINTR, "the configuration changed during each of %d dumps of %ss",
			  MAX_TRIES, t->name);
}

struct each {
	const struct vr_obj_type *t;
	int	(*fn)(const void *obj, void *arg);
	void	*arg;
};

static int call_each(void *obj, void *arg)
{
	struct each *each = arg;
	int err = each->fn(obj, each->arg);

	vr_obj_free(each->t, obj);
	return err;
}

int vr_dump_each(struct vr_nl *nl, const struct vr_obj_type *t, const void *filter,
		 int (*fn)(const void *obj, void *arg), void *arg, struct vr_err *e)
{
	struct each each = { .t = t, .fn = fn, .arg = arg };
	bool intr = false;
	int err;

	err = dump_once(nl, t, filter, call_each, &each, &intr, e);
	if (!err && intr)
		return vr_err_set(e, EINTR, "%ss changed during the dump", t->name);
	return err;
}
