// SPDX-License-Identifier: GPL-2.0-only
/* vrctl sg */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "vrctl.h"

/* --- showing --------------------------------------------------------------------------- */

/* "80", "80-90", "type 8 code 0", "" */
static void match_text(const struct vr_sg_rule *r, char *buf, size_t size)
{
	buf[0] = '\0';
	if (r->has_ports && r->port_min == r->port_max)
		snprintf(buf, size, "%u", r->port_min);
	else if (r->has_ports)
		snprintf(buf, size, "%u-%u", r->port_min, r->port_max);
	else if (r->has_icmp_type && r->has_icmp_code)
		snprintf(buf, size, "type %u code %u", r->icmp_type, r->icmp_code);
	else if (r->has_icmp_type)
		snprintf(buf, size, "type %u", r->icmp_type);
}

/* "from 10.0.0.0/8 except 10.1.0.0/16", "to sg 7 (default/db)", "from any"; owned. */
static char *peer_text(struct ctx *c, const struct vr_sg_rule *r)
{
	char ref[REF_TEXT], prefix[VR_PREFIX_TEXT];
	char *text = NULL;
	unsigned int i;
	size_t size;
	FILE *f;

	f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	fputs(r->direction == VROUTER_DIRECTION_EGRESS ? "to " : "from ", f);
	if (r->peer_sg)
		fprintf(f, "sg %s", ref_text(c, &vr_type_sg, r->peer_sg, ref));
	else if (r->peer_prefix.addr.family)
		fputs(vr_prefix_text(&r->peer_prefix, prefix), f);
	else
		fputs("any", f);
	for (i = 0; i < r->n_except; i++)
		fprintf(f, " except %s", vr_prefix_text(&r->except[i], prefix));
	fclose(f);
	return text;
}

static void rule_detail(struct ctx *c, const struct vr_sg_rule *r)
{
	VR_AUTO_FREE char *peer = peer_text(c, r);
	char match[32], direction[VR_NAME_TEXT], proto[VR_NAME_TEXT], hits[48] = "";
	char action[VR_NAME_TEXT];
	const char *family = "";

	match_text(r, match, sizeof(match));
	if (r->family && !r->peer_prefix.addr.family && r->proto != IPPROTO_ICMP &&
	    r->proto != IPPROTO_ICMPV6)
		family = r->family == AF_INET ? "family ipv4 " : "family ipv6 ";
	if (c->counters)
		snprintf(hits, sizeof(hits), "hits %llu", (unsigned long long)r->hits);
	out_detail(c->out, "rule %u\t%s%s%s\t%s\t%s\t%s%s\t%s\t%s", r->index,
		   vr_name(vr_names_direction, r->direction, direction), r->action ? " " : "",
		   r->action ? vr_name(vr_names_sg_action, r->action, action) : "",
		   vr_name(vr_names_proto, r->proto, proto), match, family, peer ? peer : "",
		   r->label ? r->label : "", hits);
}

static void show_prefix(struct ctx *c, const char *key, const struct vr_prefix *p)
{
	char text[VR_PREFIX_TEXT];

	out_str(c->out, key, NULL, vr_prefix_text(p, text));
}

static void rule_json(struct ctx *c, const struct vr_sg_rule *r)
{
	unsigned int i;

	out_object_begin(c->out, NULL);
	out_num(c->out, "index", NULL, r->index);
	show_name(c, "direction", NULL, vr_names_direction, r->direction);
	show_name(c, "action", NULL, vr_names_sg_action, r->action);
	if (r->family)
		show_name(c, "family", NULL, vr_names_family, r->family);
	show_name(c, "proto", NULL, vr_names_proto, r->proto);
	if (r->has_ports) {
		out_num(c->out, "port-min", NULL, r->port_min);
		out_num(c->out, "port-max", NULL, r->port_max);
	}
	if (r->has_icmp_type)
		out_num(c->out, "icmp-type", NULL, r->icmp_type);
	if (r->has_icmp_code)
		out_num(c->out, "icmp-code", NULL, r->icmp_code);
	if (r->peer_prefix.addr.family) {
		show_prefix(c, "peer-prefix", &r->peer_prefix);
		out_array_begin(c->out, "peer-except");
		for (i = 0; i < r->n_except; i++)
			show_prefix(c, NULL, &r->except[i]);
		out_end(c->out);
	}
	show_ref(c, "peer-sg", NULL, &vr_type_sg, r->peer_sg);
	out_str(c->out, "label", NULL, r->label);
	if (c->counters)
		out_num(c->out, "hits", NULL, r->hits);
	out_end(c->out);
}

static void show_enforce(struct ctx *c, uint32_t enforce)
{
	const struct vr_name *n;
	char text[32] = "";

	out_array_begin(c->out, "enforce");
	for (n = vr_names_sg_flags; n->name; n++) {
		if (!(enforce & n->value))
			continue;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", *text ? "," : "",
			 n->name);
		if (out_is_json(c->out))
			out_str(c->out, NULL, NULL, n->name);
	}
	out_end(c->out);
	out_cell(c->out, "ENFORCES", "%s", *text ? text : "-");
}

static void show_tier(struct ctx *c, const struct vr_sg *sg)
{
	char tier[VR_NAME_TEXT];

	show_name(c, "tier", NULL, vr_names_sg_tier, sg->tier);
	if (sg->tier) {
		out_num(c->out, "priority", NULL, sg->priority);
		out_cell(c->out, "TIER", "%s %u", vr_name(vr_names_sg_tier, sg->tier, tier),
			 sg->priority);
	} else {
		out_cell(c->out, "TIER", "-");
	}
}

void show_sg(struct ctx *c, const void *obj)
{
	const struct vr_sg *sg = obj;
	unsigned int i;

	out_num(c->out, "id", "ID", sg->id);
	out_str(c->out, "label", "LABEL", sg->label);
	show_enforce(c, sg->enforce);
	show_tier(c, sg);
	out_num(c->out, "users", "USERS", sg->users);
	out_num(c->out, "rules", "RULES", sg->rules_told);
	out_array_begin(c->out, "rule");
	for (i = 0; i < sg->n_rules; i++) {
		if (out_is_json(c->out))
			rule_json(c, &sg->rules[i]);
		else
			rule_detail(c, &sg->rules[i]);
	}
	out_end(c->out);
}

static int run_show(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v, (void)obj;
	return show_all(c, &vr_type_sg, NULL, show_sg);
}

/* Not a get: a group with many rules does not fit one message. */
static int run_get(struct ctx *c, const struct verb *v, void *obj)
{
	const struct vr_sg *key = obj;
	struct vr_filter filter = { .id = key->id };
	struct vr_list list;

	(void)v;
	if (vr_dump(c->nl, &vr_type_sg, &filter, &list, &c->err))
		return refused(c);
	if (!list.n) {
		vr_err_set(&c->err, ENOENT, "No security group %u (id)", key->id);
		return EXIT_REFUSED;
	}
	out_row_begin(c->out);
	show_sg(c, list.objs);
	out_row_end(c->out);
	vr_list_free(&list);
	return EXIT_OK;
}

/* --- words ----------------------------------------------------------------------------- */

struct words {
	struct vr_sg	sg;		/* first: it is freed as one */
	bool		has_enforce;
};

static int run_set(struct ctx *c, const struct verb *v, void *obj)
{
	struct words *w = obj;

	if (!w->has_enforce && !w->sg.tier)
		w->sg.enforce = VROUTER_SG_FLAGS_INGRESS | VROUTER_SG_FLAGS_EGRESS;
	return verb_set(c, v, obj);
}

static int parse_enforce(struct parser *p, const struct arg *a, void *obj)
{
	const char *text = arg_value(p, a);
	struct words *w = obj;
	char word[16];
	uint32_t flag;
	size_t len;

	if (!text)
		return -EINVAL;
	w->has_enforce = true;
	if (!strcmp(text, "none"))
		return 0;
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		snprintf(word, sizeof(word), "%.*s", (int)len, text);
		if (len >= sizeof(word) || !vr_name_value(vr_names_sg_flags, word, &flag))
			return arg_invalid(p, a, text, "ingress, egress, ingress,egress or none");
		w->sg.enforce |= flag;
		if (!text[len])
			return 0;
	}
}

static int parse_ports(struct parser *p, const struct arg *a, void *obj)
{
	const char *text = arg_value(p, a), *dash;
	struct vr_sg_rule *r = obj;
	uint64_t min, max;
	char first[8];

	if (!text)
		return -EINVAL;
	dash = strchr(text, '-');
	snprintf(first, sizeof(first), "%.*s", dash ? (int)(dash - text) : 6, text);
	if (!vr_number_parse(first, UINT16_MAX, &min) ||
	    !vr_number_parse(dash ? dash + 1 : text, UINT16_MAX, &max) || max < min)
		return arg_invalid(p, a, text, "a port or a range of ports (80, 8000-8080)");
	r->port_min = min;
	r->port_max = max;
	r->has_ports = true;
	return 0;
}

static int parse_peer(struct parser *p, const struct arg *a, void *obj)
{
	bool from = !strcmp(a->word, "from");
	const char *text = arg_value(p, a);
	struct vr_sg_rule *r = obj;

	if (!text)
		return -EINVAL;
	if (from != (r->direction == VROUTER_DIRECTION_INGRESS))
		return vr_err_set(p->err, EINVAL, "an %s rule has no \"%s\"",
				  from ? "egress" : "ingress", a->word);
	if (!strcmp(text, "any"))
		return 0;
	if (!strcmp(text, "sg")) {
		text = arg_value(p, a);
		return text ? arg_ref(p, a, &vr_type_sg, text, &r->peer_sg) : -EINVAL;
	}
	return vr_prefix_parse(text, &r->peer_prefix) ? 0 :
	       arg_invalid(p, a, text, "any, a prefix or sg SG");
}

static const struct arg rule_args[] = {
	{ .value = "ingress|egress", .type = ARG_NAME, .names = vr_names_direction,
	  .flags = ARG_REQUIRED, .help = "to the interface, or from it",
	  ARG_AT(struct vr_sg_rule, direction) },
	{ .value = "PROTO", .type = ARG_NAME, .names = vr_names_proto, .flags = ARG_REQUIRED,
	  .help = "any, tcp, udp, sctp, icmp or icmpv6", ARG_AT(struct vr_sg_rule, proto) },
	{ .value = "PORT[-PORT]", .type = ARG_CUSTOM, .parse = parse_ports,
	  .help = "destination port, of tcp, udp, sctp; absent = any" },
	{ .word = "type", .value = "NUMBER", .type = ARG_NUMBER, .max = 255,
	  .help = "of icmp, icmpv6; absent = any",
	  ARG_AT(struct vr_sg_rule, icmp_type), ARG_HAS(struct vr_sg_rule, has_icmp_type) },
	{ .word = "code", .value = "NUMBER", .type = ARG_NUMBER, .max = 255,
	  .help = "with type; absent = any",
	  ARG_AT(struct vr_sg_rule, icmp_code), ARG_HAS(struct vr_sg_rule, has_icmp_code) },
	{ .word = "family", .value = "FAMILY", .type = ARG_NAME, .names = vr_names_family,
	  .help = "ipv4 or ipv6; absent = both", ARG_AT(struct vr_sg_rule, family) },
	{ .word = "from", .value = "PEER", .type = ARG_CUSTOM, .parse = parse_peer,
	  .help = "of ingress: any, a prefix, or sg SG" },
	{ .word = "to", .value = "PEER", .type = ARG_CUSTOM, .parse = parse_peer,
	  .help = "of egress, the same" },
	{ .word = "except", .value = "PREFIX", .type = ARG_PREFIXES,
	  .help = "but not in here, inside of the peer's prefix",
	  ARG_AT(struct vr_sg_rule, except), ARG_COUNT(struct vr_sg_rule, n_except) },
	{ .word = "action", .value = "ACTION", .type = ARG_NAME, .names = vr_names_sg_action,
	  .help = "accept (absent = that); in a tier with priorities also deny, or pass to the "
		  "next tier", ARG_AT(struct vr_sg_rule, action) },
	{ .word = "label", .value = "LABEL", .type = ARG_STRING, .help = "a name for people",
	  ARG_AT(struct vr_sg_rule, label) },
};

static const struct arg_table rule_table = ARG_TABLE(rule_args, struct vr_sg_rule);

#define AT(member) ARG_AT(struct words, sg.member)
#define REST									\
	{ .word = "label", .value = "LABEL", .type = ARG_STRING,			\
	  .help = "a name for people; before rules, which have their own", AT(label) }, \
	{ .word = "enforce", .value = "DIRECTIONS",				\
	  .type = ARG_CUSTOM, .parse = parse_enforce,				\
	  .help = "ingress, egress, ingress,egress (absent = that) or none: what is refused "	\
		  "unless a rule allows it" },						\
	{ .word = "tier", .value = "TIER", .type = ARG_NAME, .names = vr_names_sg_tier,	\
	  .help = "network-policy (absent = that), admin (asked before) or baseline (asked "	\
		  "after)", AT(tier) },							\
	{ .word = "priority", .value = "NUMBER", .type = ARG_NUMBER, .max = 65535,		\
	  .help = "in the tiers admin and baseline: the lowest decides", AT(priority) },	\
	{ .word = "rule", .type = ARG_LIST, .sub = &rule_table,			\
	  .help = "what is allowed", AT(rules), ARG_COUNT(struct words, sg.n_rules) }

static const struct arg add_args[] = {
	{ .word = "id", .value = "NUMBER", .type = ARG_NUMBER, .min = 1, .flags = ARG_REQUIRED,
	  .help = "number of the new group", AT(id) },
	REST,
};

static const struct arg replace_args[] = {
	{ .word = "id", .value = "SG", .type = ARG_REF, .ref = &vr_type_sg,
	  .flags = ARG_REQUIRED, .help = "id or label of the group", AT(id) },
	REST,
};

static const struct arg key_args[] = {
	{ .word = "id", .value = "SG", .type = ARG_REF, .ref = &vr_type_sg,
	  .flags = ARG_REQUIRED, .help = "id or label of the group", ARG_AT(struct vr_sg, id) },
};

static const struct verb verbs[] = {
	{ "show", "all groups with their rules", .run = run_show },
	{ "get", "one group", .type = &vr_type_sg, .args = ARG_TABLE(key_args, struct vr_sg),
	  .run = run_get },
	{ "add", "add a group with all its rules", .type = &vr_type_sg,
	  .args = ARG_TABLE(add_args, struct words), .mode = VR_ADD, .run = run_set },
	{ "replace", "add a group, or replace all of it", .type = &vr_type_sg,
	  .args = ARG_TABLE(replace_args, struct words), .mode = VR_SET, .run = run_set },
	{ "del", "delete a group that no vif belongs to", .type = &vr_type_sg,
	  .args = ARG_TABLE(key_args, struct vr_sg), .run = verb_del },
};

const struct object object_sg = { "sg", "security groups: who may talk to whom", VERBS(verbs) };
