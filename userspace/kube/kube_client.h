/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests to the API server. One connection (HTTP/2 where the server has it) carries them all.
 * Callbacks run from the event loop, each request's exactly once unless it is cancelled.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "err.h"
#include "kube_config.h"

#define KUBE_MAX_BODY	(256u << 20)	/* octets of an answer: 500 pods at their largest */

struct kube_client;
struct kube_call;

struct kube_response {
	long	status;		/* HTTP's; 0: there was no answer */
	json_t	*body;		/* borrowed; NULL: none, or it was streamed */
	unsigned int retry_after; /* seconds; 0: the server did not say */
};

struct kube_request {
	const char	*method;	/* "GET" */
	const char	*path;		/* with query, from the first slash on */
	const char	*content_type;	/* of the body */
	json_t		*body;		/* borrowed; NULL: none */
	unsigned int	timeout_ms;	/* for all of it; a peer that is gone is noticed earlier */
	/*
	 * Instead of a body in the response: octets as they come. False: the rest is not wanted,
	 * and the request ends.
	 */
	bool		(*stream)(void *arg, const char *data, size_t len);
	/*
	 * err is NULL after a status of 2xx; else it says what failed, in the server's own words
	 * where it sent a Status.
	 */
	void		(*done)(void *arg, const struct kube_response *rsp, const struct vr_err *err);
	void		*arg;
};

/* conf is borrowed. Negative errno. */
int kube_client_new(struct kube_client **client, sd_event *loop, const struct kube_config *conf,
		    const char *user_agent, struct vr_err *err);
void kube_client_free(struct kube_client *client);	/* cancels what is under way */

sd_event *kube_client_loop(struct kube_client *client);

/* Requests that ended, by method and status. */
struct kube_count {
	char			verb[8];	/* "GET"; "WATCH": one that was streamed */
	int			code;		/* HTTP's; 0: there was no answer */
	unsigned long long	n;
};

/* Borrowed until the next turn of the loop; *n of them. */
const struct kube_count *kube_client_counts(const struct kube_client *client, size_t *n);

/* 0, or a negative errno (and done is not called). *call is valid until done. */
int kube_request(struct kube_call **call, struct kube_client *client,
		 const struct kube_request *rq, struct vr_err *err);
void kube_call_cancel(struct kube_call *call);	/* NULL is fine */

#endif
