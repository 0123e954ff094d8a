/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRD_HTTPD_H
#define VRD_HTTPD_H

/*
 * Short answers over HTTP, to GET and HEAD of any path. A listener that cannot have its port
 * is told once, tries again with growing waits, and keeps nobody else from theirs. The
 * connections of all listeners together are bounded, and so is the time that each may take,
 * however slowly its client sends or reads.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

struct httpd;
struct http_listener;

struct http_answer {
	bool	good;		/* 200, or else 503 */
	char	*body;		/* JSON, owned */
	int	weight;		/* for X-Load-Balancing-Endpoint-Weight; below 0: without */
};

/* Called with each request; *a is zero. */
typedef void (*http_answer_fn)(void *arg, struct http_answer *a);

/* Negative errno. */
int httpd_new(struct httpd **h, sd_event *loop);
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

#endif
