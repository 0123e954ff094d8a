// SPDX-License-Identifier: GPL-2.0-only
#include "kube_client.h"

#include <errno.h>
#include <strings.h>
#include <time.h>

#include "cleanup.h"
#include "httploop.h"
#include "xmem.h"

#define CONNECT_TIMEOUT	10L	/* seconds */
#define TOKEN_AGE	60	/* seconds after which a token's file is read again */
#define MAX_TOKEN	(64 << 10)
#define MAX_COUNTS	128	/* pairs of method and status; a server uses a dozen codes */

struct kube_client {
	sd_event			*loop;
	const struct kube_config	*conf;
	struct vr_http			*http;
	char				*user_agent;
	char				*base;		/* what paths are appended to */
	struct curl_slist		*connect_to;	/* where that is, if elsewhere */
	char				*token;		/* as last read */
	time_t				token_time;	/* CLOCK_MONOTONIC; 0: read it */
	struct kube_call		*calls;
	struct kube_count		*counts;
	size_t				n_counts;
};

struct kube_call {
	struct vr_transfer	transfer;
	struct kube_client	*client;
	struct kube_call	*next, **prev;
	struct kube_request	rq;
	struct curl_slist	*headers;
	char			*sent;		/* the body's text */
	char			*buf;		/* of the answer */
	size_t			len, size;
	unsigned int		retry_after;
	bool			unwanted, too_large;
	char			error[CURL_ERROR_SIZE];
};

sd_event *kube_client_loop(struct kube_client *client)
{
	return client->loop;
}

/* --- who we are ------------------------------------------------------------ */

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + 1;
}

/* The file's token, or the one that was read last when it cannot be. */
static const char *current_token(struct kube_client *c)
{
	char *text;
	FILE *in;
	size_t n;

	if (!c->conf->token_file)
		return c->conf->token;
	if (c->token && c->token_time && now() - c->token_time < TOKEN_AGE)
		return c->token;
	in = fopen(c->conf->token_file, "re");
	if (!in)
		return c->token;
	text = xzalloc(MAX_TOKEN);
	n = fread(text, 1, MAX_TOKEN - 1, in);
	fclose(in);
	text[n] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	xwipe(c->token);
	c->token = text;
	c->token_time = now();
	return c->token;
}

/* --- a call ---------------------------------------------------------------- */

static void call_free(struct kube_call *call)
{
	*call->prev = call->next;
	if (call->next)
		call->next->prev = call->prev;
	curl_easy_cleanup(call->transfer.easy);
	curl_slist_free_all(call->headers);
	free((char *)call->rq.path);
	free(call->sent);
	free(call->buf);
	free(call);
}

void kube_call_cancel(struct kube_call *call)
{
	if (!call)
		return;
	vr_http_remove(call->client->http, &call->transfer);
	call_free(call);
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	static const char name[] = "retry-after:";
	struct kube_call *call = arg;
	char value[16] = "";

	if (size * n > sizeof(name) && !strncasecmp(line, name, sizeof(name) - 1)) {
		snprintf(value, sizeof(value), "%.*s", (int)(size * n - sizeof(name) + 1),
			 line + sizeof(name) - 1);
		call->retry_after = strtoul(value, NULL, 10);
	}
	return size * n;
}

static size_t keep(struct kube_call *call, const char *data, size_t n)
{
	size_t size = call->size ? call->size : 4096;

	if (call->len + n > KUBE_MAX_BODY) {
		call->too_large = true;
		return 0;
	}
	while (size < call->len + n + 1)
		size *= 2;
	if (size != call->size) {
		call->buf = mem_check(realloc(call->buf, size));
		call->size = size;
	}
	memcpy(call->buf + call->len, data, n);
	call->len += n;
	call->buf[call->len] = '\0';
	return n;
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	struct kube_call *call = arg;
	long status = 0;

	curl_easy_getinfo(call->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
	/* what is not a success is a Status, also of a stream */
	if (!call->rq.stream || status / 100 != 2)
		return keep(call, data, size * n);
	if (!call->unwanted && call->rq.stream(call->rq.arg, data, size * n))
		return size * n;
	call->unwanted = true;
	return 0;
}

/* --- its end --------------------------------------------------------------- */

static void describe(const struct kube_call *call, CURLcode result, long status,
		     const json_t *body, struct vr_err *err)
{
	const char *said = json_string_value(json_object_get(body, "message"));

	if (call->too_large)
		vr_err_set(err, EFBIG, "the answer is larger than %u octets", KUBE_MAX_BODY);
	else if (result == CURLE_OUT_OF_MEMORY)
		vr_err_nomem(err);
	else if (result != CURLE_OK && !call->unwanted)
		vr_err_set(err, EIO, "%s: %s", call->client->conf->server,
			   call->error[0] ? call->error : curl_easy_strerror(result));
	else if (said)
		vr_err_set(err, EIO, "%.600s", said);
	else if (status / 100 != 2)
		vr_err_set(err, EIO, "HTTP status %ld", status);
	else
		vr_err_set(err, EBADMSG, "the answer is not JSON");
	vr_err_wrap(err, "%s %.*s", call->rq.method, (int)strcspn(call->rq.path, "?"),
		    call->rq.path);
}

static void count(struct kube_client *c, const struct kube_request *rq, int code)
{
	const char *verb = rq->stream ? "WATCH" : rq->method;
	struct kube_count *k;
	size_t i;

	for (i = 0; i < c->n_counts; i++) {
		k = &c->counts[i];
		if (k->code == code && !strcmp(k->verb, verb)) {
			k->n++;
			return;
		}
	}
	if (c->n_counts == MAX_COUNTS)
		return;
	k = array_push(&c->counts, &c->n_counts, sizeof(*k));
	snprintf(k->verb, sizeof(k->verb), "%s", verb);
	k->code = code;
	k->n = 1;
}

const struct kube_count *kube_client_counts(const struct kube_client *c, size_t *n)
{
	*n = c->n_counts;
	return c->counts;
}

static void finish(struct vr_transfer *t, CURLcode result)
{
	struct kube_call *call = (struct kube_call *)t;
	struct kube_response rsp = { .retry_after = call->retry_after };
	struct kube_request rq = call->rq;
	struct vr_err err = {};
	bool good, streamed;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &rsp.status);
	count(call->client, &rq, rsp.status);
	if (rsp.status == 401)
		call->client->token_time = 0;
	streamed = rq.stream && rsp.status / 100 == 2;
	if (call->len && !call->too_large)
		rsp.body = json_loadb(call->buf, call->len, 0, NULL);
	good = (result == CURLE_OK || call->unwanted) && rsp.status / 100 == 2 &&
	       (streamed || rsp.body);
	if (!good)
		describe(call, result, rsp.status, rsp.body, &err);
	call_free(call);
	rq.done(rq.arg, &rsp, good ? NULL : &err);
	json_decref(rsp.body);
}

/* --- its begin ------------------------------------------------------------- */

static void set_pem(CURL *easy, const struct kube_pem *pem, CURLoption blob_option,
		    CURLoption file_option)
{
	struct curl_blob blob = { .data = pem->data, .flags = CURL_BLOB_COPY };

	if (pem->data) {
		blob.len = strlen(pem->data);
		curl_easy_setopt(easy, blob_option, &blob);
	} else if (pem->file) {
		curl_easy_setopt(easy, file_option, pem->file);
	}
}

static void set_tls(CURL *easy, const struct kube_config *conf)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	set_pem(easy, &conf->ca, CURLOPT_CAINFO_BLOB, CURLOPT_CAINFO);
	set_pem(easy, &conf->cert, CURLOPT_SSLCERT_BLOB, CURLOPT_SSLCERT);
	set_pem(easy, &conf->key, CURLOPT_SSLKEY_BLOB, CURLOPT_SSLKEY);
}

static void add_header(struct kube_call *call, const char *name, const char *value)
{
	VR_AUTO_FREE char *line = xasprintf("%s: %s", name, value);

	call->headers = mem_check(curl_slist_append(call->headers, line));
}

static void set_body(struct kube_call *call, const struct kube_request *rq)
{
	CURL *easy = call->transfer.easy;

	if (rq->body) {
		call->sent = mem_check(json_dumps(rq->body, JSON_COMPACT));
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->sent);
		add_header(call, "Content-Type", rq->content_type);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, rq->method);
}

static void set_headers(struct kube_call *call)
{
	const char *token = current_token(call->client);

	add_header(call, "Accept", "application/json");
	if (token && *token) {
		char *bearer = xasprintf("Bearer %s", token);

		add_header(call, "Authorization", bearer);
		xwipe(bearer);
	}
	curl_easy_setopt(call->transfer.easy, CURLOPT_HTTPHEADER, call->headers);
}

static void set_url(struct kube_call *call, const struct kube_request *rq)
{
	VR_AUTO_FREE char *url = xasprintf("%s%s", call->client->base, rq->path);
	CURL *easy = call->transfer.easy;

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, call->client->connect_to);
	if (call->client->conf->proxy)
		curl_easy_setopt(easy, CURLOPT_PROXY, call->client->conf->proxy);
}

static void set_up(struct kube_call *call, const struct kube_request *rq)
{
	CURL *easy = call->transfer.easy;

	set_url(call, rq);
	set_tls(easy, call->client->conf);
	set_body(call, rq);
	set_headers(call);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, rq->stream ? NULL : "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 5L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)rq->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, call->client->user_agent);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
}

int kube_request(struct kube_call **out, struct kube_client *client,
		 const struct kube_request *rq, struct vr_err *err)
{
	struct kube_call *call = xzalloc(sizeof(*call));
	int ret;

	call->client = client;
	call->rq = *rq;
	call->rq.path = xstrdup(rq->path);
	call->transfer.easy = mem_check(curl_easy_init());
	call->transfer.done = finish;
	call->next = client->calls;
	call->prev = &client->calls;
	if (call->next)
		call->next->prev = &call->next;
	client->calls = call;
	set_up(call, rq);
	ret = vr_http_add(client->http, &call->transfer);
	if (ret) {
		call_free(call);
		return vr_err_errno(err, -ret, "%s %s", rq->method, rq->path);
	}
	if (out)
		*out = call;
	return 0;
}

/* The name that the certificate must have is not always the one that is connected to. */
static void set_base(struct kube_client *c)
{
	const char *host = strstr(c->conf->server, "//") + 2, *port = strrchr(host, ':');
	VR_AUTO_FREE char *to = NULL;

	if (!c->conf->server_name) {
		c->base = xstrdup(c->conf->server);
		return;
	}
	if (!port || strchr(port, ']'))
		port = "";
	c->base = xasprintf("https://%s%s", c->conf->server_name, port);
	to = xasprintf("::%s%s", host, *port ? "" : ":443");
	c->connect_to = mem_check(curl_slist_append(NULL, to));
}

int kube_client_new(struct kube_client **out, sd_event *loop, const struct kube_config *conf,
		    const char *user_agent, struct vr_err *err)
{
	struct kube_client *c = xzalloc(sizeof(*c));
	int ret;

	c->loop = loop;
	c->conf = conf;
	c->user_agent = xstrdup(user_agent);
	set_base(c);
	ret = vr_http_new(&c->http, loop);
	if (ret < 0) {
		kube_client_free(c);
		return vr_err_errno(err, -ret, "libcurl");
	}
	*out = c;
	return 0;
}

void kube_client_free(struct kube_client *c)
{
	struct kube_call *call, *next;

	if (!c)
		return;
	for (call = c->calls; call; call = next) {
		next = call->next;
		kube_call_cancel(call);
	}
	vr_http_free(c->http);
	curl_slist_free_all(c->connect_to);
	xwipe(c->token);
	free(c->user_agent);
	free(c->base);
	free(c->counts);
	free(c);
}
