/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The API server as the model's source: one reflector for each kind that is watched.
 *
 * What is bad changes nothing: an object that cannot be understood keeps its last good state,
 * and its user is told by an Event. Changes are collected for a moment, so that what belongs
 * together is translated together; nothing is translated before all kinds are known.
 */
#ifndef MANAGER_INFORMERS_H
#define MANAGER_INFORMERS_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "config.h"
#include "kube_client.h"
#include "kube_reflector.h"
#include "log.h"
#include "model.h"

struct informers;

struct informer_ops {
	/* The model has changes that are to be run. The first time: all kinds are known. */
	void (*changed)(void *arg);
	/* An object is not taken, or not as it was meant. object: as the API server has it. */
	void (*complaint)(void *arg, const json_t *object, bool refused, const char *text);
	/* Of the kinds that the manager writes. object NULL: it is gone. */
	void (*resource)(void *arg, enum resource_kind kind, const char *key, const json_t *object);
	/* Calls fn for each of a kind that it was told of, and not yet that it is gone. */
	void (*each)(void *arg, enum resource_kind kind, kube_key_fn *fn, void *fn_arg);
};

struct informers *informers_new(sd_event *event, struct kube_client *client,
				const struct config *cfg, struct model *model, struct vr_log *log,
				const struct informer_ops *ops, void *arg);
void informers_free(struct informers *in);

/* One kind that is watched. */
struct informer_state {
	char					resource[64];	/* its plural: "pods" */
	bool					synced;		/* the first list is complete */
	const struct kube_reflector_stats	*stats;
};

/* The i-th, from 0 on; false: there is none. */
bool informers_state(const struct informers *in, size_t i, struct informer_state *state);
/* Objects that were not taken, or not as they were meant, since the start. */
unsigned long long informers_complaints(const struct informers *in);

/* The model has changes that come from elsewhere. */
void informers_changed(struct informers *in);

#endif
