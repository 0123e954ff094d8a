// SPDX-License-Identifier: GPL-2.0-only
/* Security groups over netlink. A group's rules may take several messages of a dump. */

#include <linux/sizes.h>

#include "nl.h"

#define ENFORCE_BOTH	(VROUTER_SG_FLAGS_INGRESS | VROUTER_SG_FLAGS_EGRESS)

static const struct vr_ruleset *rules_of(const struct vr_net *vn, const struct vr_sg *sg)
{
	return rcu_dereference_protected(sg->rules, lockdep_is_held(&vn->lock));
}

static int fill_head(struct sk_buff *skb, const struct vr_net *vn, const void *obj)
{
	const struct vr_sg *sg = obj;

	if (nla_put_u32(skb, VROUTER_A_SG_ID, sg->id) ||
	    vr_nl_put_label(skb, VROUTER_A_SG_LABEL, sg->label) ||
	    nla_put_u32(skb, VROUTER_A_SG_ENFORCE, sg->enforce) ||
	    nla_put_u32(skb, VROUTER_A_SG_RULES, vr_ruleset_len(rules_of(vn, sg))) ||
	    nla_put_u32(skb, VROUTER_A_SG_USERS, sg->users) ||
	    (sg->tier && (nla_put_u8(skb, VROUTER_A_SG_TIER, sg->tier) ||
			  nla_put_u16(skb, VROUTER_A_SG_PRIORITY, sg->priority))))
		return -EMSGSIZE;
	return 0;
}

/* The rules from *i on that fit. */
static int fill_rules(struct sk_buff *skb, const struct vr_ruleset *rs, unsigned int *i)
{
	for (; *i < vr_ruleset_len(rs); (*i)++)
		if (vr_nl_put_sg_rule(skb, rs, *i))
			return -EMSGSIZE;
	return 0;
}

static int fill(struct sk_buff *skb, const struct vr_net *vn, const void *obj)
{
	unsigned int i = 0;

	return fill_head(skb, vn, obj) ?: fill_rules(skb, rules_of(vn, obj), &i);
}

static struct vr_sg *find(struct vr_net *vn, struct genl_info *info)
{
	struct nlattr *id = info->attrs[VROUTER_A_SG_ID];
	struct vr_sg *sg = vr_sg_rcu(vn, nla_get_u32(id));

	if (!sg)
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, id, "Security group %u does not exist",
					nla_get_u32(id));
	return sg;
}

int vrouter_nl_sg_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_sg *sg;
	int err;

	err = vr_nl_require(info, VROUTER_A_SG_ID, "The security group's id");
	if (err)
		return err;

	mutex_lock(&vn->lock);
	sg = find(vn, info);
	err = sg ? vr_nl_reply(info, vn, VROUTER_CMD_SG_GET, fill, sg) : -ENOENT;
	mutex_unlock(&vn->lock);
	return err;
}

/* In cb->ctx: what is next, and which of its rules. */
struct cursor {
	unsigned long	id;
	unsigned int	rule;
};

int vr_nl_sg_dump_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = VR_NL_SG_MSG;
	return 0;
}

/* In one message, or in as many buffers as its rules fill. -EMSGSIZE: goes on in the next. */
static int dump_sg(struct sk_buff *skb, struct netlink_callback *cb, const struct vr_net *vn,
		   const struct vr_sg *sg, unsigned int *rule)
{
	unsigned int first = *rule;
	bool alone = !skb->len;
	void *hdr;
	int err;

	hdr = vr_nl_dump_put(skb, cb, VROUTER_CMD_SG_GET);
	if (!hdr)
		return -EMSGSIZE;

	err = fill_head(skb, vn, sg) ?: fill_rules(skb, rules_of(vn, sg), rule);
	if (err && (!alone || *rule == first)) {
		genlmsg_cancel(skb, hdr);
		*rule = first;
		return err;
	}
	genlmsg_end(skb, hdr);
	return err;
}

int vrouter_nl_sg_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *filter = vr_dump_attrs(cb)[VROUTER_A_SG_ID];
	struct vr_net *vn = vr_nl_dump_net(cb);
	struct cursor *c = (void *)cb->ctx;
	unsigned long id, last = ULONG_MAX;
	struct vr_sg *sg;
	int err = 0;

	if (filter) {
		last = nla_get_u32(filter);
		c->id = max(c->id, last);
	}

	mutex_lock(&vn->lock);
	cb->seq = vr_nl_dump_seq(vn);
	xa_for_each_range(&vn->sgs, id, sg, c->id, last) {
		if (id != c->id)
			c->rule = 0;
		c->id = id;
		err = dump_sg(skb, cb, vn, sg, &c->rule);
		if (err)
			break;
		c->id = id + 1;
		c->rule = 0;
	}
	mutex_unlock(&vn->lock);
	return skb->len ?: err;
}

static int parse_rules(struct genl_info *info, struct vr_sg_rule **list, unsigned int *n)
{
	struct vr_sg_rule *rules;
	unsigned int i = 0;
	struct nlattr *a;
	int err, rem;

	*list = NULL;
	*n = vr_nl_count(info, VROUTER_A_SG_RULE);
	if (!*n)
		return 0;
	if (*n > VR_SG_MAX_RULES) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[VROUTER_A_SG_RULE],
					"%u rules, at most %u are allowed", *n, VR_SG_MAX_RULES);
		return -E2BIG;
	}
	rules = kvmalloc_array(*n, sizeof(*rules), GFP_KERNEL_ACCOUNT);
	if (!rules)
		return -ENOMEM;

	nlmsg_for_each_attr(a, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(a) != VROUTER_A_SG_RULE)
			continue;
		err = vr_nl_sg_rule(a, &rules[i], info->extack);
		if (err) {
			vr_sg_rules_free(rules, i);
			kvfree(rules);
			return err;
		}
		i++;
	}
	*list = rules;
	return 0;
}

/* What only some tiers have. */
static int check_tier(struct genl_info *info, const struct vr_sg_cfg *cfg)
{
	const struct nlattr *priority = info->attrs[VROUTER_A_SG_PRIORITY];
	unsigned int i;

	if (cfg->tier && cfg->enforce) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[VROUTER_A_SG_ENFORCE],
				    "Groups of the tiers admin and baseline close nothing");
		return -EINVAL;
	}
	if (cfg->tier)
		return 0;
	if (priority) {
		NL_SET_ERR_MSG_ATTR(info->extack, priority,
				    "Only the tiers admin and baseline have priorities");
		return -EINVAL;
	}
	for (i = 0; i < cfg->n_rules; i++) {
		if (cfg->rules[i].action == VROUTER_SG_ACTION_ACCEPT)
			continue;
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[VROUTER_A_SG_RULE],
					"Rule %u: only the tiers admin and baseline deny or pass",
					i);
		return -EINVAL;
	}
	return 0;
}

int vrouter_nl_sg_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct vr_sg_cfg cfg = {};
	int err;

	err = vr_nl_require(info, VROUTER_A_SG_ID, "The security group's id") ?:
	      parse_rules(info, &cfg.rules, &cfg.n_rules);
	if (err)
		return err;

	cfg.id = nla_get_u32(info->attrs[VROUTER_A_SG_ID]);
	cfg.label = vr_nl_label(info->attrs[VROUTER_A_SG_LABEL]);
	cfg.tier = vr_nl_u8(info->attrs[VROUTER_A_SG_TIER], VROUTER_SG_TIER_NETWORK_POLICY);
	cfg.priority = vr_nl_u16(info->attrs[VROUTER_A_SG_PRIORITY], 0);
	cfg.enforce = vr_nl_u32(info->attrs[VROUTER_A_SG_ENFORCE], cfg.tier ? 0 : ENFORCE_BOTH);

	mutex_lock(&vn->lock);
	err = check_tier(info, &cfg) ?:
	      vr_sg_set(vn, &cfg, info->nlhdr->nlmsg_flags, info->extack);
	vr_nl_blame(info, VROUTER_A_SG_ID, err);
	if (!err)
		vr_nl_ntf_done(vn, vr_nl_ntf_new(vn, VROUTER_CMD_SG_NEW_NTF, fill, fill_head,
						 vr_sg_rcu(vn, cfg.id)), 0);
	mutex_unlock(&vn->lock);
	if (err && cfg.rules)
		vr_sg_rules_free(cfg.rules, cfg.n_rules);
	kvfree(cfg.rules);
	return err;
}

int vrouter_nl_sg_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vr_net *vn = vr_nl_net(info);
	struct sk_buff *ntf;
	struct vr_sg *sg;
	int err;

	err = vr_nl_require(info, VROUTER_A_SG_ID, "The security group's id");
	if (err)
		return err;

	mutex_lock(&vn->lock);
	sg = find(vn, info);
	if (sg) {
		ntf = vr_nl_ntf_new(vn, VROUTER_CMD_SG_DEL_NTF, fill, fill_head, sg);
		err = vr_sg_del(vn, sg->id, info->extack);
		vr_nl_blame(info, VROUTER_A_SG_ID, err);
		vr_nl_ntf_done(vn, ntf, err);
	} else {
		err = -ENOENT;
	}
	mutex_unlock(&vn->lock);
	return err;
}
