/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_HTTPLOOP_H
#define VR_HTTPLOOP_H

/*
 * libcurl's transfers in an sd-event loop: curl says which sockets and time-outs it waits for,
 * the loop watches them. A transfer's end is told from the loop, never from within curl, so
 * done() may remove, free and start transfers.
 */

#include <curl/curl.h>
#include <systemd/sd-event.h>

struct vr_http;

struct vr_transfer {
	CURL	*easy;		/* the caller's; CURLOPT_PRIVATE is taken */
	void	(*done)(struct vr_transfer *t, CURLcode result);
	struct vr_transfer *next, **prev; /* vr_http_add()'s */
};

/* Negative errno. */
int vr_http_new(struct vr_http **http, sd_event *loop);
void vr_http_free(struct vr_http *http);	/* no transfer may be left */

/*
 * Starts it, from within one of curl's callbacks as soon as that has returned; it has to stay where it
 * is until done() or vr_http_remove(). Negative errno.
 */
int vr_http_add(struct vr_http *http, struct vr_transfer *t);
/* Not from within curl's callbacks, which say by what they return that they want no more. */
void vr_http_remove(struct vr_http *http, struct vr_transfer *t);

#endif
