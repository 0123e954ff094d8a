// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tables refuse. Each refusal has its error and a sentence, and
 * leaves everything as it was: objects, counts, generation.
 */

#include "kunit_util.h"

#define PUT	(NLM_F_CREATE | NLM_F_REPLACE)
#define ADD	(NLM_F_CREATE | NLM_F_EXCL)
#define SET	NLM_F_REPLACE

#define NH_ECMP		300	/* of pods 1 and 2; of the vip */
#define NH_BLACKHOLE	301
#define NH_ROUTE	302	/* ecmp without addresses, of KT_NH */
#define SG		2	/* of pod 1 */
#define SG_VIP		8	/* of the vip at port 82 */
#define SG_TIER		9	/* of the admin tier */

static int put_vip_of(struct kt_world *w, u32 sg, struct netlink_ext_ack *extack)
{
	struct vr_vip_cfg cfg = {
		.key = { .vrf = KT_VRF, .family = AF_INET, .proto = IPPROTO_TCP,
			 .port = htons(82), .addr = kt_addr(AF_INET, KT_VIP) },
		.nexthop = NH_ECMP, .sg = sg,
	};

	return vr_vip_set(w->vn, &cfg, PUT, extack);
}

/* One of everything. */
static int init(struct kunit *test)
{
	struct vr_member_cfg m = { .weight = 1, .nexthop = KT_NH };
	struct vr_sg_rule rule = { .hi = 65535 };
	struct kt_world *w;
	int err;

	err = kt_init_pods(test);
	if (err)
		return err;
	w = kt_world(test);
	kt_set_vrf(w, 5);
	kt_set_service(w, AF_INET, IPPROTO_TCP, KT_VIP, 80, NH_ECMP, 1, 2, 8080);
	kt_set_nexthop(w, &(struct vr_nexthop_cfg){ .id = NH_BLACKHOLE,
		.type = VROUTER_NEXTHOP_TYPE_BLACKHOLE });
	kt_set_nexthop(w, &(struct vr_nexthop_cfg){ .id = NH_ROUTE, .n_members = 1, .members = &m,
		.type = VROUTER_NEXTHOP_TYPE_ECMP });
	kt_set_sg(w, SG, 3, &rule, 1);
	kt_set_sg(w, SG_VIP, 1, &rule, 1);
	kt_set_tier(w, SG_TIER, VROUTER_SG_TIER_ADMIN, 0, &rule, 1);
	kt_set_vif(w, 1, 1, (u32[]){ SG });
	mutex_lock(&w->vn->lock);
	err = put_vip_of(w, SG_VIP, NULL);
	mutex_unlock(&w->vn->lock);
	return err;
}

/* --- setters with what most cases have ------------------------------------ */

struct call {
	struct kt_world		*w;
	struct vr_net		*vn;
	struct netlink_ext_ack	*x;
};

static int vrf(const struct call *c, u32 id, u16 flags)
{
	struct vr_vrf_cfg cfg = { .id = id };

	return vr_vrf_set(c->vn, &cfg, flags, c->x);
}


static int vif(const struct call *c, const struct vr_vif_cfg *with, unsigned int pod, u16 flags)
{
	struct vr_vif_cfg cfg = *with;

	cfg.id = cfg.id ?: KT_VIF(pod);
	cfg.vrf = cfg.vrf ?: KT_VRF;
	cfg.dev = cfg.dev ?: c->w->pod[pod].host;
	memcpy(cfg.mac, c->w->pod[pod].mac, ETH_ALEN);
	return vr_vif_set(c->vn, &cfg, flags, c->x);
}

static int nexthop(const struct call *c, struct vr_nexthop_cfg cfg, u16 flags)
{
	return vr_nexthop_set(c->vn, &cfg, flags, c->x);
}

static int ecmp(const struct call *c, u32 id, const struct vr_member_cfg *m, unsigned int n)
{
	return nexthop(c, (struct vr_nexthop_cfg){ .id = id, .type = VROUTER_NEXTHOP_TYPE_ECMP,
						   .members = m, .n_members = n }, PUT);
}

static int route(const struct call *c, u32 vrf, u32 host, u8 len, u32 nh, u16 flags)
{
	struct vr_route_cfg cfg = { .vrf = vrf, .prefix = kt_prefix(AF_INET, host, len),
				    .nexthop = nh };

	return vr_route_set(c->vn, &cfg, flags, c->x);
}

static int vip(const struct call *c, u32 vrf, u16 port, u32 nh, u16 flags)
{
	struct vr_vip_cfg cfg = {
		.key = { .vrf = vrf, .family = AF_INET, .proto = IPPROTO_TCP,
			 .port = htons(port), .addr = kt_addr(AF_INET, KT_VIP) },
		.nexthop = nh,
	};

	return vr_vip_set(c->vn, &cfg, flags, c->x);
}

static int sg(const struct call *c, u32 id, unsigned int n, u16 flags)
{
	struct vr_sg_cfg cfg = { .id = id, .n_rules = n };
	unsigned int i;
	int err;

	cfg.rules = kvcalloc(n, sizeof(*cfg.rules), GFP_KERNEL);
	if (n && !cfg.rules)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		cfg.rules[i].hi = 65535;
	err = vr_sg_set(c->vn, &cfg, flags, c->x);
	if (err)
		kvfree(cfg.rules);
	return err;
}

static const struct vr_member_cfg good = {
	.addr.v4 = cpu_to_be32(KT_POD(1)), .family = AF_INET, .weight = 1,
};

/* --- the refusals --------------------------------------------------------- */

#define CASE(_name, _expr) static int _name(const struct call *c) { return _expr; }

CASE(vrf_again, vrf(c, KT_VRF, ADD))
CASE(vrf_no_replace, vrf(c, KT_VRF, NLM_F_CREATE))
CASE(vrf_not_there, vrf(c, 77, SET))
CASE(vrf_no_create, vrf(c, 77, 0))
CASE(vrf_del_missing, vr_vrf_del(c->vn, 77, c->x))
CASE(vrf_del_used, vr_vrf_del(c->vn, KT_VRF, c->x))

static int vrf_limit(const struct call *c)
{
	c->vn->limits.vrfs = 2;
	return vrf(c, 77, ADD);
}

CASE(vif_again, vif(c, &(struct vr_vif_cfg){}, 0, ADD))
CASE(vif_not_there, vif(c, &(struct vr_vif_cfg){ .id = 77 }, 0, SET))
CASE(vif_no_vrf, vif(c, &(struct vr_vif_cfg){ .vrf = 77 }, 0, PUT))
CASE(vif_dev_taken, vif(c, &(struct vr_vif_cfg){ .id = 77 }, 0, ADD))
CASE(vif_other_dev, vif(c, &(struct vr_vif_cfg){ .dev = c->w->pod[1].host }, 0, PUT))
CASE(vif_loopback, vif(c, &(struct vr_vif_cfg){ .id = 77, .dev = init_net.loopback_dev }, 0, ADD))
CASE(vif_rx_handler, vif(c, &(struct vr_vif_cfg){ .id = 77, .dev = c->w->pod[0].peer }, 0, ADD))
CASE(vif_no_sg, vif(c, &(struct vr_vif_cfg){ .n_sgs = 1, .sgs = (u32[]){ 77 } }, 0, PUT))
CASE(vif_one_sg_of_two, vif(c, &(struct vr_vif_cfg){ .n_sgs = 2, .sgs = (u32[]){ SG, 77 } },
			    0, PUT))
CASE(vif_del_missing, vr_vif_del(c->vn, 77, c->x))

CASE(nh_again, nexthop(c, (struct vr_nexthop_cfg){ .id = NH_BLACKHOLE }, ADD))
CASE(nh_not_there, nexthop(c, (struct vr_nexthop_cfg){ .id = 77 }, SET))
CASE(nh_no_vif, nexthop(c, (struct vr_nexthop_cfg){ .id = 77, .vif = 77,
						    .type = VROUTER_NEXTHOP_TYPE_LOCAL }, ADD))
CASE(nh_no_vrf, nexthop(c, (struct vr_nexthop_cfg){ .id = 77, .vrf = 77,
						    .type = VROUTER_NEXTHOP_TYPE_VRF }, ADD))
CASE(nh_other_type, nexthop(c, (struct vr_nexthop_cfg){ .id = NH_BLACKHOLE,
							.type = VROUTER_NEXTHOP_TYPE_HOST }, PUT))
CASE(nh_del_missing, vr_nexthop_del(c->vn, 77, c->x))
CASE(nh_del_of_route, vr_nexthop_del(c->vn, KT_NH + 1, c->x))
CASE(nh_del_of_vip, vr_nexthop_del(c->vn, NH_ECMP, c->x))
CASE(nh_del_of_member, vr_nexthop_del(c->vn, KT_NH, c->x))
CASE(member_twice, ecmp(c, 77, (struct vr_member_cfg[]){ good, good }, 2))
CASE(member_twice_of_used, ecmp(c, NH_ECMP, (struct vr_member_cfg[]){ good, good }, 2))
CASE(member_nothing, ecmp(c, 77, &(struct vr_member_cfg){ .weight = 1 }, 1))
CASE(member_no_nh, ecmp(c, 77, &(struct vr_member_cfg){ .weight = 1, .nexthop = 78 }, 1))
CASE(member_one_of_two, ecmp(c, NH_ECMP, (struct vr_member_cfg[]){ good,
			     { .weight = 1, .family = AF_INET, .addr.v4 = 1, .nexthop = 78 } }, 2))
CASE(member_ecmp, ecmp(c, 77, &(struct vr_member_cfg){ .weight = 1, .nexthop = NH_ROUTE }, 1))
CASE(member_itself, ecmp(c, NH_ROUTE, &(struct vr_member_cfg){ .weight = 1,
							       .nexthop = NH_ROUTE }, 1))
/* The vip needs an address to translate to. */
CASE(member_no_addr_of_vip, ecmp(c, NH_ECMP, &(struct vr_member_cfg){ .weight = 1,
								      .nexthop = KT_NH }, 1))

static int nh_limit(const struct call *c)
{
	c->vn->limits.nexthops = atomic_read(&c->vn->used.nexthops);
	return nexthop(c, (struct vr_nexthop_cfg){ .id = 77 }, ADD);
}

static int member_limit(const struct call *c)
{
	struct vr_member_cfg m[3] = { good, good, good };

	m[1].addr.v4 = htonl(KT_POD(2));
	m[2].addr.v4 = htonl(KT_POD(3));
	c->vn->limits.members = atomic_read(&c->vn->used.members) + 2;
	return ecmp(c, 77, m, 3);
}

static int member_limit_module(const struct call *c)
{
	u32 was = vr_global.limits.members;
	int err;

	vr_global.limits.members = atomic_read(&vr_global.used.members);
	err = ecmp(c, 77, &good, 1);
	vr_global.limits.members = was;
	return err;
}

CASE(route_again, route(c, KT_VRF, KT_POD(0), 32, KT_NH, ADD))
CASE(route_not_there, route(c, KT_VRF, 0x0b000000, 8, KT_NH, SET))
CASE(route_no_vrf, route(c, 77, 0x0b000000, 8, KT_NH, ADD))
CASE(route_no_nh, route(c, KT_VRF, 0x0b000000, 8, 77, ADD))
CASE(route_to_no_nh, route(c, KT_VRF, KT_POD(0), 32, 77, PUT))

static int route_del_missing(const struct call *c)
{
	struct vr_prefix p = kt_prefix(AF_INET, KT_POD(0), 31);

	return vr_route_del(c->vn, KT_VRF, &p, c->x);
}

static int route_del_no_vrf(const struct call *c)
{
	struct vr_prefix p = kt_prefix(AF_INET, KT_POD(0), 32);

	return vr_route_del(c->vn, 77, &p, c->x);
}

static int route_limit(const struct call *c)
{
	c->vn->limits.routes = atomic_read(&c->vn->used.routes);
	return route(c, KT_VRF, 0x0b000000, 8, KT_NH, ADD);
}

CASE(vip_again, vip(c, KT_VRF, 80, NH_ECMP, ADD))
CASE(vip_not_there, vip(c, KT_VRF, 81, NH_ECMP, SET))
CASE(vip_no_vrf, vip(c, 77, 80, NH_ECMP, ADD))
CASE(vip_no_nh, vip(c, KT_VRF, 81, 77, ADD))
CASE(vip_to_no_nh, vip(c, KT_VRF, 80, 77, PUT))
CASE(vip_not_ecmp, vip(c, KT_VRF, 81, NH_BLACKHOLE, ADD))
CASE(vip_no_addr, vip(c, KT_VRF, 81, NH_ROUTE, ADD))

static int vip_del_missing(const struct call *c)
{
	struct vr_vip_key key = { .vrf = KT_VRF, .family = AF_INET, .proto = IPPROTO_UDP,
				  .port = htons(80), .addr = kt_addr(AF_INET, KT_VIP) };

	return vr_vip_del(c->vn, &key, c->x);
}

static int vip_limit(const struct call *c)
{
	c->vn->limits.vips = atomic_read(&c->vn->used.vips);
	return vip(c, KT_VRF, 81, NH_ECMP, ADD);
}

static int tier_of_vip(const struct call *c)
{
	struct vr_sg_cfg cfg = { .id = SG_VIP, .tier = VROUTER_SG_TIER_BASELINE };

	return vr_sg_set(c->vn, &cfg, PUT, c->x);
}

CASE(vip_sg_with_tier, put_vip_of(c->w, SG_TIER, c->x))
CASE(sg_again, sg(c, SG, 0, ADD))
CASE(sg_not_there, sg(c, 77, 0, SET))
CASE(sg_del_missing, vr_sg_del(c->vn, 77, c->x))
CASE(sg_del_used, vr_sg_del(c->vn, SG, c->x))

static int sg_limit(const struct call *c)
{
	c->vn->limits.sgs = atomic_read(&c->vn->used.sgs);
	return sg(c, 77, 0, ADD);
}

static int rule_limit(const struct call *c)
{
	c->vn->limits.sg_rules = 5;
	return sg(c, SG, 6, PUT);
}


struct refusal {
	const char	*desc;
	int		(*run)(const struct call *c);
	int		err;
};

static const struct refusal refusals[] = {
	{ "vrf: exists", vrf_again, -EEXIST },
	{ "vrf: exists, no replace", vrf_no_replace, -EEXIST },
	{ "vrf: to replace, missing", vrf_not_there, -ENOENT },
	{ "vrf: missing, no create", vrf_no_create, -ENOENT },
	{ "vrf: delete, missing", vrf_del_missing, -ENOENT },
	{ "vrf: delete, in use", vrf_del_used, -EBUSY },
	{ "vrf: limit", vrf_limit, -ENOSPC },
	{ "vif: exists", vif_again, -EEXIST },
	{ "vif: to replace, missing", vif_not_there, -ENOENT },
	{ "vif: no such vrf", vif_no_vrf, -ENOENT },
	{ "vif: device is another vif's", vif_dev_taken, -EBUSY },
	{ "vif: other device", vif_other_dev, -EBUSY },
	{ "vif: loopback", vif_loopback, -EOPNOTSUPP },
	{ "vif: device has a handler", vif_rx_handler, -EBUSY },
	{ "vif: no such group", vif_no_sg, -ENOENT },
	{ "vif: second group missing", vif_one_sg_of_two, -ENOENT },
	{ "vif: delete, missing", vif_del_missing, -ENOENT },
	{ "nexthop: exists", nh_again, -EEXIST },
	{ "nexthop: to replace, missing", nh_not_there, -ENOENT },
	{ "nexthop: no such vif", nh_no_vif, -ENOENT },
	{ "nexthop: no such vrf", nh_no_vrf, -ENOENT },
	{ "nexthop: other type", nh_other_type, -EINVAL },
	{ "nexthop: delete, missing", nh_del_missing, -ENOENT },
	{ "nexthop: delete, of a route", nh_del_of_route, -EBUSY },
	{ "nexthop: delete, of a vip", nh_del_of_vip, -EBUSY },
	{ "nexthop: delete, of a member", nh_del_of_member, -EBUSY },
	{ "nexthop: limit", nh_limit, -ENOSPC },
	{ "member: twice", member_twice, -EINVAL },
	{ "member: twice, group in use", member_twice_of_used, -EINVAL },
	{ "member: says nothing", member_nothing, -EINVAL },
	{ "member: no such nexthop", member_no_nh, -ENOENT },
	{ "member: second one wrong", member_one_of_two, -ENOENT },
	{ "member: is ecmp", member_ecmp, -EINVAL },
	{ "member: is itself", member_itself, -EINVAL },
	{ "member: vip needs its address", member_no_addr_of_vip, -EINVAL },
	{ "member: limit", member_limit, -ENOSPC },
	{ "member: limit of the module", member_limit_module, -ENOSPC },
	{ "route: exists", route_again, -EEXIST },
	{ "route: to replace, missing", route_not_there, -ENOENT },
	{ "route: no such vrf", route_no_vrf, -ENOENT },
	{ "route: no such nexthop", route_no_nh, -ENOENT },
	{ "route: replaced by no such nexthop", route_to_no_nh, -ENOENT },
	{ "route: delete, missing", route_del_missing, -ENOENT },
	{ "route: delete, no such vrf", route_del_no_vrf, -ENOENT },
	{ "route: limit", route_limit, -ENOSPC },
	{ "vip: exists", vip_again, -EEXIST },
	{ "vip: to replace, missing", vip_not_there, -ENOENT },
	{ "vip: no such vrf", vip_no_vrf, -ENOENT },
	{ "vip: no such nexthop", vip_no_nh, -ENOENT },
	{ "vip: replaced by no such nexthop", vip_to_no_nh, -ENOENT },
	{ "vip: nexthop is no ecmp", vip_not_ecmp, -EINVAL },
	{ "vip: members without address", vip_no_addr, -EINVAL },
	{ "vip: delete, missing", vip_del_missing, -ENOENT },
	{ "vip: limit", vip_limit, -ENOSPC },
	{ "vip: its group has a tier", vip_sg_with_tier, -EINVAL },
	{ "sg: of a vip, gets a tier", tier_of_vip, -EBUSY },
	{ "sg: exists", sg_again, -EEXIST },
	{ "sg: to replace, missing", sg_not_there, -ENOENT },
	{ "sg: delete, missing", sg_del_missing, -ENOENT },
	{ "sg: delete, in use", sg_del_used, -EBUSY },
	{ "sg: limit", sg_limit, -ENOSPC },
	{ "sg: limit of rules", rule_limit, -ENOSPC },
};
KT_PARAM(refusals, refusals);

/* What must be the same after a refusal: counts, generation, what readers see. */
struct snapshot {
	struct vr_usage	used, global;
	u32		gen;
	unsigned int	users[4];
	const void	*seen[6];
};

static void look(struct kt_world *w, struct snapshot *s)
{
	struct vr_nexthop *nh = xa_load(&w->vn->nexthops, NH_ECMP);
	struct vr_vrf *vrf = xa_load(&w->vn->vrfs, KT_VRF);
	struct vr_sg *sg = xa_load(&w->vn->sgs, SG);
	union vr_addr a = kt_addr(AF_INET, KT_POD(0));

	memset(s, 0, sizeof(*s));
	memcpy(&s->used, &w->vn->used, sizeof(s->used));
	memcpy(&s->global, &vr_global.used, sizeof(s->global));
	s->gen = w->vn->gen;
	s->users[0] = nh->users;
	s->users[1] = vrf->users;
	s->users[2] = sg->users;
	s->users[3] = ((struct vr_nexthop *)xa_load(&w->vn->nexthops, KT_NH))->users;
	s->seen[0] = rcu_access_pointer(nh->group);
	s->seen[1] = rcu_access_pointer(sg->rules);
	s->seen[2] = rcu_access_pointer(kt_vif(w, 0)->conf);
	s->seen[3] = rcu_access_pointer(kt_vif(w, 0)->dev);
	s->seen[4] = vr_lpm_get(&vrf->routes[0], &a, 32);
	s->seen[5] = vr_vip_next(w->vn, NULL);
}

static void refusal(struct kunit *test)
{
	const struct refusal *r = test->param_value;
	struct netlink_ext_ack extack = {};
	struct kt_world *w = kt_world(test);
	const struct call c = { w, w->vn, &extack };
	struct snapshot before, after;
	size_t len;
	int err;

	kt_lock(w);
	look(w, &before);
	err = r->run(&c);
	look(w, &after);
	kt_unlock(w);
	KUNIT_EXPECT_EQ(test, err, r->err);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(&before, &after, sizeof(before)), 0,
			    "something has changed (generation %u, %u)", before.gen, after.gen);
	KUNIT_ASSERT_NOT_NULL_MSG(test, extack._msg, "no sentence");
	len = strlen(extack._msg);
	KUNIT_EXPECT_GE_MSG(test, len, (size_t)10, "%s", extack._msg);
	KUNIT_EXPECT_NE_MSG(test, extack._msg[len - 1], '\n', "%s", extack._msg);
	/* A caller without an extack is refused in the same way. */
	kt_lock(w);
	KUNIT_EXPECT_EQ(test, r->run(&(struct call){ w, w->vn, NULL }), r->err);
	kt_unlock(w);
}

/* --- and what is allowed, though it looks like the above ------------------- */

static void replaced(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct netlink_ext_ack extack = {};
	const struct call c = { w, w->vn, &extack };
	u32 gen;

	kt_lock(w);
	gen = w->vn->gen;
	KUNIT_EXPECT_EQ(test, vrf(&c, 5, PUT), 0);
	KUNIT_EXPECT_EQ(test, vrf(&c, 5, SET), 0);
	KUNIT_EXPECT_EQ(test, route(&c, KT_VRF, KT_POD(0), 32, NH_BLACKHOLE, SET), 0);
	KUNIT_EXPECT_EQ(test, vip(&c, KT_VRF, 80, NH_ECMP, SET), 0);
	KUNIT_EXPECT_EQ(test, sg(&c, SG, 3, SET), 0);
	KUNIT_EXPECT_EQ(test, ecmp(&c, NH_ECMP, NULL, 0), 0);
	KUNIT_EXPECT_TRUE(test, vr_gen_after(w->vn->gen, gen));
	/* "delete a VRF with its routes and vips; refused while a vif or nexthop uses it" */
	KUNIT_EXPECT_EQ(test, route(&c, 5, 0x0b000000, 8, NH_BLACKHOLE, ADD), 0);
	KUNIT_EXPECT_EQ(test, vip(&c, 5, 80, NH_ECMP, ADD), 0);
	KUNIT_EXPECT_EQ(test, vr_vrf_del(w->vn, 5, &extack), 0);
	kt_unlock(w);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.vips), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->vn->used.routes), 2 * KT_PODS);
}

/* At a bound, what is there may still be replaced, and what goes makes room. */
static void at_the_bound(struct kunit *test)
{
	struct kt_world *w = kt_world(test);
	struct netlink_ext_ack extack = {};
	const struct call c = { w, w->vn, &extack };
	struct vr_limits *l = &w->vn->limits;

	kt_lock(w);
	l->vrfs = atomic_read(&w->vn->used.vrfs);
	l->nexthops = atomic_read(&w->vn->used.nexthops);
	l->members = atomic_read(&w->vn->used.members);
	l->routes = atomic_read(&w->vn->used.routes);
	l->vips = atomic_read(&w->vn->used.vips);
	l->sgs = atomic_read(&w->vn->used.sgs);
	l->sg_rules = atomic_read(&w->vn->used.sg_rules);
	KUNIT_EXPECT_EQ(test, vrf(&c, 5, PUT), 0);
	KUNIT_EXPECT_EQ(test, route(&c, KT_VRF, KT_POD(0), 32, NH_BLACKHOLE, PUT), 0);
	KUNIT_EXPECT_EQ(test, vip(&c, KT_VRF, 80, NH_ECMP, PUT), 0);
	KUNIT_EXPECT_EQ(test, sg(&c, SG, 1, PUT), 0);
	KUNIT_EXPECT_EQ(test, ecmp(&c, NH_ECMP, &good, 1), 0);
	KUNIT_EXPECT_EQ(test, vr_vrf_del(w->vn, 5, NULL), 0);
	KUNIT_EXPECT_EQ(test, vrf(&c, 6, ADD), 0);
	kt_unlock(w);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(refusal, refusals_gen_params),
	KUNIT_CASE(replaced),
	KUNIT_CASE(at_the_bound),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_refuse",
	.suite_init = kt_make_pods,
	.suite_exit = kt_end_pods,
	.init = init,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
