// SPDX-License-Identifier: GPL-2.0-only
/* Messages to listeners: changes of objects, flows, drops. */

#include "nl.h"

/* The groups exist. Written once each way; senders read it under RCU. */
static bool open;

void vr_nl_notify_open(void)
{
	WRITE_ONCE(open, true);
}

void vr_nl_notify_close(void)
{
	WRITE_ONCE(open, false);
	synchronize_net();
}

bool vr_nl_listening(const struct vr_net *vn, unsigned int group)
{
	return READ_ONCE(open) && genl_has_listeners(&vr_nl_family, vn->net, group) > 0;
}

void vr_nl_multicast(const struct vr_net *vn, struct sk_buff *skb, unsigned int group)
{
	rcu_read_lock();
	if (READ_ONCE(open))
		genlmsg_multicast_netns(&vr_nl_family, vn->net, skb, 0, group, GFP_ATOMIC);
	else
		nlmsg_free(skb);
	rcu_read_unlock();
}

/* -EMSGSIZE when the attributes do not fit. */
static int build(const struct vr_net *vn, u8 cmd, vr_nl_fill_fn fill, const void *obj,
		 struct sk_buff **pskb)
{
	struct sk_buff *skb;
	void *hdr;
	int err;

	skb = nlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;

	hdr = genlmsg_put(skb, 0, 0, &vr_nl_family, 0, cmd);
	err = hdr ? fill(skb, vn, obj) : -EMSGSIZE;
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	genlmsg_end(skb, hdr);
	*pskb = skb;
	return 0;
}

struct sk_buff *vr_nl_ntf_new(const struct vr_net *vn, u8 cmd, vr_nl_fill_fn fill,
			      vr_nl_fill_fn brief, const void *obj)
{
	struct sk_buff *skb = NULL;
	int err;

	if (!vr_nl_listening(vn, VROUTER_NLGRP_OBJECTS))
		return NULL;

	err = build(vn, cmd, fill, obj, &skb);
	if (err == -EMSGSIZE && brief)
		err = build(vn, cmd, brief, obj, &skb);
	if (err)
		genl_set_err(&vr_nl_family, vn->net, 0, VROUTER_NLGRP_OBJECTS, -ENOBUFS);
	return skb;
}

void vr_nl_ntf_done(const struct vr_net *vn, struct sk_buff *skb, int err)
{
	if (!skb)
		return;
	if (err)
		nlmsg_free(skb);
	else
		vr_nl_multicast(vn, skb, VROUTER_NLGRP_OBJECTS);
}
