// SPDX-License-Identifier: GPL-2.0-only
/* A GET request by libcurl, whose sockets and time-outs the event loop watches. */

#include <curl/curl.h>
#include <errno.h>
#include <sys/epoll.h>

#include "mem.h"
#include "probe.h"

#define MAX_BODY	(64 << 10)	/* octets; a longer one is cut off, its status counts */

struct http {
	sd_event	*loop;
	sd_event_source	*timer, *reap;
	CURLM		*multi;
};

struct http_probe {
	CURL			*easy;
	struct curl_slist	*headers;
	size_t			body;
	char			error[CURL_ERROR_SIZE];
};

static void free_probe(struct http_probe *hp)
{
	if (hp->easy)
		curl_easy_cleanup(hp->easy);
	curl_slist_free_all(hp->headers);
	free(hp);
}

void http_cancel(struct probe *p)
{
	curl_multi_remove_handle(p->probers->http->multi, p->http->easy);
	free_probe(p->http);
	p->http = NULL;
}

static bool is_expected(const struct monitor *spec, long status)
{
	unsigned int i;

	for (i = 0; i < spec->n_expected; i++)
		if (status >= spec->expected[i].from && status <= spec->expected[i].to)
			return true;
	return false;
}

/* Into text; what it says of the member. */
static enum probe_result judge(const struct probe *p, CURLcode result, char *text, size_t size)
{
	const struct http_probe *hp = p->http;
	long status = 0, os = 0;
	bool whole;

	curl_easy_getinfo(hp->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(hp->easy, CURLINFO_OS_ERRNO, &os);
	/* A body that is cut off is our doing; the status was there. */
	whole = result == CURLE_OK || (result == CURLE_WRITE_ERROR && hp->body > MAX_BODY);
	if (status) {
		snprintf(text, size, "HTTP status %ld%s", status, whole ? "" : ", then broken off");
		return whole && is_expected(p->spec, status) ? PROBE_GOOD : PROBE_BAD;
	}
	if (result == CURLE_COULDNT_CONNECT && os) {
		snprintf(text, size, "%s", strerror(os));
		return probe_verdict(os);
	}
	snprintf(text, size, "%.127s", hp->error[0] ? hp->error : curl_easy_strerror(result));
	return result == CURLE_OUT_OF_MEMORY ? PROBE_VOID : PROBE_BAD;
}

static void finish(struct probe *p, CURLcode result)
{
	enum probe_result verdict;
	char text[128];

	verdict = judge(p, result, text, sizeof(text));
	probe_cancel(p);
	p->done(p, verdict, text);
}

/* Not from curl's own callbacks, where no transfer may be removed. */
static int on_reap(sd_event_source *s, void *arg)
{
	struct http *http = arg;
	struct probe *p;
	CURLMsg *msg;
	int left;

	(void)s;
	while ((msg = curl_multi_info_read(http->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &p);
		finish(p, msg->data.result);
	}
	return 0;
}

static void act(struct http *http, curl_socket_t fd, int events)
{
	int running;

	curl_multi_socket_action(http->multi, fd, events, &running);
	sd_event_source_set_enabled(http->reap, SD_EVENT_ONESHOT);
}

static int on_socket(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	(void)s;
	act(arg, fd, (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
		     (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		     (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
	return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	act(arg, CURL_SOCKET_TIMEOUT, 0);
	return 0;
}

/* curl tells which sockets it waits for. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *source)
{
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) |
			  (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	struct http *http = arg;
	sd_event_source *io = source;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		sd_event_source_disable_unref(io);
		curl_multi_assign(http->multi, fd, NULL);
		return 0;
	}
	if (io)
		return sd_event_source_set_io_events(io, events) < 0 ? -1 : 0;
	if (sd_event_add_io(http->loop, &io, fd, events, on_socket, http) < 0)
		return -1;
	curl_multi_assign(http->multi, fd, io);
	return 0;
}

/* And when it wants to be called. Milliseconds; -1 = not at all. */
static int watch_time(CURLM *multi, long msec, void *arg)
{
	struct http *http = arg;

	(void)multi;
	if (msec < 0)
		return sd_event_source_set_enabled(http->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
	if (sd_event_source_set_time_relative(http->timer, msec * 1000ULL) < 0 ||
	    sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT) < 0)
		return -1;
	return 0;
}

static int http_new(struct http **out, sd_event *loop)
{
	struct http *http = mem_zero(1, sizeof(*http));
	int err = -ENOMEM;

	http->loop = loop;
	if (!curl_global_init(CURL_GLOBAL_NOTHING))
		http->multi = curl_multi_init();
	if (http->multi)
		err = sd_event_add_time_relative(loop, &http->timer, CLOCK_MONOTONIC, 0, 1000,
						 on_timer, http);
	if (err >= 0)
		err = sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
	if (err >= 0)
		err = sd_event_add_defer(loop, &http->reap, on_reap, http);
	if (err >= 0)
		err = sd_event_source_set_enabled(http->reap, SD_EVENT_OFF);
	if (err < 0) {
		http_free(http);
		return err;
	}
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, watch_time);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	*out = http;
	return 0;
}

static size_t swallow(char *data, size_t size, size_t n, void *arg)
{
	struct http_probe *hp = arg;

	(void)data;
	hp->body += size * n;
	return hp->body > MAX_BODY ? 0 : size * n;
}

static int add_headers(struct http_probe *hp, const struct monitor *spec)
{
	char text[320];

	if (spec->host) {
		snprintf(text, sizeof(text), "Host: %s", spec->host);
		hp->headers = curl_slist_append(NULL, text);
		if (!hp->headers)
			return -ENOMEM;
	}
	curl_easy_setopt(hp->easy, CURLOPT_HTTPHEADER, hp->headers);
	return 0;
}

/* The member itself is asked: no proxy, no other host by a redirect, no old connection. */
static int set_up(struct probe *p, struct http_probe *hp)
{
	char addr[VR_ADDR_TEXT], *url;
	bool v6 = p->addr.family == AF_INET6;
	CURLcode err;

	if (asprintf(&url, "http://%s%s%s:%u%s", v6 ? "[" : "", vr_addr_text(&p->addr, addr),
		     v6 ? "]" : "", p->port, p->spec->path) < 0)
		return -ENOMEM;
	err = curl_easy_setopt(hp->easy, CURLOPT_URL, url);
	free(url);
	if (err)
		return -ENOMEM;
	curl_easy_setopt(hp->easy, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(hp->easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(hp->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(hp->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(hp->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(hp->easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(hp->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(hp->easy, CURLOPT_USERAGENT, "vrouterd/" VR_VERSION);
	curl_easy_setopt(hp->easy, CURLOPT_ERRORBUFFER, hp->error);
	curl_easy_setopt(hp->easy, CURLOPT_WRITEFUNCTION, swallow);
	curl_easy_setopt(hp->easy, CURLOPT_WRITEDATA, hp);
	curl_easy_setopt(hp->easy, CURLOPT_PRIVATE, p);
	return add_headers(hp, p->spec);
}

int http_start(struct probers *ps, struct probe *p)
{
	struct http_probe *hp;
	int err = 0;

	if (!ps->http)
		err = http_new(&ps->http, ps->loop);
	if (err < 0)
		return err;
	hp = mem_zero(1, sizeof(*hp));
	hp->easy = curl_easy_init();
	err = hp->easy ? set_up(p, hp) : -ENOMEM;
	if (!err && curl_multi_add_handle(ps->http->multi, hp->easy))
		err = -ENOMEM;
	if (err) {
		free_probe(hp);
		return err;
	}
	p->http = hp;
	return 0;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	sd_event_source_disable_unref(http->timer);
	sd_event_source_disable_unref(http->reap);
	if (http->multi)
		curl_multi_cleanup(http->multi);
	curl_global_cleanup();
	free(http);
}
