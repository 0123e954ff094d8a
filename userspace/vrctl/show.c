// SPDX-License-Identifier: GPL-2.0-only
/* Values that several objects have. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "vrctl.h"

void show_ref(struct ctx *c, const char *key, const char *head, const struct vr_obj_type *t,
	      uint32_t id)
{
	const char *label = label_of(c, t, id);
	char text[REF_TEXT], label_key[32];

	if (head)
		out_cell(c->out, head, "%s", ref_text(c, t, id, text));
	if (!id || !out_is_json(c->out))
		return;
	snprintf(label_key, sizeof(label_key), "%s-label", key);
	out_num(c->out, key, NULL, id);
	out_str(c->out, label_key, NULL, label);
}

void show_refs(struct ctx *c, const char *key, const char *head, const struct vr_obj_type *t,
	       const uint32_t *ids, unsigned int n)
{
	char text[REF_TEXT], label_key[32];
	VR_AUTO_FREE char *cell = NULL;
	const char *label;
	unsigned int i;
	size_t size;
	FILE *f;

	if (!out_is_json(c->out)) {
		f = open_memstream(&cell, &size);
		if (!f)
			return;
		for (i = 0; i < n; i++)
			fprintf(f, "%s%s", i ? "\n" : "", ref_text(c, t, ids[i], text));
		fclose(f);
		out_cell(c->out, head, "%s", n ? cell : "-");
		return;
	}
	snprintf(label_key, sizeof(label_key), "%s-label", key);
	out_array_begin(c->out, key);
	for (i = 0; i < n; i++)
		out_num(c->out, NULL, NULL, ids[i]);
	out_end(c->out);
	out_array_begin(c->out, label_key);
	for (i = 0; i < n; i++) {
		label = label_of(c, t, ids[i]);
		out_str(c->out, NULL, NULL, label ? label : "");
	}
	out_end(c->out);
}

void show_addr(struct ctx *c, const char *key, const char *head, const struct vr_addr *addr)
{
	char text[VR_ADDR_TEXT];

	out_str(c->out, key, head, addr->family ? vr_addr_text(addr, text) : NULL);
}

void show_addrs(struct ctx *c, const char *key, const char *head, const struct vr_addr *addrs,
		unsigned int n)
{
	VR_AUTO_FREE char *cell = NULL;
	char text[VR_ADDR_TEXT];
	unsigned int i;
	size_t size;
	FILE *f;

	out_array_begin(c->out, key);
	for (i = 0; i < n && out_is_json(c->out); i++)
		out_str(c->out, NULL, NULL, vr_addr_text(&addrs[i], text));
	out_end(c->out);
	if (out_is_json(c->out))
		return;

	f = open_memstream(&cell, &size);
	if (!f)
		return;
	for (i = 0; i < n; i++)
		fprintf(f, "%s%s", i ? "\n" : "", vr_addr_text(&addrs[i], text));
	fclose(f);
	out_cell(c->out, head, "%s", n ? cell : "-");
}

void show_name(struct ctx *c, const char *key, const char *head, const struct vr_name *names,
	       uint32_t value)
{
	char text[VR_NAME_TEXT];

	out_str(c->out, key, head, vr_name(names, value, text));
}

void show_counters(struct ctx *c, const struct vr_counters *n, unsigned int which)
{
	char rx[64] = "", tx[64] = "", drops[32] = "";

	if (!c->counters)
		return;
	out_object_begin(c->out, "counters");
	if (which & COUNT_RX) {
		out_num(c->out, "rx-packets", NULL, n->rx_packets);
		out_num(c->out, "rx-bytes", NULL, n->rx_bytes);
		snprintf(rx, sizeof(rx), "rx %llu packets %llu bytes, ",
			 (unsigned long long)n->rx_packets, (unsigned long long)n->rx_bytes);
	}
	if (which & COUNT_TX) {
		out_num(c->out, "tx-packets", NULL, n->tx_packets);
		out_num(c->out, "tx-bytes", NULL, n->tx_bytes);
		snprintf(tx, sizeof(tx), "tx %llu packets %llu bytes, ",
			 (unsigned long long)n->tx_packets, (unsigned long long)n->tx_bytes);
	}
	out_num(c->out, "flows", NULL, n->flows);
	if (which & COUNT_DROPS) {
		out_num(c->out, "drops", NULL, n->drops);
		snprintf(drops, sizeof(drops), ", drops %llu", (unsigned long long)n->drops);
	}
	out_end(c->out);
	out_detail(c->out, "%s%snew flows %llu%s", rx, tx, (unsigned long long)n->flows, drops);
}

static bool is_icmp(const struct vr_tuple *t)
{
	return t->proto == IPPROTO_ICMP || t->proto == IPPROTO_ICMPV6;
}

void show_tuple(struct ctx *c, const char *key, const struct vr_tuple *t)
{
	if (!out_is_json(c->out))
		return;
	out_object_begin(c->out, key);
	show_addr(c, "src", NULL, &t->src);
	show_addr(c, "dst", NULL, &t->dst);
	if (t->has_sport)
		out_num(c->out, is_icmp(t) ? "icmp-id" : "sport", NULL, t->sport);
	if (t->has_dport && is_icmp(t)) {
		out_num(c->out, "icmp-type", NULL, t->dport >> 8);
		out_num(c->out, "icmp-code", NULL, t->dport & 0xff);
	} else if (t->has_dport) {
		out_num(c->out, "dport", NULL, t->dport);
	}
	out_end(c->out);
}

static const char *end_text(const struct vr_addr *addr, bool has_port, uint16_t port,
			    char buf[END_TEXT])
{
	bool bracket = has_port && addr->family == AF_INET6;
	char text[VR_ADDR_TEXT];
	int n;

	n = snprintf(buf, END_TEXT, "%s%s%s", bracket ? "[" : "", vr_addr_text(addr, text),
		     bracket ? "]" : "");
	if (has_port)
		snprintf(buf + n, END_TEXT - n, ":%u", port);
	return buf;
}

const char *source_text(const struct vr_tuple *t, char buf[END_TEXT])
{
	return end_text(&t->src, t->has_sport && !is_icmp(t), t->sport, buf);
}

const char *dest_text(const struct vr_tuple *t, char buf[END_TEXT])
{
	return end_text(&t->dst, t->has_dport && !is_icmp(t), t->dport, buf);
}
