/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_COMPAT_H
#define VR_COMPAT_H

/* What differs between Linux 6.1 and 7.2. No other file asks for a version. */

#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <linux/sctp.h>
#include <linux/skbuff.h>
#include <linux/version.h>
#include <net/genetlink.h>

/* 6.2 and 6.4: extack sentences with values, at most 79 characters. Before,
 * they are made in nl/attr.c.
 */
#ifndef NL_SET_ERR_MSG_FMT
__printf(2, 3)
void vr_extack_fmt(struct netlink_ext_ack *extack, const char *fmt, ...);
#define NL_SET_ERR_MSG_FMT(extack, fmt, args...) vr_extack_fmt((extack), (fmt), ##args)
#define VR_NEED_EXTACK_FMT 1
#endif

#ifndef NL_SET_ERR_MSG_ATTR_FMT
#define NL_SET_ERR_MSG_ATTR_FMT(extack, attr, fmt, args...) do {	\
	NL_SET_ERR_MSG_FMT((extack), fmt, ##args);			\
	NL_SET_BAD_ATTR((extack), (attr));				\
} while (0)
#endif

/* 6.7: what generated policies use; a range became const */
#ifndef NLA_POLICY_MAX_LEN
#define NLA_POLICY_MAX_LEN(_len) NLA_POLICY_MAX(NLA_BINARY, _len)
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#undef NLA_POLICY_FULL_RANGE
#define NLA_POLICY_FULL_RANGE(tp, _range) {				\
	.type = NLA_ENSURE_UINT_OR_BINARY_TYPE(tp),			\
	.validation_type = NLA_VALIDATE_RANGE_PTR,			\
	.range = (struct netlink_range_validation *)(_range),		\
}
#endif

/* 6.6: what a dump is given moved into a struct genl_info */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define vr_dump_attrs(cb)	(genl_dumpit_info(cb)->info.attrs)
#else
#define vr_dump_attrs(cb)	(genl_dumpit_info(cb)->attrs)
#endif

/* 6.5: what GSO is went into a header of its own */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#include <net/gso.h>
#endif

/* 6.6: skbs know of queueing disciplines without CLS_ACT too. Neither packet sockets nor
 * tc see the skb (once more) when it is handed to the core.
 */
static inline void vr_skb_skip_taps(struct sk_buff *skb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#ifdef CONFIG_NET_XGRESS
	skb->tc_skip_classify = 1;
#endif
#elif defined(CONFIG_NET_CLS_ACT)
	skb->tc_skip_classify = 1;
#endif
}

/* 6.7, 6.6.4 and 6.1.120: veths count per CPU as others do. What the one end sends, the other
 * one receives in its statistics.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 4) || \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 120) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0))
#define VR_VETH_HAS_TSTATS 1
#endif

static inline void vr_dev_count_tx(struct net_device *dev, unsigned int len)
{
#ifdef VR_VETH_HAS_TSTATS
	if (dev->pcpu_stat_type == NETDEV_PCPU_STAT_TSTATS)
		dev_sw_netstats_tx_add(dev, 1, len);
#else
	dev_lstats_add(dev, len);
#endif
}

/* 6.8: the core allocates a device's counters */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
static inline int vr_dev_alloc_tstats(struct net_device *dev)
{
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	return 0;
}

static inline void vr_dev_free_tstats(struct net_device *dev) {}
#else
static inline int vr_dev_alloc_tstats(struct net_device *dev)
{
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	return dev->tstats ? 0 : -ENOMEM;
}

static inline void vr_dev_free_tstats(struct net_device *dev)
{
	free_percpu(dev->tstats);
}
#endif

/* 6.12: no longer a feature */
static inline void vr_dev_set_lltx(struct net_device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	dev->lltx = true;
#else
	dev->features |= NETIF_F_LLTX;
#endif
}

/* 6.10 */
#ifndef dst_rtable
#define dst_rtable(_dst)	container_of(_dst, struct rtable, dst)
#endif

/* Some version after 6.12 takes the sock where the socket was taken. */
#define vr_tunnel_sock_arg(s)								\
	__builtin_choose_expr(__same_type(udp_tunnel_sock_release, void (struct sock *)),	\
			      (s)->sk, (s))

/* 6.16: one more argument, flags for the IP layer; 6.12: const addresses. Both take over
 * dst and skb; addresses and ports are in network byte order.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define vr_udp_tunnel_xmit(rt, sk, skb, src, to, tos, ttl, df, sport, dport, nocheck)	\
	udp_tunnel_xmit_skb(rt, sk, skb, src, to, tos, ttl, df, sport, dport, true,	\
			    nocheck, 0)
#define vr_udp_tunnel6_xmit(_dst, sk, skb, src, to, tos, ttl, sport, dport, nocheck)	\
	udp_tunnel6_xmit_skb(_dst, sk, skb, NULL, src, to, tos, ttl, 0, sport, dport,	\
			     nocheck, 0)
#else
#define vr_udp_tunnel_xmit(rt, sk, skb, src, to, tos, ttl, df, sport, dport, nocheck)	\
	udp_tunnel_xmit_skb(rt, sk, skb, src, to, tos, ttl, df, sport, dport, true, nocheck)
#define vr_udp_tunnel6_xmit(_dst, sk, skb, src, to, tos, ttl, sport, dport, nocheck)	\
	udp_tunnel6_xmit_skb(_dst, sk, skb, NULL, (struct in6_addr *)(src),		\
			     (struct in6_addr *)(to), tos, ttl, 0, sport, dport, nocheck)
#endif

/* What the checksum of the SCTP packet at this offset has to be. 6.16: the core computes
 * CRC32c by itself; before, only together with the module libcrc32c, which is not asked
 * for here: this is for what a tap sends without offload.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
static inline u32 vr_skb_crc32c(const struct sk_buff *skb, unsigned int offset)
{
	return skb_crc32c(skb, offset, skb->len - offset, ~0);
}
#else
#include <linux/crc32.h>

static inline __wsum vr_crc32c_update(const void *buf, int len, __wsum sum)
{
	return (__force __wsum)__crc32c_le((__force u32)sum, buf, len);
}

static inline __wsum vr_crc32c_combine(__wsum a, __wsum b, int offset, int len)
{
	return (__force __wsum)__crc32c_le_combine((__force u32)a, (__force u32)b, len);
}

static inline u32 vr_skb_crc32c(const struct sk_buff *skb, unsigned int offset)
{
	static const struct skb_checksum_ops ops = {
		.update = vr_crc32c_update, .combine = vr_crc32c_combine,
	};

	return (__force u32)__skb_checksum(skb, offset, skb->len - offset,
					   (__force __wsum)~0U, &ops);
}
#endif

/* The header is linear and writable. */
static inline __le32 vr_sctp_csum(struct sk_buff *skb, unsigned int offset)
{
	struct sctphdr *sh = (struct sctphdr *)(skb->data + offset);
	__le32 old = sh->checksum;
	u32 crc;

	sh->checksum = 0;
	crc = ~vr_skb_crc32c(skb, offset);
	sh->checksum = old;
	return cpu_to_le32(crc);
}

#endif
