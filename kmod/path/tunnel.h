/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_TUNNEL_H
#define VR_TUNNEL_H

/* The two encapsulations as they are on the wire. */

#include <linux/types.h>

/* RFC 7348, 5 */
struct vr_vxlan_hdr {
	__be32 flags;
	__be32 vni;			/* in the upper 24 bits */
};
#define VR_VXLAN_HAS_VNI	BIT(27)
#define VR_VXLAN_VNI_SHIFT	8

/* RFC 3032, 2.1: label, traffic class, last of the stack, TTL */
#define VR_MPLS_LABEL_SHIFT	12
#define VR_MPLS_LABEL_MAX	0xfffff
#define VR_MPLS_LAST		BIT(8)
#define VR_MPLS_TTL		64

#endif
