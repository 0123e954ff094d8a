// SPDX-License-Identifier: GPL-2.0-only
/* vrctl stats */

#include "vrctl.h"

static void line(struct ctx *c, const char *key, uint64_t value, const char *meaning)
{
	if (out_is_json(c->out)) {
		out_num(c->out, key, NULL, value);
		return;
	}
	out_row_begin(c->out);
	out_cell(c->out, "NAME", "%s", key);
	out_num(c->out, NULL, "VALUE", value);
	out_cell(c->out, "MEANING", "%s", meaning);
	out_row_end(c->out);
}

static void lines(struct ctx *c, const struct vr_stats *s)
{
	line(c, "flows", s->flows, "flows now");
	line(c, "half-open", s->half_open, "of these, without an answer yet");
	line(c, "flow-size", s->flow_size, "octets of memory for one, both directions");
	line(c, "flows-created", s->flows_created, "flows set up so far");
	line(c, "flows-ended", s->flows_ended, "flows that ended");
	line(c, "flows-evicted", s->flows_evicted, "flows ended to make room for others");
	line(c, "flow-hits", s->flow_hits, "packets of a known flow");
	line(c, "flow-misses", s->flow_misses, "packets that needed a decision");
	line(c, "revalidated", s->revalidated, "flows checked again after a change");
	line(c, "drops", s->drops, "packets dropped, see vrctl drops show");
}

static int run_show(struct ctx *c, const struct verb *v, void *obj)
{
	struct vr_stats stats;

	(void)v, (void)obj;
	if (vr_get(c->nl, &vr_type_stats, NULL, &stats, &c->err))
		return refused(c);
	if (out_is_json(c->out)) {
		out_row_begin(c->out);
		lines(c, &stats);
		out_row_end(c->out);
	} else {
		out_list_begin(c->out);
		lines(c, &stats);
		out_list_end(c->out);
	}
	return EXIT_OK;
}

static const struct verb verbs[] = {
	{ "show", "totals of the network namespace", .run = run_show },
};

const struct object object_stats = { "stats", "totals", VERBS(verbs) };
