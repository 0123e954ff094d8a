// SPDX-License-Identifier: GPL-2.0-only
/* Attributes from structures and structures from attributes, by tables. */

#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"

/* --- encoding ----------------------------------------------------------------- */

#define MAX_ATTR	UINT16_MAX	/* octets of one attribute with its header */

void vr_buf_free(struct vr_buf *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

static bool reserve(struct vr_buf *b, size_t n)
{
	size_t size = b->size ? b->size : 4096;
	char *data;

	if (b->err)
		return false;
	if (b->size - b->len >= n)
		return true;

	while (size - b->len < n)
		size *= 2;
	data = realloc(b->data, size);
	if (!data) {
		b->err = -ENOMEM;
		return false;
	}
	b->data = data;
	b->size = size;
	return true;
}

/* The message's header counts what libmnl put. */
static void update_len(struct vr_buf *b)
{
	b->len = b->msg + vr_buf_msg(b)->nlmsg_len;
}

void vr_buf_begin(struct vr_buf *b, uint16_t type, uint16_t flags, uint8_t cmd)
{
	struct genlmsghdr *g;
	struct nlmsghdr *nlh;

	if (!reserve(b, MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(*g))))
		return;

	b->msg = b->len;
	nlh = mnl_nlmsg_put_header(b->data + b->msg);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	g->cmd = cmd;
	g->version = VROUTER_FAMILY_VERSION;
	update_len(b);
}

void vr_buf_end(struct vr_buf *b)
{
	if (!b->err)
		b->len = b->msg + MNL_ALIGN(vr_buf_msg(b)->nlmsg_len);
}

static void put(struct vr_buf *b, uint16_t attr, const void *data, size_t len)
{
	if (len > MAX_ATTR - MNL_ATTR_HDRLEN) {
		if (!b->err)
			b->err = -EMSGSIZE;
		return;
	}
	if (!reserve(b, MNL_ATTR_HDRLEN + MNL_ALIGN(len)))
		return;
	mnl_attr_put(vr_buf_msg(b), attr, len, data);
	update_len(b);
}

static void put_nest(struct vr_buf *b, const struct vr_field *f, const void *obj)
{
	struct nlattr *nest;
	size_t start;

	if (!reserve(b, MNL_ATTR_HDRLEN))
		return;
	start = b->len;
	mnl_attr_nest_start(vr_buf_msg(b), f->attr);
	update_len(b);

	vr_encode(b, f->nest, obj, VR_PART_CONFIG);
	if (!b->err && b->len - start > MAX_ATTR)
		b->err = -EMSGSIZE;
	if (b->err)
		return;
	nest = (struct nlattr *)(b->data + start);	/* may have moved */
	mnl_attr_nest_end(vr_buf_msg(b), nest);
}

static void put_addr(struct vr_buf *b, uint16_t attr, const struct vr_addr *addr)
{
	put(b, attr, addr->b, vr_addr_octets(addr->family));
}

static bool is_wanted(const struct vr_field *f, enum vr_part part)
{
	switch (part) {
	case VR_PART_KEY:
		return f->flags & VR_F_KEY;
	case VR_PART_GETKEY:
		return f->flags & (VR_F_KEY | VR_F_GETKEY);
	case VR_PART_CONFIG:
		break;
	}
	return !(f->flags & VR_F_TOLD);
}

static void put_list(struct vr_buf *b, const struct vr_field *f, const void *obj)
{
	const char *element = *vr_pointer(obj, f);
	unsigned int i, n = *vr_count(obj, f);
	size_t size = vr_element_size(f);

	for (i = 0; i < n && !b->err; i++, element += size) {
		if (f->type == VR_T_U32S)
			put(b, f->attr, element, size);
		else if (f->type == VR_T_ADDRS)
			put_addr(b, f->attr, (const void *)element);
		else
			put_nest(b, f, element);
	}
}

static void put_field(struct vr_buf *b, const struct vr_field *f, const void *obj)
{
	const void *value = vr_at(obj, f->offset);
	const char *text;

	switch (f->type) {
	case VR_T_FLAG:
		put(b, f->attr, NULL, 0);
		break;
	case VR_T_STRING:
		text = *(char *const *)value;
		put(b, f->attr, text, strlen(text) + 1);
		break;
	case VR_T_NAME:
		put(b, f->attr, value, strnlen(value, vr_element_size(f) - 1) + 1);
		break;
	case VR_T_ADDR:
		put_addr(b, f->attr, value);
		break;
	case VR_T_NEST:
		put_nest(b, f, value);
		break;
	default:
		put(b, f->attr, value, vr_element_size(f));
	}
}

void vr_encode(struct vr_buf *b, const struct vr_struct *s, const void *obj, enum vr_part part)
{
	const struct vr_field *f;
	bool there;

	for (f = s->fields; f < s->fields + s->n && !b->err; f++) {
		if (!is_wanted(f, part))
			continue;
		if (f->type >= VR_T_U32S) {
			put_list(b, f, obj);
			continue;
		}
		if (f->flags & VR_F_OPT)
			there = *(bool *)vr_at(obj, f->with);
		else
			there = !vr_is_zero(vr_at(obj, f->offset), vr_element_size(f));
		if (there || f->flags & VR_F_ALWAYS)
			put_field(b, f, obj);
	}
}

/* --- decoding ------------------------------------------------------------------ */

static int bad_length(const struct vr_field *f, const struct nlattr *a, struct vr_err *e)
{
	return vr_err_set(e, EBADMSG, "%s: an attribute of %u octets", f->name,
			  mnl_attr_get_payload_len(a));
}

static int get_string(const struct vr_field *f, char **value, const struct nlattr *a,
		      struct vr_err *e)
{
	size_t len = mnl_attr_get_payload_len(a);
	const char *text = mnl_attr_get_payload(a);
	char *copy;

	if (strnlen(text, len) == len)
		return vr_err_set(e, EBADMSG, "%s: a string without end", f->name);
	copy = strdup(text);
	if (!copy)
		return vr_err_nomem(e);
	free(*value);
	*value = copy;
	return 0;
}

static int get_addr(const struct vr_field *f, struct vr_addr *addr, const struct nlattr *a,
		    struct vr_err *e)
{
	size_t len = mnl_attr_get_payload_len(a);

	if (len != 4 && len != 16)
		return bad_length(f, a, e);
	memset(addr, 0, sizeof(*addr));
	addr->family = len == 4 ? AF_INET : AF_INET6;
	memcpy(addr->b, mnl_attr_get_payload(a), len);
	return 0;
}

static int get_nest(const struct vr_field *f, void *value, const struct nlattr *a,
		    struct vr_err *e)
{
	int err = vr_decode(f->nest, value, mnl_attr_get_payload(a), mnl_attr_get_payload_len(a),
			    e);

	return err ? vr_err_wrap(e, "%s", f->name) ?: err : 0;
}

static int get_fixed(const struct vr_field *f, void *value, const struct nlattr *a,
		     struct vr_err *e)
{
	size_t size = vr_element_size(f);

	if (mnl_attr_get_payload_len(a) != size)
		return bad_length(f, a, e);
	memcpy(value, mnl_attr_get_payload(a), size);
	return 0;
}

static int get_name(const struct vr_field *f, char *value, const struct nlattr *a,
		    struct vr_err *e)
{
	size_t len = mnl_attr_get_payload_len(a);
	const char *text = mnl_attr_get_payload(a);
	size_t n = strnlen(text, len);

	if (n == len || n >= vr_element_size(f))
		return bad_length(f, a, e);
	memset(value, 0, vr_element_size(f));
	memcpy(value, text, n);
	return 0;
}

static int get_element(const struct vr_field *f, void *value, const struct nlattr *a,
		       struct vr_err *e)
{
	switch (f->type) {
	case VR_T_STRING:
		return get_string(f, value, a, e);
	case VR_T_NAME:
		return get_name(f, value, a, e);
	case VR_T_ADDR:
	case VR_T_ADDRS:
		return get_addr(f, value, a, e);
	case VR_T_NEST:
	case VR_T_NESTS:
		return get_nest(f, value, a, e);
	}
	return get_fixed(f, value, a, e);
}

static int get_field(const struct vr_field *f, void *obj, const struct nlattr *a,
		     struct vr_err *e)
{
	void *value = vr_at(obj, f->offset);

	if (f->type >= VR_T_U32S) {
		value = vr_list_grow(f, obj);
		if (!value)
			return vr_err_nomem(e);
	} else if (f->flags & VR_F_OPT) {
		*(bool *)vr_at(obj, f->with) = true;
	}
	if (f->type == VR_T_FLAG) {
		*(bool *)value = true;
		return 0;
	}
	return get_element(f, value, a, e);
}

static const struct vr_field *find_field(const struct vr_struct *s, uint16_t attr)
{
	const struct vr_field *f;

	for (f = s->fields; f < s->fields + s->n; f++)
		if (f->attr == attr)
			return f;
	return NULL;
}

int vr_decode(const struct vr_struct *s, void *obj, const void *attrs, size_t len,
	      struct vr_err *e)
{
	const struct vr_field *f;
	const struct nlattr *a;
	int err;

	vr_for_each_attr(a, attrs, len) {
		f = find_field(s, mnl_attr_get_type(a));
		if (!f)
			continue;
		err = get_field(f, obj, a, e);
		if (err)
			return err;
	}
	if (!vr_attrs_ok(a, attrs, len))
		return vr_err_set(e, EBADMSG, "truncated attributes");
	return 0;
}
