// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tunnels to other nodes: where they lead, and the UDP sockets that they come in by,
 * one for each encapsulation and family while there is a tunnel of that kind. The
 * kernel's UDP tunnel interface takes packets from whatever uplink there is.
 */

#include <linux/etherdevice.h>
#include <linux/slab.h>
#include <net/udp_tunnel.h>

#include "../path/path.h"
#include "table.h"

static const struct rhashtable_params params = {
	.key_len		= sizeof(struct vr_tunnel_key),
	.key_offset		= offsetof(struct vr_tunnel, key),
	.head_offset		= offsetof(struct vr_tunnel, node),
	.automatic_shrinking	= true,
};

static const u16 ports[] = {
	[VROUTER_TUNNEL_ENCAP_VXLAN]	= VR_PORT_VXLAN,
	[VROUTER_TUNNEL_ENCAP_MPLSOUDP]	= VR_PORT_MPLSOUDP,
};

struct vr_nexthop *vr_tunnel_peer_rcu(struct vr_net *vn, const struct vr_tunnel_key *key)
{
	struct vr_tunnel *t = rhashtable_lookup(&vn->tunnels, key, params);

	return t ? READ_ONCE(t->nh) : NULL;
}

/* --- sockets -------------------------------------------------------------- */

static struct vr_tunnel_sock **slot(struct vr_net *vn, u8 encap, u8 family)
{
	BUILD_BUG_ON(ARRAY_SIZE(vn->tunnel_socks) != 2 * ARRAY_SIZE(ports));
	return &vn->tunnel_socks[encap * 2 + (family == AF_INET6)];
}

static struct socket *open_port(struct vr_net *vn, u8 encap, u8 family,
				struct netlink_ext_ack *extack)
{
	struct udp_port_cfg cfg = {
		.family = family,
		.local_udp_port = htons(ports[encap]),
		.use_udp6_rx_checksums = 0,
		.ipv6_v6only = family == AF_INET6,
	};
	struct socket *sock;
	int err;

	err = udp_sock_create(vn->net, &cfg, &sock);
	if (!err)
		return sock;
	if (err == -EADDRINUSE)
		NL_SET_ERR_MSG_FMT(extack, "UDP port %u is in use by somebody else", ports[encap]);
	else
		NL_SET_ERR_MSG_FMT(extack, "UDP port %u cannot be opened", ports[encap]);
	return ERR_PTR(err);
}

/* One more user of the port. ERR_PTR. */
static struct vr_tunnel_sock *get_sock(struct vr_net *vn, u8 encap, u8 family,
				       struct netlink_ext_ack *extack)
{
	struct vr_tunnel_sock **at = slot(vn, encap, family), *ts = *at;
	struct udp_tunnel_sock_cfg cfg = {
		.encap_type = 1,
		.encap_rcv = vr_rx_tunnel,
		.encap_err_lookup = vr_rx_tunnel_err,
		.gro_receive = vr_gro_receive,
		.gro_complete = encap == VROUTER_TUNNEL_ENCAP_VXLAN ? vr_gro_complete_vxlan :
								      vr_gro_complete_mpls,
	};
	struct socket *sock;

	if (ts) {
		ts->users++;
		return ts;
	}
	ts = kzalloc(sizeof(*ts), GFP_KERNEL_ACCOUNT);
	if (!ts)
		return ERR_PTR(-ENOMEM);
	sock = open_port(vn, encap, family, extack);
	if (IS_ERR(sock)) {
		kfree(ts);
		return ERR_CAST(sock);
	}
	/* what UDP would otherwise segment again, when pods send it so */
	udp_allow_gso(sock->sk);
	*ts = (struct vr_tunnel_sock) { .vn = vn, .sock = sock, .encap = encap, .users = 1 };
	cfg.sk_user_data = ts;
	setup_udp_tunnel_sock(vn->net, vr_tunnel_sock_arg(sock), &cfg);
	*at = ts;
	return ts;
}

/* Nobody receives by it after this. */
static void put_sock(struct vr_net *vn, u8 encap, u8 family)
{
	struct vr_tunnel_sock **at = slot(vn, encap, family), *ts = *at;

	if (--ts->users)
		return;
	*at = NULL;
	udp_tunnel_sock_release(vr_tunnel_sock_arg(ts->sock));
	kfree_rcu(ts, rcu);
}

/* --- tunnels -------------------------------------------------------------- */

static void tunnel_free(struct vr_tunnel *t)
{
	dst_cache_destroy(&t->dst);
	kfree(t);
}

static void tunnel_free_work(struct work_struct *work)
{
	tunnel_free(container_of(to_rcu_work(work), struct vr_tunnel, free));
}

static struct vr_tunnel *tunnel_new(struct vr_net *vn, const struct vr_tunnel_cfg *cfg,
				    struct netlink_ext_ack *extack)
{
	struct vr_tunnel *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	struct vr_tunnel_sock *ts;
	int err;

	if (!t)
		return ERR_PTR(-ENOMEM);
	t->cfg = *cfg;
	t->key = (struct vr_tunnel_key) {
		.remote = cfg->remote, .family = cfg->family, .encap = cfg->encap,
	};
	err = dst_cache_init(&t->dst, GFP_KERNEL_ACCOUNT);
	if (err)
		goto err_free;
	ts = get_sock(vn, cfg->encap, cfg->family, extack);
	if (IS_ERR(ts)) {
		err = PTR_ERR(ts);
		goto err_dst;
	}
	t->sk = ts->sock->sk;
	return t;

err_dst:
	dst_cache_destroy(&t->dst);
err_free:
	kfree(t);
	return ERR_PTR(err);
}

/* It is in the table of peers from now on, but none of them until it has its next hop:
 * what can fail is done. One that only replaces another there cannot fail later.
 */
struct vr_tunnel *vr_tunnel_new(struct vr_net *vn, const struct vr_nexthop *nh,
				const struct vr_tunnel_cfg *cfg, struct netlink_ext_ack *extack)
{
	struct vr_tunnel *t, *other;
	int err;

	lockdep_assert_held(&vn->lock);
	t = tunnel_new(vn, cfg, extack);
	if (IS_ERR(t))
		return t;

	rcu_read_lock();
	other = rhashtable_lookup(&vn->tunnels, &t->key, params);
	rcu_read_unlock();
	if (other && nh && other->nh == nh)
		return t;
	if (other) {
		vr_extack_addr(extack, cfg->family, &cfg->remote, "is the remote of next hop",
			       other->nh->id);
		err = -EEXIST;
	} else {
		err = rhashtable_insert_fast(&vn->tunnels, &t->node, params);
	}
	if (!err) {
		t->listed = true;
		return t;
	}
	put_sock(vn, cfg->encap, cfg->family);
	tunnel_free(t);
	return ERR_PTR(err);
}

static void tunnel_end(struct vr_net *vn, struct vr_tunnel *t)
{
	if (t->listed)
		WARN_ON_ONCE(rhashtable_remove_fast(&vn->tunnels, &t->node, params));
	put_sock(vn, t->cfg.encap, t->cfg.family);
	INIT_RCU_WORK(&t->free, tunnel_free_work);
	queue_rcu_work(vr_wq, &t->free);
}

void vr_tunnel_undo(struct vr_net *vn, struct vr_tunnel *t)
{
	tunnel_end(vn, t);
}

void vr_tunnel_set(struct vr_net *vn, struct vr_nexthop *nh, struct vr_tunnel *t)
{
	struct vr_tunnel *old = rcu_dereference_protected(nh->tunnel, lockdep_is_held(&vn->lock));

	if (t) {
		WRITE_ONCE(t->nh, nh);
		if (!t->listed) {
			WARN_ON_ONCE(rhashtable_replace_fast(&vn->tunnels, &old->node, &t->node,
							     params));
			t->listed = true;
			old->listed = false;
		}
	}
	rcu_assign_pointer(nh->tunnel, t);
	if (old)
		tunnel_end(vn, old);
}
int vr_tunnel_init(struct vr_net *vn)
{
	return rhashtable_init(&vn->tunnels, &params);
}

void vr_tunnel_exit(struct vr_net *vn)
{
	rhashtable_destroy(&vn->tunnels);
}
