// SPDX-License-Identifier: GPL-2.0-only
/* Security groups. Their rules are compiled by classify.c. */

#include <linux/slab.h>

#include "table.h"

void vr_sg_rules_free(struct vr_sg_rule *rules, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		kfree(rules[i].except);
		kfree(rules[i].label);
		rules[i].except = NULL;
		rules[i].label = NULL;
	}
}

static struct vr_ruleset *rules_of(struct vr_net *vn, struct vr_sg *sg)
{
	return rcu_dereference_protected(sg->rules, lockdep_is_held(&vn->lock));
}

/* All that adding needs but the rules, so that nothing can fail after they were
 * taken over. ERR_PTR.
 */
static struct vr_sg *sg_reserve(struct vr_net *vn, u32 id, struct netlink_ext_ack *extack)
{
	struct vr_sg *sg;
	int err;

	err = vr_take_of(vn, sgs, 1, "sgs", extack);
	if (err)
		return ERR_PTR(err);

	sg = kzalloc(sizeof(*sg), GFP_KERNEL_ACCOUNT);
	err = sg ? xa_reserve(&vn->sgs, id, GFP_KERNEL_ACCOUNT) : -ENOMEM;
	if (err) {
		kfree(sg);
		vr_give_of(vn, sgs, 1);
		return ERR_PTR(err);
	}
	sg->id = id;
	INIT_LIST_HEAD(&sg->vips);
	return sg;
}

static void sg_unreserve(struct vr_net *vn, struct vr_sg *sg)
{
	xa_release(&vn->sgs, sg->id);
	kfree(sg);
	vr_give_of(vn, sgs, 1);
}

/* Readers may see one before the other: each is right for some moment. */
static void set_head(struct vr_sg *sg, const struct vr_sg_cfg *cfg)
{
	WRITE_ONCE(sg->enforce, cfg->enforce);
	WRITE_ONCE(sg->tier, cfg->tier);
	WRITE_ONCE(sg->priority, cfg->priority);
}

static void replace(struct vr_net *vn, struct vr_sg *sg, struct vr_ruleset *rules,
		    const struct vr_sg_cfg *cfg)
{
	struct vr_ruleset *old;

	old = rcu_replace_pointer(sg->rules, rules, lockdep_is_held(&vn->lock));
	vr_give_of(vn, sg_rules, (int)vr_ruleset_len(old) - (int)vr_ruleset_len(rules));
	vr_ruleset_free_later(old);
	set_head(sg, cfg);
	vr_vif_sg_changed(vn, sg);
	vr_vip_sg_changed(vn, sg);
}

/* sg is what is there, or reserved. */
static int set_rules(struct vr_net *vn, struct vr_sg *sg, bool exists, struct vr_sg_cfg *cfg,
		     struct netlink_ext_ack *extack)
{
	struct vr_ruleset *rules;
	char *label;

	label = vr_label_dup(cfg->label);
	if (IS_ERR(label))
		return PTR_ERR(label);
	rules = vr_ruleset_build(cfg->rules, cfg->n_rules, extack);
	if (IS_ERR(rules)) {
		vr_label_free(label);
		return PTR_ERR(rules);
	}

	cfg->rules = NULL;
	vr_label_swap(&sg->label, label);
	if (exists) {
		replace(vn, sg, rules, cfg);
	} else {
		set_head(sg, cfg);
		RCU_INIT_POINTER(sg->rules, rules);
		xa_store(&vn->sgs, sg->id, sg, GFP_KERNEL_ACCOUNT);
	}
	return 0;
}

int vr_sg_set(struct vr_net *vn, struct vr_sg_cfg *cfg, u16 nlflags,
	      struct netlink_ext_ack *extack)
{
	int err, more = cfg->n_rules;
	struct vr_sg *sg;
	bool exists;

	lockdep_assert_held(&vn->lock);
	sg = xa_load(&vn->sgs, cfg->id);
	exists = sg;
	err = vr_check_flags(exists, nlflags, extack, "Security group %u", cfg->id);
	if (err)
		return err;
	if (exists && cfg->tier && !list_empty(&sg->vips)) {
		NL_SET_ERR_MSG_FMT(extack,
				   "Security group %u selects clients of vips, which have no tiers",
				   cfg->id);
		return -EBUSY;
	}
	if (exists)
		more -= (int)vr_ruleset_len(rules_of(vn, sg));
	err = vr_take_of(vn, sg_rules, more, "sg-rules", extack);
	if (err)
		return err;

	if (!exists) {
		sg = sg_reserve(vn, cfg->id, extack);
		if (IS_ERR(sg)) {
			err = PTR_ERR(sg);
			goto err_give;
		}
	}
	err = set_rules(vn, sg, exists, cfg, extack);
	if (err)
		goto err_unreserve;
	vr_net_bump(vn);
	return 0;

err_unreserve:
	if (!exists)
		sg_unreserve(vn, sg);
err_give:
	vr_give_of(vn, sg_rules, more);
	return err;
}

int vr_sg_del(struct vr_net *vn, u32 id, struct netlink_ext_ack *extack)
{
	struct vr_ruleset *rules;
	struct vr_sg *sg;

	lockdep_assert_held(&vn->lock);
	sg = xa_load(&vn->sgs, id);
	if (!sg) {
		NL_SET_ERR_MSG_FMT(extack, "Security group %u does not exist", id);
		return -ENOENT;
	}
	if (sg->users) {
		NL_SET_ERR_MSG_FMT(extack, "Security group %u is used by %u vifs and vips", id,
				   sg->users);
		return -EBUSY;
	}

	xa_erase(&vn->sgs, id);
	rules = rules_of(vn, sg);
	vr_give_of(vn, sg_rules, vr_ruleset_len(rules));
	vr_give_of(vn, sgs, 1);
	vr_ruleset_free_later(rules);
	vr_label_free(sg->label);
	kfree_rcu(sg, rcu);
	vr_net_bump(vn);
	return 0;
}
