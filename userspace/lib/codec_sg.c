// SPDX-License-Identifier: GPL-2.0-only
/* Security groups and their rules. */

#include "codec.h"

#define RULE(word, a, type, flags, member)						\
	VR_FIELD(word, VROUTER_A_SG_RULE_##a, type, flags, struct vr_sg_rule, member)
#define RULE_OPT(word, a, type, member, has)						\
	VR_OPT_FIELD(word, VROUTER_A_SG_RULE_##a, type, 0, struct vr_sg_rule, member, has)

static const struct vr_field rule[] = {
	RULE("index", INDEX, VR_T_U32, VR_F_TOLD, index),
	RULE("direction", DIRECTION, VR_T_U8, VR_F_ALWAYS, direction),
	RULE("family", FAMILY, VR_T_U8, 0, family),
	RULE("proto", PROTO, VR_T_U8, 0, proto),
	RULE_OPT("port", PORT_MIN, VR_T_U16, port_min, has_ports),
	RULE_OPT("port", PORT_MAX, VR_T_U16, port_max, has_ports),
	RULE_OPT("icmp-type", ICMP_TYPE, VR_T_U8, icmp_type, has_icmp_type),
	RULE_OPT("icmp-code", ICMP_CODE, VR_T_U8, icmp_code, has_icmp_code),
	VR_NEST_FIELD("peer", VROUTER_A_SG_RULE_PEER_PREFIX, 0, struct vr_sg_rule, peer_prefix,
		      &vr_struct_prefix),
	VR_LIST_FIELD("except", VROUTER_A_SG_RULE_PEER_EXCEPT, VR_T_NESTS, VR_F_UNORDERED,
		      struct vr_sg_rule, except, n_except, &vr_struct_prefix),
	RULE("sg", PEER_SG, VR_T_U32, 0, peer_sg),
	RULE("label", LABEL, VR_T_STRING, 0, label),
	RULE("action", ACTION, VR_T_U8, 0, action),
	RULE("hits", HITS, VR_T_U64, VR_F_TOLD, hits),
};

static const struct vr_struct rule_struct = VR_STRUCT(rule, struct vr_sg_rule);

#define FIELD(word, a, type, flags, member)						\
	VR_FIELD(word, VROUTER_A_SG_##a, type, flags, struct vr_sg, member)

static const struct vr_field fields[] = {
	VR_LIST_FIELD("rule", VROUTER_A_SG_RULE, VR_T_NESTS, 0, struct vr_sg, rules, n_rules,
		      &rule_struct),
	FIELD("id", ID, VR_T_U32, VR_F_KEY, id),
	FIELD("label", LABEL, VR_T_STRING, 0, label),
	FIELD("enforce", ENFORCE, VR_T_U32, VR_F_ALWAYS, enforce),
	FIELD("tier", TIER, VR_T_U8, 0, tier),
	FIELD("priority", PRIORITY, VR_T_U16, 0, priority),
	FIELD("rules", RULES, VR_T_U32, VR_F_TOLD, rules_told),
	FIELD("users", USERS, VR_T_U32, VR_F_TOLD, users),
};

static const struct vr_field filter[] = {
	VR_FIELD("id", VROUTER_A_SG_ID, VR_T_U32, 0, struct vr_filter, id),
};

const struct vr_obj_type vr_type_sg = {
	.name	= "sg",
	.body	= VR_STRUCT(fields, struct vr_sg),
	.filter	= VR_FIELDS(filter),
	.get	= VROUTER_CMD_SG_GET,
	.new	= VROUTER_CMD_SG_NEW,
	.del	= VROUTER_CMD_SG_DEL,
	.split	= &fields[0],
	.split_told = offsetof(struct vr_sg, rules_told),
};
