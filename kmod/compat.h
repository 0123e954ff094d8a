/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_COMPAT_H
#define VR_COMPAT_H

/* What differs between Linux 6.1 and 7.2. No other file asks for a version. */

#include <linux/netlink.h>
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

#endif
