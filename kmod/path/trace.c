// SPDX-License-Identifier: GPL-2.0-only
/* The dry run: what would become of a packet that does not exist. */

#include <linux/stdarg.h>

#include "path.h"

struct vr_trace_step *vr_trace_step(struct vr_trace *t, u8 stage, const char *fmt, ...)
{
	struct vr_trace_step *s;
	va_list args;

	if (!t || t->n == VR_TRACE_MAX_STEPS)
		return NULL;
	s = &t->step[t->n++];
	memset(s, 0, sizeof(*s));
	s->stage = stage;
	s->rule = -1;
	va_start(args, fmt);
	vsnprintf(s->text, sizeof(s->text), fmt, args);
	va_end(args);
	return s;
}

static void tell_flow(const struct vr_pkt *pkt, struct vr_trace *t)
{
	struct vr_flow_side *side = vr_flow_lookup_rcu(pkt->vn, &pkt->tuple);

	if (side)
		vr_trace_step(t, VROUTER_TRACE_STAGE_FLOW,
			      "there is a flow: its packets go its way; decided anew it would be:");
	else
		vr_trace_step(t, VROUTER_TRACE_STAGE_FLOW, "there is no flow yet");
}

static void tell_verdict(struct vr_trace *t, const struct vr_decision *d)
{
	struct vr_trace_step *s;

	if (d->reason)
		s = vr_trace_step(t, VROUTER_TRACE_STAGE_VERDICT, "dropped: %s, %s",
				  vr_drop_name(d->reason), vr_drop_help(d->reason));
	else if (d->out)
		s = vr_trace_step(t, VROUTER_TRACE_STAGE_VERDICT, "passes, to vif %u", d->out->id);
	else
		s = vr_trace_step(t, VROUTER_TRACE_STAGE_VERDICT, "passes");
	if (s)
		s->reason = d->reason;
}

static void run(struct vr_pkt *pkt, struct vr_trace *t, struct vr_trace_result *res)
{
	struct vr_decision d = {};

	tell_flow(pkt, t);
	vr_decide(pkt, &d, t);
	tell_verdict(t, &d);
	res->reason = d.reason;
	res->final = pkt->tuple;
	res->final.port = 0;
	res->final.dst = d.dst;
	res->final.dport = d.dport;
	if (d.hairpin)
		res->final.src = pkt->tuple.dst;
	res->vif_out = d.out ? d.out->id : 0;
}

int vr_trace_run(struct vr_net *vn, const struct vr_tuple *tuple, struct vr_trace *t,
		 struct vr_trace_result *res)
{
	struct vr_pkt pkt = { .vn = vn, .tuple = *tuple };
	int err = -ENOENT;

	memset(res, 0, sizeof(*res));
	/* Look-ups are made as in softirq, where counters of this CPU are used. */
	local_bh_disable();
	rcu_read_lock();
	pkt.vif = vr_vif_rcu(vn, tuple->port);
	if (pkt.vif) {
		pkt.conf = rcu_dereference(pkt.vif->conf);
		pkt.icmp_type = vr_echo_request(tuple->family);
		run(&pkt, t, res);
		err = 0;
	}
	rcu_read_unlock();
	local_bh_enable();
	return err;
}
