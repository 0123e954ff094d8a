// SPDX-License-Identifier: GPL-2.0-only
#include "http.h"

#include <microhttpd.h>

#include "promtext.h"
#include "xmem.h"

struct manager_http {
	struct httpd		*httpd;
	struct http_parts	parts;
};

/* --- checks ---------------------------------------------------------------- */

/* Collects lines as kube-apiserver has them; all of them are said, or the bad ones. */
struct checks {
	char	*text;
	size_t	len;
	FILE	*out;
	bool	verbose, failed;
};

static void begin_checks(struct checks *c, const struct http_request *rq)
{
	memset(c, 0, sizeof(*c));
	c->verbose = http_has(rq, "verbose");
	c->out = mem_check(open_memstream(&c->text, &c->len));
}

static void check(struct checks *c, const char *name, const char *problem)
{
	c->failed |= !!problem;
	if (problem)
		fprintf(c->out, "[-]%s failed: %s\n", name, problem);
	else if (c->verbose)
		fprintf(c->out, "[+]%s ok\n", name);
}

static void end_checks(struct checks *c, const char *what, struct http_answer *a)
{
	fclose(c->out);
	if (c->failed)
		http_text(a, MHD_HTTP_SERVICE_UNAVAILABLE, "%s%s check failed\n", c->text, what);
	else if (c->verbose)
		http_text(a, MHD_HTTP_OK, "%s%s check passed\n", c->text, what);
	else
		http_text(a, MHD_HTTP_OK, "ok");
	free(c->text);
}

static void answer_health(const struct http_parts *p, const struct http_request *rq,
			  struct http_answer *a)
{
	struct publisher_stats stats = {};
	cleanup_free char *stuck = NULL;
	struct checks c;

	begin_checks(&c, rq);
	check(&c, "loop", NULL);
	if (p->publisher) {
		publisher_stats(p->publisher, &stats);
		if (kube_lease_is_held(p->lease) && stats.stuck >= STUCK_MAX)
			stuck = xasprintf("leads, and no write was taken for %u s", stats.stuck);
		check(&c, "write", stuck);
	}
	end_checks(&c, "healthz", a);
}

static void answer_ready(const struct http_parts *p, const struct http_request *rq,
			 struct http_answer *a)
{
	struct informer_state state;
	struct checks c;
	size_t i;

	begin_checks(&c, rq);
	for (i = 0; p->informers && informers_state(p->informers, i, &state); i++)
		check(&c, state.resource, state.synced ? NULL : "not listed yet");
	if (p->translated)
		check(&c, "translation", *p->translated ? NULL : "not done yet");
	end_checks(&c, "readyz", a);
}

/* --- pages ----------------------------------------------------------------- */

static bool wants_json(const struct http_request *rq)
{
	const char *format = http_query(rq, "format"), *accept = http_header(rq, "Accept");

	if (format)
		return !strcmp(format, "json");
	return accept && strstr(accept, "application/json");
}

static void answer_debug(const struct http_parts *p, const struct http_request *rq,
			 struct http_answer *a)
{
	json_t *content;

	/* all that the cluster is made of, which is not for everybody who reaches the port */
	if (!http_is_local(rq)) {
		http_text(a, MHD_HTTP_FORBIDDEN,
			  "only for clients on the manager's own host, also by kubectl port-forward\n");
		return;
	}
	content = introspect(p, http_path(rq), http_query(rq, "after"));
	if (!content) {
		http_text(a, MHD_HTTP_NOT_FOUND, "not found; see /debug/\n");
	} else if (wants_json(rq)) {
		a->body = mem_check(json_dumps(content, JSON_INDENT(2)));
	} else {
		a->body = html_page(http_path(rq), content);
		a->type = "text/html; charset=utf-8";
	}
	json_decref(content);
}

static void answer(void *arg, const struct http_request *rq, struct http_answer *a)
{
	const struct http_parts *p = &((const struct manager_http *)arg)->parts;
	const char *path = http_path(rq);

	if (!strcmp(path, "/healthz")) {
		answer_health(p, rq, a);
	} else if (!strcmp(path, "/readyz")) {
		answer_ready(p, rq, a);
	} else if (!strcmp(path, "/metrics")) {
		a->body = metrics_text(p);
		a->type = PROM_TYPE;
	} else if (!strcmp(path, "/debug") || !strncmp(path, "/debug/", 7)) {
		answer_debug(p, rq, a);
	} else {
		http_text(a, MHD_HTTP_NOT_FOUND,
			  "not found; there are /healthz, /readyz, /metrics and /debug/\n");
	}
}

/* --- start and stop -------------------------------------------------------- */

int manager_http_new(struct manager_http **http, sd_event *event, struct vr_log *log,
		     const struct http_parts *parts, struct vr_err *err)
{
	const struct sockaddr_in6 *addr = &parts->mgr->cfg->http;
	struct manager_http *h;
	int ret;

	*http = NULL;
	if (!addr->sin6_family)
		return 0;
	h = xzalloc(sizeof(*h));
	h->parts = *parts;
	ret = httpd_new(&h->httpd, event, log);
	if (ret) {
		free(h);
		return vr_err_errno(err, -ret, "--http");
	}
	httpd_listen(h->httpd, "--http", addr, answer, h);
	*http = h;
	return 0;
}

void manager_http_free(struct manager_http *http)
{
	if (!http)
		return;
	httpd_free(http->httpd);
	free(http);
}
