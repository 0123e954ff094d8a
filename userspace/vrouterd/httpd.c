// SPDX-License-Identifier: GPL-2.0-only
/* Short answers over HTTP: libmicrohttpd, driven by the daemon's loop. */

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backoff.h"
#include "dlog.h"
#include "httpd.h"
#include "mem.h"

#define MAX_CONNECTIONS	256U
#define MAX_OF_CLIENT	32U		/* connections from one address */
#define MAX_TIME	10000000ULL	/* microseconds from accept to the end */
#define MAX_MEMORY	((size_t)8192)	/* octets of a connection: its headers, mostly */
#define BACKLOG		64

struct connection {
	struct connection	*next;
	struct http_listener	*listener;	/* NULL: it ended */
	struct MHD_Connection	*mhd;
	uint64_t		deadline;	/* CLOCK_MONOTONIC, microseconds */
};

struct http_listener {
	struct http_listener	*next;
	struct httpd		*http;
	char			*what;
	struct sockaddr_in6	addr;
	http_answer_fn		answer;
	void			*arg;
	int			fd;		/* -1: it waits for the next try */
	sd_event_source		*io, *retry;
	struct backoff		backoff;
	bool			told;
};

struct httpd {
	sd_event		*loop;
	struct MHD_Daemon	*mhd;
	sd_event_source		*io, *timer, *reaper;
	struct http_listener	*listeners;
	struct connection	*oldest, **newest;	/* the oldest ends first */
	struct http_listener	*accepting;	/* whose connection is being handed over */
};

/* --- connections ------------------------------------------------------------------ */

static void arm(sd_event_source *timer, uint64_t usec)
{
	sd_event_source_set_time(timer, usec);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static uint64_t now_of(const struct httpd *h)
{
	uint64_t now;

	sd_event_now(h->loop, CLOCK_MONOTONIC, &now);
	return now;
}

/* Reads and writes what can be, and asks to be called when there is more. */
static void run(struct httpd *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(h->mhd);
	if (MHD_get_timeout(h->mhd, &ms) == MHD_YES)
		arm(h->timer, now_of(h) + ms * 1000);
	else
		sd_event_source_set_enabled(h->timer, SD_EVENT_OFF);
}

static int on_ready(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	(void)s;
	(void)fd;
	(void)events;
	run(arg);
	return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	run(arg);
	return 0;
}

/* The library sees the end, and forgets it. */
static void cut(const struct connection *c)
{
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info)
		shutdown(info->connect_fd, SHUT_RDWR);
}

static int on_reap(sd_event_source *s, uint64_t usec, void *arg)
{
	struct httpd *h = arg;
	struct connection *c;

	(void)s;
	for (c = h->oldest; c && c->deadline <= usec; c = c->next)
		cut(c);
	if (c)
		arm(h->reaper, c->deadline);
	run(h);
	return 0;
}

static void begin(struct httpd *h, struct MHD_Connection *mhd, void **context)
{
	struct connection *c = mem_zero(1, sizeof(*c));

	c->mhd = mhd;
	c->listener = h->accepting;
	c->deadline = now_of(h) + MAX_TIME;
	if (!h->oldest)
		arm(h->reaper, c->deadline);
	*h->newest = c;
	h->newest = &c->next;
	*context = c;
}

static void end(struct httpd *h, struct connection *c)
{
	struct connection **p = &h->oldest;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	if (h->newest == &c->next)
		h->newest = p;
	free(c);
}

static void on_notify(void *arg, struct MHD_Connection *mhd, void **context,
		      enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		begin(arg, mhd, context);
	else if (*context)
		end(arg, *context);
}

/* --- answers ---------------------------------------------------------------------- */

static enum MHD_Result send_answer(struct MHD_Connection *mhd, unsigned int status,
				   const struct http_answer *a)
{
	char *body = a->body ? a->body : mem_strdup("");
	struct MHD_Response *rs;
	enum MHD_Result result;
	char weight[12];

	rs = MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE);
	if (!rs) {
		free(body);
		return MHD_NO;
	}
	MHD_add_response_header(rs, "Content-Type", "application/json");
	MHD_add_response_header(rs, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(rs, "Connection", "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(rs, "Allow", "GET, HEAD");
	if (a->weight >= 0) {
		snprintf(weight, sizeof(weight), "%d", a->weight);
		MHD_add_response_header(rs, "X-Load-Balancing-Endpoint-Weight", weight);
	}
	result = MHD_queue_response(mhd, status, rs);
	MHD_destroy_response(rs);
	return result;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **context)
{
	const union MHD_ConnectionInfo *info;
	struct http_answer a = { .weight = -1 };
	struct connection *c;

	(void)arg;
	(void)url;
	(void)version;
	(void)data;
	(void)size;
	(void)context;
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	c = info ? info->socket_context : NULL;
	if (!c || !c->listener)
		return MHD_NO;
	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		return send_answer(mhd, MHD_HTTP_METHOD_NOT_ALLOWED, &a);
	c->listener->answer(c->listener->arg, &a);
	return send_answer(mhd, a.good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, &a);
}

/* --- listeners -------------------------------------------------------------------- */

static void fail(struct http_listener *l, int err)
{
	if (l->told)
		log_debug("%s: TCP port %u: %s", l->what, ntohs(l->addr.sin6_port),
			  strerror(-err));
	else
		log_warn("%s: TCP port %u: %s; trying again until it is free", l->what,
			 ntohs(l->addr.sin6_port), strerror(-err));
	l->told = true;
	l->io = sd_event_source_disable_unref(l->io);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	arm(l->retry, now_of(l->http) + backoff_next(&l->backoff));
}

static int on_connection(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct sockaddr_storage peer = {};
	socklen_t len = sizeof(peer);
	struct http_listener *l = arg;
	struct httpd *h = l->http;
	int conn;

	(void)s;
	(void)events;
	conn = accept4(fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (conn < 0) {
		/* of what is left in the queue nothing else would be heard */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			fail(l, -errno);
		return 0;
	}
	h->accepting = l;
	/* closes it where it does not take it */
	MHD_add_connection(h->mhd, conn, (struct sockaddr *)&peer, len);
	h->accepting = NULL;
	run(h);
	return 0;
}

static bool is_any(const struct sockaddr_in6 *addr)
{
	return addr->sin6_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&addr->sin6_addr);
}

/* A bound socket that listens, or negative errno. */
static int open_socket(const struct sockaddr *addr, socklen_t len)
{
	int fd, err, on = 1, off = 0;

	fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (addr->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (!bind(fd, addr, len) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int open_any(const struct sockaddr_in6 *addr)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = addr->sin6_port };
	int fd = open_socket((const struct sockaddr *)addr, sizeof(*addr));

	if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
		return open_socket((const struct sockaddr *)&v4, sizeof(v4));
	return fd;
}

static void try(struct http_listener *l)
{
	int err;

	if (is_any(&l->addr))
		l->fd = open_any(&l->addr);
	else
		l->fd = open_socket((const struct sockaddr *)&l->addr,
				    l->addr.sin6_family == AF_INET ? sizeof(struct sockaddr_in) :
								     sizeof(l->addr));
	if (l->fd < 0) {
		fail(l, l->fd);
		return;
	}
	err = sd_event_add_io(l->http->loop, &l->io, l->fd, EPOLLIN, on_connection, l);
	if (err < 0) {
		fail(l, err);
		return;
	}
	if (l->told)
		log_info("%s: TCP port %u is there now", l->what, ntohs(l->addr.sin6_port));
	l->told = false;
	backoff_reset(&l->backoff);
}

static int on_retry(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	try(arg);
	return 0;
}

struct http_listener *httpd_listen(struct httpd *h, const char *what,
				  const struct sockaddr_in6 *addr, http_answer_fn answer,
				  void *arg)
{
	struct http_listener *l = mem_zero(1, sizeof(*l));

	l->http = h;
	l->what = mem_strdup(what);
	l->addr = *addr;
	l->answer = answer;
	l->arg = arg;
	l->fd = -1;
	l->backoff = (struct backoff){ .min = 500000, .max = 30000000 };
	/* without the timer it would be lost for good: as without memory */
	if (sd_event_add_time(h->loop, &l->retry, CLOCK_MONOTONIC, 0, 0, on_retry, l) < 0)
		mem_check(NULL);
	sd_event_source_set_enabled(l->retry, SD_EVENT_OFF);
	l->next = h->listeners;
	h->listeners = l;
	try(l);
	return l;
}

void httpd_unlisten(struct http_listener *l)
{
	struct http_listener **p;
	struct connection *c;

	if (!l)
		return;
	for (p = &l->http->listeners; *p != l; p = &(*p)->next)
		;
	*p = l->next;
	for (c = l->http->oldest; c; c = c->next) {
		if (c->listener != l)
			continue;
		c->listener = NULL;
		cut(c);
	}
	sd_event_source_disable_unref(l->io);
	sd_event_source_disable_unref(l->retry);
	if (l->fd >= 0)
		close(l->fd);
	free(l->what);
	free(l);
}

bool httpd_is_listening(const struct http_listener *l)
{
	return l->fd >= 0;
}

/* --- start and stop ----------------------------------------------------------------- */

static int start_sources(struct httpd *h)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	int err;

	if (!info)
		return -EOPNOTSUPP;
	err = sd_event_add_io(h->loop, &h->io, info->epoll_fd, EPOLLIN, on_ready, h);
	if (err >= 0)
		err = sd_event_add_time(h->loop, &h->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, h);
	if (err >= 0)
		err = sd_event_add_time(h->loop, &h->reaper, CLOCK_MONOTONIC, 0, 0, on_reap, h);
	if (err < 0)
		return err;
	sd_event_source_set_enabled(h->timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(h->reaper, SD_EVENT_OFF);
	return 0;
}

int httpd_new(struct httpd **h, sd_event *loop)
{
	struct httpd *n = mem_zero(1, sizeof(*n));
	int err;

	n->loop = loop;
	n->newest = &n->oldest;
	n->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL,
				  on_request, n,
				  MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS,
				  MHD_OPTION_PER_IP_CONNECTION_LIMIT, MAX_OF_CLIENT,
				  MHD_OPTION_CONNECTION_MEMORY_LIMIT, MAX_MEMORY,
				  MHD_OPTION_NOTIFY_CONNECTION, on_notify, n,
				  MHD_OPTION_END);
	err = n->mhd ? start_sources(n) : -EIO;
	if (err) {
		httpd_free(n);
		n = NULL;
	}
	*h = n;
	return err;
}

void httpd_free(struct httpd *h)
{
	struct http_listener *l, *next;

	if (!h)
		return;
	for (l = h->listeners; l; l = next) {
		next = l->next;
		httpd_unlisten(l);
	}
	sd_event_source_disable_unref(h->io);
	sd_event_source_disable_unref(h->timer);
	sd_event_source_disable_unref(h->reaper);
	if (h->mhd)
		MHD_stop_daemon(h->mhd);
	free(h);
}
