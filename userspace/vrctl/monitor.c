// SPDX-License-Identifier: GPL-2.0-only
/* vrctl monitor: changes, flows and drops as they happen */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "vrctl.h"

struct words {
	bool	flows, drops, objects, all;
};

struct monitor {
	struct ctx	*c;
	time_t		labels_read;	/* CLOCK_MONOTONIC */
	bool		labels_old;
	bool		closed;		/* nobody reads any more */
};

/* Labels are read anew after a change, once a second at most. */
static void refresh_labels(struct monitor *m)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!m->labels_old || now.tv_sec == m->labels_read)
		return;
	labels_forget(m->c, NULL);
	m->labels_old = false;
	m->labels_read = now.tv_sec;
}

static void time_text(char *buf, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, size - n, ".%03ld", now.tv_nsec / 1000000);
}

static void flow_line(struct ctx *c, const char *when, const struct vr_event *ev)
{
	char proto[VR_NAME_TEXT], src[END_TEXT], dst[END_TEXT], via[END_TEXT];
	char in[REF_TEXT], out[REF_TEXT], traffic[96] = "";
	const struct vr_flow *f = ev->obj;

	if (ev->del)
		snprintf(traffic, sizeof(traffic), ", %llu packets, %llu replies",
			 (unsigned long long)f->orig_packets, (unsigned long long)f->reply_packets);
	out_line(c->out, "%s flow %s %s %s -> %s%s%s%s, vif %s to %s%s%s", when,
		 ev->del ? "end" : "new", vr_name(vr_names_proto, f->orig.proto, proto),
		 source_text(&f->orig, src), dest_text(&f->orig, dst),
		 f->translated ? " [" : "", f->translated ? source_text(&f->reply, via) : "",
		 f->translated ? "]" : "", ref_text(c, &vr_type_vif, f->vif_in, in),
		 f->vif_out ? "vif " : "the node",
		 f->vif_out ? ref_text(c, &vr_type_vif, f->vif_out, out) : "", traffic);
}

static void drop_line(struct ctx *c, const char *when, const struct vr_drop *d)
{
	char reason[VR_NAME_TEXT], proto[VR_NAME_TEXT], src[END_TEXT], dst[END_TEXT];
	char vif[REF_TEXT], sg_vif[REF_TEXT], suppressed[64] = "";
	bool has_tuple = d->tuple.src.family;

	if (d->suppressed)
		snprintf(suppressed, sizeof(suppressed), " (%u more were not shown before it)",
			 d->suppressed);
	out_line(c->out, "%s drop %s %s%s%s%s%s, vif %s%s%s%s", when,
		 vr_name(vr_names_drop_reason, d->reason, reason),
		 has_tuple ? vr_name(vr_names_proto, d->tuple.proto, proto) : "packet",
		 has_tuple ? " " : "", has_tuple ? source_text(&d->tuple, src) : "",
		 has_tuple ? " -> " : "", has_tuple ? dest_text(&d->tuple, dst) : "",
		 ref_text(c, &vr_type_vif, d->vif, vif),
		 d->sg_vif ? ", by the groups of vif " : "",
		 d->sg_vif ? ref_text(c, &vr_type_vif, d->sg_vif, sg_vif) : "", suppressed);
}

static void drop_json(struct ctx *c, const struct vr_drop *d)
{
	show_name(c, "reason", NULL, vr_names_drop_reason, d->reason);
	show_ref(c, "vif", NULL, &vr_type_vif, d->vif);
	if (d->tuple.src.family) {
		show_name(c, "proto", NULL, vr_names_proto, d->tuple.proto);
		show_tuple(c, "tuple", &d->tuple);
	}
	show_ref(c, "sg-vif", NULL, &vr_type_vif, d->sg_vif);
	if (d->suppressed)
		out_num(c->out, "suppressed", NULL, d->suppressed);
}

static const struct {
	const struct vr_obj_type *type;
	show_fn show;
} shows[] = {
	{ &vr_type_vrf, show_vrf },
	{ &vr_type_vif, show_vif },
	{ &vr_type_nexthop, show_nexthop },
	{ &vr_type_route, show_route },
	{ &vr_type_vip, show_vip },
	{ &vr_type_sg, show_sg },
	{ &vr_type_flow, show_flow },
};

static void event_json(struct ctx *c, const char *when, const struct vr_event *ev)
{
	bool drop = ev->group == VR_GROUP_DROPS;
	size_t i;

	out_row_begin(c->out);
	out_str(c->out, "time", NULL, when);
	out_str(c->out, "object", NULL, vr_type_name(ev->type));
	out_str(c->out, "event", NULL, drop ? "drop" : ev->del ? "del" : "new");
	if (drop)
		drop_json(c, ev->obj);
	for (i = 0; i < VR_ARRAY_SIZE(shows); i++)
		if (shows[i].type == ev->type)
			shows[i].show(c, ev->obj);
	out_row_end(c->out);
}

const char *object_text(const struct vr_obj_type *t, const void *obj, char *buf, size_t size)
{
	const struct { uint32_t id; char *label; } *labelled = obj;
	char addr[VR_PREFIX_TEXT], proto[VR_NAME_TEXT];
	const struct vr_route *r = obj;
	const struct vr_vip *vip = obj;
	const char *label;
	int n;

	if (t == &vr_type_route) {
		label = r->label;
		n = snprintf(buf, size, "route %s in vrf %u, nexthop %u",
			     vr_prefix_text(&r->prefix, addr), r->vrf, r->nexthop);
	} else if (t == &vr_type_vip) {
		label = vip->label;
		n = snprintf(buf, size, "vip %s %s %u in vrf %u, nexthop %u",
			     vr_addr_text(&vip->addr, addr), vr_name(vr_names_proto, vip->proto, proto),
			     vip->port, vip->vrf, vip->nexthop);
	} else {
		label = labelled->label;
		n = snprintf(buf, size, "%s %u", vr_type_name(t), labelled->id);
	}
	if (label && n >= 0 && (size_t)n < size)
		snprintf(buf + n, size - n, " (%s)", label);
	return buf;
}

static int show_event(const struct vr_event *ev, void *arg)
{
	char when[40], text[REF_TEXT + 128];
	struct monitor *m = arg;

	if (ev->group == VR_GROUP_OBJECTS)
		m->labels_old = true;
	refresh_labels(m);
	time_text(when, sizeof(when));
	if (m->c->json)
		event_json(m->c, when, ev);
	else if (ev->group == VR_GROUP_FLOWS)
		flow_line(m->c, when, ev);
	else if (ev->group == VR_GROUP_DROPS)
		drop_line(m->c, when, ev->obj);
	else
		out_line(m->c->out, "%s %s %s", when, ev->del ? "deleted" : "set",
			 object_text(ev->type, ev->obj, text, sizeof(text)));
	m->closed = !out_flush(m->c->out);
	return m->closed;
}

static int join(struct vr_nl *nl, const struct words *w, struct vr_err *e)
{
	bool all = w->all || !(w->flows || w->drops || w->objects);
	int err = 0;

	if (w->objects || all)
		err = vr_nl_join(nl, VR_GROUP_OBJECTS, e);
	if (!err && (w->flows || all))
		err = vr_nl_join(nl, VR_GROUP_FLOWS, e);
	if (!err && (w->drops || all))
		err = vr_nl_join(nl, VR_GROUP_DROPS, e);
	return err;
}

static int watch(struct ctx *c, struct vr_nl *events)
{
	struct pollfd p[2] = {
		{ .fd = vr_nl_fd(events), .events = POLLIN },
		{ .fd = STDOUT_FILENO },	/* POLLERR: a pipe whose reader is gone */
	};
	struct monitor m = { .c = c };
	int n;

	while (!m.closed) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return vr_err_errno(&c->err, errno, "poll");
		if (p[1].revents & (POLLERR | POLLNVAL))
			return 0;
		n = vr_nl_events(events, show_event, &m, &c->err);
		if (n == -ENOBUFS) {
			fprintf(stderr, "vrctl: events were lost, they came too fast\n");
			m.labels_old = true;
		} else if (n < 0) {
			return n;
		}
	}
	return 0;
}

static int run_monitor(struct ctx *c, const struct verb *v, void *obj)
{
	struct vr_nl *events;
	int err;

	(void)v;
	/* One of its own: answers about labels come by c->nl. */
	err = vr_nl_open(&events, c->netns, &c->err);
	if (!err)
		err = join(events, obj, &c->err);
	if (!err)
		err = watch(c, events);
	vr_nl_close(events);
	return err ? refused(c) : EXIT_OK;
}

static const struct arg args[] = {
	{ .word = "flows", .type = ARG_FLAG, .help = "flows set up and ended",
	  ARG_AT(struct words, flows) },
	{ .word = "drops", .type = ARG_FLAG, .help = "packets dropped: why, and by whose groups",
	  ARG_AT(struct words, drops) },
	{ .word = "objects", .type = ARG_FLAG, .help = "objects set and deleted",
	  ARG_AT(struct words, objects) },
	{ .word = "all", .type = ARG_FLAG, .help = "all of these; also when none is said",
	  ARG_AT(struct words, all) },
};

static const struct verb verbs[] = {
	{ "", "show events until it is ended by Ctrl-C", .args = ARG_TABLE(args, struct words),
	  .run = run_monitor },
};

const struct object object_monitor = { "monitor", "flows, drops and changes as they happen",
				       VERBS(verbs) };
