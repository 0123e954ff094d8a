/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_FEED_H
#define VRD_FEED_H

/*
 * What the manager has made of the cluster: from its own watch stream (JSON events, one a line,
 * from a unix socket), or from the API server, where it writes the same as custom resources.
 * Reconnects by itself. What was heard stays valid while the feed is away. The other
 * way goes what this node has to tell.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#define FEED_MAX_LINE	(4 << 20)	/* octets */

enum event_type { EVENT_SET, EVENT_DELETED, EVENT_SYNCED };

struct feed_ops {
	void (*up)(void *arg);		/* connected: the whole state follows */
	/* object is borrowed, and NULL of EVENT_SYNCED. False = this stream makes no
	 * sense (said in why): the connection is dropped and made anew.
	 */
	bool (*event)(void *arg, enum event_type type, const json_t *object, char *why,
		      size_t size);
	void (*down)(void *arg);
	/* Calls fn(fn_arg, key) for all that is held of a kind: "ns/name", or "name". */
	void (*each)(void *arg, const char *kind, void (*fn)(void *arg, const char *key),
		     void *fn_arg);
};

/* One line, without its end, as an event; no I/O. line is its number, for the
 * sentence in why, which is there when this returns false.
 */
bool feed_line(const struct feed_ops *ops, void *arg, unsigned long line, const char *text,
	       size_t len, char *why, size_t size);

/* Its two kinds have this first. */
struct feed {
	const struct feed_type {
		void (*healthy)(struct feed *f);
		void (*tell)(struct feed *f, char *line);
		void (*end)(struct feed *f);
	}			*type;
	const struct feed_ops	*ops;
	void			*arg;
};

/* Connects as soon as the loop runs. Negative errno. */
int feed_socket_new(struct feed **feed, sd_event *loop, const char *path,
		    const struct feed_ops *ops, void *arg);
/* By a kubeconfig, or NULL: see kube_config_load(). What is wrong with that has been logged. */
int feed_kube_new(struct feed **feed, sd_event *loop, const char *kubeconfig, const char *node,
		  const struct feed_ops *ops, void *arg);

/* The stream made sense up to its bookmark: the next loss is a new one. */
static inline void feed_healthy(struct feed *f)
{
	f->type->healthy(f);
}

/* Sends a STATUS line, without its end (taken over, to be freed). Only the last one counts: it
 * takes the place of one that waits, and is forgotten with the connection.
 */
static inline void feed_tell(struct feed *f, char *line)
{
	f->type->tell(f, line);
}

static inline void feed_free(struct feed *f)
{
	if (f)
		f->type->end(f);
}

#endif
