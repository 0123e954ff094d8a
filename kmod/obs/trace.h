/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vrouter

/* perf trace -e 'vrouter:*'; fields are in host byte order but the addresses. */

#if !defined(VR_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VR_TRACE_H

#include <linux/tracepoint.h>
#include <net/ipv6.h>

#include "../table/flow.h"
#include "drop_gen.h"

/* Tools read the numbers, not the names, of what __print_symbolic() lists. */
#define X(NAME, ...) TRACE_DEFINE_ENUM(VROUTER_DROP_REASON_##NAME);
VR_DROP_REASONS(X)
#undef X

#define VR_TRACE_STATES							\
	{ VROUTER_FLOW_STATE_NEW, "new" },				\
	{ VROUTER_FLOW_STATE_OPEN, "open" },				\
	{ VROUTER_FLOW_STATE_SYN_RECV, "syn-recv" },			\
	{ VROUTER_FLOW_STATE_ESTABLISHED, "established" },		\
	{ VROUTER_FLOW_STATE_HALF_CLOSED, "half-closed" },		\
	{ VROUTER_FLOW_STATE_CLOSED, "closed" }

TRACE_DEFINE_ENUM(VROUTER_FLOW_STATE_NEW);
TRACE_DEFINE_ENUM(VROUTER_FLOW_STATE_OPEN);
TRACE_DEFINE_ENUM(VROUTER_FLOW_STATE_SYN_RECV);
TRACE_DEFINE_ENUM(VROUTER_FLOW_STATE_ESTABLISHED);
TRACE_DEFINE_ENUM(VROUTER_FLOW_STATE_HALF_CLOSED);
TRACE_DEFINE_ENUM(VROUTER_FLOW_STATE_CLOSED);

/* An IPv4 address as one of IPv6, so that one format prints both. */
#define VR_TRACE_ADDR(to, addr, af) do {				\
	if ((af) == AF_INET)						\
		ipv6_addr_set_v4mapped((addr)->v4, (struct in6_addr *)(to)); \
	else								\
		*(struct in6_addr *)(to) = (addr)->v6;			\
} while (0)

#define VR_TRACE_REASON(NAME, name, ...) { VROUTER_DROP_REASON_##NAME, name },

TRACE_EVENT(vr_drop,
	    TP_PROTO(const struct vr_vif *vif, const struct vr_tuple *tuple,
		     enum vrouter_drop_reason why, const struct vr_vif *sg_vif),
	    TP_ARGS(vif, tuple, why, sg_vif),
	    TP_STRUCT__entry(__field(u32, vif)
			     __field(u32, sg_vif)
			     __field(u32, reason)
			     __field(u8, family)
			     __field(u8, proto)
			     __field(u16, sport)
			     __field(u16, dport)
			     __array(u8, src, sizeof(struct in6_addr))
			     __array(u8, dst, sizeof(struct in6_addr))),
	    TP_fast_assign(__entry->vif = vif ? vif->id : 0;
			   __entry->sg_vif = sg_vif ? sg_vif->id : 0;
			   __entry->reason = why;
			   __entry->family = tuple->family;
			   __entry->proto = tuple->proto;
			   __entry->sport = ntohs(tuple->sport);
			   __entry->dport = ntohs(tuple->dport);
			   VR_TRACE_ADDR(__entry->src, &tuple->src, tuple->family);
			   VR_TRACE_ADDR(__entry->dst, &tuple->dst, tuple->family);),
	    TP_printk("vif=%u reason=%s proto=%u src=%pI6c sport=%u dst=%pI6c dport=%u sg_vif=%u",
		      __entry->vif,
		      __print_symbolic(__entry->reason, VR_DROP_REASONS(VR_TRACE_REASON)
				       { -1, "" }),
		      __entry->proto, __entry->src, __entry->sport, __entry->dst,
		      __entry->dport, __entry->sg_vif)
);

#define VR_T	(&f->side[VR_ORIG].tuple)
#define VR_R	(&f->side[VR_REPLY].tuple)

/* "to" is where the reply comes from: behind a service address, the member. */
DECLARE_EVENT_CLASS(vr_flow,
		    TP_PROTO(const struct vr_flow *f),
		    TP_ARGS(f),
		    TP_STRUCT__entry(__field(u32, vif_in)
				     __field(u32, vif_out)
				     __field(u8, family)
				     __field(u8, proto)
				     __field(u8, state)
				     __field(bool, translated)
				     __field(u16, sport)
				     __field(u16, dport)
				     __field(u16, to_port)
				     __field(u64, orig_bytes)
				     __field(u64, reply_bytes)
				     __array(u8, src, sizeof(struct in6_addr))
				     __array(u8, dst, sizeof(struct in6_addr))
				     __array(u8, to, sizeof(struct in6_addr))),
		    TP_fast_assign(__entry->vif_in = VR_T->port;
				   __entry->vif_out = VR_R->port;
				   __entry->family = VR_T->family;
				   __entry->proto = VR_T->proto;
				   __entry->state = READ_ONCE(f->state);
				   __entry->translated = !!(f->flags & VR_FLOW_VIP);
				   __entry->sport = ntohs(VR_T->sport);
				   __entry->dport = ntohs(VR_T->dport);
				   __entry->to_port = ntohs(VR_R->sport);
				   __entry->orig_bytes = READ_ONCE(f->bytes[VR_ORIG]);
				   __entry->reply_bytes = READ_ONCE(f->bytes[VR_REPLY]);
				   VR_TRACE_ADDR(__entry->src, &VR_T->src, VR_T->family);
				   VR_TRACE_ADDR(__entry->dst, &VR_T->dst, VR_T->family);
				   VR_TRACE_ADDR(__entry->to, &VR_R->src, VR_R->family);),
		    TP_printk("vif_in=%u vif_out=%u proto=%u src=%pI6c sport=%u dst=%pI6c dport=%u to=%pI6c to_port=%u state=%s bytes=%llu/%llu%s",
			      __entry->vif_in, __entry->vif_out, __entry->proto, __entry->src,
			      __entry->sport, __entry->dst, __entry->dport, __entry->to,
			      __entry->to_port, __print_symbolic(__entry->state, VR_TRACE_STATES),
			      __entry->orig_bytes, __entry->reply_bytes,
			      __entry->translated ? " translated" : "")
);

DEFINE_EVENT(vr_flow, vr_flow_new, TP_PROTO(const struct vr_flow *f), TP_ARGS(f));
DEFINE_EVENT(vr_flow, vr_flow_end, TP_PROTO(const struct vr_flow *f), TP_ARGS(f));

#endif

/* Found by -I of kmod/, as the name has no folder to be relative to. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH obs
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
