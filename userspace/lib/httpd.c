// SPDX-License-Identifier: GPL-2.0-only
/* Short answers over HTTP: libmicrohttpd, driven by a daemon's loop. */

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backoff.h"
#include "httpd.h"
#include "log.h"
#include "util.h"
#include "xmem.h"

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
	struct vr_log		*log;
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
	struct connection *c = xzalloc(sizeof(*c));

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

static void add_headers(struct MHD_Response *rs, unsigned int status, const struct http_answer *a)
{
	char weight[12];

	MHD_add_response_header(rs, "Content-Type", a->type ? a->type : "application/json");
	MHD_add_response_header(rs, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(rs, "Content-Security-Policy", "default-src 'none'");
	MHD_add_response_header(rs, "Cache-Control", "no-store");
	MHD_add_response_header(rs, "Connection", "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(rs, "Allow", "GET, HEAD");
	if (a->weight >= 0) {
		snprintf(weight, sizeof(weight), "%d", a->weight);
		MHD_add_response_header(rs, "X-Load-Balancing-Endpoint-Weight", weight);
	}
}

static enum MHD_Result send_answer(struct MHD_Connection *mhd, unsigned int status,
				   const struct http_answer *a)
{
	char *body = a->body ? a->body : xstrdup("");
	struct MHD_Response *rs;
	enum MHD_Result result;

	rs = MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE);
	if (!rs) {
		free(body);
		return MHD_NO;
	}
	add_headers(rs, status, a);
	result = MHD_queue_response(mhd, status, rs);
	MHD_destroy_response(rs);
	return result;
}

struct http_request {
	const char		*path;
	struct MHD_Connection	*mhd;
};

const char *http_path(const struct http_request *rq)
{
	return rq->path;
}

bool http_has(const struct http_request *rq, const char *key)
{
	return MHD_lookup_connection_value_n(rq->mhd, MHD_GET_ARGUMENT_KIND, key, strlen(key),
					     NULL, NULL) == MHD_YES;
}

const char *http_query(const struct http_request *rq, const char *key)
{
	return MHD_lookup_connection_value(rq->mhd, MHD_GET_ARGUMENT_KIND, key);
}

const char *http_header(const struct http_request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->mhd, MHD_HEADER_KIND, name);
}

void http_text(struct http_answer *a, unsigned int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	a->body = xvasprintf(fmt, ap);
	va_end(ap);
	a->type = "text/plain; charset=utf-8";
	a->status = status;
}

bool http_is_local(const struct http_request *rq)
{
	const union MHD_ConnectionInfo *info;
	const struct sockaddr_in6 *v6;
	const struct sockaddr_in *v4;

	info = MHD_get_connection_info(rq->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (!info || !info->client_addr)
		return false;
	v4 = (const struct sockaddr_in *)info->client_addr;
	v6 = (const struct sockaddr_in6 *)info->client_addr;
	if (v4->sin_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) &&
		v6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **context)
{
	const struct http_request rq = { .path = url, .mhd = mhd };
	const union MHD_ConnectionInfo *info;
	struct http_answer a = { .weight = -1 };
	struct connection *c;

	(void)arg;
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
	c->listener->answer(c->listener->arg, &rq, &a);
	return send_answer(mhd, a.status ? a.status : MHD_HTTP_OK, &a);
}

/* --- listeners -------------------------------------------------------------------- */

static void fail(struct http_listener *l, int err)
{
	if (l->told)
		vr_logf(l->http->log, VR_LOG_DEBUG, "%s: TCP port %u: %s", l->what,
			ntohs(l->addr.sin6_port), strerror(-err));
	else
		vr_logf(l->http->log, VR_LOG_WARNING,
			"%s: TCP port %u: %s; trying again until it is free", l->what,
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
		vr_logf(l->http->log, VR_LOG_INFO, "%s: TCP port %u is there now", l->what,
			ntohs(l->addr.sin6_port));
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
	struct http_listener *l = xzalloc(sizeof(*l));

	l->http = h;
	l->what = xstrdup(what);
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

/* --- addresses ---------------------------------------------------------------------- */

bool httpd_addr_parse(const char *text, struct sockaddr_in6 *addr)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)addr;
	const char *colon = strrchr(text, ':');
	char host[VR_ADDR_TEXT + 2] = "";
	struct vr_addr a;
	uint64_t port;
	size_t len;

	len = colon ? (size_t)(colon - text) : 0;
	if (!len || len >= sizeof(host) || !vr_number_parse(colon + 1, 65535, &port) || !port)
		return false;
	memcpy(host, text, len);
	memset(addr, 0, sizeof(*addr));
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		if (!vr_addr_parse(host + 1, &a) || a.family != AF_INET6)
			return false;
		addr->sin6_family = AF_INET6;
		addr->sin6_port = htons(port);
		memcpy(&addr->sin6_addr, a.b, sizeof(addr->sin6_addr));
		return true;
	}
	if (!vr_addr_parse(host, &a) || a.family != AF_INET)
		return false;
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	memcpy(&v4->sin_addr, a.b, sizeof(v4->sin_addr));
	return true;
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

int httpd_new(struct httpd **h, sd_event *loop, struct vr_log *log)
{
	struct httpd *n = xzalloc(sizeof(*n));
	int err;

	n->loop = loop;
	n->log = log;
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
