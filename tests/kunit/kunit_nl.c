// SPDX-License-Identifier: GPL-2.0-only
/* A netlink client inside the kernel: one request, one answer. */

#include <linux/net.h>
#include <net/sock.h>

#include "kunit_util.h"

/* The sentence and the blamed attribute of an ack with NLM_F_ACK_TLVS. */
static void read_extack(const struct nlmsghdr *nlh, char *text, size_t text_len, u32 *off)
{
	const struct nlmsgerr *e = nlmsg_data(nlh);
	int head = sizeof(*e), len, rem;
	const struct nlattr *a;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		head += NLMSG_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	len = nlmsg_len(nlh) - head;
	nla_for_each_attr(a, (const struct nlattr *)((const u8 *)e + head), len, rem) {
		if (nla_type(a) == NLMSGERR_ATTR_MSG && text)
			nla_strscpy(text, a, text_len);
		else if (nla_type(a) == NLMSGERR_ATTR_OFFS && off)
			*off = nla_get_u32(a);
	}
}

/* Reads until the ack; answers before it are passed over. */
static int read_ack(struct socket *sock, u8 *buf, size_t size, char *text, size_t text_len,
		    u32 *off)
{
	const struct nlmsghdr *nlh;
	struct msghdr m;
	struct kvec v;
	int len;

	for (;;) {
		m = (struct msghdr){};
		v = (struct kvec){ buf, size };
		len = kernel_recvmsg(sock, &m, &v, 1, size, MSG_DONTWAIT);
		if (len < 0)
			return len;
		for (nlh = (void *)buf; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len))
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				read_extack(nlh, text, text_len, off);
				return ((struct nlmsgerr *)nlmsg_data(nlh))->error;
			}
	}
}

int kt_netlink(int protocol, const void *msg, size_t len, char *text, size_t text_len,
	       u32 *off)
{
	/* With an address given, the kernel judges our credentials, not the socket's file. */
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr m = { .msg_name = &kernel, .msg_namelen = sizeof(kernel) };
	struct kvec v = { (void *)msg, len };
	struct socket *sock;
	size_t size = 65536;
	int err, one = 1;
	u8 *buf;

	if (text)
		*text = '\0';
	if (off)
		*off = 0;
	err = sock_create_kern(&init_net, AF_NETLINK, SOCK_RAW, protocol, &sock);
	if (err)
		return err;
	buf = kvmalloc(size, GFP_KERNEL);
	if (!buf) {
		err = -ENOMEM;
		goto out;
	}
	err = sock->ops->setsockopt(sock, SOL_NETLINK, NETLINK_EXT_ACK, KERNEL_SOCKPTR(&one),
				    sizeof(one));
	if (err)
		goto out;
	err = kernel_sendmsg(sock, &m, &v, 1, len);
	if (err >= 0)
		err = read_ack(sock, buf, size, text, text_len, off);
out:
	kvfree(buf);
	sock_release(sock);
	return err;
}
