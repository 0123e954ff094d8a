// SPDX-License-Identifier: GPL-2.0-only
/* Requests for one object. */

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "nl_priv.h"

uint16_t vr_nl_set_flags(const struct vr_obj_type *t, enum vr_set_mode mode)
{
	if (t == &vr_type_limits)
		return 0;
	switch (mode) {
	case VR_ADD:
		return NLM_F_CREATE | NLM_F_EXCL;
	case VR_REPLACE:
		return NLM_F_REPLACE;
	case VR_SET:
		break;
	}
	return NLM_F_CREATE | NLM_F_REPLACE;
}

/* What an answer is decoded into. */
struct answer {
	const struct vr_struct	*s;
	void			*obj;
	bool			seen;
};

static int take_answer(const struct nlmsghdr *nlh, void *arg, struct vr_err *e)
{
	struct answer *an = arg;
	const void *attrs;
	size_t len;
	int err;

	attrs = vr_nl_attrs(nlh, &len);
	if (an->seen)
		vr_struct_free(an->s, an->obj);
	an->seen = true;
	err = vr_decode(an->s, an->obj, attrs, len, e);
	if (!err)
		return 0;
	vr_err_wrap(e, "the kernel's answer cannot be read");
	return err;
}

/* The request is in nl->tx. On success *obj is the answer. */
static int ask(struct vr_nl *nl, const struct vr_struct *request, const struct vr_struct *s,
	       void *obj, struct vr_err *e)
{
	struct answer an = { .s = s, .obj = obj };
	int err;

	memset(obj, 0, s->size);
	err = vr_nl_talk(nl, request, take_answer, &an, NULL, e);
	if (!err && !an.seen)
		err = vr_err_set(e, ENOENT, "the kernel has no answer");
	if (err)
		vr_struct_free(s, obj);
	return err;
}

int vr_get(struct vr_nl *nl, const struct vr_obj_type *t, const void *key, void *obj,
	   struct vr_err *e)
{
	vr_nl_begin(nl, 0, t->get);
	if (key)
		vr_encode(&nl->tx, &t->body, key, VR_PART_GETKEY);
	return ask(nl, &t->body, &t->body, obj, e);
}

int vr_route_lookup(struct vr_nl *nl, uint32_t vrf, const struct vr_addr *addr,
		    struct vr_route *route, struct vr_err *e)
{
	struct vr_route key = { .vrf = vrf, .prefix = { .addr = *addr } };

	vr_nl_begin(nl, 0, vr_type_route.get);
	vr_encode(&nl->tx, &vr_struct_lookup, &key, VR_PART_CONFIG);
	return ask(nl, &vr_struct_lookup, &vr_type_route.body, route, e);
}

int vr_set(struct vr_nl *nl, const struct vr_obj_type *t, const void *obj, enum vr_set_mode mode,
	   struct vr_err *e)
{
	vr_nl_begin(nl, vr_nl_set_flags(t, mode), t->new);
	vr_encode(&nl->tx, &t->body, obj, VR_PART_CONFIG);
	return vr_nl_talk(nl, &t->body, NULL, NULL, NULL, e);
}

int vr_del(struct vr_nl *nl, const struct vr_obj_type *t, const void *key, struct vr_err *e)
{
	vr_nl_begin(nl, 0, t->del);
	vr_encode(&nl->tx, &t->body, key, VR_PART_KEY);
	return vr_nl_talk(nl, &t->body, NULL, NULL, NULL, e);
}

int vr_limits_set(struct vr_nl *nl, const struct vr_limits *limits, struct vr_err *e)
{
	return vr_set(nl, &vr_type_limits, limits, VR_SET, e);
}

long vr_flow_flush(struct vr_nl *nl, const struct vr_flow_filter *filter, struct vr_err *e)
{
	const struct vr_struct *request = &vr_type_flow.filter;
	uint32_t flushed;
	int err;

	vr_nl_begin(nl, 0, vr_type_flow.del);
	if (filter)
		vr_encode(&nl->tx, request, filter, VR_PART_CONFIG);
	err = ask(nl, request, &vr_struct_flushed, &flushed, e);
	return err ? err : (long)flushed;
}
