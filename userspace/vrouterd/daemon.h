/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_DAEMON_H
#define VRD_DAEMON_H

/*
 * What holds the parts together: the feed fills the model, each change of it
 * re-plans one unit, a moment later all that piled up is brought to the kernel.
 */

#include "attach.h"
#include "backoff.h"
#include "ctl.h"
#include "export.h"
#include "feed.h"
#include "health.h"
#include "healthport.h"
#include "hostdev.h"
#include "kernel.h"
#include "metrics.h"
#include "model.h"
#include "needs.h"
#include "reconcile.h"

struct options {
	const char	*node, *feed, *cni_socket, *netns, *state_dir, *host_device;
	struct sockaddr_in6 healthz;	/* sin6_family 0 = none; AF_INET: a sockaddr_in */
	bool		kubernetes;	/* feed is a kubeconfig, or NULL */
	bool		tunnels, external;
	uint8_t		encap;		/* VROUTER_TUNNEL_ENCAP_*, with tunnels */
	uint32_t	export_table;	/* 0 = none */
	uint8_t		underlay;	/* AF_*; 0 = that of the nodes' primary addresses */
	int		log_level;
};

struct daemon {
	const struct options *opt;
	sd_event	*loop;
	sd_event_source	*work, *tick;	/* something to do; every few seconds */
	struct model	*model;
	struct ids	*ids;
	struct reconciler *rc;
	void		*planned;	/* tsearch() tree: a unit for each resource */
	struct attachments attachments;
	struct plan_env	env;
	struct needs	needs, fresh;	/* fresh: since the routes to these groups' members were planned */
	struct hostdev	host;
	struct export	export, joined;
	struct healthport *healthport;
	struct healthport_state state;
	struct metrics	metrics;
	struct feed	*feed;
	struct health	health;
	struct ctl	*ctl;
	struct kernel	*kernel;	/* NULL while the module is not there */
	struct backoff	retry;
	bool		dumped;		/* the mirror is that of this kernel */
	bool		adopted;	/* interfaces known only to the kernel were taken over */
	bool		told;		/* that the module is not there */
	bool		unmonitored;	/* told that nothing is probed */
};

int daemon_start(struct daemon *d, sd_event *loop, const struct options *opt);
/* Leaves the kernel as it is. */
void daemon_stop(struct daemon *d);

/* --- daemon_plan.c ------------------------------------------------------------- */

#define DAEMON_SETTLE	1000	/* microseconds: changes come in flocks */

extern const struct model_ops daemon_model_ops;	/* arg: struct daemon */

/* The resource has something else here than before: a device, say. */
void daemon_replan(struct daemon *d, enum res_kind kind, const char *key);
/* All that there is was heard: now it is known what this node has no use for. */
void daemon_settle(struct daemon *d);
/* Routes that say who is in the groups that rules ask for of late; before these rules are brought to the kernel. */
void daemon_plan_members(struct daemon *d);
void daemon_plan_free(struct daemon *d);
/* Of struct plan_env; arg: struct daemon */
bool daemon_is_attached(void *arg, const char *vmi);
bool daemon_is_known(void *arg, const char *node);
bool daemon_is_needed(void *arg, enum need need, const char *key);
void daemon_whole_pool(void *arg, const struct res *r, struct pool *whole);
bool daemon_in_block(void *arg, const struct vmi *v, const struct vr_addr *addr);
/* Asks for daemon_work() soon; later requests do not put it off. */
void daemon_want_work(struct daemon *d, uint64_t usec);

/* --- for pods.c --------------------------------------------------------------- */

/* Brings what is planned to the kernel now. */
void daemon_work(struct daemon *d);
/* The interface got or lost its device. */
void daemon_refresh(struct daemon *d, const char *vmi);
/* The resource's unit, or NULL. */
const struct unit *daemon_unit(const struct daemon *d, enum res_kind kind, const char *key);
/* Ends an attachment; its device is silenced until somebody removes it. */
void daemon_forget(struct daemon *d, struct attachment *at);

/* --- pods.c: what contrail-cni asks for ----------------------------------------- */

extern const struct ctl_ops pod_ops;	/* arg: struct daemon */

#endif
