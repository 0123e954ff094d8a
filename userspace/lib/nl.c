// SPDX-License-Identifier: GPL-2.0-only
/* The netlink socket: in a network namespace, of the family, one request. */

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cleanup.h"
#include "nl_priv.h"

#define RCVBUF		(4 << 20)
#define SNDBUF		(1 << 20)
#define ACK_COST	2048			/* octets that an answer takes of the buffer */
#define NETNS_RUN	"/run/netns/"
#define PATIENCE	30			/* seconds; the kernel answers at once */

/* --- the socket ------------------------------------------------------------------- */

static struct mnl_socket *open_here(struct vr_err *e)
{
	struct mnl_socket *sk = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);

	if (!sk) {
		vr_err_errno(e, errno, "netlink socket");
		return NULL;
	}
	if (mnl_socket_bind(sk, 0, MNL_SOCKET_AUTOPID)) {
		vr_err_errno(e, errno, "bind of a netlink socket");
		mnl_socket_close(sk);
		return NULL;
	}
	return sk;
}

/* The thread enters the other namespace for the time of opening: a socket
 * stays in the one it was made in.
 */
static struct mnl_socket *open_in(const char *netns, struct vr_err *e)
{
	VR_AUTO_CLOSE int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	VR_AUTO_CLOSE int other = -1;
	VR_AUTO_FREE char *path = NULL;
	struct mnl_socket *sk;

	if (own < 0) {
		vr_err_errno(e, errno, "open /proc/thread-self/ns/net");
		return NULL;
	}
	if (asprintf(&path, "%s%s", strchr(netns, '/') ? "" : NETNS_RUN, netns) < 0) {
		path = NULL;
		vr_err_nomem(e);
		return NULL;
	}
	other = open(path, O_RDONLY | O_CLOEXEC);
	if (other < 0) {
		vr_err_errno(e, errno, "network namespace %s", path);
		return NULL;
	}
	if (setns(other, CLONE_NEWNET)) {
		vr_err_errno(e, errno, "cannot enter the network namespace %s", path);
		return NULL;
	}
	sk = open_here(e);
	if (setns(own, CLONE_NEWNET)) {
		/* Everything from here on would happen in the wrong place. */
		perror("cannot return to the network namespace");
		abort();
	}
	return sk;
}

/* Larger than the administrator's bound if we may, else up to it. */
static bool set_buffer(int fd, int force, int option, int size)
{
	if (!setsockopt(fd, SOL_SOCKET, force, &size, sizeof(size)))
		return true;
	setsockopt(fd, SOL_SOCKET, option, &size, sizeof(size));
	return false;
}

static void set_options(struct vr_nl *nl)
{
	static const int on = 1, options[] = {
		NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK,
	};
	struct timeval patience = { .tv_sec = PATIENCE };
	int fd = mnl_socket_get_fd(nl->sk);
	socklen_t len = sizeof(int);
	int size = 0;
	size_t i;

	for (i = 0; i < VR_ARRAY_SIZE(options); i++)
		setsockopt(fd, SOL_NETLINK, options[i], &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));

	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RCVBUF);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SNDBUF);
	nl->sndbuf = SNDBUF;
	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len);
	nl->window = size / ACK_COST;
	if (nl->window > 1024)
		nl->window = 1024;
	if (!nl->window)
		nl->window = 1;
}

int vr_nl_send(struct vr_nl *nl, const void *data, size_t len, struct vr_err *e)
{
	int fd = mnl_socket_get_fd(nl->sk);

	if (len > INT32_MAX / 2)
		return vr_err_set(e, EMSGSIZE, "a request of %zu octets", len);
	if (len + 4096 > nl->sndbuf && set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, len + 4096))
		nl->sndbuf = len + 4096;
	if (mnl_socket_sendto(nl->sk, data, len) < 0)
		return vr_err_errno(e, errno, "request of %zu octets to the kernel", len);
	return 0;
}

int vr_nl_recv(struct vr_nl *nl, int flags, struct vr_err *e)
{
	struct iovec iov = { nl->rx, VR_NL_RX };
	struct sockaddr_nl from = { 0 };
	struct msghdr msg;
	ssize_t n;

	do {
		msg = (struct msghdr){
			.msg_name = &from, .msg_namelen = sizeof(from),
			.msg_iov = &iov, .msg_iovlen = 1,
		};
		n = recvmsg(mnl_socket_get_fd(nl->sk), &msg, flags);
		/* Anybody may send to the port; only the kernel counts. */
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid));

	if (n < 0 && errno == EAGAIN && flags & MSG_DONTWAIT)
		return -EAGAIN;
	if (n < 0 && errno == EAGAIN)
		return vr_err_set(e, ETIMEDOUT, "no answer from the kernel in %d seconds", PATIENCE);
	if (n < 0)
		return vr_err_errno(e, errno, "answer of the kernel");
	if (msg.msg_flags & MSG_TRUNC)
		return vr_err_set(e, EMSGSIZE, "an answer of the kernel of more than %d octets",
				  VR_NL_RX);
	return n;
}

/* --- one request ------------------------------------------------------------------- */

/* True when that was the last: *err is how it ended. */
static bool is_end(struct vr_nl *nl, const struct nlmsghdr *nlh, const struct vr_struct *s,
		   int *err, struct vr_err *e)
{
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
	case NLMSG_DONE:
		*err = vr_nl_ack(nlh, vr_buf_msg(&nl->tx), s, e);
		return true;
	case NLMSG_OVERRUN:
		*err = vr_err_set(e, ENOBUFS, "answers of the kernel were lost");
		return true;
	}
	return false;
}

/* Reads to the end also when fn wants no more: a dump under way would be in
 * the way of the next.
 */
static int take_replies(struct vr_nl *nl, const struct vr_struct *s, vr_reply_fn fn, void *arg,
			bool *intr, struct vr_err *e)
{
	const struct nlmsghdr *nlh;
	int n, err = 0, end;

	for (;;) {
		n = vr_nl_recv(nl, 0, err ? NULL : e);
		if (n < 0)
			return err ? err : n;
		for (nlh = (void *)nl->rx; mnl_nlmsg_ok(nlh, n); nlh = mnl_nlmsg_next(nlh, &n)) {
			if (nlh->nlmsg_seq != nl->seq || nlh->nlmsg_type == NLMSG_NOOP)
				continue;
			if (intr && nlh->nlmsg_flags & NLM_F_DUMP_INTR)
				*intr = true;
			if (is_end(nl, nlh, s, &end, err ? NULL : e))
				return err ? err : end;
			if (fn && !err)
				err = fn(nlh, arg, e);
		}
	}
}

int vr_nl_talk(struct vr_nl *nl, const struct vr_struct *s, vr_reply_fn fn, void *arg,
	       bool *intr, struct vr_err *e)
{
	int err;

	vr_buf_end(&nl->tx);
	if (nl->tx.err)
		return vr_err_errno(e, -nl->tx.err, "request");
	vr_buf_msg(&nl->tx)->nlmsg_seq = ++nl->seq;
	err = vr_nl_send(nl, nl->tx.data, nl->tx.len, e);
	return err ? err : take_replies(nl, s, fn, arg, intr, e);
}

static void begin(struct vr_nl *nl, uint16_t type, uint16_t flags, uint8_t cmd)
{
	nl->tx.len = 0;
	nl->tx.msg = 0;
	nl->tx.err = 0;
	vr_buf_begin(&nl->tx, type, NLM_F_REQUEST | NLM_F_ACK | flags, cmd);
}

void vr_nl_begin(struct vr_nl *nl, uint16_t flags, uint8_t cmd)
{
	begin(nl, nl->family, flags, cmd);
}

/* --- the family ---------------------------------------------------------------------- */

static void get_group(struct vr_nl *nl, const struct nlattr *nest)
{
	static const char *const names[N_GROUPS] = {
		[VR_GROUP_OBJECTS]	= VROUTER_MCGRP_OBJECTS,
		[VR_GROUP_FLOWS]	= VROUTER_MCGRP_FLOWS,
		[VR_GROUP_DROPS]	= VROUTER_MCGRP_DROPS,
	};
	const struct nlattr *a;
	const char *name = "";
	uint32_t id = 0;
	int i;

	vr_for_each_attr(a, mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest)) {
		if (mnl_attr_get_type(a) == CTRL_ATTR_MCAST_GRP_NAME &&
		    !mnl_attr_validate(a, MNL_TYPE_NUL_STRING))
			name = mnl_attr_get_str(a);
		if (mnl_attr_get_type(a) == CTRL_ATTR_MCAST_GRP_ID &&
		    !mnl_attr_validate(a, MNL_TYPE_U32))
			id = mnl_attr_get_u32(a);
	}
	for (i = 0; i < N_GROUPS; i++)
		if (!strcmp(name, names[i]))
			nl->groups[i] = id;
}

static int get_family(const struct nlmsghdr *nlh, void *arg, struct vr_err *e)
{
	struct vr_nl *nl = arg;
	const struct nlattr *a, *g;
	const void *attrs;
	size_t len;

	attrs = vr_nl_attrs(nlh, &len);
	vr_for_each_attr(a, attrs, len) {
		if (mnl_attr_get_type(a) == CTRL_ATTR_FAMILY_ID &&
		    !mnl_attr_validate(a, MNL_TYPE_U16))
			nl->family = mnl_attr_get_u16(a);
		if (mnl_attr_get_type(a) != CTRL_ATTR_MCAST_GROUPS)
			continue;
		vr_for_each_attr(g, mnl_attr_get_payload(a), mnl_attr_get_payload_len(a))
			get_group(nl, g);
	}
	return nl->family ? 0 : vr_err_set(e, EBADMSG, "the netlink family has no number");
}

static int resolve(struct vr_nl *nl, struct vr_err *e)
{
	int err;

	begin(nl, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	if (!nl->tx.err) {
		mnl_attr_put_strz(vr_buf_msg(&nl->tx), CTRL_ATTR_FAMILY_NAME, VROUTER_FAMILY_NAME);
		nl->tx.len = vr_buf_msg(&nl->tx)->nlmsg_len;
	}
	err = vr_nl_talk(nl, NULL, get_family, nl, NULL, e);
	if (err == -ENOENT)
		return vr_err_set(e, ENOENT, "the kernel module vrouter is not loaded");
	return err;
}

int vr_nl_open(struct vr_nl **nlp, const char *netns, struct vr_err *e)
{
	struct vr_nl *nl = calloc(1, sizeof(*nl));
	int err;

	*nlp = NULL;
	if (!nl)
		return vr_err_nomem(e);
	nl->seq = time(NULL);
	nl->rx = malloc(VR_NL_RX);
	if (!nl->rx) {
		err = vr_err_nomem(e);
		goto fail;
	}
	nl->sk = netns ? open_in(netns, e) : open_here(e);
	if (!nl->sk) {
		err = e ? -e->code : -EIO;
		goto fail;
	}
	set_options(nl);
	err = resolve(nl, e);
	if (err)
		goto fail;
	*nlp = nl;
	return 0;
fail:
	vr_nl_close(nl);
	return err;
}

void vr_nl_close(struct vr_nl *nl)
{
	if (!nl)
		return;
	if (nl->sk)
		mnl_socket_close(nl->sk);
	vr_buf_free(&nl->tx);
	free(nl->rx);
	free(nl);
}

int vr_nl_fd(const struct vr_nl *nl)
{
	return mnl_socket_get_fd(nl->sk);
}
