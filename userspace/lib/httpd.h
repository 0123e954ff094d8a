/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_HTTPD_H
#define VR_HTTPD_H

/*
 * Short answers over HTTP, to GET and HEAD of any path. A listener that cannot have its port
 * is told once, tries again with growing waits, and keeps nobody else from theirs. The
 * connections of all listeners together are bounded, and so is the time that each may take,
 * however slowly its client sends or reads.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

struct vr_log;
struct httpd;
struct http_listener;
struct http_request;

struct http_answer {
	unsigned int	status;		/* HTTP's; 0: 200 */
	const char	*type;		/* of the body, not copied; NULL: application/json */
	char		*body;		/* owned; NULL: empty */
	int		weight;		/* for X-Load-Balancing-Endpoint-Weight; below 0: without */
};

/* Called with each request; *a is zero, but weight, which is -1. */
typedef void (*http_answer_fn)(void *arg, const struct http_request *rq, struct http_answer *a);

/* All borrowed for as long as the request is answered. Decoded; without the query. */
const char *http_path(const struct http_request *rq);
/* "?key" or "?key=value"; the value is NULL without one. */
bool http_has(const struct http_request *rq, const char *key);
const char *http_query(const struct http_request *rq, const char *key);
const char *http_header(const struct http_request *rq, const char *name);
/* Did it come from this host, by a loopback address? */
bool http_is_local(const struct http_request *rq);

/* Fills the answer with plain text. */
void http_text(struct http_answer *a, unsigned int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* log is borrowed. Negative errno. */
int httpd_new(struct httpd **h, sd_event *loop, struct vr_log *log);
void httpd_free(struct httpd *h);		/* with its listeners */

/*
 * what: for the log. addr: AF_INET, or AF_INET6, of which :: takes IPv4 as well, where the
 * kernel has no IPv6 only that. Ports in network byte order.
 */
struct http_listener *httpd_listen(struct httpd *h, const char *what,
				  const struct sockaddr_in6 *addr, http_answer_fn answer,
				  void *arg);
/* Ends it and its connections; NULL is allowed. */
void httpd_unlisten(struct http_listener *l);
/* Does it have its port? */
bool httpd_is_listening(const struct http_listener *l);

/* "192.0.2.1:10256", "[::]:10256"; IPv4 as struct sockaddr_in. False when it is none. */
bool httpd_addr_parse(const char *text, struct sockaddr_in6 *addr);

#endif
