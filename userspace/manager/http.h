/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What operators and their tools ask the manager over HTTP: /healthz, /readyz, /metrics, and
 * what it knows under /debug/. All of it only reads.
 */
#ifndef MANAGER_HTTP_H
#define MANAGER_HTTP_H

#include "httpd.h"
#include "informers.h"
#include "kube_lease.h"
#include "manager.h"
#include "publisher.h"

/* Who leads and has not been able to write for so long is not healthy. */
#define STUCK_MAX	120	/* seconds */

/* Borrowed. Without an API server only mgr is set. */
struct http_parts {
	const struct manager	*mgr;
	const struct informers	*informers;
	const struct publisher	*publisher;
	const struct kube_client *client;
	const struct kube_lease	*lease;
	const bool		*translated;	/* all was known, and was translated, once */
};

struct manager_http;

/* On cfg->http; *http is NULL without that. Negative errno and *err. */
int manager_http_new(struct manager_http **http, sd_event *event, struct vr_log *log,
		     const struct http_parts *parts, struct vr_err *err);
void manager_http_free(struct manager_http *http);

/* metrics.c. To be freed. */
char *metrics_text(const struct http_parts *p);

/* introspect.c. after: the name that a list begins behind, or NULL. NULL: no such page. */
json_t *introspect(const struct http_parts *p, const char *path, const char *after);

/* html.c. A page that shows the object, whatever is in it; to be freed. */
char *html_page(const char *title, const json_t *content);

#endif
