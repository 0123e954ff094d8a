// SPDX-License-Identifier: GPL-2.0-only
/* What setters have in common: request flags, labels, sentences with an address. */

#include <linux/slab.h>

#include "table.h"

int vr_check_flags(bool exists, u16 nlflags, struct netlink_ext_ack *extack,
		   const char *fmt, ...)
{
	bool refused = exists ? !(nlflags & NLM_F_REPLACE) : !(nlflags & NLM_F_CREATE);
	char name[48];
	va_list args;

	if (!refused)
		return 0;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	if (exists) {
		NL_SET_ERR_MSG_FMT(extack, "%s exists already", name);
		return -EEXIST;
	}
	NL_SET_ERR_MSG_FMT(extack, "%s does not exist", name);
	return -ENOENT;
}

/* A label may be read by a packet's trace, under RCU only. */
struct label {
	struct rcu_head	rcu;
	char		text[];
};

char *vr_label_dup(const char *label)
{
	struct label *l;
	size_t len;

	if (!label)
		return NULL;

	len = strlen(label) + 1;
	l = kmalloc(struct_size(l, text, len), GFP_KERNEL_ACCOUNT);
	if (!l)
		return ERR_PTR(-ENOMEM);
	memcpy(l->text, label, len);
	return l->text;
}

void vr_label_free(char *label)
{
	struct label *l;

	if (!label)
		return;
	l = container_of((char (*)[])label, struct label, text);
	kfree_rcu(l, rcu);
}

void vr_extack_addr(struct netlink_ext_ack *extack, u8 family, const union vr_addr *addr,
		    const char *text, u32 id)
{
	if (family == AF_INET)
		NL_SET_ERR_MSG_FMT(extack, "%pI4 %s %u", &addr->v4, text, id);
	else
		NL_SET_ERR_MSG_FMT(extack, "%pI6c %s %u", &addr->v6, text, id);
}
