/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_NL_PRIV_H
#define VR_NL_PRIV_H

/* What the files of the netlink socket share. Library internal. */

#include <linux/genetlink.h>

#include "codec.h"
#include "nl.h"

#define N_GROUPS	(VR_GROUP_DROPS + 1)
#define VR_NL_RX	((1 << 20) + (64 << 10))	/* octets; a reply has up to 1 MiB */

struct vr_nl {
	struct mnl_socket *sk;
	uint16_t	family;
	uint32_t	groups[N_GROUPS];	/* ids of the multicast groups */
	uint32_t	seq;			/* of the last request */
	uint32_t	sndbuf;			/* octets; what was asked for */
	unsigned int	window;			/* answers that the receive buffer holds */
	char		*rx;
	struct vr_buf	tx;			/* of single requests, kept for the next */
};

/* --- nl.c ---------------------------------------------------------------------- */

/* Sends messages that are ready. A large one gets a large buffer first. */
int vr_nl_send(struct vr_nl *nl, const void *data, size_t len, struct vr_err *e);
/* Octets of nl->rx, or negative errno; -EAGAIN (no error set) only with MSG_DONTWAIT. */
int vr_nl_recv(struct vr_nl *nl, int flags, struct vr_err *e);

/* A request of the family in nl->tx. */
void vr_nl_begin(struct vr_nl *nl, uint16_t flags, uint8_t cmd);
/* Sends nl->tx, which is one request, and calls fn (may be NULL) with each
 * answer up to the acknowledgement or the end of the dump. *intr (NULL: no
 * dump) becomes true when the dump is not consistent. After an fn that returns
 * other than 0 no more are given, and this is returned.
 */
typedef int (*vr_reply_fn)(const struct nlmsghdr *nlh, void *arg, struct vr_err *e);
int vr_nl_talk(struct vr_nl *nl, const struct vr_struct *s, vr_reply_fn fn, void *arg,
	       bool *intr, struct vr_err *e);

/* The attributes of a message of the family. */
static inline const void *vr_nl_attrs(const struct nlmsghdr *nlh, size_t *len)
{
	*len = 0;
	if (mnl_nlmsg_get_payload_len(nlh) >= GENL_HDRLEN)
		*len = mnl_nlmsg_get_payload_len(nlh) - GENL_HDRLEN;
	return mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN);
}

static inline uint8_t vr_nl_cmd(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *g = mnl_nlmsg_get_payload(nlh);

	return mnl_nlmsg_get_payload_len(nlh) >= GENL_HDRLEN ? g->cmd : 0;
}

/* --- nl_obj.c -------------------------------------------------------------------- */

uint16_t vr_nl_set_flags(const struct vr_obj_type *t, enum vr_set_mode mode);

/* --- nl_ack.c ------------------------------------------------------------------- */

/* The errno of an acknowledgement or of the end of a dump, 0 for success,
 * negative; with the kernel's sentence and the attribute it blames. request is
 * the message that it answers, s its attribute set (NULL: not known).
 */
int vr_nl_ack(const struct nlmsghdr *nlh, const struct nlmsghdr *request,
	      const struct vr_struct *s, struct vr_err *e);

#endif
