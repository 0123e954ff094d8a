// SPDX-License-Identifier: GPL-2.0-only
/* vrctl drops */

#include "vrctl.h"

struct words {
	struct vr_filter filter;
	bool		all;
};

static void show_drop(struct ctx *c, const struct vr_drop *d)
{
	char number[VR_NAME_TEXT];

	out_row_begin(c->out);
	out_str(c->out, "reason", "REASON",
		d->name ? d->name : vr_name(vr_names_drop_reason, d->reason, number));
	out_num(c->out, "packets", "PACKETS", d->packets);
	out_str(c->out, "help", "MEANING", d->help);
	show_ref(c, "vif", NULL, &vr_type_vif, d->vif);
	out_row_end(c->out);
}

static int run_show(struct ctx *c, const struct verb *v, void *obj)
{
	const struct words *w = obj;
	const struct vr_drop *d;
	struct vr_list list;
	unsigned int i;

	(void)v;
	if (vr_dump(c->nl, &vr_type_drop, &w->filter, &list, &c->err))
		return refused(c);
	out_list_begin(c->out);
	for (i = 0; i < list.n; i++) {
		d = (const struct vr_drop *)list.objs + i;
		if (d->reason != VROUTER_DROP_REASON_NONE && (d->packets || w->all || c->all))
			show_drop(c, d);
	}
	out_list_end(c->out);
	vr_list_free(&list);
	return EXIT_OK;
}

static const struct arg show_args[] = {
	{ .word = "vif", .value = "VIF", .type = ARG_REF, .ref = &vr_type_vif,
	  .help = "only packets that entered by this interface",
	  ARG_AT(struct words, filter.vif) },
	{ .word = "all", .type = ARG_FLAG, .help = "also reasons that did not occur",
	  ARG_AT(struct words, all) },
	{ .word = "-a", .type = ARG_FLAG, .flags = ARG_HIDDEN, ARG_AT(struct words, all) },
};

static const struct verb verbs[] = {
	{ "show", "packets dropped, by reason", .args = ARG_TABLE(show_args, struct words),
	  .more = "vrouter(7) says what to do about each reason; \"vrctl monitor drops\" shows\n"
		  "the packets as they are dropped.\n", .run = run_show },
};

const struct object object_drops = { "drops", "why packets were dropped", VERBS(verbs) };
