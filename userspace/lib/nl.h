/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_NL_H
#define VR_NL_H

/*
 * The netlink family "vrouter": requests, dumps, batches, events.
 *
 * A socket belongs to one network namespace, whose objects it sees. Use one
 * for requests and another one for events. Nothing here blocks but the calls
 * that wait for the kernel's answer, and the kernel answers at once.
 *
 * A refusal by the kernel is told in its own words, with the attribute that it
 * blames: "No VRF 7 (vrf)". A refused request changed nothing.
 */

#include "obj.h"

struct vr_nl;

/* netns: NULL = that of the process; a path, or a name below /run/netns.
 * -ENOENT when the module is not loaded; other errno of what failed.
 */
int vr_nl_open(struct vr_nl **nl, const char *netns, struct vr_err *e);
void vr_nl_close(struct vr_nl *nl);
int vr_nl_fd(const struct vr_nl *nl);		/* for poll(2) */

/* --- one object ------------------------------------------------------------ */

/* The one whose key *key has (vif: id or ifname or ifindex) into *obj, which is
 * the caller's to free; both may be the same structure. Also for limits (key:
 * global), stats (key may be NULL) and trace (key: vif and tuple).
 */
int vr_get(struct vr_nl *nl, const struct vr_obj_type *t, const void *key, void *obj,
	   struct vr_err *e);
/* The route that a packet to the address takes. */
int vr_route_lookup(struct vr_nl *nl, uint32_t vrf, const struct vr_addr *addr,
		    struct vr_route *route, struct vr_err *e);

enum vr_set_mode {
	VR_ADD,			/* must be new */
	VR_SET,			/* add or replace */
	VR_REPLACE,		/* must be there */
};

int vr_set(struct vr_nl *nl, const struct vr_obj_type *t, const void *obj, enum vr_set_mode mode,
	   struct vr_err *e);
int vr_del(struct vr_nl *nl, const struct vr_obj_type *t, const void *key, struct vr_err *e);

/* Changes the values that are not 0. */
int vr_limits_set(struct vr_nl *nl, const struct vr_limits *limits, struct vr_err *e);
/* Ends the flows that the filter selects; their number, or negative errno. */
long vr_flow_flush(struct vr_nl *nl, const struct vr_flow_filter *filter, struct vr_err *e);

/* --- dumps ------------------------------------------------------------------ */

/* Objects in an array, each complete (those that come in several messages are
 * put together). A change meanwhile begins the dump anew; -EINTR when that
 * happens too often. filter: struct vr_filter, of flows struct vr_flow_filter;
 * NULL = all.
 */
struct vr_list {
	const struct vr_obj_type *type;
	unsigned int	n;
	void		*objs;		/* array of the type's structure */
};

int vr_dump(struct vr_nl *nl, const struct vr_obj_type *t, const void *filter,
	    struct vr_list *list, struct vr_err *e);
void vr_list_free(struct vr_list *list);

/* For what may be too many to hold: fn is called for each as it comes, and
 * borrows it. It ends the dump by another value than 0, which is returned. When
 * something changed meanwhile the end is -EINTR, and some may have been missed
 * or seen twice.
 */
int vr_dump_each(struct vr_nl *nl, const struct vr_obj_type *t, const void *filter,
		 int (*fn)(const void *obj, void *arg), void *arg, struct vr_err *e);

/* --- batches ----------------------------------------------------------------- */

/* Many requests in few system calls. Each is done or refused for itself, in
 * the order in which they were added.
 */
struct vr_batch;

struct vr_result {
	void		*tag;		/* of the request */
	struct vr_err	err;		/* code 0: done */
};

struct vr_batch *vr_batch_new(void);	/* NULL: no memory */
void vr_batch_free(struct vr_batch *b);
size_t vr_batch_len(const struct vr_batch *b);	/* requests */
/* The object is encoded at once, not kept. -ENOMEM; -EMSGSIZE: an object that
 * no message can hold. Then the batch is as before.
 */
int vr_batch_set(struct vr_batch *b, const struct vr_obj_type *t, const void *obj,
		 enum vr_set_mode mode, void *tag);
int vr_batch_del(struct vr_batch *b, const struct vr_obj_type *t, const void *key, void *tag);
/* Sends all, calls fn with the result of each in order, and empties the batch.
 * Returns 0 also when requests were refused; a negative errno when the kernel
 * could not be asked, then requests whose fn was not called may be done or not.
 */
int vr_batch_send(struct vr_nl *nl, struct vr_batch *b,
		  void (*fn)(const struct vr_result *r, void *arg), void *arg, struct vr_err *e);

/* --- events ------------------------------------------------------------------- */

enum vr_group { VR_GROUP_OBJECTS, VR_GROUP_FLOWS, VR_GROUP_DROPS };

struct vr_event {
	enum vr_group	group;
	bool		del;		/* deleted; of a flow: ended */
	const struct vr_obj_type *type;
	const void	*obj;		/* borrowed */
};

int vr_nl_join(struct vr_nl *nl, enum vr_group group, struct vr_err *e);
/* Takes what waits, without waiting itself; fn for each. Their number, or
 * -ENOBUFS: events were lost, dump again and go on; other negative errno. An
 * fn that returns other than 0 ends it, with that value.
 */
int vr_nl_events(struct vr_nl *nl, int (*fn)(const struct vr_event *ev, void *arg), void *arg,
		 struct vr_err *e);

#endif
