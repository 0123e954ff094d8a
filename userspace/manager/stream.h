/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Serves the store as a watch stream on a unix socket: see userspace/lib/resources.md.
 */
#ifndef MANAGER_STREAM_H
#define MANAGER_STREAM_H

#include <jansson.h>
#include <systemd/sd-event.h>

#include "err.h"
#include "log.h"
#include "store.h"

#define STREAM_MAX_WAITING (64u << 20)	/* octets of changes, beside the first list */
#define STREAM_MAX_CLIENTS 64

#define STREAM_MAX_LINE (4u << 20)	/* octets of a line that a client sends */

/*
 * The object of a STATUS line. *peer is NULL at a client's first one and is the callee's to set;
 * it is freed with the client. Negative errno with *err: the line is refused, and the client stays.
 * Nothing may be emitted from within.
 */
typedef int stream_status_fn(void *arg, char **peer, const json_t *object, struct vr_err *err);

struct stream {
	sd_event		*event;
	sd_event_source		*source;	/* of the listening socket */
	struct vr_log		*log;
	const struct store	*store;
	char			*path;
	stream_status_fn	*status;	/* NULL: clients have nothing to say */
	void			*status_arg;
	struct client		*clients;
	unsigned int		n_clients;
};

/*
 * Listens on path with mode 0600. A socket file that nobody listens on is
 * replaced; one that is in use, or something else of that name, is refused (and *err says so).
 * Clients must be root or of our own user.
 */
int stream_open(struct stream *s, sd_event *event, const struct store *store, struct vr_log *log,
		const char *path, struct vr_err *err);
/* Also removes the socket file. */
void stream_close(struct stream *s);

/* One event line to all clients; a store_emit_fn. Never blocks. */
void stream_emit(void *stream, const char *line, size_t len);

#endif
