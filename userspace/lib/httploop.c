// SPDX-License-Identifier: GPL-2.0-only
#include "httploop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>

struct vr_http {
	sd_event	*loop;
	sd_event_source	*timer, *reap;
	CURLM		*multi;
	struct vr_transfer *waiting;	/* were added from within curl, which takes none there */
	bool		inside;
};

static void start_waiting(struct vr_http *http)
{
	struct vr_transfer *t;

	while ((t = http->waiting)) {
		http->waiting = t->next;
		if (t->next)
			t->next->prev = &http->waiting;
		t->prev = NULL;
		if (curl_multi_add_handle(http->multi, t->easy))
			t->done(t, CURLE_OUT_OF_MEMORY);
	}
}

/* Not from curl's own callbacks, where no transfer may be removed. */
static int on_reap(sd_event_source *s, void *arg)
{
	struct vr_http *http = arg;
	struct vr_transfer *t;
	CURLcode result;
	CURLMsg *msg;
	int left;

	(void)s;
	while ((msg = curl_multi_info_read(http->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		result = msg->data.result;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
		curl_multi_remove_handle(http->multi, t->easy);
		t->done(t, result);
	}
	start_waiting(http);
	return 0;
}

static void act(struct vr_http *http, curl_socket_t fd, int events)
{
	int running;

	http->inside = true;
	curl_multi_socket_action(http->multi, fd, events, &running);
	http->inside = false;
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
	struct vr_http *http = arg;
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
	struct vr_http *http = arg;

	(void)multi;
	if (msec < 0)
		return sd_event_source_set_enabled(http->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
	if (sd_event_source_set_time_relative(http->timer, msec * 1000ULL) < 0 ||
	    sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT) < 0)
		return -1;
	return 0;
}

static int add_sources(struct vr_http *http)
{
	int err = sd_event_add_time_relative(http->loop, &http->timer, CLOCK_MONOTONIC, 0, 1000,
					     on_timer, http);

	if (err >= 0)
		err = sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
	if (err >= 0)
		err = sd_event_add_defer(http->loop, &http->reap, on_reap, http);
	if (err >= 0)
		err = sd_event_source_set_enabled(http->reap, SD_EVENT_OFF);
	return err;
}

int vr_http_new(struct vr_http **out, sd_event *loop)
{
	struct vr_http *http = calloc(1, sizeof(*http));
	int err = -ENOMEM;

	if (!http)
		return err;
	http->loop = loop;
	if (!curl_global_init(CURL_GLOBAL_DEFAULT))
		http->multi = curl_multi_init();
	if (http->multi)
		err = add_sources(http);
	if (err < 0) {
		vr_http_free(http);
		return err;
	}
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, watch_time);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	*out = http;
	return 0;
}

void vr_http_free(struct vr_http *http)
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

int vr_http_add(struct vr_http *http, struct vr_transfer *t)
{
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	t->prev = NULL;
	if (!http->inside)
		return curl_multi_add_handle(http->multi, t->easy) ? -ENOMEM : 0;
	t->next = http->waiting;
	t->prev = &http->waiting;
	if (t->next)
		t->next->prev = &t->next;
	http->waiting = t;
	return 0;
}

void vr_http_remove(struct vr_http *http, struct vr_transfer *t)
{
	if (!t->prev) {
		curl_multi_remove_handle(http->multi, t->easy);
		return;
	}
	*t->prev = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->prev = NULL;
}
