// SPDX-License-Identifier: GPL-2.0-only
/* Events: changes of objects, flows and drops as they happen. */

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "nl_priv.h"

static const struct kind {
	const struct vr_obj_type *type;
	enum vr_group	group;
	uint8_t		new, del;	/* VROUTER_CMD_*_NTF; 0 = no such */
} kinds[] = {
	{ &vr_type_vrf, VR_GROUP_OBJECTS, VROUTER_CMD_VRF_NEW_NTF, VROUTER_CMD_VRF_DEL_NTF },
	{ &vr_type_vif, VR_GROUP_OBJECTS, VROUTER_CMD_VIF_NEW_NTF, VROUTER_CMD_VIF_DEL_NTF },
	{ &vr_type_nexthop, VR_GROUP_OBJECTS, VROUTER_CMD_NEXTHOP_NEW_NTF,
	  VROUTER_CMD_NEXTHOP_DEL_NTF },
	{ &vr_type_route, VR_GROUP_OBJECTS, VROUTER_CMD_ROUTE_NEW_NTF, VROUTER_CMD_ROUTE_DEL_NTF },
	{ &vr_type_vip, VR_GROUP_OBJECTS, VROUTER_CMD_VIP_NEW_NTF, VROUTER_CMD_VIP_DEL_NTF },
	{ &vr_type_sg, VR_GROUP_OBJECTS, VROUTER_CMD_SG_NEW_NTF, VROUTER_CMD_SG_DEL_NTF },
	{ &vr_type_flow, VR_GROUP_FLOWS, VROUTER_CMD_FLOW_NEW_NTF, VROUTER_CMD_FLOW_DEL_NTF },
	{ &vr_type_drop, VR_GROUP_DROPS, VROUTER_CMD_DROP_NTF, 0 },
};

/* Room for any of the structures. */
union any {
	struct vr_vrf vrf;
	struct vr_vif vif;
	struct vr_nexthop nexthop;
	struct vr_route route;
	struct vr_vip vip;
	struct vr_sg sg;
	struct vr_flow flow;
	struct vr_drop drop;
};

int vr_nl_join(struct vr_nl *nl, enum vr_group group, struct vr_err *e)
{
	unsigned int id = nl->groups[group];

	if (!id)
		return vr_err_set(e, ENOENT, "the kernel module has no such group of events");
	if (mnl_socket_setsockopt(nl->sk, NETLINK_ADD_MEMBERSHIP, &id, sizeof(id)) < 0)
		return vr_err_errno(e, errno, "listening to events");
	return 0;
}

static const struct kind *find_kind(uint8_t cmd)
{
	const struct kind *k;

	for (k = kinds; k < kinds + VR_ARRAY_SIZE(kinds); k++)
		if (cmd && (cmd == k->new || cmd == k->del))
			return k;
	return NULL;
}

static int take_event(const struct nlmsghdr *nlh, int (*fn)(const struct vr_event *ev, void *arg),
		      void *arg, struct vr_err *e)
{
	const struct kind *k = find_kind(vr_nl_cmd(nlh));
	struct vr_event ev = { 0 };
	union any obj = { 0 };
	const void *attrs;
	size_t len;
	int err;

	if (!k)
		return 0;	/* of a newer module */
	attrs = vr_nl_attrs(nlh, &len);
	err = vr_decode(&k->type->body, &obj, attrs, len, e);
	if (err) {
		vr_err_wrap(e, "an event of a %s cannot be read", k->type->name);
	} else {
		ev.group = k->group;
		ev.del = vr_nl_cmd(nlh) == k->del;
		ev.type = k->type;
		ev.obj = &obj;
		err = fn(&ev, arg);
	}
	vr_obj_free(k->type, &obj);
	return err;
}

int vr_nl_events(struct vr_nl *nl, int (*fn)(const struct vr_event *ev, void *arg), void *arg,
		 struct vr_err *e)
{
	const struct nlmsghdr *nlh;
	int len, err, n = 0;

	for (;;) {
		len = vr_nl_recv(nl, MSG_DONTWAIT, e);
		if (len == -EAGAIN)
			return n;
		if (len < 0)
			return len;
		for (nlh = (void *)nl->rx; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_type != nl->family)
				continue;
			err = take_event(nlh, fn, arg, e);
			if (err)
				return err;
			n++;
		}
	}
}
