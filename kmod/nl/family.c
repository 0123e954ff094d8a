// SPDX-License-Identifier: GPL-2.0-only
/* The netlink family: registration, replies, the frame of a dump. */

#include <linux/module.h>
#include <linux/sizes.h>

#include "nl.h"

/* The generator makes its table of multicast groups static, so the generated
 * file is part of this one.
 */
#include "nl_gen.c"

#define VR_NL_MAX_REPLY	SZ_1M

/* The generated tables, with what the generator has no word for. */
static struct genl_ops ops[ARRAY_SIZE(vrouter_nl_ops)] __ro_after_init;
static struct genl_multicast_group groups[ARRAY_SIZE(vrouter_nl_mcgrps)] __ro_after_init;

/* parallel_ops: a handler is serialised by vr_net::lock of its own namespace,
 * so a long request holds up no other namespace and no other family.
 *
 * resv_start_op: the core would refuse NLM_F_CREATE, _EXCL and _REPLACE in
 * commands from there on.
 */
struct genl_family vr_nl_family __ro_after_init = {
	.name		= VROUTER_FAMILY_NAME,
	.version	= VROUTER_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= ops,
	.n_ops		= ARRAY_SIZE(ops),
	.resv_start_op	= VROUTER_CMD_SG_NEW + 1,
	.mcgrps		= groups,
	.n_mcgrps	= ARRAY_SIZE(groups),
};

int vr_nl_reply(struct genl_info *info, const struct vr_net *vn, u8 cmd, vr_nl_fill_fn fill,
		const void *obj)
{
	struct sk_buff *skb;
	size_t size;
	void *hdr;
	int err;

	for (size = SZ_4K; size <= VR_NL_MAX_REPLY; size *= 4) {
		/* just so much that the allocation has this size */
		skb = nlmsg_new(SKB_WITH_OVERHEAD(size) - NLMSG_HDRLEN, GFP_KERNEL | __GFP_NOWARN);
		if (!skb)
			return -ENOMEM;

		hdr = genlmsg_put_reply(skb, info, &vr_nl_family, 0, cmd);
		err = hdr ? fill(skb, vn, obj) : -EMSGSIZE;
		if (!err) {
			genlmsg_end(skb, hdr);
			return genlmsg_reply(skb, info);
		}
		nlmsg_free(skb);
		if (err != -EMSGSIZE)
			return err;
	}
	NL_SET_ERR_MSG(info->extack, "Too large for one message, use a dump");
	return -EMSGSIZE;
}

void *vr_nl_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				&vr_nl_family, NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

int vr_nl_dump_one(struct sk_buff *skb, struct netlink_callback *cb, const struct vr_net *vn,
		   u8 cmd, vr_nl_fill_fn fill, const void *obj)
{
	void *hdr = vr_nl_dump_put(skb, cb, cmd);
	int err;

	if (!hdr)
		return -EMSGSIZE;
	err = fill(skb, vn, obj);
	if (err) {
		genlmsg_cancel(skb, hdr);
		return err;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int vr_nl_dump_xa(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd,
		  struct xarray *(*table)(struct vr_net *vn), vr_nl_fill_fn fill)
{
	struct vr_net *vn = vr_nl_dump_net(cb);
	unsigned long *next = (void *)cb->ctx;
	struct xarray *xa = table(vn);
	unsigned long id;
	int err = 0;
	void *obj;

	mutex_lock(&vn->lock);
	cb->seq = vr_nl_dump_seq(vn);
	xa_for_each_start(xa, id, obj, *next) {
		err = vr_nl_dump_one(skb, cb, vn, cmd, fill, obj);
		if (err)
			break;
		*next = id + 1;
	}
	mutex_unlock(&vn->lock);
	return skb->len ?: err;
}

int vr_nl_dump_filters(struct netlink_callback *cb, unsigned int maxattr, u64 filters)
{
	struct nlattr **attrs = vr_dump_attrs(cb);
	unsigned int i;

	for (i = 1; i <= maxattr; i++) {
		if (!attrs[i] || filters & BIT_ULL(i))
			continue;
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[i], "Not a filter of this dump");
		return -EINVAL;
	}
	return 0;
}

/* What the generator cannot say: hooks of dumps, and who may join a group. */
static void __init complete_tables(void)
{
	unsigned int i;

	memcpy(ops, vrouter_nl_ops, sizeof(ops));
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		switch (ops[i].cmd) {
		case VROUTER_CMD_FLOW_GET:
			ops[i].start = vr_nl_flow_dump_start;
			ops[i].done = vr_nl_flow_dump_done;
			break;
		case VROUTER_CMD_SG_GET:
			ops[i].start = vr_nl_sg_dump_start;
			break;
		}
	}

	memcpy(groups, vrouter_nl_mcgrps, sizeof(groups));
	groups[VROUTER_NLGRP_FLOWS].flags = GENL_MCAST_CAP_NET_ADMIN;
	groups[VROUTER_NLGRP_DROPS].flags = GENL_MCAST_CAP_NET_ADMIN;
}

int __init vr_nl_init(void)
{
	int err;

	complete_tables();
	err = genl_register_family(&vr_nl_family);
	if (!err)
		vr_nl_notify_open();
	return err;
}

void vr_nl_exit(void)
{
	vr_nl_notify_close();
	genl_unregister_family(&vr_nl_family);
}
