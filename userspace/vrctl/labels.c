// SPDX-License-Identifier: GPL-2.0-only
/* Labels beside ids, and ids by label. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vrctl.h"

/* Each of these types begins with its id and label. */
struct labelled {
	uint32_t	id;
	char		*label;
};

static int index_of(const struct vr_obj_type *t)
{
	const struct vr_obj_type *const types[N_LABELLED] = {
		&vr_type_vrf, &vr_type_vif, &vr_type_nexthop, &vr_type_sg,
	};
	int i;

	_Static_assert(offsetof(struct vr_vrf, label) == offsetof(struct labelled, label) &&
		       offsetof(struct vr_vif, label) == offsetof(struct labelled, label) &&
		       offsetof(struct vr_nexthop, label) == offsetof(struct labelled, label) &&
		       offsetof(struct vr_sg, label) == offsetof(struct labelled, label),
		       "id and label first");
	for (i = 0; i < N_LABELLED; i++)
		if (types[i] == t)
			return i;
	return -1;
}

static const struct labelled *at(const struct vr_list *list, unsigned int i)
{
	return (void *)((char *)list->objs + i * vr_type_size(list->type));
}

static int load(struct ctx *c, const struct vr_obj_type *t, struct labels *labels,
		struct vr_err *e)
{
	int err;

	if (labels->loaded)
		return 0;
	err = vr_dump(c->nl, t, NULL, &labels->list, e);
	labels->loaded = !err;
	return err;
}

void labels_forget(struct ctx *c, const struct vr_obj_type *t)
{
	int i, only = t ? index_of(t) : -1;

	for (i = 0; i < N_LABELLED; i++) {
		if (t && i != only)
			continue;
		if (c->labels[i].loaded)
			vr_list_free(&c->labels[i].list);
		c->labels[i].loaded = false;
	}
}

const char *label_of(struct ctx *c, const struct vr_obj_type *t, uint32_t id)
{
	const struct labelled *found;
	unsigned int lo = 0, hi, mid;
	struct labels *labels;
	int i = index_of(t);

	if (!id || !c->nl || i < 0)
		return NULL;
	labels = &c->labels[i];
	/* Once only: flows are shown while their dump has the socket. */
	if (load(c, t, labels, NULL)) {
		labels->loaded = true;
		return NULL;
	}
	hi = labels->list.n;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		found = at(&labels->list, mid);
		if (found->id == id)
			return found->label;
		if (found->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

int label_resolve(void *ctx, const struct vr_obj_type *t, const char *label, uint32_t *id,
		  struct vr_err *e)
{
	const struct labelled *l, *found = NULL;
	struct labels *labels;
	struct ctx *c = ctx;
	int err, type = index_of(t);
	unsigned int i;

	if (type < 0)
		return vr_err_set(e, EINVAL, "a %s has no label", vr_type_name(t));
	if (!c->nl && open_nl(c))
		return -c->err.code;
	labels = &c->labels[type];
	err = load(c, t, labels, e);
	if (err)
		return err;
	for (i = 0; i < labels->list.n; i++) {
		l = at(&labels->list, i);
		if (!l->label || strcmp(l->label, label))
			continue;
		if (found)
			return vr_err_set(e, ENOTUNIQ,
					  "%ss %u and %u have the label \"%.200s\", say the id",
					  vr_type_name(t), found->id, l->id, label);
		found = l;
	}
	if (!found)
		return vr_err_set(e, ENOENT, "no %s has the label \"%.200s\"", vr_type_name(t),
				  label);
	*id = found->id;
	return 0;
}

const char *ref_text(struct ctx *c, const struct vr_obj_type *t, uint32_t id,
		     char buf[REF_TEXT])
{
	const char *label = label_of(c, t, id);
	char *p;

	if (!id)
		snprintf(buf, REF_TEXT, "-");
	else if (label)
		snprintf(buf, REF_TEXT, "%u (%s)", id, label);
	else
		snprintf(buf, REF_TEXT, "%u", id);
	/* It may stand in a cell of several lines; a label makes none. */
	for (p = buf; *p; p++)
		if (*p == '\n')
			*p = '?';
	return buf;
}
