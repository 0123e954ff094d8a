// SPDX-License-Identifier: GPL-2.0-only
/* links: lib */
/* Objects to attributes and back; attributes that are cut short or lie. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "utf8.h"

#define V4(...) { AF_INET, { __VA_ARGS__ } }
#define V6(last) { AF_INET6, { 0xfd, [15] = last } }

static struct vr_addr addrs[] = { V4(10, 0, 0, 1), V6(7) };
static uint32_t sgs[] = { 5, 6, 4294967295U };

static struct vr_vrf vrf = {
	.id = 1, .label = "default/cluster-network", .n_gateways = 2, .gateways = addrs,
};

static struct vr_vif vif = {
	.id = 3, .label = "default/web-0", .ifindex = 12, .ifname = "veth3", .vrf = 1,
	.mac = { 2, 0, 0, 0, 0, 3 }, .n_addrs = 2, .addrs = addrs, .n_sgs = 3, .sgs = sgs,
	.mtu = 1500, .flow_limit = 7, .half_open_limit = 8,
};

static struct vr_member members[] = {
	{ .addr = V4(10, 0, 0, 1), .port = 8080, .weight = 2, .label = "default/web-0" },
	{ .addr = V6(9), .port = 443, .nexthop = 5, .weight = 1000,
	  .state = VROUTER_MEMBER_STATE_DRAINING },
};

static struct vr_nexthop blackhole = { .id = 9 };
static struct vr_nexthop ecmp = {
	.id = 20, .type = VROUTER_NEXTHOP_TYPE_ECMP, .n_members = 2, .members = members,
};

static struct vr_route default_route = {
	.vrf = 1, .prefix = { { AF_INET6 } }, .nexthop = 10, .n_sgs = 3, .sgs = sgs, .label = "x",
	.node = true,
};

static struct vr_vip vip = {
	.vrf = 1, .addr = V4(10, 96, 0, 10), .proto = IPPROTO_TCP, .port = 80, .nexthop = 20,
	.affinity_timeout = 10800, .label = "default/web:http", .sg = 9,
};

static struct vr_prefix except[] = { { V4(10, 1), 16 }, { V4(10, 2), 16 } };
static struct vr_sg_rule rules[] = {
	{ .direction = VROUTER_DIRECTION_INGRESS, .proto = IPPROTO_TCP, .has_ports = true,
	  .port_min = 0, .port_max = 90, .peer_prefix = { V4(10), 8 }, .n_except = 2,
	  .except = except, .label = "a" },
	{ .direction = VROUTER_DIRECTION_EGRESS, .peer_sg = 7 },
	{ .proto = IPPROTO_ICMP, .has_icmp_type = true, .has_icmp_code = true },
	{ .peer_prefix = { { AF_INET }, 0 } },
};

static struct vr_sg sg = { .id = 5, .label = "l", .n_rules = 4, .rules = rules };

static struct vr_trace trace = {
	.vif = 3, .tuple = { .src = V4(10), .dst = V6(1), .proto = 6, .has_dport = true },
};

static struct vr_limits limits = {
	.global = true, .value = { [VROUTER_A_LIMITS_FLOWS] = 1000,
				   [VROUTER_A_LIMITS_TIMEOUT_ICMP] = 864000,
				   [VROUTER_A_LIMITS_TIMEOUT_FRAGMENT] = 15 },
};

static const struct example {
	const struct vr_obj_type *t;
	const void *obj;
} examples[] = {
	{ &vr_type_vrf, &vrf }, { &vr_type_vif, &vif }, { &vr_type_nexthop, &blackhole },
	{ &vr_type_nexthop, &ecmp }, { &vr_type_route, &default_route }, { &vr_type_vip, &vip },
	{ &vr_type_sg, &sg }, { &vr_type_trace, &trace }, { &vr_type_limits, &limits },
};

static void encode(struct vr_buf *b, const struct vr_struct *s, const void *obj,
		   enum vr_part part)
{
	memset(b, 0, sizeof(*b));
	vr_buf_begin(b, 20, 0, 1);
	vr_encode(b, s, obj, part);
	vr_buf_end(b);
	assert_int_equal(b->err, 0);
}

static const char *attrs_of(const struct vr_buf *b, size_t *len)
{
	*len = b->len - MNL_NLMSG_HDRLEN - 4;
	return b->data + MNL_NLMSG_HDRLEN + 4;
}

static void round_trip(void **state)
{
	const struct example *x;
	struct vr_err e = { 0 };
	const char *attrs;
	struct vr_buf b;
	size_t len;
	void *got;

	for (x = examples; x < examples + VR_ARRAY_SIZE(examples); x++) {
		encode(&b, &x->t->body, x->obj, VR_PART_CONFIG);
		attrs = attrs_of(&b, &len);
		got = calloc(1, vr_type_size(x->t));
		if (vr_decode(&x->t->body, got, attrs, len, &e))
			fail_msg("%s: %s", vr_type_name(x->t), e.text);
		if (!vr_obj_equal(x->t, got, x->obj) || !vr_obj_same_key(x->t, got, x->obj))
			fail_msg("%s is another", vr_type_name(x->t));
		vr_obj_free(x->t, got);
		free(got);
		vr_buf_free(&b);
	}
	(void)state;
}

/* What is 0 and yet has to be said. */
static void zero_is_sent(void **state)
{
	struct vr_sg got = { 0 };
	const char *attrs;
	struct vr_buf b;
	size_t len;

	encode(&b, &vr_type_sg.body, &sg, VR_PART_CONFIG);
	attrs = attrs_of(&b, &len);
	got.enforce = 3;
	assert_int_equal(vr_decode(&vr_type_sg.body, &got, attrs, len, NULL), 0);
	assert_int_equal(got.enforce, 0);
	assert_true(got.rules[0].has_ports);
	assert_int_equal(got.rules[0].port_min, 0);
	assert_false(got.rules[1].has_ports);
	assert_true(got.rules[2].has_icmp_code);
	assert_int_equal(got.rules[3].peer_prefix.addr.family, AF_INET);
	vr_obj_free(&vr_type_sg, &got);
	vr_buf_free(&b);
	(void)state;
}

static void key_only(void **state)
{
	struct vr_vif got = { 0 };
	const char *attrs;
	struct vr_buf b;
	size_t len;

	encode(&b, &vr_type_vif.body, &vif, VR_PART_KEY);
	attrs = attrs_of(&b, &len);
	assert_int_equal(len, 8);
	assert_int_equal(vr_decode(&vr_type_vif.body, &got, attrs, len, NULL), 0);
	assert_int_equal(got.id, 3);
	vr_buf_free(&b);

	encode(&b, &vr_type_vif.body, &(struct vr_vif){ .ifname = "veth3" }, VR_PART_GETKEY);
	attrs = attrs_of(&b, &len);
	assert_int_equal(len, 12);
	assert_string_equal(attrs + 4, "veth3");
	vr_buf_free(&b);
	(void)state;
}

/* Decodes from memory that ends where the attributes do: ASan sees what is read past. */
static void decode_exact(const struct vr_obj_type *t, const char *attrs, size_t len, int *err)
{
	void *obj = calloc(1, vr_type_size(t));
	char *exact = malloc(len ? len : 1);
	struct vr_err e = { 0 };

	memcpy(exact, attrs, len);
	*err = vr_decode(&t->body, obj, exact, len, &e);
	if (*err)
		assert_true(e.text[0]);
	vr_obj_free(t, obj);
	free(obj);
	free(exact);
}

static void truncated(void **state)
{
	const struct example *x;
	const char *attrs;
	struct vr_buf b;
	size_t len, n;
	int err;

	for (x = examples; x < examples + VR_ARRAY_SIZE(examples); x++) {
		encode(&b, &x->t->body, x->obj, VR_PART_CONFIG);
		attrs = attrs_of(&b, &len);
		for (n = 0; n < len; n++)
			decode_exact(x->t, attrs, n, &err);
		for (n = 1; n < 4; n++) {
			decode_exact(x->t, attrs, n, &err);
			assert_int_equal(err, -EBADMSG);
		}
		vr_buf_free(&b);
	}
	(void)state;
}

static void random_damage(void **state)
{
	const struct example *x;
	const char *attrs;
	struct vr_buf b;
	int err, i, k;
	char *bad;
	size_t len;

	srandom(1);
	for (x = examples; x < examples + VR_ARRAY_SIZE(examples); x++) {
		encode(&b, &x->t->body, x->obj, VR_PART_CONFIG);
		attrs = attrs_of(&b, &len);
		bad = malloc(len);
		for (i = 0; i < 5000; i++) {
			memcpy(bad, attrs, len);
			for (k = random() % 4; k >= 0; k--)
				bad[random() % len] = random();
			decode_exact(x->t, bad, len, &err);
		}
		free(bad);
		vr_buf_free(&b);
	}
	(void)state;
}

static void wrong_lengths(void **state)
{
	static const struct {
		uint16_t attr;
		const char *data;
		size_t len;
		const char *want;
	} cases[] = {
		{ VROUTER_A_VIF_ID, "\1\2\3", 3, "id: an attribute of 3 octets" },
		{ VROUTER_A_VIF_ID, "", 0, "id: an attribute of 0 octets" },
		{ VROUTER_A_VIF_ADDR, "\1\2\3\4\5", 5, "addr: an attribute of 5 octets" },
		{ VROUTER_A_VIF_MAC, "\1\2\3\4\5\6\7", 7, "mac: an attribute of 7 octets" },
		{ VROUTER_A_VIF_LABEL, "abc", 3, "label: a string without end" },
		{ VROUTER_A_VIF_LABEL, "", 0, "label: a string without end" },
		{ VROUTER_A_VIF_IFNAME, "0123456789abcdef", 17, "dev: an attribute of 17 octets" },
		{ VROUTER_A_VIF_COUNTERS, "\1", 1, "counters: truncated attributes" },
	};
	struct vr_err e;
	struct vr_vif got;
	struct vr_buf b;
	const char *attrs;
	size_t i, len;

	for (i = 0; i < VR_ARRAY_SIZE(cases); i++) {
		memset(&b, 0, sizeof(b));
		memset(&got, 0, sizeof(got));
		vr_buf_begin(&b, 20, 0, 1);
		mnl_attr_put(vr_buf_msg(&b), cases[i].attr, cases[i].len, cases[i].data);
		b.len = vr_buf_msg(&b)->nlmsg_len;
		attrs = attrs_of(&b, &len);
		assert_int_equal(vr_decode(&vr_type_vif.body, &got, attrs, len, &e), -EBADMSG);
		assert_string_equal(e.text, cases[i].want);
		vr_obj_free(&vr_type_vif, &got);
		vr_buf_free(&b);
	}
	(void)state;
}

/* One attribute has no more than 65535 octets. */
static void too_large(void **state)
{
	struct vr_prefix many[8000];
	struct vr_sg_rule rule = { .peer_prefix = { V4(10), 8 }, .n_except = 8000, .except = many };
	struct vr_sg big = { .id = 1, .n_rules = 1, .rules = &rule };
	struct vr_buf b = { 0 };
	size_t i;

	for (i = 0; i < VR_ARRAY_SIZE(many); i++)
		many[i] = (struct vr_prefix){ V4(10, i >> 8, i), 32 };
	vr_buf_begin(&b, 20, 0, 1);
	vr_encode(&b, &vr_type_sg.body, &big, VR_PART_CONFIG);
	assert_int_equal(b.err, -EMSGSIZE);
	vr_buf_free(&b);
	(void)state;
}

static void copies(void **state)
{
	const struct example *x;
	void *copy, *again;

	for (x = examples; x < examples + VR_ARRAY_SIZE(examples); x++) {
		copy = malloc(vr_type_size(x->t));
		again = malloc(vr_type_size(x->t));
		assert_int_equal(vr_obj_copy(x->t, copy, x->obj), 0);
		assert_int_equal(vr_obj_copy(x->t, again, copy), 0);
		vr_obj_free(x->t, copy);
		assert_true(vr_obj_equal(x->t, again, x->obj));
		vr_obj_free(x->t, again);
		free(copy);
		free(again);
	}
	(void)state;
}

/* What the kernel makes of an object is equal to what was said. */
static void normalized(void **state)
{
	struct vr_member other[] = { members[1], members[0] };
	struct vr_nexthop nh = ecmp;
	struct vr_sg_rule r[] = {
		{ .proto = IPPROTO_ICMPV6 },
		{ .proto = IPPROTO_TCP, .has_ports = true, .port_max = 65535 },
		{ .peer_prefix = { V4(10), 8 } },
	}, told[] = {
		{ .proto = IPPROTO_ICMPV6, .family = AF_INET6, .hits = 9, .index = 0 },
		{ .proto = IPPROTO_TCP, .hits = 9, .index = 1 },
		{ .peer_prefix = { V4(10), 8 }, .family = AF_INET, .index = 2 },
	};
	struct vr_sg a = { .id = 1, .n_rules = 3, .rules = r };
	struct vr_sg b = { .id = 1, .n_rules = 3, .rules = told, .rules_told = 3, .users = 2 };

	nh.members = other;
	nh.members_told = 2;
	nh.counters.flows = 77;
	assert_false(vr_obj_equal(&vr_type_nexthop, &nh, &ecmp));
	vr_obj_normalize(&vr_type_nexthop, &nh);
	vr_obj_normalize(&vr_type_nexthop, &ecmp);
	assert_true(vr_obj_equal(&vr_type_nexthop, &nh, &ecmp));

	assert_false(vr_obj_equal(&vr_type_sg, &a, &b));
	vr_obj_normalize(&vr_type_sg, &a);
	vr_obj_normalize(&vr_type_sg, &b);
	assert_true(vr_obj_equal(&vr_type_sg, &a, &b));
	told[1].port_min = 1;
	told[1].has_ports = true;
	assert_false(vr_obj_equal(&vr_type_sg, &a, &b));
	(void)state;
}

/* A wanted vif has a name or a number, the kernel's has both. */
static void vif_device(void **state)
{
	struct vr_vif by_name = vif, by_index = vif, both = vif;

	by_name.ifindex = 0;
	by_index.ifname[0] = '\0';
	memset(by_index.ifname, 0, sizeof(by_index.ifname));
	assert_true(vr_obj_equal(&vr_type_vif, &by_name, &both));
	assert_true(vr_obj_equal(&vr_type_vif, &by_index, &both));
	both.ifindex = 13;
	assert_false(vr_obj_equal(&vr_type_vif, &by_index, &both));
	assert_true(vr_obj_equal(&vr_type_vif, &by_name, &both));
	(void)state;
}

/* What was cut off in the middle of a character, and what never was one. */
static void texts(void **state)
{
	static const struct { const char *from, *to; } cases[] = {
		{ "plain", "plain" }, { "caf\xc3\xa9", "caf\xc3\xa9" }, { "caf\xc3", "caf?" },
		{ "\xe2\x82\xac \xe2\x82", "\xe2\x82\xac ??" }, { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\xf0\x9f\x98", "???" }, { "\xc0\x80", "??" }, { "\xed\xa0\x80", "???" },
		{ "\xf4\x90\x80\x80", "????" }, { "\xff" "a\x80", "?a?" }, { "", "" },
	};
	char buf[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(buf, cases[i].from);
		assert_string_equal(vr_utf8_clean(buf), cases[i].to);
	}
	assert_null(vr_utf8_clean(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(zero_is_sent),
		cmocka_unit_test(key_only),
		cmocka_unit_test(truncated),
		cmocka_unit_test(random_damage),
		cmocka_unit_test(wrong_lengths),
		cmocka_unit_test(too_large),
		cmocka_unit_test(copies),
		cmocka_unit_test(normalized),
		cmocka_unit_test(vif_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
