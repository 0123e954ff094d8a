// SPDX-License-Identifier: GPL-2.0-only
/* Batches: many requests in one system call, a result for each. */

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "nl_priv.h"

#define MAX_OCTETS	(256UL << 10)	/* of one system call, unless one request is larger */

struct request {
	size_t			offset;		/* of its message in the buffer */
	const struct vr_obj_type *t;
	void			*tag;
};

struct vr_batch {
	struct vr_buf	buf;
	struct request	*rq;
	size_t		n;
};

struct vr_batch *vr_batch_new(void)
{
	return calloc(1, sizeof(struct vr_batch));
}

void vr_batch_free(struct vr_batch *b)
{
	if (!b)
		return;
	vr_buf_free(&b->buf);
	free(b->rq);
	free(b);
}

size_t vr_batch_len(const struct vr_batch *b)
{
	return b->n;
}

static int add(struct vr_batch *b, const struct vr_obj_type *t, const void *obj, uint16_t flags,
	       uint8_t cmd, enum vr_part part, void *tag)
{
	size_t before = b->buf.len;
	struct request *rq;
	int err;

	if (!(b->n & (b->n - 1))) {
		rq = reallocarray(b->rq, b->n ? b->n * 2 : 1, sizeof(*rq));
		if (!rq)
			return -ENOMEM;
		b->rq = rq;
	}
	/* The family's number is set when it is sent. */
	vr_buf_begin(&b->buf, 0, NLM_F_REQUEST | NLM_F_ACK | flags, cmd);
	vr_encode(&b->buf, &t->body, obj, part);
	vr_buf_end(&b->buf);
	err = b->buf.err;
	if (err) {
		b->buf.len = before;
		b->buf.err = 0;
		return err;
	}
	b->rq[b->n++] = (struct request){ before, t, tag };
	return 0;
}

int vr_batch_set(struct vr_batch *b, const struct vr_obj_type *t, const void *obj,
		 enum vr_set_mode mode, void *tag)
{
	return add(b, t, obj, vr_nl_set_flags(t, mode), t->new, VR_PART_CONFIG, tag);
}

int vr_batch_del(struct vr_batch *b, const struct vr_obj_type *t, const void *key, void *tag)
{
	return add(b, t, key, 0, t->del, VR_PART_KEY, tag);
}

static struct nlmsghdr *message(const struct vr_batch *b, size_t i)
{
	return (struct nlmsghdr *)(b->buf.data + b->rq[i].offset);
}

/* Sends requests from the first on, as many as one call takes; how many. */
static long send_some(struct vr_nl *nl, struct vr_batch *b, size_t first, struct vr_err *e)
{
	size_t start = b->rq[first].offset, end, i;
	struct nlmsghdr *nlh;
	int err;

	for (i = first; i < b->n && i - first < nl->window; i++) {
		end = i + 1 < b->n ? b->rq[i + 1].offset : b->buf.len;
		if (i > first && end - start > MAX_OCTETS)
			break;
		nlh = message(b, i);
		nlh->nlmsg_type = nl->family;
		nlh->nlmsg_seq = ++nl->seq;
	}
	end = i < b->n ? b->rq[i].offset : b->buf.len;
	err = vr_nl_send(nl, b->buf.data + start, end - start, e);
	return err ? err : (long)(i - first);
}

/* The results of n requests from the first on, which come in order. */
static int take_results(struct vr_nl *nl, const struct vr_batch *b, size_t first, size_t n,
			void (*fn)(const struct vr_result *r, void *arg), void *arg,
			struct vr_err *e)
{
	const struct nlmsghdr *nlh, *request;
	struct vr_result r;
	size_t i = first;
	int len;

	while (i < first + n) {
		len = vr_nl_recv(nl, 0, e);
		if (len < 0)
			return len;
		for (nlh = (void *)nl->rx; mnl_nlmsg_ok(nlh, len) && i < first + n;
		     nlh = mnl_nlmsg_next(nlh, &len)) {
			request = message(b, i);
			if (nlh->nlmsg_type != NLMSG_ERROR ||
			    nlh->nlmsg_seq != request->nlmsg_seq)
				continue;
			r.tag = b->rq[i].tag;
			r.err.code = 0;
			r.err.text[0] = '\0';
			vr_nl_ack(nlh, request, &b->rq[i].t->body, &r.err);
			fn(&r, arg);
			i++;
		}
	}
	return 0;
}

int vr_batch_send(struct vr_nl *nl, struct vr_batch *b,
		  void (*fn)(const struct vr_result *r, void *arg), void *arg, struct vr_err *e)
{
	size_t i = 0;
	int err = 0;
	long n;

	while (i < b->n && !err) {
		n = send_some(nl, b, i, e);
		if (n < 0) {
			err = n;
			break;
		}
		err = take_results(nl, b, i, n, fn, arg, e);
		i += n;
	}
	b->n = 0;
	b->buf.len = 0;
	return err;
}
