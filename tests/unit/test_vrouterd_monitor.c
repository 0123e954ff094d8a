// SPDX-License-Identifier: GPL-2.0-only
/* links: vrouterd kube lib */
/* Health monitors with real servers on the loopback device: what is probed, when, and what follows. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dlog.h"
#include "monitor.h"

#define HANG	60		/* seconds, of a test that would never end */

static sd_event *loop;
static struct monitors *ms;
static unsigned int changes;
static int http_status;

static void on_change(void *arg)
{
	(void)arg;
	changes++;
}

static int set_up(void **state)
{
	(void)state;
	vrd_log.level = -1;
	changes = 0;
	http_status = 200;
	if (sd_event_new(&loop) < 0)
		return -1;
	ms = monitors_new(loop, "n1", on_change, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	monitors_free(ms);
	sd_event_unref(loop);
	return 0;
}

/* --- servers ------------------------------------------------------------------------- */

/* A listening socket at 127.0.0.1 (family AF_INET) or ::1; *port 0: any, and told. */
static int listen_at(int family, uint16_t *port)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT,
				     .sin6_port = htons(*port) };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(*port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *sa = family == AF_INET ? (struct sockaddr *)&sin : (struct sockaddr *)&sin6;
	socklen_t len = family == AF_INET ? sizeof(sin) : sizeof(sin6);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, sa, len) || listen(fd, 1024)) {
		close(fd);
		return -1;
	}
	getsockname(fd, sa, &len);
	*port = ntohs(family == AF_INET ? sin.sin_port : sin6.sin6_port);
	return fd;
}

static int on_request(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	char buf[4096], *text = arg;
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	(void)events;
	if (n > 0) {
		buf[n] = '\0';
		/* What was asked, for the test. */
		if (text)
			strcpy(text, buf);
		n = sprintf(buf, "HTTP/1.1 %d x\r\nLocation: http://192.0.2.1/\r\nContent-Length: 2\r\n\r\nok",
			    http_status);
		assert_int_equal(send(fd, buf, n, MSG_NOSIGNAL), n);
	}
	sd_event_source_disable_unref(s);
	close(fd);
	return 0;
}

static int on_accept(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	int conn = accept(fd, NULL, NULL);
	sd_event_source *io;

	(void)s;
	(void)events;
	assert_true(conn >= 0);
	assert_true(sd_event_add_io(loop, &io, conn, EPOLLIN, on_request, arg) >= 0);
	return 0;
}

/* --- pools ---------------------------------------------------------------------------- */

#define TCP "\"type\":\"TCP\""
#define PING "\"type\":\"PING\""
#define HTTP "\"type\":\"HTTP\",\"path\":\"/a?b=c\",\"host\":\"web.test\"," \
	"\"expectedStatus\":[{\"from\":200,\"to\":204},{\"from\":302}]"

/* A pool with this member, as the feed has it. */
static struct res *pool(const char *monitor, const char *addr, uint16_t port, const char *node,
			const char *state)
{
	json_t *o = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s, s:{s:s, s:i, s:i, s:i, s:i}, s:[{s:s, s:i, s:s, s:s, s:s}]}}",
		"apiVersion", "opencontrail.org/v1", "kind", "LoadBalancerPool", "metadata", "namespace", "default",
		"name", "web", "spec", "protocol", "TCP", "family", strchr(addr, ':') ? "IPv6" : "IPv4",
		"healthMonitor", "name", "default/hm", "intervalSeconds", 1, "timeoutSeconds", 1,
		"healthyThreshold", 1, "unhealthyThreshold", 1, "members", "address", addr, "port", (int)port, "node", node,
		"state", state, "target", "default/web-0");
	char text[512];
	struct jerr e;
	struct res *r;
	json_t *more;

	snprintf(text, sizeof(text), "{%s}", monitor);
	more = json_loads(text, 0, NULL);
	assert_non_null(o);
	assert_non_null(more);
	json_object_update(json_object_get(json_object_get(o, "spec"), "healthMonitor"), more);
	r = res_identify(o, &e);
	assert_non_null(r);
	if (!res_parse_spec(r, o, &e))
		fail_msg("%s", e.text);
	json_decref(more);
	json_decref(o);
	return r;
}

/* Texts of a field of all members, joined. */
static const char *field(const char *key)
{
	static char text[512];
	json_t *list = monitors_list(ms), *m, *v;
	size_t i;

	text[0] = '\0';
	json_array_foreach(list, i, m) {
		v = json_object_get(m, key);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? ", " : "",
			 v ? json_string_value(v) : "-");
	}
	json_decref(list);
	return text;
}

static void run_until(const char *key, const char *want)
{
	time_t end = time(NULL) + HANG;

	while (strcmp(field(key), want)) {
		if (time(NULL) > end)
			fail_msg("%s: is \"%s\", want \"%s\"", key, field(key), want);
		sd_event_run(loop, 100000);
	}
}

static void expect_failed(const char *want)
{
	json_t *list = monitors_failed(ms), *e = json_array_get(list, 0);
	const char *got = json_string_value(json_object_get(e, "reason"));

	assert_int_equal(json_array_size(list), want ? 1 : 0);
	if (want) {
		assert_string_equal(got, want);
		assert_string_equal(json_string_value(json_object_get(e, "healthMonitor")), "default/hm");
		assert_non_null(json_string_value(json_object_get(e, "since")));
	}
	json_decref(list);
}

/* --- tests ------------------------------------------------------------------------------ */

static void thresholds(void **state)
{
	const struct monitor spec = { .healthy = 2, .unhealthy = 3 };
	/* g: good, b: bad; A: it became active, F: failed, '.': nothing */
	static const char results[] = "ggbbgbbbbggbbgggbbb";
	static const char wanted[] =  ".......F..A......." "F";
	struct verdict v = {};
	size_t i;

	(void)state;
	assert_int_equal(strlen(results), strlen(wanted));
	for (i = 0; results[i]; i++) {
		bool changed = verdict_take(&v, &spec, results[i] == 'g');
		char got = !changed ? '.' : v.failed ? 'F' : 'A';

		if (got != wanted[i])
			fail_msg("result %zu: %c, want %c", i, got, wanted[i]);
	}
}

static void tcp(void **state)
{
	uint16_t port = 0;
	int fd = listen_at(AF_INET, &port);
	struct res *r = pool(TCP, "127.0.0.1", port, "n1", "active");

	(void)state;
	monitors_pool(ms, NULL, r);
	assert_string_equal(field("state"), "active");
	assert_string_equal(field("lastResult"), "-");
	run_until("lastResult", "connected");
	assert_int_equal(changes, 0);
	close(fd);
	run_until("state", "failed");
	assert_int_equal(changes, 1);
	expect_failed("Connection refused");
	fd = listen_at(AF_INET, &port);
	run_until("state", "active");
	assert_int_equal(changes, 2);
	expect_failed(NULL);
	monitors_pool(ms, r, NULL);
	assert_string_equal(field("state"), "");
	close(fd);
	res_free(r);
}

static void http(void **state)
{
	sd_event_source *io;
	char asked[4096] = "";
	uint16_t port = 0;
	int fd = listen_at(AF_INET6, &port);
	struct res *r = pool(HTTP, "::1", port, "n1", "active");

	(void)state;
	assert_true(fd >= 0);
	assert_true(sd_event_add_io(loop, &io, fd, EPOLLIN, on_accept, asked) >= 0);
	monitors_pool(ms, NULL, r);
	run_until("lastResult", "HTTP status 200");
	assert_int_equal(strncmp(asked, "GET /a?b=c HTTP/1.1\r\n", 21), 0);
	assert_non_null(strstr(asked, "\r\nHost: web.test\r\n"));
	http_status = 500;
	run_until("state", "failed");
	expect_failed("HTTP status 500");
	/* A redirect is not followed; here it is expected. */
	http_status = 302;
	run_until("state", "active");
	run_until("lastResult", "HTTP status 302");
	http_status = 301;
	run_until("state", "failed");
	/* It goes while it is asked. */
	monitors_pool(ms, r, NULL);
	expect_failed(NULL);
	sd_event_source_disable_unref(io);
	close(fd);
	res_free(r);
}

/* Nobody accepts: the connection is there, and no answer ever comes. */
static void silence(void **state)
{
	uint16_t port = 0;
	int fd = listen_at(AF_INET, &port);
	struct res *r = pool(HTTP, "127.0.0.1", port, "n1", "active");

	(void)state;
	monitors_pool(ms, NULL, r);
	run_until("lastResult", "no answer within 1 s");
	expect_failed("no answer within 1 s");
	close(fd);
	run_until("lastResult", "Connection refused");
	monitors_pool(ms, r, NULL);
	res_free(r);
}

static void ping(void **state)
{
	struct res *v4 = pool(PING, "127.0.0.1", 80, "n1", "failed"), *v6 = pool(PING, "::1", 80, "n1", "failed");

	(void)state;
	monitors_pool(ms, NULL, v4);
	monitors_pool(ms, NULL, v6);
	run_until("lastResult", "answered, answered");
	assert_string_equal(field("state"), "active, active");
	monitors_pool(ms, v4, NULL);
	monitors_pool(ms, v6, NULL);
	res_free(v4);
	res_free(v6);
}

/* Which members, in which state, and what of it stays when pools change. */
static void members(void **state)
{
	struct res *a = pool(TCP, "127.0.0.1", 1, "n1", "failed"), *b = pool(TCP, "127.0.0.1", 1, "n1", "active"),
		   *foreign = pool(TCP, "127.0.0.1", 2, "n2", "active"),
		   *other = pool(TCP, "127.0.0.1", 3, "n1", "active"),
		   *stricter = pool(TCP ",\"unhealthyThreshold\":9", "127.0.0.1", 1, "n1", "active");

	(void)state;
	monitors_pool(ms, NULL, foreign);
	assert_string_equal(field("state"), "");
	/* The first one counts: the state that a restarted daemon finds. */
	monitors_pool(ms, NULL, a);
	assert_string_equal(field("state"), "failed");
	expect_failed("");
	monitors_pool(ms, NULL, b);
	assert_string_equal(field("state"), "failed");
	monitors_pool(ms, b, NULL);
	assert_string_equal(field("state"), "failed");
	monitors_pool(ms, a, stricter);
	assert_string_equal(field("state"), "failed");
	assert_int_equal(changes, 0);
	monitors_pool(ms, stricter, other);
	assert_string_equal(field("state"), "active");
	assert_int_equal(changes, 1);
	monitors_pool(ms, other, NULL);
	assert_string_equal(field("state"), "");
	res_free(a);
	res_free(b);
	res_free(foreign);
	res_free(other);
	res_free(stricter);
}

/* Want of descriptors here is nobody else's failure. */
static void our_own_fault(void **state)
{
	struct res *r = pool(TCP, "127.0.0.1", 1, "n1", "active");
	struct rlimit limit, none;

	(void)state;
	monitors_pool(ms, NULL, r);
	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	run_until("lastResult", "Too many open files");
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_string_equal(field("state"), "active");
	run_until("lastResult", "Connection refused");
	assert_string_equal(field("state"), "failed");
	monitors_pool(ms, r, NULL);
	res_free(r);
}

/* Nor is it when this process does not run in time. */
static void too_busy(void **state)
{
	uint16_t port = 0;
	struct pollfd asked = { .fd = listen_at(AF_INET, &port), .events = POLLIN };
	struct res *r = pool(HTTP, "127.0.0.1", port, "n1", "active");

	(void)state;
	monitors_pool(ms, NULL, r);
	while (!poll(&asked, 1, 0))
		sd_event_run(loop, 10000);
	usleep(2000000);
	run_until("lastResult", "this node was too busy to hear the answer");
	assert_string_equal(field("state"), "active");
	run_until("state", "failed");
	assert_string_equal(field("lastResult"), "no answer within 1 s");
	monitors_pool(ms, r, NULL);
	close(asked.fd);
	res_free(r);
}

static unsigned int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* More than may run at once: the others wait, and get their turn; all end with the pool. */
static void many(void **state)
{
	enum { MEMBERS = MONITORS_IN_FLIGHT + 40 };
	struct res *r[MEMBERS];
	unsigned int i, n, before, most = 0;
	time_t end = time(NULL) + HANG;
	uint16_t port = 0;
	int fd = listen_at(AF_INET, &port);

	(void)state;
	for (i = 0; i < MEMBERS; i++) {
		r[i] = pool(HTTP, "127.0.0.1", port, "n1", "active");
		free(r[i]->pool.monitor->name);
		assert_true(asprintf(&r[i]->pool.monitor->name, "default/hm-%u", i) > 0);
	}
	sd_event_run(loop, 0);
	before = open_files();
	for (i = 0; i < MEMBERS; i++)
		monitors_pool(ms, NULL, r[i]);
	do {
		json_t *failed;

		/* Looking costs more than an event does. */
		for (i = 0; i < 100 && sd_event_run(loop, 10000) > 0; i++)
			;
		n = open_files() - before;
		most = n > most ? n : most;
		failed = monitors_failed(ms);
		n = json_array_size(failed);
		json_decref(failed);
	} while (n < MEMBERS && time(NULL) < end);
	assert_int_equal(n, MEMBERS);
	assert_in_range(most, MONITORS_IN_FLIGHT / 2, MONITORS_IN_FLIGHT + 16);
	for (i = 0; i < MEMBERS; i++) {
		monitors_pool(ms, r[i], NULL);
		res_free(r[i]);
	}
	assert_string_equal(field("state"), "");
	assert_in_range(open_files() - before, 0, 16);
	close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(thresholds), TEST(tcp), TEST(http), TEST(silence), TEST(ping), TEST(members), TEST(our_own_fault), TEST(too_busy), TEST(many),
	};

	return cmocka_run_group_tests_name("vrouterd: monitor", tests, NULL, NULL);
}
