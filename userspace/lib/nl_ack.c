// SPDX-License-Identifier: GPL-2.0-only
/* Acknowledgements: the kernel's sentence, and which attribute it is about. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nl_priv.h"

#define PATH_TEXT 128

/* What an acknowledgement says besides its number. */
struct extack {
	const char	*msg;
	size_t		msg_len;
	uint32_t	offset;		/* of the attribute, in the request; 0 = none */
	uint32_t	missing;	/* type of an attribute; 0 = none */
	uint32_t	nest;		/* where it is missing, offset; 0 = the top */
};

static uint32_t get_u32(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) == sizeof(uint32_t) ? mnl_attr_get_u32(a) : 0;
}

static void parse_extack(const void *attrs, size_t len, struct extack *x)
{
	const struct nlattr *a;

	vr_for_each_attr(a, attrs, len) {
		switch (mnl_attr_get_type(a)) {
		case NLMSGERR_ATTR_MSG:
			x->msg = mnl_attr_get_payload(a);
			x->msg_len = strnlen(x->msg, mnl_attr_get_payload_len(a));
			break;
		case NLMSGERR_ATTR_OFFS:
			x->offset = get_u32(a);
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			x->missing = get_u32(a);
			break;
		case NLMSGERR_ATTR_MISS_NEST:
			x->nest = get_u32(a);
			break;
		}
	}
}

static const struct vr_field *field_of(const struct vr_struct *s, unsigned int attr)
{
	const struct vr_field *f;

	for (f = s->fields; f < s->fields + s->n; f++)
		if (f->attr == attr)
			return f;
	return NULL;
}

static size_t append(char *path, size_t n, const char *dot, const char *name)
{
	int k = snprintf(path + n, PATH_TEXT - n, "%s%s", n && *name ? dot : "", name);

	return k < 0 || n + k >= PATH_TEXT ? PATH_TEXT - 1 : n + k;
}

/* Appends the name of the attribute at offset from msg, and of those that it
 * is in: "rule[3].except". *s becomes the set of the last nest entered.
 */
static size_t name_at(char *path, size_t n, const char *msg, const void *attrs, size_t len,
		      uint32_t offset, const struct vr_struct **s)
{
	const struct vr_field *f;
	const struct nlattr *a;
	unsigned int index = 0;
	const char *start;
	char number[16];

	vr_for_each_attr(a, attrs, len) {
		start = (const char *)a;
		f = field_of(*s, mnl_attr_get_type(a));
		if (msg + offset >= start + a->nla_len) {
			const struct nlattr *next = mnl_attr_next(a);

			if (f && mnl_attr_ok(next, (int)((const char *)attrs + len -
							 (const char *)next)) &&
			    mnl_attr_get_type(next) == f->attr)
				index++;
			else
				index = 0;
			continue;
		}
		if (!f || msg + offset < start)
			return n;

		n = append(path, n, ".", f->name);
		if (f->type >= VR_T_U32S) {
			snprintf(number, sizeof(number), "[%u]", index);
			n = append(path, n, "", number);
		}
		if (!f->nest)
			return n;
		*s = f->nest;
		if (msg + offset == start)
			return n;
		return name_at(path, n, msg, mnl_attr_get_payload(a), mnl_attr_get_payload_len(a),
			       offset, s);
	}
	return n;
}

static void name_attr(char path[PATH_TEXT], const struct extack *x,
		      const struct nlmsghdr *request, const struct vr_struct *s)
{
	uint32_t offset = x->missing ? x->nest : x->offset;
	const struct vr_field *f;
	const void *attrs;
	size_t len, n = 0;

	path[0] = '\0';
	attrs = vr_nl_attrs(request, &len);
	if (offset)
		n = name_at(path, 0, (const char *)request, attrs, len, offset, &s);
	if (!x->missing)
		return;
	f = field_of(s, x->missing);
	if (f)
		append(path, n, ".", f->name);
}

static int set_error(int err, const struct extack *x, const struct nlmsghdr *request,
		     const struct vr_struct *s, struct vr_err *e)
{
	char path[PATH_TEXT] = "";

	if (!e)
		return -err;
	if (s && (x->offset || x->missing))
		name_attr(path, x, request, s);
	if (x->msg)
		vr_err_set(e, err, "%.*s", (int)x->msg_len, x->msg);
	else if (x->missing)
		vr_err_set(e, err, "A required attribute is missing");
	else
		vr_err_set(e, err, "%s", strerror(err));
	if (path[0])
		snprintf(e->text + strlen(e->text), sizeof(e->text) - strlen(e->text), " (%s)",
			 path);
	return -err;
}

/* NLMSG_DONE has the number, and attributes after it. */
static int parse_done(const struct nlmsghdr *nlh, int *err, struct extack *x)
{
	size_t len = mnl_nlmsg_get_payload_len(nlh);

	if (len < sizeof(int))
		return -EBADMSG;
	memcpy(err, mnl_nlmsg_get_payload(nlh), sizeof(*err));
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		parse_extack((const char *)mnl_nlmsg_get_payload(nlh) + sizeof(int),
			     len - sizeof(int), x);
	return 0;
}

/* NLMSG_ERROR has the number, the request or its header, and attributes after it. */
static int parse_error(const struct nlmsghdr *nlh, int *err, struct extack *x)
{
	const struct nlmsgerr *msg = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	size_t skip = sizeof(*msg);

	if (len < sizeof(*msg))
		return -EBADMSG;
	*err = msg->error;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return 0;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && msg->msg.nlmsg_len > sizeof(msg->msg))
		skip += MNL_ALIGN(msg->msg.nlmsg_len - sizeof(msg->msg));
	if (skip < len)
		parse_extack((const char *)msg + skip, len - skip, x);
	return 0;
}

int vr_nl_ack(const struct nlmsghdr *nlh, const struct nlmsghdr *request,
	      const struct vr_struct *s, struct vr_err *e)
{
	struct extack x = { 0 };
	int bad, err = 0;

	if (nlh->nlmsg_type == NLMSG_DONE)
		bad = parse_done(nlh, &err, &x);
	else
		bad = parse_error(nlh, &err, &x);
	if (bad)
		return vr_err_set(e, -bad, "the kernel's answer is cut short");
	if (err >= 0)
		return 0;
	return set_error(-err, &x, request, s, e);
}
