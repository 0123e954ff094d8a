// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrctl tunnel, snat, chain, host: next hops and vifs by the words that operators look for
 * them with. They are made and changed as what they are.
 */

#include <string.h>

#include "vrctl.h"

typedef bool (*match_fn)(const void *obj);

static bool is_tunnel(const void *obj)
{
	return ((const struct vr_nexthop *)obj)->type == VROUTER_NEXTHOP_TYPE_TUNNEL;
}

static bool is_snat(const void *obj)
{
	return ((const struct vr_nexthop *)obj)->type == VROUTER_NEXTHOP_TYPE_SNAT;
}

/* As vrouterd names the two sides of a service chain. */
static bool is_chain(const void *obj)
{
	const struct vr_nexthop *nh = obj;
	const char *side = nh->label ? strrchr(nh->label, '@') : NULL;

	return nh->type == VROUTER_NEXTHOP_TYPE_ECMP && side &&
	       (!strcmp(side, "@left") || !strcmp(side, "@right"));
}

static bool is_host(const void *obj)
{
	return ((const struct vr_vif *)obj)->type == VROUTER_VIF_TYPE_HOST;
}

static int show_those(struct ctx *c, const struct vr_obj_type *t, match_fn match, show_fn show)
{
	struct vr_list list;
	unsigned int i;

	if (vr_dump(c->nl, t, NULL, &list, &c->err))
		return refused(c);
	out_list_begin(c->out);
	for (i = 0; i < list.n; i++) {
		const void *obj = (char *)list.objs + i * vr_type_size(t);

		if (!match(obj))
			continue;
		out_row_begin(c->out);
		show(c, obj);
		out_row_end(c->out);
	}
	out_list_end(c->out);
	vr_list_free(&list);
	return EXIT_OK;
}

static int run_tunnel(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v, (void)obj;
	return show_those(c, &vr_type_nexthop, is_tunnel, show_nexthop);
}

static int run_snat(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v, (void)obj;
	return show_those(c, &vr_type_nexthop, is_snat, show_nexthop);
}

static int run_chain(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v, (void)obj;
	return show_those(c, &vr_type_nexthop, is_chain, show_nexthop);
}

static int run_host(struct ctx *c, const struct verb *v, void *obj)
{
	(void)v, (void)obj;
	return show_those(c, &vr_type_vif, is_host, show_vif);
}

#define VIEW(word, fn, what, of)							\
	static const struct verb fn##_verbs[] = {					\
		{ "show", "all of them; \"vrctl " of "\" makes and changes them", .run = fn }, \
	};										\
	const struct object object_##word = { #word, what, "tunnel", VERBS(fn##_verbs) }

VIEW(tunnel, run_tunnel, "next hops to other nodes", "nexthop");
VIEW(snat, run_snat, "next hops to the outside, with the addresses they translate to", "nexthop");
VIEW(chain, run_chain, "service chains: the instances on each side", "nexthop");
VIEW(host, run_host, "this node's own way into its networks", "vif");
