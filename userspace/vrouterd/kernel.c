// SPDX-License-Identifier: GPL-2.0-only
/* Requests to the kernel module and events from it. */

#include <errno.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel.h"
#include "mem.h"
#include "nl.h"

#define BATCH	1024	/* requests encoded at once */

struct kernel {
	struct vr_nl		*requests, *events;
	sd_event_source		*io;
	const struct kernel_ops	*ops;
	void			*arg;
};

/* What an event tells may be older than what is known: an own request, or the
 * one after it. So a difference is looked at as it is now.
 */
static void look_again(struct kernel *k, const struct kobj *o)
{
	const struct vr_obj_type *type = kobj_type(o->key.kind);
	struct kobj now = {};
	struct vr_err e = {};
	int err;

	err = vr_get(k->requests, type, kobj_obj(o), &now.sg, &e);
	if (err == -ENOENT || err == -ENODEV)
		k->ops->seen(k->arg, &o->key, NULL);
	else if (err)
		k->ops->lost(k->arg, e.text);
	else
		k->ops->seen(k->arg, &o->key, kobj_new(o->key.kind, &now.sg));
}

static int on_event(const struct vr_event *ev, void *arg)
{
	struct kernel *k = arg;
	enum kobj_kind kind;
	struct kobj copy = {}, *o;

	if (ev->group != VR_GROUP_OBJECTS || !kobj_kind_of(ev->type, &kind))
		return 0;
	if (vr_obj_copy(ev->type, &copy.sg, ev->obj))
		return -ENOMEM;
	o = kobj_new(kind, &copy.sg);
	if (!k->ops->known(k->arg, o, ev->del))
		look_again(k, o);
	kobj_put(o);
	return 0;
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct kernel *k = arg;
	struct vr_err e = {};
	int n;

	(void)s;
	(void)fd;
	(void)events;
	n = vr_nl_events(k->events, on_event, k, &e);
	if (n == -ENOBUFS)
		k->ops->lost(k->arg, "events came faster than they were read");
	else if (n < 0 && n != -EAGAIN)
		k->ops->lost(k->arg, e.text);
	return 0;
}

int kernel_open(struct kernel **out, sd_event *loop, const struct kernel_ops *ops, void *arg,
		struct vr_err *e)
{
	struct kernel *k = mem_zero(1, sizeof(*k));
	int err;

	k->ops = ops;
	k->arg = arg;
	/* Joined before the dump, so that no change falls between the two. */
	err = vr_nl_open(&k->requests, NULL, e);
	if (!err)
		err = vr_nl_open(&k->events, NULL, e);
	if (!err)
		err = vr_nl_join(k->events, VR_GROUP_OBJECTS, e);
	if (!err) {
		err = sd_event_add_io(loop, &k->io, vr_nl_fd(k->events), EPOLLIN, on_readable, k);
		if (err < 0)
			vr_err_errno(e, -err, "event loop");
	}
	if (err < 0) {
		kernel_close(k);
		return err;
	}
	*out = k;
	return 0;
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	sd_event_source_disable_unref(k->io);
	if (k->events)
		vr_nl_close(k->events);
	if (k->requests)
		vr_nl_close(k->requests);
	free(k);
}

int kernel_dump(struct kernel *k, void (*fn)(struct kobj *o, void *arg), void *arg,
		struct vr_err *e)
{
	enum kobj_kind kind;
	unsigned int i;
	int err;

	for (kind = 0; kind < K_KINDS; kind++) {
		const struct vr_obj_type *type = kobj_type(kind);
		size_t size = vr_type_size(type);
		struct vr_list list;
		struct kobj copy;

		err = vr_dump(k->requests, type, NULL, &list, e);
		if (err)
			return err;
		for (i = 0; i < list.n; i++) {
			/* The list's own are left empty, and freed as such. */
			memset(&copy, 0, sizeof(copy));
			memcpy(&copy.sg, (char *)list.objs + i * size, size);
			memset((char *)list.objs + i * size, 0, size);
			fn(kobj_new(kind, &copy.sg), arg);
		}
		vr_list_free(&list);
	}
	return 0;
}

static void set_result(struct request *rq, int err, const char *text)
{
	rq->err = err;
	free(rq->text);
	rq->text = err ? mem_strdup(text) : NULL;
}

static void on_result(const struct vr_result *r, void *arg)
{
	struct request *rq = r->tag;

	(void)arg;
	set_result(rq, -r->err.code, r->err.text);
}

static void encode(struct vr_batch *b, struct request *rq)
{
	const struct vr_obj_type *type = kobj_type(rq->obj->key.kind);
	int err;

	if (rq->del)
		err = vr_batch_del(b, type, kobj_obj(rq->obj), rq);
	else
		err = vr_batch_set(b, type, kobj_obj(rq->obj), rq->replace ? VR_REPLACE : VR_ADD,
				   rq);
	/* It never left: a refusal of ours. */
	if (err) {
		char text[VR_ERR_TEXT];

		snprintf(text, sizeof(text), "cannot be sent: %s", strerror(-err));
		set_result(rq, err, text);
	}
}

int kernel_apply(struct kernel *k, struct request *rq, size_t n, struct vr_err *e)
{
	struct vr_batch *b = mem_check(vr_batch_new());
	int err = 0;
	size_t i;

	for (i = 0; i < n && !err; i++) {
		encode(b, &rq[i]);
		if (vr_batch_len(b) == BATCH || i + 1 == n)
			err = vr_batch_send(k->requests, b, on_result, NULL, e);
	}
	vr_batch_free(b);
	return err;
}

int kernel_counters(struct kernel *k, struct kernel_counters *c, struct vr_err *e)
{
	int err;

	memset(c, 0, sizeof(*c));
	err = vr_get(k->requests, &vr_type_stats, NULL, &c->stats, e);
	if (!err)
		err = vr_get(k->requests, &vr_type_limits, &c->limits, &c->limits, e);
	return err ? err : vr_dump(k->requests, &vr_type_drop, NULL, &c->drops, e);
}

int kernel_probe(struct kernel *k, struct vr_err *e)
{
	struct vr_stats stats = {};

	return vr_get(k->requests, &vr_type_stats, NULL, &stats, e);
}

int link_set(const char *ifname, bool up)
{
	struct ifreq ifr = {};
	int fd, err = 0;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	if (ioctl(fd, SIOCGIFFLAGS, &ifr)) {
		err = -errno;
	} else if (!(ifr.ifr_flags & IFF_UP) == up) {
		ifr.ifr_flags ^= IFF_UP;
		if (ioctl(fd, SIOCSIFFLAGS, &ifr))
			err = -errno;
	}
	close(fd);
	return err;
}
