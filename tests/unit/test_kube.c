// SPDX-License-Identifier: GPL-2.0-only
/* links: kube lib */
/*
 * The API server's client against a server that misbehaves: what a real one cannot be made to do. It
 * answers from a script, over TLS.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <unistd.h>

#include "kube_lease.h"
#include "kube_reflector.h"
#include "xmem.h"

#define POD(name, version) "{\"metadata\":{\"namespace\":\"a\",\"name\":\"" name "\",\"resourceVersion\":\"" version "\"}}"
#define LIST(items, version, more) "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"" version "\"" more "},\"items\":[" items "]}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define STATUS(code, text) "{\"kind\":\"Status\",\"code\":" #code ",\"message\":\"" text "\"}"

/* --- the server: one answer for each request, in order; the last one is repeated -------------- */

struct answer {
	const char	*ask;		/* what the URL must contain; NULL: anything */
	unsigned int	status;		/* 0: says nothing, and keeps the connection */
	const char	*body;
	size_t		repeat;		/* the body so many times; 0 = once */
	bool		broken;		/* the connection ends in the middle */
	const char	*retry_after;
};

static struct {
	struct MHD_Daemon	*daemon;
	const struct answer	*script;
	atomic_size_t		at;
	atomic_bool		wrong;		/* another request came than expected */
	char			dir[64];
	char			token[256];	/* that the last request had */
	struct MHD_Connection	*silent;	/* one that gets no answer */
	atomic_bool		stopping;
} srv;

static ssize_t on_body(void *cls, uint64_t pos, char *buf, size_t max)
{
	const struct answer *a = cls;
	size_t len = strlen(a->body), all = len * (a->repeat ? a->repeat : 1), n = 0;

	if (pos >= all)
		return a->broken ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
	for (; n < max && pos + n < all; n++)
		buf[n] = a->body[(pos + n) % len];
	return n;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url, const char *method,
				  const char *version, const char *data, size_t *size, void **state)
{
	const char *query = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "watch");
	const char *page = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "continue");
	const char *from = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "resourceVersion");
	const char *token = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
	const struct answer *a;
	struct MHD_Response *r;
	enum MHD_Result ret;
	char what[512];

	(void)cls;
	(void)version;
	(void)data;
	if (!*state) {
		*state = &srv;
		return MHD_YES;
	}
	if (*size) {
		*size = 0;
		return MHD_YES;
	}
	snprintf(srv.token, sizeof(srv.token), "%s", token ? token : "");
	snprintf(what, sizeof(what), "%s %s%s%s%s%s", method, url, query ? " watch " : " list ", from ? from : "",
		 page ? " continue " : "", page ? page : "");
	a = &srv.script[srv.at];
	if (a[1].ask || a[1].status)
		srv.at++;
	if (a->ask && !strstr(what, a->ask)) {
		fprintf(stderr, "asked %s, expected %s\n", what, a->ask);
		srv.wrong = true;
	}
	if (!a->status) {
		if (srv.stopping)
			return MHD_NO;
		MHD_suspend_connection(c);
		srv.silent = c;
		return MHD_YES;
	}
	r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, on_body, (void *)a, NULL);
	if (a->retry_after)
		MHD_add_response_header(r, "Retry-After", a->retry_after);
	ret = MHD_queue_response(c, a->status, r);
	MHD_destroy_response(r);
	return ret;
}

static char *slurp(const char *name)
{
	char path[128], *text = xzalloc(8192);
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", srv.dir, name);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_true(fread(text, 1, 8191, in) > 0);
	fclose(in);
	return text;
}

static int make_certificates(void **state)
{
	char cmd[512];

	(void)state;
	strcpy(srv.dir, "/tmp/vr-kube-XXXXXX");
	assert_non_null(mkdtemp(srv.dir));
	snprintf(cmd, sizeof(cmd), "cd %s && for n in ca other; do openssl req -x509 -newkey ec -pkeyopt "
		 "ec_paramgen_curve:prime256v1 -nodes -keyout $n.key -out $n.crt -days 2 -subj /CN=$n "
		 "-addext subjectAltName=IP:127.0.0.1,DNS:kubernetes 2>/dev/null || exit 1; done", srv.dir);
	return system(cmd);
}

static int remove_certificates(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", srv.dir);
	return system(cmd);
}

/* --- the client's side --------------------------------------------------------------------------- */

struct client {
	sd_event		*event;
	struct kube_config	conf;
	struct kube_client	*client;
	char			log[4096];	/* what the callbacks were told, in words */
	char			*has[8];	/* keys of what it was told of */
	unsigned int		calls;
};

static void note(struct client *c, const char *fmt, const char *text)
{
	size_t at = strlen(c->log);

	snprintf(c->log + at, sizeof(c->log) - at, fmt, text);
	c->calls++;
}

static void set_up(struct client *c, const struct answer *script, const char *cert)
{
	char *key = slurp("ca.key"), *crt = slurp("ca.crt");

	srv.script = script;
	srv.at = 0;
	srv.wrong = srv.stopping = false;
	srv.silent = NULL;
	srv.daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
				      NULL, on_request, NULL, MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_HTTPS_MEM_CERT, crt,
				      MHD_OPTION_END);
	assert_non_null(srv.daemon);
	free(key);
	free(crt);
	memset(c, 0, sizeof(*c));
	assert_true(sd_event_new(&c->event) >= 0);
	c->conf.server = xasprintf("https://127.0.0.1:%u",
				      MHD_get_daemon_info(srv.daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	c->conf.ca.data = slurp(cert);
	c->conf.ns = xstrdup("default");
	assert_int_equal(kube_client_new(&c->client, c->event, &c->conf, "test/1", NULL), 0);
}

static void tear_down(struct client *c)
{
	size_t i;

	for (i = 0; i < sizeof(c->has) / sizeof(c->has[0]); i++)
		free(c->has[i]);
	kube_client_free(c->client);
	kube_config_clear(&c->conf);
	sd_event_unref(c->event);
	srv.stopping = true;
	if (srv.silent)
		MHD_resume_connection(srv.silent);
	MHD_stop_daemon(srv.daemon);
	assert_false(srv.wrong);
}

static void until(struct client *c, const char *said)
{
	unsigned int turns = 0;

	while (!strstr(c->log, said)) {
		if (++turns > 600)
			fail_msg("waited for \"%s\", got \"%s\"", said, c->log);
		sd_event_run(c->event, 50000);
	}
}

static char **slot_of(struct client *c, const char *key)
{
	size_t i;

	for (i = 0; i < sizeof(c->has) / sizeof(c->has[0]); i++)
		if (key ? c->has[i] && !strcmp(c->has[i], key) : !c->has[i])
			return &c->has[i];
	return NULL;
}

static void on_put(void *arg, const char *key, json_t *object)
{
	struct client *c = arg;

	(void)object;
	if (!slot_of(c, key))
		*slot_of(c, NULL) = xstrdup(key);
	note(c, "+%s ", key);
}

static void on_del(void *arg, const char *key)
{
	struct client *c = arg;
	char **slot = slot_of(c, key);

	if (slot) {
		free(*slot);
		*slot = NULL;
	}
	note(c, "-%s ", key);
}

static void on_each(void *arg, kube_key_fn *fn, void *fn_arg)
{
	struct client *c = arg;
	size_t i;

	for (i = 0; i < sizeof(c->has) / sizeof(c->has[0]); i++)
		if (c->has[i])
			fn(fn_arg, c->has[i]);
}

static void on_synced(void *arg)
{
	note(arg, "%s", "synced ");
}

static void on_trouble(void *arg, const char *text)
{
	note(arg, "[%s] ", text ? text : "fine");
}

static const struct kube_reflector_ops ops = { on_put, on_del, on_each, on_synced, on_trouble, false, NULL };
static const struct kube_reflector_ops optional_ops = { on_put, on_del, on_each, on_synced, on_trouble, true, NULL };
static const struct kube_pace fast = { 10, 40, 50 };

/* The script is gone through, and this is what the owner was told. */
static void reflect_by(const struct kube_reflector_ops *by, const struct answer *script, const char *last,
		       const char *const parts[])
{
	struct kube_reflector *r;
	struct client c;
	size_t i;

	set_up(&c, script, "ca.crt");
	r = kube_reflector_new(c.client, "/api/v1/pods", &fast, by, &c);
	until(&c, last);
	for (i = 0; parts && parts[i]; i++)
		if (!strstr(c.log, parts[i]))
			fail_msg("no \"%s\" in \"%s\"", parts[i], c.log);
	kube_reflector_free(r);
	tear_down(&c);
}

static void reflect(const struct answer *script, const char *last, const char *const parts[])
{
	reflect_by(&ops, script, last, parts);
}

/* --- reflector ------------------------------------------------------------------------------------ */

static void pages(void **state)
{
	static const struct answer script[] = {
		{ "list", 200, LIST(POD("x", "1"), "9", ",\"continue\":\"p2\""), 0, 0, 0 },
		{ "continue p2", 200, LIST(POD("y", "2"), "9", ",\"continue\":\"p3\""), 0, 0, 0 },
		{ "continue p3", 200, LIST(POD("z", "3"), "9", ""), 0, 0, 0 },
		{ "watch 9", 200, EVENT("ADDED", POD("w", "10")) EVENT("DELETED", POD("x", "11"))
		  EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"20\"}}"), 0, 0, 0 },
		{ "watch 20", 200, EVENT("MODIFIED", POD("y", "21")), 0, 0, 0 },
		{ "watch 21", 0, 0, 0, 0, 0 },
		{ 0 },
	};

	(void)state;
	reflect(script, "-a/x +a/y", (const char *const[]){ "+a/x +a/y +a/z synced +a/w -a/x +a/y", NULL });
}

static void gone_in_the_list(void **state)
{
	static const struct answer script[] = {
		{ "list", 200, LIST(POD("x", "1"), "9", ",\"continue\":\"p2\""), 0, 0, 0 },
		{ "continue p2", 410, STATUS(410, "too old"), 0, 0, 0 },
		{ "list", 200, LIST(POD("y", "2"), "12", ""), 0, 0, 0 },
		{ "watch 12", 0, 0, 0, 0, 0 },
		{ 0 },
	};

	(void)state;
	reflect(script, "synced", (const char *const[]){ "+a/x +a/y -a/x synced", NULL });
}

/* Too old to watch from, as HTTP's status and as an event: the list is read anew, its difference told. */
static void gone_in_the_watch(void **state)
{
	static const struct answer script[] = {
		{ "list", 200, LIST(POD("x", "1") "," POD("y", "2"), "9", ""), 0, 0, 0 },
		{ "watch 9", 410, STATUS(410, "too old"), 0, 0, 0 },
		{ "list", 200, LIST(POD("y", "2") "," POD("z", "3"), "12", ""), 0, 0, 0 },
		{ "watch 12", 200, EVENT("ERROR", STATUS(410, "too old")), 0, 0, 0 },
		{ "list", 200, LIST(POD("z", "4"), "15", ""), 0, 0, 0 },
		{ "watch 15", 0, 0, 0, 0, 0 },
		{ 0 },
	};

	(void)state;
	reflect(script, "-a/y", (const char *const[]){ "+a/x +a/y synced +a/y +a/z -a/x +a/z -a/y", NULL });
}

/* Each is resumed where it was, and told in words. */
static void nonsense(void **state)
{
	static const struct answer script[] = {
		{ "list", 500, "oh", 0, 0, 0 },
		{ "list", 200, "{}", 0, 0, 0 },
		{ "list", 200, LIST("{\"metadata\":{}}", "9", ""), 0, 0, 0 },
		{ "list", 200, LIST(POD("x", "1"), "9", ""), 0, 0, 0 },
		{ "watch 9", 200, EVENT("ADDED", POD("y", "10")) "garbage\n", 0, 0, 0 },
		{ "watch 10", 200, EVENT("ADDED", POD("z", "11")) "{\"type\":\"ADD", 0, true, 0 },
		{ "watch 11", 200, EVENT("ADDED", POD("z", "12"))
		  EVENT("ADDED", "{\"metadata\":{\"resourceVersion\":\"13\"}}"), 0, 0, 0 },
		{ "watch 12", 200, EVENT("ADDED", POD("z", "13")) EVENT("UNHEARD", POD("q", "14")), 0, 0, 0 },
		{ "watch 13", 200, EVENT("ADDED", POD("z", "14")), 0, 0, 0 },
		{ "watch 14", 200, "xxxxxxxxxxxxxxxx", 600000, 0, 0 },
		{ "watch 14", 200, EVENT("ADDED", POD("last", "15")), 0, 0, 0 },
		{ "watch 15", 0, 0, 0, 0, 0 },
		{ 0 },
	};

	(void)state;
	reflect(script, "+a/last", (const char *const[]){ "HTTP status 500] +a/x [fine] synced +a/y [", "not JSON", "+a/z",
							  "without a name", "not known", "8 MiB", NULL });
}

static void absent_kind(void **state)
{
	static const struct answer script[] = {
		{ "list", 404, STATUS(404, "the server could not find the requested resource"), 0, 0, 0 },
		{ "list", 200, LIST(POD("x", "1"), "9", ""), 0, 0, 0 },
		{ "watch 9", 0, 0, 0, 0, 0 },
		{ 0 },
	};

	(void)state;
	reflect_by(&optional_ops, script, "+a/x", (const char *const[]){ "synced +a/x", NULL });
	/* one that has to be there is waited for */
	reflect(script, "synced", (const char *const[]){ "requested resource] +a/x [fine] synced", NULL });
}

/* A server that has just started does not serve custom resources yet: they are not gone. */
static void absent_for_a_while(void **state)
{
	static const struct answer script[] = {
		{ "list", 200, LIST(POD("x", "1") "," POD("y", "2"), "9", ""), 0, 0, 0 },
		{ "watch 9", 404, STATUS(404, "the server could not find the requested resource"), 0, 0, 0 },
		{ "list", 404, STATUS(404, "the server could not find the requested resource"), 0, 0, 0 },
		{ "list", 200, LIST(POD("y", "2") "," POD("z", "3"), "12", ""), 0, 0, 0 },
		{ "watch 12", 0, 0, 0, 0, 0 },
		{ 0 },
	};

	(void)state;
	reflect_by(&optional_ops, script, "-a/x", (const char *const[]){ "+a/x +a/y synced [GET /api/v1/pods: the server could "
		   "not find the requested resource] +a/y +a/z -a/x", NULL });
}

/* It is no trouble that there is none, also after one that was told. */
static void absent_and_down(void **state)
{
	static const struct answer script[] = {
		{ "list", 404, STATUS(404, "the server could not find the requested resource"), 0, 0, 0 },
		{ "list", 503, "down", 0, 0, 0 },
		{ "list", 404, STATUS(404, "the server could not find the requested resource"), 0, 0, 0 },
		{ "list", 200, LIST(POD("x", "1"), "9", ""), 0, 0, 0 },
		{ "watch 9", 0, 0, 0, 0, 0 },
		{ 0 },
	};

	(void)state;
	reflect_by(&optional_ops, script, "+a/x", (const char *const[]){ "synced [", "503] [fine] +a/x", NULL });
}

/* A server that has only the other version, and is upgraded. */
static void other_version(void **state)
{
	static const struct answer script[] = {
		{ "/api/v1/pods list", 404, STATUS(404, "could not find the requested resource"), 0, 0, 0 },
		{ "/api/v0/pods list", 200, LIST(POD("x", "1") "," POD("y", "2"), "9", ""), 0, 0, 0 },
		{ "/api/v0/pods watch 9", 200, EVENT("ADDED", POD("z", "10")), 0, 0, 0 },
		{ "/api/v0/pods watch 10", 404, STATUS(404, "could not find the requested resource"), 0, 0, 0 },
		{ "/api/v0/pods list", 404, STATUS(404, "could not find the requested resource"), 0, 0, 0 },
		{ "/api/v1/pods list", 200, LIST(POD("y", "2") "," POD("z", "10"), "12", ""), 0, 0, 0 },
		{ "/api/v1/pods watch 12", 0, 0, 0, 0, 0 },
		{ 0 },
	};
	static const struct kube_reflector_ops two = { on_put, on_del, on_each, on_synced, on_trouble, false, "/api/v0/pods" };

	(void)state;
	reflect_by(&two, script, "-a/x", (const char *const[]){ "+a/x +a/y synced +a/z ", NULL });
}

static void forbidden(void **state)
{
	static const struct answer script[] = {
		{ "list", 403, STATUS(403, "pods is forbidden: User \\\"me\\\" cannot list resource \\\"pods\\\""), 0, 0, 0 },
		{ "list", 200, LIST(POD("x", "1"), "9", ""), 0, 0, 0 },
		{ "watch 9", 0, 0, 0, 0, 0 },
		{ 0 },
	};

	(void)state;
	reflect(script, "synced", (const char *const[]){ "cannot list resource \"pods\"", "[fine] synced", NULL });
}

/* --- requests ---------------------------------------------------------------------------------------- */

static void on_done(void *arg, const struct kube_response *rsp, const struct vr_err *err)
{
	char text[VR_ERR_TEXT + 64];

	snprintf(text, sizeof(text), "%ld %u %s", rsp->status, rsp->retry_after, err ? err->text : "good");
	note(arg, "(%s) ", text);
}

static void get(struct client *c, unsigned int timeout)
{
	assert_int_equal(kube_request(NULL, c->client, &(struct kube_request){ .method = "GET", .path = "/api/v1/pods",
				      .timeout_ms = timeout, .done = on_done, .arg = c }, NULL), 0);
}

static void busy(void **state)
{
	static const struct answer script[] = { { "", 429, STATUS(429, "too many"), 0, 0, "7" }, { 0 } };
	struct client c;

	(void)state;
	set_up(&c, script, "ca.crt");
	get(&c, 5000);
	until(&c, "(429 7 GET /api/v1/pods: too many)");
	tear_down(&c);
}

static void silent(void **state)
{
	static const struct answer script[] = { { "", 0, 0, 0, 0, 0 }, { 0 } };
	struct client c;

	(void)state;
	set_up(&c, script, "ca.crt");
	get(&c, 200);
	until(&c, "timed out");
	tear_down(&c);
}

static void wrong_ca(void **state)
{
	static const struct answer script[] = { { "", 200, "{}", 0, 0, 0 }, { 0 } };
	struct client c;

	(void)state;
	set_up(&c, script, "other.crt");
	get(&c, 5000);
	until(&c, "certificate");
	assert_null(strstr(c.log, "good"));
	tear_down(&c);
}

static void wrong_name(void **state)
{
	static const struct answer script[] = { { "", 200, "{}", 0, 0, 0 }, { 0 } };
	static const char *const names[] = { "kubernetes", "elsewhere" };
	struct client c;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		set_up(&c, script, "ca.crt");
		kube_client_free(c.client);
		c.conf.server_name = xstrdup(names[i]);
		assert_int_equal(kube_client_new(&c.client, c.event, &c.conf, "test/1", NULL), 0);
		get(&c, 5000);
		until(&c, i ? "elsewhere" : "good");
		tear_down(&c);
	}
}

static void put_token(const char *text)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/token", srv.dir);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

/* A token that is refused is read again. */
static void new_token(void **state)
{
	static const struct answer script[] = { { "", 401, STATUS(401, "Unauthorized"), 0, 0, 0 }, { "", 200, "{}", 0, 0, 0 },
						{ 0 } };
	struct client c;

	(void)state;
	set_up(&c, script, "ca.crt");
	c.conf.token_file = xasprintf("%s/token", srv.dir);
	put_token("old\n");
	get(&c, 5000);
	until(&c, "Unauthorized");
	assert_string_equal(srv.token, "Bearer old");
	put_token("new\n");
	get(&c, 5000);
	until(&c, "good");
	assert_string_equal(srv.token, "Bearer new");
	tear_down(&c);
}

/* --- configuration -------------------------------------------------------------------------------------- */

static void kubeconfig(void **state)
{
	static const struct { const char *cluster, *user, *says; } samples[] = {
		{ "server: https://1.2.3.4:6443, certificate-authority-data: YWJj", "token: t", NULL },
		{ "server: https://1.2.3.4:6443, certificate-authority: ca.crt", "tokenFile: token", NULL },
		{ "server: https://1.2.3.4, insecure-skip-tls-verify: true", "token: t", "always verified" },
		{ "server: http://1.2.3.4", "token: t", "is not https://" },
		{ "server: https://1.2.3.4, certificate-authority-data: '*'", "token: t", "no base64" },
		{ "server: https://1.2.3.4", "exec: {command: x}", "exec is not supported" },
	};
	char path[128];
	size_t i;

	(void)state;
	snprintf(path, sizeof(path), "%s/config", srv.dir);
	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct kube_config conf;
		struct vr_err err = {};
		FILE *out = fopen(path, "w");

		assert_non_null(out);
		fprintf(out, "{current-context: c, contexts: [{name: c, context: {cluster: k, user: u, namespace: n}}], "
			"clusters: [{name: k, cluster: {%s}}], users: [{name: u, user: {%s}}]}", samples[i].cluster,
			samples[i].user);
		fclose(out);
		if (samples[i].says) {
			assert_true(kube_config_load(&conf, path, NULL, &err) < 0);
			if (!strstr(err.text, samples[i].says))
				fail_msg("\"%s\" in \"%s\"", samples[i].says, err.text);
			continue;
		}
		assert_int_equal(kube_config_load(&conf, path, i ? "https://other" : NULL, &err), 0);
		assert_string_equal(conf.server, i ? "https://other" : "https://1.2.3.4:6443");
		assert_string_equal(conf.ns, "n");
		if (i) {
			assert_true(conf.ca.file[0] == '/' && conf.token_file[0] == '/');
		} else {
			assert_string_equal(conf.ca.data, "abc");
			assert_string_equal(conf.token, "t");
		}
		kube_config_clear(&conf);
	}
}

/* --- lease ------------------------------------------------------------------------------------------------- */

#define LEASE(holder, version) "{\"metadata\":{\"name\":\"l\",\"resourceVersion\":\"" version "\"},\"spec\":{" \
	"\"holderIdentity\":\"" holder "\",\"leaseDurationSeconds\":1,\"renewTime\":\"1999-01-01T00:00:00.000000Z\"}}"

static void on_leading(void *arg)
{
	note(arg, "%s", "leading ");
}

static void on_stopped(void *arg, const char *why)
{
	note(arg, "stopped: %s ", why);
}

static const struct kube_lease_ops lease_ops = { on_leading, on_stopped };
static const struct kube_lease_times quick = { 1000, 40, 300 };

/*
 * A candidate goes through the script. It stands when it has had so many answers, and until then its owner is told
 * nothing. How long it takes until the owner was told what is last, in microseconds.
 */
static uint64_t compete(const struct answer *script, size_t answers, const char *last)
{
	struct kube_lease *l;
	struct client c;
	uint64_t start, now;

	set_up(&c, script, "ca.crt");
	sd_event_now(c.event, CLOCK_MONOTONIC, &start);
	l = kube_lease_new(c.client, "n", "l", "me", &quick, &lease_ops, &c);
	while (srv.at < answers)
		sd_event_run(c.event, 50000);
	assert_string_equal(c.log, "");
	kube_lease_stand(l);
	until(&c, last);
	sd_event_now(c.event, CLOCK_MONOTONIC, &now);
	kube_lease_free(l);
	tear_down(&c);
	return now - start;
}

/* The other one's clock is not believed: it has to stay silent for the lease's duration. */
static void lease_taken_over(void **state)
{
	static const struct answer script[] = {
		{ "GET", 200, LEASE("other", "1"), 0, 0, 0 },
		{ "GET", 200, LEASE("other", "2"), 0, 0, 0 },
		{ NULL, 200, LEASE("other", "3"), 0, 0, 0 },
		{ 0 },
	};

	(void)state;
	assert_true(compete(script, 0, "leading") > 1000000);
}

/* A free lease is looked at, and left alone until it is wanted. */
static void lease_not_wanted(void **state)
{
	static const struct answer script[] = {
		{ "GET", 200, LEASE("", "1"), 0, 0, 0 },
		{ "GET", 200, LEASE("", "1"), 0, 0, 0 },
		{ "GET", 200, LEASE("", "1"), 0, 0, 0 },
		{ NULL, 200, LEASE("", "1"), 0, 0, 0 },
		{ 0 },
	};

	(void)state;
	compete(script, 3, "leading");
}

/* Who cannot renew stops by itself. */
static void lease_lost(void **state)
{
	static const struct answer script[] = {
		{ "GET", 404, STATUS(404, "none"), 0, 0, 0 },
		{ "POST", 201, LEASE("me", "1"), 0, 0, 0 },
		{ NULL, 503, STATUS(503, "no"), 0, 0, 0 },
		{ 0 },
	};

	(void)state;
	compete(script, 0, "leading stopped: the lease could not be renewed in time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages), cmocka_unit_test(gone_in_the_list), cmocka_unit_test(gone_in_the_watch),
		cmocka_unit_test(nonsense), cmocka_unit_test(absent_kind), cmocka_unit_test(absent_for_a_while), cmocka_unit_test(absent_and_down), cmocka_unit_test(other_version), cmocka_unit_test(forbidden),
		cmocka_unit_test(busy), cmocka_unit_test(silent), cmocka_unit_test(wrong_ca), cmocka_unit_test(wrong_name),
		cmocka_unit_test(new_token), cmocka_unit_test(kubeconfig), cmocka_unit_test(lease_taken_over), cmocka_unit_test(lease_not_wanted),
		cmocka_unit_test(lease_lost),
	};

	return cmocka_run_group_tests_name("kube", tests, make_certificates, remove_certificates);
}
