// SPDX-License-Identifier: GPL-2.0-only
/* The state of a network namespace: its birth, its defaults, its end. */

#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/netns/generic.h>

#include "table/flow.h"

unsigned int vr_net_id __read_mostly;

/* Bounds are what a large node needs (500 pods, 10 000 services of 20 members)
 * with room to grow, not what the memory could hold.
 *
 * Time-outs are those of nf_conntrack, which peers and applications are used
 * to, but for an established TCP connection: five days of silence would keep
 * the flows of crashed peers in a table that fills up. A day is what kube-proxy
 * sets, more than the two hours that RFC 5382 asks for and than keepalive's
 * default. half_closed waits for the other side's data as long as FIN_WAIT and
 * CLOSE_WAIT there. Fragments of a datagram come within milliseconds or not at
 * all.
 */
static const struct vr_limits defaults = {
	.flows			= 1 << 20,
	.flows_per_vif		= 1 << 17,
	.half_open_per_vif	= 1 << 13,
	.vrfs			= 4096,
	.vifs			= 4096,
	.nexthops		= 1 << 18,
	.members		= 1 << 22,
	.routes			= 1 << 20,
	.vips			= 1 << 18,
	.sgs			= 1 << 16,
	.sg_rules		= 1 << 20,
	.affinities		= 1 << 18,
	.fragment_bytes		= 4 << 20,
	.t_new			= 30,
	.t_tcp_syn		= 60,
	.t_tcp_established	= 24 * 3600,
	.t_tcp_half_closed	= 120,
	.t_tcp_closed		= 10,
	.t_udp			= 120,
	.t_sctp			= 210,
	.t_icmp			= 30,
	.t_fragment		= 15,
	.tcp_mss		= VR_TCP_MSS_ANY,
};

/* Of all namespaces together: four full ones. */
struct vr_global vr_global = {
	.limits = {
		.flows		= 1 << 22,
		.vrfs		= 1 << 14,
		.vifs		= 1 << 14,
		.nexthops	= 1 << 20,
		.members	= 1 << 24,
		.routes		= 1 << 22,
		.vips		= 1 << 20,
		.sgs		= 1 << 18,
		.sg_rules	= 1 << 22,
		.affinities	= 1 << 20,
		.fragment_bytes	= 16 << 20,
	},
};

struct vr_net *vr_net(const struct net *net)
{
	return net_generic(net, vr_net_id);
}

void vr_net_bump(struct vr_net *vn)
{
	lockdep_assert_held(&vn->lock);
	/* Pairs with vr_net_gen(): what was changed and stamped is seen before */
	smp_store_release(&vn->gen, vn->gen + 1);
}

static int __net_init vr_net_init(struct net *net)
{
	struct vr_net *vn = vr_net(net);
	int err;

	vn->net = net;
	mutex_init(&vn->lock);
	xa_init(&vn->vrfs);
	xa_init(&vn->vifs);
	xa_init(&vn->nexthops);
	xa_init(&vn->sgs);
	xa_init(&vn->vnis);
	vn->limits = defaults;
	get_random_bytes(&vn->hash_key, sizeof(vn->hash_key));

	vn->stats = __netdev_alloc_pcpu_stats(struct vr_pcpu_net, GFP_KERNEL_ACCOUNT);
	if (!vn->stats)
		return -ENOMEM;
	err = vr_vip_init(vn);
	if (err)
		goto err_stats;
	err = vr_affinity_init(vn);
	if (err)
		goto err_vip;
	err = vr_tunnel_init(vn);
	if (err)
		goto err_affinity;
	err = vr_frag_init(vn);
	if (err)
		goto err_tunnel;
	err = vr_flow_table_init(vn);
	if (err)
		goto err_frag;
	return 0;

err_frag:
	vr_frag_exit(vn);
err_tunnel:
	vr_tunnel_exit(vn);
err_affinity:
	vr_affinity_exit(vn);
err_vip:
	vr_vip_exit(vn);
err_stats:
	free_percpu(vn->stats);
	return err;
}

/* Devices go first, so that no packet comes any more; the core then waits for
 * those on their way, once for all namespaces of the batch.
 */
static void __net_exit vr_net_pre_exit(struct net *net)
{
	struct vr_net *vn = vr_net(net);

	rtnl_lock();
	mutex_lock(&vn->lock);
	vn->dying = true;
	vr_vif_detach_all(vn);
	mutex_unlock(&vn->lock);
	rtnl_unlock();
}

static void remove_nexthops(struct vr_net *vn)
{
	struct vr_nexthop *nh;
	unsigned long id;

	/* Members use the others */
	xa_for_each(&vn->nexthops, id, nh)
		if (nh->type == VROUTER_NEXTHOP_TYPE_ECMP)
			WARN_ON_ONCE(vr_nexthop_del(vn, id, NULL));
	xa_for_each(&vn->nexthops, id, nh)
		WARN_ON_ONCE(vr_nexthop_del(vn, id, NULL));
}

/* Users before what they use. That nothing is refused shows that the counts of
 * users are right.
 */
static void remove_objects(struct vr_net *vn)
{
	unsigned long id;
	void *obj;

	mutex_lock(&vn->lock);
	xa_for_each(&vn->vrfs, id, obj) {
		vr_vip_del_vrf(vn, id);
		vr_route_release_all(vn, obj);
	}
	remove_nexthops(vn);
	xa_for_each(&vn->sgs, id, obj)
		WARN_ON_ONCE(vr_sg_del(vn, id, NULL));
	xa_for_each(&vn->vrfs, id, obj)
		WARN_ON_ONCE(vr_vrf_del(vn, id, NULL));
	mutex_unlock(&vn->lock);
}

static void __net_exit vr_net_exit_batch(struct list_head *list)
{
	struct vr_net *vn;
	struct net *net;

	list_for_each_entry(net, list, exit_list) {
		vn = vr_net(net);
		vr_flow_table_exit(vn);
		vr_frag_exit(vn);
		vr_affinity_exit(vn);
		remove_objects(vn);
		vr_tunnel_exit(vn);
		vr_vip_exit(vn);
	}
	/* Callbacks of flows count in vr_net::used */
	rcu_barrier();
	list_for_each_entry(net, list, exit_list) {
		vn = vr_net(net);
		xa_destroy(&vn->vrfs);
		xa_destroy(&vn->vifs);
		xa_destroy(&vn->nexthops);
		xa_destroy(&vn->sgs);
		xa_destroy(&vn->vnis);
		free_percpu(vn->stats);
	}
}

struct pernet_operations vr_net_ops = {
	.init		= vr_net_init,
	.pre_exit	= vr_net_pre_exit,
	.exit_batch	= vr_net_exit_batch,
	.id		= &vr_net_id,
	.size		= sizeof(struct vr_net),
};
