// SPDX-License-Identifier: GPL-2.0-only
/* Between networks: the next hop into each, and what a network that is joined with another
 * reaches there. The way back are its pods' routes in the other, see plan_vmi_routes().
 */

#include <linux/vrouter.h>

#include "mem.h"
#include "plan_priv.h"

void plan_join(struct unit *u, const struct res *r, uint32_t vrf, struct ids *ids)
{
	const struct network *n = &r->network;
	struct vr_nexthop into = {
		.id = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_VRF, r->key),
		.label = mem_strdup(r->key), .type = VROUTER_NEXTHOP_TYPE_VRF, .vrf = vrf,
	};
	uint32_t other;
	unsigned int i;

	add_planned(u, K_NEXTHOP, &into);
	if (!n->joined)
		return;
	other = use_nexthop(u, ids, VROUTER_NEXTHOP_TYPE_VRF, n->joined);
	for (i = 0; i < n->n_inside; i++) {
		struct vr_route rt = {
			.vrf = vrf, .prefix = n->inside[i], .nexthop = other,
			.label = mem_strdup(n->joined),
		};

		add_planned(u, K_ROUTE, &rt);
	}
}
