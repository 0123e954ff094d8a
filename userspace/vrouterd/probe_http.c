// SPDX-License-Identifier: GPL-2.0-only
/* A GET request by libcurl, whose sockets and time-outs the event loop watches. */

#include <errno.h>

#include "httploop.h"
#include "mem.h"
#include "probe.h"

#define MAX_BODY	(64 << 10)	/* octets; a longer one is cut off, its status counts */

struct http_probe {
	struct vr_transfer	transfer;
	struct probe		*probe;
	struct curl_slist	*headers;
	size_t			body;
	char			error[CURL_ERROR_SIZE];
};

static void free_probe(struct http_probe *hp)
{
	if (hp->transfer.easy)
		curl_easy_cleanup(hp->transfer.easy);
	curl_slist_free_all(hp->headers);
	free(hp);
}

void http_cancel(struct probe *p)
{
	vr_http_remove(p->probers->http, &p->http->transfer);
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

	curl_easy_getinfo(hp->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(hp->transfer.easy, CURLINFO_OS_ERRNO, &os);
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

static void finish(struct vr_transfer *t, CURLcode result)
{
	struct probe *p = ((struct http_probe *)t)->probe;
	enum probe_result verdict;
	char text[128];

	verdict = judge(p, result, text, sizeof(text));
	probe_cancel(p);
	p->done(p, verdict, text);
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
	curl_easy_setopt(hp->transfer.easy, CURLOPT_HTTPHEADER, hp->headers);
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
	err = curl_easy_setopt(hp->transfer.easy, CURLOPT_URL, url);
	free(url);
	if (err)
		return -ENOMEM;
	curl_easy_setopt(hp->transfer.easy, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(hp->transfer.easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(hp->transfer.easy, CURLOPT_PROXY, "");
	curl_easy_setopt(hp->transfer.easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(hp->transfer.easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(hp->transfer.easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(hp->transfer.easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(hp->transfer.easy, CURLOPT_USERAGENT, "vrouterd/" VR_VERSION);
	curl_easy_setopt(hp->transfer.easy, CURLOPT_ERRORBUFFER, hp->error);
	curl_easy_setopt(hp->transfer.easy, CURLOPT_WRITEFUNCTION, swallow);
	curl_easy_setopt(hp->transfer.easy, CURLOPT_WRITEDATA, hp);
	return add_headers(hp, p->spec);
}

int http_start(struct probers *ps, struct probe *p)
{
	struct http_probe *hp;
	int err = 0;

	if (!ps->http)
		err = vr_http_new(&ps->http, ps->loop);
	if (err < 0)
		return err;
	hp = mem_zero(1, sizeof(*hp));
	hp->probe = p;
	hp->transfer.easy = curl_easy_init();
	hp->transfer.done = finish;
	err = hp->transfer.easy ? set_up(p, hp) : -ENOMEM;
	if (!err)
		err = vr_http_add(ps->http, &hp->transfer);
	if (err) {
		free_probe(hp);
		return err;
	}
	p->http = hp;
	return 0;
}
