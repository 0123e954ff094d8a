// SPDX-License-Identifier: GPL-2.0-only
/* links: lib */
/* Words of enumerations, addresses, prefixes and numbers. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vrouter.h>

#include "names.h"
#include "util.h"

static const struct vr_name *const tables[] = {
	vr_names_proto, vr_names_family, vr_names_direction, vr_names_sg_flags,
	vr_names_vif_type, vr_names_nexthop_type, vr_names_member_state, vr_names_flow_state,
	vr_names_drop_reason, vr_names_trace_stage,
};

static void both_ways(void **state)
{
	const struct vr_name *n;
	char buf[VR_NAME_TEXT];
	uint32_t value;
	size_t i;

	for (i = 0; i < VR_ARRAY_SIZE(tables); i++) {
		for (n = tables[i]; n->name; n++) {
			assert_string_equal(vr_name(tables[i], n->value, buf), n->name);
			assert_true(vr_name_value(tables[i], n->name, &value));
			assert_int_equal(value, n->value);
		}
		assert_string_equal(vr_name(tables[i], 4294967295U, buf), "4294967295");
		assert_false(vr_name_value(tables[i], "", &value));
		assert_false(vr_name_value(tables[i], "TCP", &value));
	}
	(void)state;
}

/* None of the specification's values is without a word. */
static void complete(void **state)
{
	char buf[VR_NAME_TEXT];
	uint32_t i;

	for (i = 0; i <= VROUTER_DROP_REASON_MAX; i++)
		assert_ptr_not_equal(vr_name(vr_names_drop_reason, i, buf), buf);
	for (i = 0; i <= VROUTER_TRACE_STAGE_VERDICT; i++)
		assert_ptr_not_equal(vr_name(vr_names_trace_stage, i, buf), buf);
	for (i = 0; i <= VROUTER_FLOW_STATE_CLOSED; i++)
		assert_ptr_not_equal(vr_name(vr_names_flow_state, i, buf), buf);
	(void)state;
}

/* The words are those of the specification, and vrouter(7) has each reason. */
static void as_in_the_spec(void **state)
{
	const struct vr_name *n;
	char line[256], want[300];
	FILE *spec, *man;
	bool found;

	spec = fopen(VR_SRCDIR "/uapi/vrouter.yaml", "r");
	man = fopen(VR_SRCDIR "/userspace/deploy/man/vrouter.7.scd", "r");
	assert_non_null(spec);
	assert_non_null(man);
	for (n = vr_names_drop_reason; n->name; n++) {
		found = false;
		rewind(spec);
		snprintf(want, sizeof(want), "        name: %s\n", n->name);
		while (fgets(line, sizeof(line), spec))
			found |= !strcmp(line, want);
		if (!found)
			fail_msg("no reason %s in uapi/vrouter.yaml", n->name);

		found = n->value == VROUTER_DROP_REASON_NONE;
		rewind(man);
		snprintf(want, sizeof(want), "*%s*\n", n->name);
		while (fgets(line, sizeof(line), man))
			found |= !strcmp(line, want);
		if (!found)
			fail_msg("no reason %s in vrouter.7.scd", n->name);
	}
	fclose(spec);
	fclose(man);
	(void)state;
}

static void addresses(void **state)
{
	static const char *const good[] = { "10.0.0.1", "0.0.0.0", "fd00::1", "::", "::ffff:1.2.3.4" };
	static const char *const bad[] = { "", "10.1", "10.0.0.256", "010.0.0.1", "10.0.0.1 ",
					   "fe80::1%eth0", ":", "localhost", "1:2:3:4:5:6:7:8:9" };
	char buf[VR_ADDR_TEXT];
	struct vr_addr a;
	size_t i;

	for (i = 0; i < VR_ARRAY_SIZE(good); i++) {
		assert_true(vr_addr_parse(good[i], &a));
		assert_string_equal(vr_addr_text(&a, buf), good[i]);
	}
	for (i = 0; i < VR_ARRAY_SIZE(bad); i++) {
		if (vr_addr_parse(bad[i], &a))
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(a.family, 0);
	}
	(void)state;
}

static void prefixes(void **state)
{
	static const char *const good[] = { "10.0.0.0/8", "0.0.0.0/0", "10.0.0.1/32", "::/0",
					    "fd00::/64", "fd00::1/128", "128.0.0.0/1" };
	static const char *const bad[] = { "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
					   "10.0.0.0/8/8", "/8", "", "fd00::1/64", "::/129",
					   "10.0.0.0/ 8", "64.0.0.0/1",
					   "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/1" };
	char buf[VR_PREFIX_TEXT];
	struct vr_prefix p;
	size_t i;

	for (i = 0; i < VR_ARRAY_SIZE(good); i++) {
		assert_true(vr_prefix_parse(good[i], &p));
		assert_string_equal(vr_prefix_text(&p, buf), good[i]);
	}
	for (i = 0; i < VR_ARRAY_SIZE(bad); i++) {
		if (vr_prefix_parse(bad[i], &p))
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(p.addr.family, 0);
	}
	assert_true(vr_prefix_parse("10.1.2.3", &p));
	assert_int_equal(p.len, 32);
	(void)state;
}

static bool inside(const char *prefix, const char *addr)
{
	struct vr_prefix p;
	struct vr_addr a;

	assert_true(vr_prefix_parse(prefix, &p));
	assert_true(vr_addr_parse(addr, &a));
	return vr_prefix_contains(&p, &a);
}

static void contains(void **state)
{
	assert_true(inside("10.0.0.0/8", "10.255.0.1"));
	assert_false(inside("10.0.0.0/8", "11.0.0.0"));
	assert_true(inside("10.32.0.0/12", "10.47.255.255"));
	assert_false(inside("10.32.0.0/12", "10.48.0.0"));
	assert_true(inside("0.0.0.0/0", "1.2.3.4"));
	assert_false(inside("0.0.0.0/0", "::1"));
	assert_true(inside("fd00::1/128", "fd00::1"));
	assert_false(inside("fd00::1/128", "fd00::2"));
	(void)state;
}

static void numbers(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "0x10", "1e3", "256",
					   "18446744073709551616", "99999999999999999999999" };
	uint64_t n;
	size_t i;

	assert_true(vr_number_parse("255", 255, &n) && n == 255);
	assert_true(vr_number_parse("007", 255, &n) && n == 7);
	assert_true(vr_number_parse("18446744073709551615", UINT64_MAX, &n) && n == UINT64_MAX);
	for (i = 0; i < VR_ARRAY_SIZE(bad); i++)
		if (vr_number_parse(bad[i], 255, &n))
			fail_msg("\"%s\" was taken", bad[i]);
	(void)state;
}

static void macs(void **state)
{
	uint8_t mac[6];
	char buf[VR_MAC_TEXT];

	assert_true(vr_mac_parse("02:aB:00:00:00:03", mac));
	assert_string_equal(vr_mac_text(mac, buf), "02:ab:00:00:00:03");
	assert_false(vr_mac_parse("", mac));
	assert_false(vr_mac_parse("02:ab:00:00:00", mac));
	assert_false(vr_mac_parse("02:ab:00:00:00:03:04", mac));
	assert_false(vr_mac_parse("02-ab-00-00-00-03", mac));
	assert_false(vr_mac_parse("2:ab:00:00:00:03", mac));
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways), cmocka_unit_test(complete),
		cmocka_unit_test(as_in_the_spec), cmocka_unit_test(addresses),
		cmocka_unit_test(prefixes), cmocka_unit_test(contains), cmocka_unit_test(numbers),
		cmocka_unit_test(macs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
