/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_NL_H
#define VR_NL_H

/*
 * How the module is told: the generic netlink family of uapi/vrouter.yaml.
 *
 * A request is turned into a *_cfg structure that is right in itself (types,
 * ranges, no contradictions), without a lock. Only then vr_net::lock is taken
 * (after the RTNL, where a device is needed) and the structure given to table/.
 *
 * Each object has one fill function, which puts its attributes into a message
 * and returns -EMSGSIZE when they do not fit. Replies, dumps and notifications
 * all use it. They run under vr_net::lock, where nothing else is said.
 */

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/genetlink.h>

#include "../table/table.h"
#include "nl_gen.h"

extern struct genl_family vr_nl_family;

/* --- family.c ------------------------------------------------------------ */

int vr_nl_init(void);		/* last of the module's init: user space can reach it now */
void vr_nl_exit(void);		/* first of its exit; returns when no handler runs */

/* Puts the attributes of an object, -EMSGSIZE when they do not fit. */
typedef int (*vr_nl_fill_fn)(struct sk_buff *skb, const struct vr_net *vn, const void *obj);

/* Answers a request with one message, as large as it must be up to 1 MiB. */
int vr_nl_reply(struct genl_info *info, const struct vr_net *vn, u8 cmd, vr_nl_fill_fn fill,
		const void *obj);

/* Starts a message of a dump, NULL when not even its header fits. */
void *vr_nl_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);
/* One object as one message of a dump. */
int vr_nl_dump_one(struct sk_buff *skb, struct netlink_callback *cb, const struct vr_net *vn,
		   u8 cmd, vr_nl_fill_fn fill, const void *obj);
/* Dumps an xarray of objects, in order of id; the cursor is in cb->ctx. */
int vr_nl_dump_xa(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd,
		  struct xarray *(*table)(struct vr_net *vn), vr_nl_fill_fn fill);
/* Refuses every attribute of a dump's request but those of the mask BIT_ULL(attribute). */
int vr_nl_dump_filters(struct netlink_callback *cb, unsigned int maxattr, u64 filters);

static inline struct vr_net *vr_nl_net(struct genl_info *info)
{
	return vr_net(genl_info_net(info));
}

static inline struct vr_net *vr_nl_dump_net(const struct netlink_callback *cb)
{
	return vr_net(sock_net(cb->skb->sk));
}

/* For cb->seq; 0 would mean that nothing was dumped yet. */
static inline u32 vr_nl_dump_seq(const struct vr_net *vn)
{
	return vn->gen ?: 1;
}

/* --- notify.c ------------------------------------------------------------ */

void vr_nl_notify_open(void);	/* family.c: the groups are there */
void vr_nl_notify_close(void);	/* nothing is sent after it returns; sleeps */

/* Does anybody want messages of the group (VROUTER_NLGRP_*)? Any context. */
bool vr_nl_listening(const struct vr_net *vn, unsigned int group);

/* A message for the group "objects", NULL when nobody listens or there is no
 * memory (listeners are told of that). "brief" is used when "fill" is too
 * large; it may be NULL. Process context.
 */
struct sk_buff *vr_nl_ntf_new(const struct vr_net *vn, u8 cmd, vr_nl_fill_fn fill,
			      vr_nl_fill_fn brief, const void *obj);
/* Sends it, or frees it when err tells that what it says did not happen. NULL is fine. */
void vr_nl_ntf_done(const struct vr_net *vn, struct sk_buff *skb, int err);
/* Sends a message to a group. Consumes skb. Any context. */
void vr_nl_multicast(const struct vr_net *vn, struct sk_buff *skb, unsigned int group);

/* --- attr.c: attributes that several objects have ------------------------- */

/* A missing attribute is named in the extack; "what" begins the sentence. */
int vr_nl_require(struct genl_info *info, int attr, const char *what);
int vr_nl_require_in(struct netlink_ext_ack *extack, const struct nlattr *nest,
		     struct nlattr **tb, int attr, const char *what);
/* Refuses an attribute that does not belong to this kind of object. */
int vr_nl_refuse(struct genl_info *info, int attr, const char *why);

/* Do all objects exist that attributes of a type name by id? "what" begins the
 * sentence. Under vr_net::lock. -ENOENT.
 */
int vr_nl_exist(struct genl_info *info, int type, struct xarray *table, const char *what);
/* Blames an attribute, by default the object's key, for what table/ refused. Returns err. */
int vr_nl_blame(struct genl_info *info, int attr, int err);

static inline u32 vr_nl_u32(const struct nlattr *a, u32 absent)
{
	return a ? nla_get_u32(a) : absent;
}

static inline u16 vr_nl_u16(const struct nlattr *a, u16 absent)
{
	return a ? nla_get_u16(a) : absent;
}

static inline u8 vr_nl_u8(const struct nlattr *a, u8 absent)
{
	return a ? nla_get_u8(a) : absent;
}

/* NULL for none and for an empty one. Lives as long as the message. */
const char *vr_nl_label(const struct nlattr *a);
/* Any address; the family follows from the length. */
int vr_nl_addr(const struct nlattr *a, u8 *family, union vr_addr *addr,
	       struct netlink_ext_ack *extack);
/* An address that one host can have. */
int vr_nl_unicast(const struct nlattr *a, u8 *family, union vr_addr *addr,
		  struct netlink_ext_ack *extack);
int vr_nl_prefix(const struct nlattr *addr, const struct nlattr *len, struct vr_prefix *prefix,
		 struct netlink_ext_ack *extack);
unsigned int vr_nl_count(struct genl_info *info, int type);
/* All attributes of a type as an array, NULL for none; kvfree() it. -E2BIG, -EINVAL. */
int vr_nl_unicasts(struct genl_info *info, int type, unsigned int max,
		   struct vr_addr_af **list, unsigned int *n);
int vr_nl_ids(struct genl_info *info, int type, unsigned int max, u32 **list,
	      unsigned int *n);	/* sorted */

static inline unsigned int vr_addr_len(u8 family)
{
	return family == AF_INET ? sizeof(__be32) : sizeof(struct in6_addr);
}

int vr_nl_put_addr(struct sk_buff *skb, int type, u8 family, const union vr_addr *addr);
int vr_nl_put_label(struct sk_buff *skb, int type, const char *label);
int vr_nl_put_counters(struct sk_buff *skb, int type,
		       const struct vr_pcpu_counters __percpu *pc, const u64 *drops);

/* vrouter.h's tuple of an echo request or reply has the identifier in both
 * ports. uapi's has it in sport, and "icmp" (type << 8 | code) in dport.
 */
int vr_nl_put_tuple(struct sk_buff *skb, int type, const struct vr_tuple *t, int icmp);
static inline u16 vr_icmp_request(u8 family)	/* type << 8 | code */
{
	return (family == AF_INET ? ICMP_ECHO : ICMPV6_ECHO_REQUEST) << 8;
}

static inline u16 vr_icmp_reply(u8 family)
{
	return (family == AF_INET ? ICMP_ECHOREPLY : ICMPV6_ECHO_REPLY) << 8;
}

static inline u8 vr_icmp_proto(u8 family)
{
	return family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

static inline bool vr_is_icmp(u8 proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

/* --- flow_nl.c ----------------------------------------------------------- */

int vr_nl_fill_flow(struct sk_buff *skb, const struct vr_net *vn, const void *flow); /* RCU */
int vr_nl_flow_dump_start(struct netlink_callback *cb);
int vr_nl_flow_dump_done(struct netlink_callback *cb);

/* --- sg_nl.c, sg_rule_nl.c ------------------------------------------------ */

/* A message that has room for the largest rule. */
#define VR_NL_SG_MSG	SZ_16K
int vr_nl_sg_dump_start(struct netlink_callback *cb);
/* What the rule owns is allocated; on error nothing is left. */
int vr_nl_sg_rule(const struct nlattr *nest, struct vr_sg_rule *rule,
		  struct netlink_ext_ack *extack);
int vr_nl_put_sg_rule(struct sk_buff *skb, const struct vr_ruleset *rs, unsigned int i);

/* --- vif_nl.c ------------------------------------------------------------ */

/* Tells listeners of a vif, cmd = VROUTER_CMD_VIF_NEW_NTF or _VIF_DEL_NTF.
 * table/vif.c calls it when a device went away, while the vif still has its
 * device and configuration. Under vr_net::lock.
 */
void vr_nl_notify_vif(struct vr_net *vn, const struct vr_vif *vif, u8 cmd);

#endif
