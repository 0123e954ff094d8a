// SPDX-License-Identifier: GPL-2.0-only
/* Bounds and time-outs over netlink, of the namespace or of the module. */

#include "nl.h"

/* Writers of vr_global::limits; a namespace's are under its vr_net::lock. */
static DEFINE_MUTEX(global_lock);

struct field {
	u16	limit;		/* offset in struct vr_limits */
	s16	used;		/* offset in struct vr_usage, -1 = no such */
	bool	global;		/* the module has one too */
};

#define BOUND(name) {							\
	offsetof(struct vr_limits, name), offsetof(struct vr_usage, name), true }
#define PER_NET(name) { offsetof(struct vr_limits, name), -1, false }

/* By attribute */
static const struct field fields[VROUTER_A_LIMITS_MAX + 1] = {
	[VROUTER_A_LIMITS_FLOWS]		= BOUND(flows),
	[VROUTER_A_LIMITS_FLOWS_PER_VIF]	= PER_NET(flows_per_vif),
	[VROUTER_A_LIMITS_HALF_OPEN_PER_VIF]	= PER_NET(half_open_per_vif),
	[VROUTER_A_LIMITS_VRFS]			= BOUND(vrfs),
	[VROUTER_A_LIMITS_VIFS]			= BOUND(vifs),
	[VROUTER_A_LIMITS_NEXTHOPS]		= BOUND(nexthops),
	[VROUTER_A_LIMITS_MEMBERS]		= BOUND(members),
	[VROUTER_A_LIMITS_ROUTES]		= BOUND(routes),
	[VROUTER_A_LIMITS_VIPS]			= BOUND(vips),
	[VROUTER_A_LIMITS_SGS]			= BOUND(sgs),
	[VROUTER_A_LIMITS_SG_RULES]		= BOUND(sg_rules),
	[VROUTER_A_LIMITS_AFFINITIES]		= BOUND(affinities),
	[VROUTER_A_LIMITS_TIMEOUT_NEW]		= PER_NET(t_new),
	[VROUTER_A_LIMITS_TIMEOUT_TCP_SYN]	= PER_NET(t_tcp_syn),
	[VROUTER_A_LIMITS_TIMEOUT_TCP_ESTABLISHED] = PER_NET(t_tcp_established),
	[VROUTER_A_LIMITS_TIMEOUT_TCP_HALF_CLOSED] = PER_NET(t_tcp_half_closed),
	[VROUTER_A_LIMITS_TIMEOUT_TCP_CLOSED]	= PER_NET(t_tcp_closed),
	[VROUTER_A_LIMITS_TIMEOUT_UDP]		= PER_NET(t_udp),
	[VROUTER_A_LIMITS_TIMEOUT_SCTP]		= PER_NET(t_sctp),
	[VROUTER_A_LIMITS_TIMEOUT_ICMP]		= PER_NET(t_icmp),
	[VROUTER_A_LIMITS_FRAGMENT_BYTES]	= BOUND(fragment_bytes),
	[VROUTER_A_LIMITS_TIMEOUT_FRAGMENT]	= PER_NET(t_fragment),
	[VROUTER_A_LIMITS_TCP_MSS]		= PER_NET(tcp_mss),
};

#define FIRST	VROUTER_A_LIMITS_FLOWS
#define LAST	VROUTER_A_LIMITS_TCP_MSS

/* "used", which is among them, is none */
#define for_each_limit(attr)							\
	for ((attr) = FIRST; (attr) <= LAST; (attr)++)				\
		if ((attr) != VROUTER_A_LIMITS_USED)

static u32 *limit_of(struct vr_limits *limits, int attr)
{
	return (void *)limits + fields[attr].limit;
}

static int put_used(struct sk_buff *skb, const struct vr_usage *used)
{
	struct nlattr *nest = nla_nest_start(skb, VROUTER_A_LIMITS_USED);
	const atomic_t *n;
	int attr;

	if (!nest)
		return -EMSGSIZE;
	for_each_limit(attr) {
		if (fields[attr].used < 0)
			continue;
		n = (const void *)used + fields[attr].used;
		if (nla_put_u32(skb, attr, atomic_read(n)))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_limits(struct sk_buff *skb, const struct vr_limits *limits, bool global)
{
	int attr;

	for_each_limit(attr) {
		if (global && !fields[attr].global)
			continue;
		if (nla_put_u32(skb, attr, READ_ONCE(*limit_of((void *)limits, attr))))
			return -EMSGSIZE;
	}
	return 0;
}

static int fill(struct sk_buff *skb, const struct vr_net *vn, const void *obj)
{
	bool global = *(const bool *)obj;

	if (global)
		return nla_put_flag(skb, VROUTER_A_LIMITS_GLOBAL) ?:
		       put_limits(skb, &vr_global.limits, true) ?:
		       put_used(skb, &vr_global.used);

	return put_limits(skb, &vn->limits, false) ?: put_used(skb, &vn->used);
}

int vrouter_nl_limits_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	bool global = nla_get_flag(info->attrs[VROUTER_A_LIMITS_GLOBAL]);

	return vr_nl_reply(info, vr_nl_net(info), VROUTER_CMD_LIMITS_GET, fill, &global);
}

static int check_global(struct genl_info *info)
{
	int attr, err;

	if (!net_eq(genl_info_net(info), &init_net)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VROUTER_A_LIMITS_GLOBAL],
				    "Only the initial network namespace may set the module's limits");
		return -EPERM;
	}
	for_each_limit(attr) {
		if (fields[attr].global)
			continue;
		err = vr_nl_refuse(info, attr, "The module as a whole has no such limit");
		if (err)
			return err;
	}
	return 0;
}

static void set_limits(struct genl_info *info, struct vr_limits *limits)
{
	int attr;

	for_each_limit(attr)
		if (info->attrs[attr])
			WRITE_ONCE(*limit_of(limits, attr), nla_get_u32(info->attrs[attr]));
}

int vrouter_nl_limits_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	int err;

	if (nla_get_flag(info->attrs[VROUTER_A_LIMITS_GLOBAL])) {
		err = check_global(info);
		if (err)
			return err;
		mutex_lock(&global_lock);
		set_limits(info, &vr_global.limits);
		mutex_unlock(&global_lock);
		return 0;
	}

	mutex_lock(&vn->lock);
	set_limits(info, &vn->limits);
	mutex_unlock(&vn->lock);
	return 0;
}
