/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the program put together. */
#ifndef MANAGER_MANAGER_H
#define MANAGER_MANAGER_H

#include "config.h"
#include "log.h"
#include "manifests.h"
#include "model.h"
#include "promtext.h"
#include "store.h"
#include "stream.h"
#include "watch.h"

struct manager_http;

struct manager {
	const struct config	*cfg;
	struct vr_log		log;
	struct store		store;
	struct model		model;
	struct manifests	manifests;
	struct stream		stream;
	struct watch		watch;
	struct prom_histogram	runs;		/* of the model, in seconds */
	struct manager_http	*http;		/* NULL: not asked for */
	sd_event_source		*health;	/* what nodes said is to be published */
};

void manager_init(struct manager *mgr, const struct config *cfg);
void manager_free(struct manager *mgr);

/*
 * Reads what changed in the folder and publishes what follows from it. Returns the number of
 * errors that were found (and logged), or -1 if the folder cannot be read.
 */
int manager_load(struct manager *mgr);

/* model_run(), and how long it took. */
unsigned int manager_run(struct manager *mgr);

/*
 * Takes what nodes say of their members' health and publishes it in event's next turns; after
 * stream_open(). Negative errno and *err.
 */
int manager_hear(struct manager *mgr, sd_event *event, struct vr_err *err);

/* SIGTERM and SIGINT; handler NULL: they end the loop. Negative errno. */
int manager_signals(sd_event *event, sd_event_signal_handler_t handler, void *arg);

/* Each returns the exit status: translate once and print; serve until told to end. */
int manager_check(struct manager *mgr);
int manager_serve(struct manager *mgr);

#endif
