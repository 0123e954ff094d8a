// SPDX-License-Identifier: GPL-2.0-only
/* links: vrouterd kube lib */
/*
 * From resources to objects, ids and requests, against a kernel that keeps
 * objects in a table and refuses what refers to something that is not there.
 */

#include "test_vrouterd_world.h"

/* --- plan ----------------------------------------------------------------------- */

static void resources_become_objects(void **state)
{
	struct world *w = *state;
	const struct kobj *o;
	struct count c = {};

	fill(w);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	ktable_each(&w->kernel.objs, count_one, &c);
	assert_int_equal(c.n[K_SG], 2);
	assert_int_equal(c.n[K_VRF], 1);
	assert_int_equal(c.n[K_VIF], 1);
	assert_int_equal(c.n[K_NEXTHOP], 4);	/* local, ecmp, blackhole, vrf */
	assert_int_equal(c.n[K_ROUTE], 3);	/* two hosts', service subnet */
	assert_int_equal(c.n[K_VIP], 1);	/* the IPv6 address has no pool */

	o = find(w, K_VIF, ID_VIF, "default/web-0");
	assert_int_equal(o->vif.ifindex, 7);
	assert_int_equal(o->vif.n_addrs, 2);
	assert_int_equal(o->vif.n_sgs, 2);
	assert_true(o->vif.sgs[0] < o->vif.sgs[1]);
	o = find(w, K_NEXTHOP, ID_NEXTHOP, "ecmp default/web.http");
	assert_int_equal(o->nexthop.n_members, 2);
	assert_int_equal(o->nexthop.members[0].addr.b[3], 5);
	assert_int_equal(o->nexthop.members[0].weight, 1);
	o = find(w, K_VRF, ID_VRF, "default/net");
	assert_int_equal(o->vrf.n_gateways, 2);
	o = find(w, K_SG, ID_SG, "default/a");
	assert_int_equal(o->sg.rules[0].peer_sg, ids_find(w->ids, ID_SG, "default/b"));
}

static void what_is_needed_comes_first(void **state)
{
	struct world *w = *state;

	fill(w);
	reconcile(w->rc);
	assert_string_equal(w->kernel.log, "+sg +sg +vrf +vif +nexthop +nexthop +nexthop "
			    "+nexthop +route +route +route +vip ");
	w->kernel.log[0] = '\0';
	reconciler_synced(w->rc);
	set(w, NETWORK, NULL);
	set(w, VMI, "default/web-0", NULL);
	set(w, LB, "default/web", NULL);
	set(w, POOL, "default/web.http", NULL);
	set(w, SG, "default/a", NULL);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	/* The device first: nothing is to come from it without its policy. */
	assert_string_equal(w->kernel.log, "-vif -vip -route -route -route -nexthop -nexthop "
			    "-nexthop -nexthop -vrf -sg ");
	assert_int_equal(w->kernel.released, 1);
}

/* --- differences --------------------------------------------------------------------- */

static void restart_changes_nothing(void **state)
{
	struct world *w = *state;
	uint32_t vif, sg, nh;

	fill(w);
	reconcile(w->rc);
	vif = ids_find(w->ids, ID_VIF, "default/web-0");
	sg = ids_find(w->ids, ID_SG, "default/b");
	nh = ids_find(w->ids, ID_NEXTHOP, "ecmp default/web.http");

	restart(w);
	/* Names that come earlier now do not take the ids of others. */
	set(w, SG, "default/0-new", "{}");
	set(w, POOL, "default/0-new", POOL_SPEC("1"));
	fill(w);
	reconciler_synced(w->rc);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(w->kernel.requests, 2);
	assert_int_equal(ids_find(w->ids, ID_VIF, "default/web-0"), vif);
	assert_int_equal(ids_find(w->ids, ID_SG, "default/b"), sg);
	assert_int_equal(ids_find(w->ids, ID_NEXTHOP, "ecmp default/web.http"), nh);
}

static void nothing_is_deleted_before_the_bookmark(void **state)
{
	struct world *w = *state;

	fill(w);
	reconcile(w->rc);
	restart(w);
	set(w, NETWORK, NETWORK_SPEC);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(w->kernel.requests, 0);
	reconciler_synced(w->rc);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(w->kernel.dels, 8);	/* all but vrf, blackhole and its route */
	assert_int_equal(w->kernel.adds + w->kernel.replaces, 0);
}

static void a_change_costs_what_it_changes(void **state)
{
	struct world *w = *state;

	fill(w);
	reconcile(w->rc);
	w->kernel.requests = 0;
	set(w, POOL, "default/web.http", POOL_SPEC("8080"));
	reconcile(w->rc);
	assert_int_equal(w->kernel.requests, 0);
	set(w, POOL, "default/web.http", POOL_SPEC("9090"));
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(w->kernel.requests, 1);
	assert_int_equal(w->kernel.replaces, 1);
}

static void a_refused_object_blocks_no_other(void **state)
{
	struct world *w = *state;
	char why[256];

	set(w, NETWORK, NETWORK_SPEC);
	set(w, POOL, "default/web.http", POOL_SPEC("8080"));
	w->kernel.refuse_nexthop = ids_find(w->ids, ID_NEXTHOP, "ecmp default/web.http");
	set(w, LB, "default/web", LB_SPEC("10.96.0.10", "default/web.http"));
	set(w, SG, "default/b", "{}");
	assert_int_equal(reconcile(w->rc), RC_REFUSED);
	assert_non_null(find(w, K_SG, ID_SG, "default/b"));
	assert_true(reconciler_pending(w->rc));
	assert_false(reconciler_settled(w->rc, unit_of(w, "LoadBalancer default/web"), why,
					sizeof(why)));
	assert_non_null(strstr(why, "No such nexthop"));

	w->kernel.refuse_nexthop = 0;
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_false(reconciler_pending(w->rc));
	assert_true(reconciler_settled(w->rc, unit_of(w, "LoadBalancer default/web"), why,
				       sizeof(why)));
}

static void foreign_objects_are_left_alone(void **state)
{
	struct vr_vrf vrf = { .id = 1, .label = mem_strdup("mine") };
	struct vr_vrf other = { .id = 3, .label = NULL };
	struct vr_vif tap = { .id = 1, .label = mem_strdup("default/vm"), .vrf = 1, .ifindex = 3,
			      .ifname = "tap0" };
	struct world *w = *state;

	ktable_set(&w->kernel.objs, kobj_new(K_VRF, &vrf));
	ktable_set(&w->kernel.objs, kobj_new(K_VRF, &other));
	ktable_set(&w->kernel.objs, kobj_new(K_VIF, &tap));
	restart(w);
	reconciler_synced(w->rc);
	fill(w);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(w->kernel.dels + w->kernel.replaces, 0);
	assert_int_equal(ids_find(w->ids, ID_VRF, "default/net"), 2);
	assert_int_equal(ids_find(w->ids, ID_VIF, "default/web-0"), 2);
}

static void a_vif_that_vanished_is_made_anew(void **state)
{
	struct world *w = *state;
	struct kkey key = { .kind = K_VIF };

	fill(w);
	reconcile(w->rc);
	reconciler_synced(w->rc);
	key.id = ids_find(w->ids, ID_VIF, "default/web-0");
	kobj_put(ktable_take(&w->kernel.objs, &key));
	reconciler_seen(w->rc, &key, NULL);
	w->kernel.log[0] = '\0';
	assert_int_equal(reconcile(w->rc), RC_DONE);
	/* The next hop leads nowhere until it is told the vif again. */
	assert_string_equal(w->kernel.log, "+vif =nexthop ");

	/* A new sandbox: another device for the same pod. */
	w->kernel.log[0] = '\0';
	set_dev(w, VMI, "default/web-0", VMI_SPEC("\"10.32.0.5\",\"fd00::5\"",
						  "\"default/b\",\"default/a\""), 8);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_string_equal(w->kernel.log, "-vif +vif =nexthop ");
	assert_false(reconciler_pending(w->rc));
	assert_int_equal(find(w, K_VIF, ID_VIF, "default/web-0")->vif.ifindex, 8);
}

static void two_that_want_one_key(void **state)
{
	struct world *w = *state;
	struct kkey key = { .kind = K_VIP, .id = 1, .proto = IPPROTO_TCP, .port = 80 };
	char why[256];

	fill(w);
	set(w, LB, "default/two", LB_SPEC("10.96.0.10", "default/web.http"));
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_true(vr_addr_parse("10.96.0.10", &key.prefix.addr));
	key.id = ids_find(w->ids, ID_VRF, "default/net");
	assert_string_equal(kobj_label(ktable_get(&w->kernel.objs, &key)), "default/web:http");
	assert_false(reconciler_settled(w->rc, unit_of(w, "LoadBalancer default/two"), why,
					sizeof(why)));

	set(w, LB, "default/web", NULL);
	reconciler_synced(w->rc);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_string_equal(kobj_label(ktable_get(&w->kernel.objs, &key)), "default/two:http");
}

static void a_wrong_mirror_asks_for_a_dump(void **state)
{
	struct world *w = *state;
	struct kkey key = { .kind = K_SG };

	fill(w);
	reconcile(w->rc);
	reconciler_synced(w->rc);
	key.id = ids_find(w->ids, ID_SG, "default/b");
	kobj_put(ktable_take(&w->kernel.objs, &key));
	set(w, SG, "default/b", "{\"enforce\":[\"egress\"]}");
	assert_int_equal(reconcile(w->rc), RC_RESYNC);
	dump(w);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_non_null(find(w, K_SG, ID_SG, "default/b"));

	w->kernel.dead = ENOBUFS;
	set(w, SG, "default/b", "{}");
	assert_int_equal(reconcile(w->rc), RC_LOST);
	w->kernel.dead = 0;
	dump(w);
	assert_int_equal(reconcile(w->rc), RC_DONE);
	assert_int_equal(find(w, K_SG, ID_SG, "default/b")->sg.enforce, 0);
}

/* --- ids ---------------------------------------------------------------------------- */

static void ids_are_kept_and_given_again(void **state)
{
	struct ids *ids = ids_new();

	(void)state;
	assert_true(ids_restore(ids, ID_SG, "a/b", 2));
	ids_reserve(ids, ID_SG, 1);
	assert_int_equal(ids_get(ids, ID_SG, "a/c"), 3);
	assert_int_equal(ids_get(ids, ID_SG, "a/b"), 2);
	assert_int_equal(ids_get(ids, ID_VRF, "a/c"), 1);
	assert_false(ids_restore(ids, ID_SG, "a/b", 9));	/* has one */
	assert_false(ids_restore(ids, ID_SG, "a/x", 3));	/* another's */

	ids_put(ids, ID_SG, 2);
	assert_int_equal(ids_find(ids, ID_SG, "a/b"), 2);	/* held once more */
	ids_put(ids, ID_SG, 2);
	assert_int_equal(ids_find(ids, ID_SG, "a/b"), 0);
	assert_int_equal(ids_get(ids, ID_SG, "a/d"), 2);
	ids_unreserve(ids);
	assert_int_equal(ids_get(ids, ID_SG, "a/e"), 1);
	assert_int_equal(ids_get(ids, ID_SG, "a/f"), 4);
	ids_free(ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(resources_become_objects),
		TEST(what_is_needed_comes_first),
		TEST(restart_changes_nothing),
		TEST(nothing_is_deleted_before_the_bookmark),
		TEST(a_change_costs_what_it_changes),
		TEST(a_refused_object_blocks_no_other),
		TEST(foreign_objects_are_left_alone),
		TEST(a_vif_that_vanished_is_made_anew),
		TEST(two_that_want_one_key),
		TEST(a_wrong_mirror_asks_for_a_dump),
		cmocka_unit_test(ids_are_kept_and_given_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
