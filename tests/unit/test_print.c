// SPDX-License-Identifier: GPL-2.0-only
/* links: vrctl lib */
/* vrctl's tables and JSON, and the rows of its objects. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "vrctl.h"

struct sink {
	struct ctx	c;
	FILE		*f;
	char		*text;
	size_t		size;
};

static void open_sink(struct sink *s, bool json, bool pretty)
{
	memset(s, 0, sizeof(*s));
	s->f = open_memstream(&s->text, &s->size);
	s->c.json = json;
	s->c.out = out_new(s->f, json, pretty);
}

static void expect(struct sink *s, const char *want)
{
	out_free(s->c.out);
	fclose(s->f);
	assert_string_equal(s->text, want);
	free(s->text);
}

static void rows(struct out *o, unsigned int n)
{
	unsigned int i;

	out_list_begin(o);
	for (i = 0; i < n; i++) {
		out_row_begin(o);
		out_num(o, "id", "ID", i ? 1000 : 7);
		out_str(o, "label", "LABEL", i ? NULL : "a/b");
		out_cell(o, "LINES", "%s", i ? "x" : "one\nthree\n5");
		out_num(o, NULL, "N", i);
		out_str(o, "only-json", NULL, "j");
		if (!i)
			out_detail(o, "member %s\tx\t%s", "10.0.0.1", "end");
		if (!i)
			out_detail(o, "m\tyy\tend");
		out_row_end(o);
	}
	out_list_end(o);
}

static void table(void **state)
{
	struct sink s;

	open_sink(&s, false, false);
	rows(s.c.out, 2);
	expect(&s, "  ID  LABEL  LINES  N\n"
		   "   7  a/b    one    0\n"
		   "             three\n"
		   "             5\n"
		   "    member 10.0.0.1  x   end\n"
		   "    m                yy  end\n"
		   "1000  -      x      1\n");
	open_sink(&s, false, false);
	rows(s.c.out, 0);
	expect(&s, "");
	(void)state;
}

static void json(void **state)
{
	struct sink s;

	open_sink(&s, true, false);
	rows(s.c.out, 2);
	expect(&s, "[{\"id\":7,\"label\":\"a/b\",\"only-json\":\"j\"},"
		   "{\"id\":1000,\"only-json\":\"j\"}]\n");
	open_sink(&s, true, false);
	rows(s.c.out, 0);
	expect(&s, "[]\n");
	open_sink(&s, true, true);
	rows(s.c.out, 0);
	expect(&s, "[]\n");
	open_sink(&s, true, true);
	rows(s.c.out, 1);
	expect(&s, "[\n"
		   "    {\n"
		   "        \"id\": 7,\n"
		   "        \"label\": \"a/b\",\n"
		   "        \"only-json\": \"j\"\n"
		   "    }\n"
		   "]\n");
	(void)state;
}

/* Labels are others' text: no terminal is to obey them. */
static void hostile_text(void **state)
{
	struct sink s;

	open_sink(&s, false, false);
	out_row_begin(s.c.out);
	out_str(s.c.out, "label", "LABEL", "a\x1b[31m\n\x7f\xc3\xa4");
	out_str(s.c.out, "x", "X", "y");
	out_row_end(s.c.out);
	expect(&s, "LABEL      X\n"
		   "a?[31m??\xc3\xa4  y\n");
	open_sink(&s, true, false);
	out_row_begin(s.c.out);
	out_str(s.c.out, "label", "LABEL", "a\"\xff\n");
	out_row_end(s.c.out);
	expect(&s, "{\"label\":\"a\\\"?\\n\"}\n");
	(void)state;
}

/* More rows than are held back at once: one head, and all of them. */
static void many_rows(void **state)
{
	unsigned int i, lines = 0;
	struct sink s;
	char *p;

	open_sink(&s, false, false);
	out_list_begin(s.c.out);
	for (i = 0; i < 1000; i++) {
		out_row_begin(s.c.out);
		out_num(s.c.out, "id", "ID", i);
		out_row_end(s.c.out);
	}
	out_list_end(s.c.out);
	fflush(s.f);
	for (p = s.text; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 1001);
	out_free(s.c.out);
	fclose(s.f);
	free(s.text);
	(void)state;
}

static struct vr_addr v4[] = { { AF_INET, { 10, 32, 0, 3 } }, { AF_INET, { 10, 96, 0, 10 } } };

static void objects_json(void **state)
{
	uint32_t sgs[] = { 5, 6 };
	struct vr_vif vif = { .id = 3, .label = "default/web-0", .ifname = "veth3", .ifindex = 9,
			      .vrf = 1, .mac = { 2, [5] = 3 }, .n_addrs = 1, .addrs = v4,
			      .n_sgs = 2, .sgs = sgs, .mtu = 1500, .flows = 4 };
	struct vr_flow flow = {
		.orig = { v4[0], v4[1], IPPROTO_TCP, 40000, 80, true, true },
		.reply = { v4[0], v4[0], IPPROTO_TCP, 8080, 40000, true, true },
		.vif_in = 3, .vrf = 1, .state = VROUTER_FLOW_STATE_ESTABLISHED,
		.translated = true, .timeout = 9, .orig_packets = 2,
	};
	struct sink s;

	open_sink(&s, true, false);
	out_list_begin(s.c.out);
	out_row_begin(s.c.out);
	show_vif(&s.c, &vif);
	out_row_end(s.c.out);
	out_row_begin(s.c.out);
	show_flow(&s.c, &flow);
	out_row_end(s.c.out);
	out_list_end(s.c.out);
	expect(&s, "[{\"id\":3,\"label\":\"default/web-0\",\"dev\":\"veth3\",\"ifindex\":9,"
		   "\"type\":\"veth\",\"mac\":\"02:00:00:00:00:03\",\"vrf\":1,"
		   "\"addr\":[\"10.32.0.3\"],\"sg\":[5,6],\"sg-label\":[\"\",\"\"],\"mtu\":1500,"
		   "\"flow-limit\":0,\"half-open-limit\":0},"
		   "{\"proto\":\"tcp\",\"state\":\"established\","
		   "\"orig\":{\"src\":\"10.32.0.3\",\"dst\":\"10.96.0.10\",\"sport\":40000,\"dport\":80},"
		   "\"reply\":{\"src\":\"10.32.0.3\",\"dst\":\"10.32.0.3\",\"sport\":8080,"
		   "\"dport\":40000},\"vif-in\":3,\"vrf\":1,\"translated\":true}]\n");
	(void)state;
}

static void objects_text(void **state)
{
	struct vr_member members[] = {
		{ .addr = v4[0], .port = 8080, .weight = 2, .label = "default/web-0" },
		{ .addr = v4[1], .port = 80, .weight = 1, .state = VROUTER_MEMBER_STATE_DRAINING },
	};
	struct vr_nexthop nh = { .id = 20, .type = VROUTER_NEXTHOP_TYPE_ECMP, .n_members = 2,
				 .members = members, .members_told = 2 };
	struct vr_prefix except = { { AF_INET, { 10, 1 } }, 16 };
	struct vr_sg_rule rules[] = {
		{ .direction = VROUTER_DIRECTION_INGRESS, .proto = IPPROTO_TCP, .has_ports = true,
		  .port_min = 80, .port_max = 90, .peer_prefix = { { AF_INET, { 10 } }, 8 },
		  .n_except = 1, .except = &except },
		{ .index = 1, .direction = VROUTER_DIRECTION_EGRESS, .peer_sg = 7 },
	};
	struct vr_sg sg = { .id = 5, .label = "x", .enforce = 3, .n_rules = 2, .rules = rules,
			    .rules_told = 2 };
	struct sink s;

	open_sink(&s, false, false);
	out_row_begin(s.c.out);
	show_nexthop(&s.c, &nh);
	out_row_end(s.c.out);
	out_row_begin(s.c.out);
	show_sg(&s.c, &sg);
	out_row_end(s.c.out);
	expect(&s, "ID  TYPE  LABEL  TO\n"
		   "20  ecmp  -      2 members\n"
		   "    member 10.32.0.3   port 8080  weight 2  active    default/web-0\n"
		   "    member 10.96.0.10  port 80    weight 1  draining\n"
		   "ID  LABEL  ENFORCES        TIER  USERS  RULES\n"
		   " 5  x      ingress,egress  -         0      2\n"
		   "    rule 0  ingress  tcp  80-90  from 10.0.0.0/8 except 10.1.0.0/16\n"
		   "    rule 1  egress   any         to sg 7\n");
	sg.enforce = 0;
	sg.tier = VROUTER_SG_TIER_BASELINE;
	sg.priority = 12;
	rules[0].action = VROUTER_SG_ACTION_DENY;
	open_sink(&s, false, false);
	out_row_begin(s.c.out);
	show_sg(&s.c, &sg);
	out_row_end(s.c.out);
	expect(&s, "ID  LABEL  ENFORCES  TIER         USERS  RULES\n"
		   " 5  x      -         baseline 12      0      2\n"
		   "    rule 0  ingress deny  tcp  80-90  from 10.0.0.0/8 except 10.1.0.0/16\n"
		   "    rule 1  egress        any         to sg 7\n");
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table), cmocka_unit_test(json), cmocka_unit_test(hostile_text),
		cmocka_unit_test(many_rows), cmocka_unit_test(objects_json),
		cmocka_unit_test(objects_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
