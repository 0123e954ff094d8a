// SPDX-License-Identifier: GPL-2.0-only
/* links: vrouterd kube lib */
/*
 * Health checks over HTTP, with the daemon's loop on one side and plain sockets
 * on the other, in a network namespace of its own where that is allowed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dlog.h"
#include "healthport.h"
#include "httpd.h"
#include "mem.h"

#define HEAD(kind, name) "{\"apiVersion\":\"opencontrail.org/v1\",\"kind\":\"" kind			\
	"\",\"metadata\":{\"namespace\":\"default\",\"name\":\"" name "\"},\"spec\":"
#define LB HEAD("LoadBalancer", "web") "{\"network\":\"default/net\",\"listeners\":[{\"protocol\":\"TCP\","	\
	"\"port\":80,\"pools\":{\"IPv4\":\"default/web.a\",\"IPv6\":\"default/web.a6\"}},{\"protocol\":\"TCP\","	\
	"\"port\":81,\"pools\":{\"IPv4\":\"default/web.b\"}}]}}"
#define MEMBER(addr, more) "{\"address\":\"" addr "\",\"port\":80" more "}"
#define HERE ",\"node\":\"n1\""
#define POOL(name, family, members) HEAD("LoadBalancerPool", name)					\
	"{\"protocol\":\"TCP\",\"family\":\"" family "\",\"members\":[" members "]}}"

static void changed(void *arg, const struct res *old, const struct res *r)
{
	(void)arg;
	(void)old;
	(void)r;
}

static const struct model_ops ops = { .changed = changed };

struct world {
	sd_event		*loop;
	struct model		*model;
	struct healthport		*health;
	struct healthport_state	state;
	char			answer[4096];
};

static void set(struct world *w, const char *text)
{
	json_t *o = json_loads(text, 0, NULL);
	struct jerr e;
	struct res *r;

	assert_non_null(o);
	r = res_identify(o, &e);
	assert_non_null(r);
	if (!res_parse_spec(r, o, &e))
		fail_msg("%s", e.text);
	model_set(w->model, r);
	json_decref(o);
}

/* Ports of others are not ours to guess at. */
static int own_netns(void **state)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING };
	int fd;

	(void)state;
	if (unshare(CLONE_NEWNET))
		return 0;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		return -1;
	close(fd);
	return 0;
}

static int start(void **state)
{
	struct world *w = mem_zero(1, sizeof(*w));

	vrd_log.level = VR_LOG_ERR;
	w->model = model_new(&ops, NULL);
	w->state = (struct healthport_state){ .synced = true, .programmed = true, .updated = 1 };
	*state = w;
	return sd_event_new(&w->loop) < 0 ||
	       healthport_new(&w->health, w->loop, w->model, "n1", &w->state);
}

static int stop(void **state)
{
	struct world *w = *state;

	healthport_free(w->health);
	model_free(w->model);
	sd_event_unref(w->loop);
	free(w);
	return 0;
}

/* --- a client ------------------------------------------------------------------------ */

/* A socket bound to a port that is free; it is the caller's. */
static int bound(uint16_t *port, bool listening)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	if (listening)
		assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static uint16_t free_port(void)
{
	uint16_t port;

	close(bound(&port, false));
	return port;
}

/* Connected, or -errno. */
static int connect_to(uint16_t port, bool v6)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0), err;

	if (!connect(fd, v6 ? (struct sockaddr *)&a6 : (struct sockaddr *)&a,
		     v6 ? sizeof(a6) : sizeof(a)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void turn(struct world *w)
{
	assert_true(sd_event_run(w->loop, 10000) >= 0);
}

/* All that comes until the other side closes. */
static void read_answer(struct world *w, int fd)
{
	size_t len = 0;
	ssize_t n;

	for (;;) {
		n = recv(fd, w->answer + len, sizeof(w->answer) - 1 - len, MSG_DONTWAIT);
		if (n > 0)
			len += n;
		else if (!n || errno != EAGAIN)
			break;
		else
			turn(w);
	}
	w->answer[len] = '\0';
	close(fd);
}

static const char *ask_path(struct world *w, const char *method, const char *path, uint16_t port,
			    bool v6)
{
	char text[128];
	int fd = connect_to(port, v6);

	assert_true(fd >= 0);
	snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: x\r\n\r\n", method, path);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	read_answer(w, fd);
	return w->answer;
}

static const char *ask(struct world *w, const char *method, uint16_t port, bool v6)
{
	return ask_path(w, method, "/any/path", port, v6);
}

static void assert_status(const char *answer, unsigned int status)
{
	char want[16];

	snprintf(want, sizeof(want), "HTTP/1.1 %u ", status);
	if (strncmp(answer, want, strlen(want)))
		fail_msg("want %s, got: %s", want, answer);
}

static char *metrics_of(void *arg, const struct healthport_counts *c)
{
	char *text = NULL;

	(void)arg;
	if (asprintf(&text, "healthz %llu %llu, livez %llu %llu", c->healthz[1], c->healthz[0],
		     c->livez[1], c->livez[0]) < 0)
		fail();
	return text;
}

/* --- cases --------------------------------------------------------------------------- */

/* A pod counts once, whatever ports and families it has; only those here that take new flows. */
static void members(void **state)
{
	struct world *w = *state;

	assert_int_equal(healthport_members(w->model, "n1", "default/web"), 0);
	set(w, LB);
	assert_int_equal(healthport_members(w->model, "n1", "default/web"), 0);
	set(w, POOL("web.a", "IPv4", MEMBER("10.32.0.5", HERE) "," MEMBER("10.32.0.6", ",\"node\":\"n2\"") ","
		    MEMBER("10.32.0.7", "") "," MEMBER("10.32.0.8", HERE ",\"state\":\"draining\"") ","
		    MEMBER("10.32.0.9", HERE ",\"weight\":0")));
	assert_int_equal(healthport_members(w->model, "n1", "default/web"), 1);
	set(w, POOL("web.a6", "IPv6", MEMBER("fd00::5", HERE)));
	set(w, POOL("web.b", "IPv4", MEMBER("10.32.0.5", HERE)));
	assert_int_equal(healthport_members(w->model, "n1", "default/web"), 1);
	set(w, POOL("web.b", "IPv4", MEMBER("10.32.0.5", HERE) "," MEMBER("10.32.0.10", HERE)));
	assert_int_equal(healthport_members(w->model, "n1", "default/web"), 2);
	assert_int_equal(healthport_members(w->model, "n2", "default/web"), 1);
}

static void service(void **state)
{
	struct world *w = *state;
	uint16_t port = free_port(), other = free_port();
	const char *a;

	set(w, LB);
	set(w, POOL("web.a", "IPv4", MEMBER("10.32.0.5", HERE) "," MEMBER("10.32.0.6", HERE)));
	healthport_service(w->health, "default/web", port);
	a = ask(w, "GET", port, false);
	assert_status(a, 200);
	assert_non_null(strstr(a, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(a, "X-Load-Balancing-Endpoint-Weight: 2\r\n"));
	assert_non_null(strstr(a, "\"namespace\": \"default\""));
	assert_non_null(strstr(a, "\"name\": \"web\""));
	assert_non_null(strstr(a, "\"localEndpoints\": 2"));
	assert_status(ask(w, "GET", port, true), 200);
	a = ask(w, "HEAD", port, false);
	assert_status(a, 200);
	assert_null(strstr(a, "localEndpoints"));
	a = ask(w, "POST", port, false);
	assert_status(a, 405);
	assert_non_null(strstr(a, "Allow: GET, HEAD\r\n"));
	set(w, POOL("web.a", "IPv4", MEMBER("10.32.0.5", ",\"node\":\"n2\"")));
	a = ask(w, "GET", port, false);
	assert_status(a, 503);
	assert_non_null(strstr(a, "\"localEndpoints\": 0"));
	assert_non_null(strstr(a, "X-Load-Balancing-Endpoint-Weight: 0\r\n"));
	/* another port, then none: the old one is free at once */
	healthport_service(w->health, "default/web", other);
	assert_int_equal(connect_to(port, false), -ECONNREFUSED);
	assert_status(ask(w, "GET", other, false), 503);
	healthport_service(w->health, "default/web", 0);
	assert_int_equal(connect_to(other, false), -ECONNREFUSED);
}

/* What is no request is refused, and what is too long. */
static void bad_requests(void **state)
{
	static const char *const bad[] = { "\r\n\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
					   "GET / HTTP/1.1\r\n no: colon\r\n\r\n", "\x16\x03\x01\r\n\r\n" };
	struct world *w = *state;
	uint16_t port = free_port();
	char text[16384];
	unsigned int i;
	int fd;

	set(w, LB);
	healthport_service(w->health, "default/web", port);
	for (i = 0; i <= VR_ARRAY_SIZE(bad); i++) {
		memset(text, 'a', sizeof(text));
		if (i < VR_ARRAY_SIZE(bad))
			snprintf(text, sizeof(text), "%s", bad[i]);
		fd = connect_to(port, false);
		send(fd, text, i < VR_ARRAY_SIZE(bad) ? strlen(text) : sizeof(text), MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		read_answer(w, fd);
		if (!strncmp(w->answer, "HTTP/1.1 2", 10))
			fail_msg("taken: %.20s", text);
		assert_status(ask(w, "GET", port, false), 503);
	}
}

/* A connection does not outlive its service, nor does it wait for its request forever. */
static void slow_client(void **state)
{
	struct world *w = *state;
	uint16_t port = free_port();
	uint64_t from, to;
	int slow, more;

	set(w, LB);
	healthport_service(w->health, "default/web", port);
	slow = connect_to(port, false);
	assert_int_equal(send(slow, "GET /", 5, MSG_NOSIGNAL), 5);
	turn(w);
	healthport_service(w->health, "default/web", 0);
	read_answer(w, slow);
	assert_string_equal(w->answer, "");

	healthport_service(w->health, "default/web", port);
	sd_event_now(w->loop, CLOCK_MONOTONIC, &from);
	slow = connect_to(port, false);
	assert_int_equal(send(slow, "GET / HTTP/1.1\r\nHost: x\r\n", 25, MSG_NOSIGNAL), 25);
	turn(w);
	more = connect_to(port, false);
	assert_int_equal(send(more, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, MSG_NOSIGNAL), 27);
	read_answer(w, more);
	assert_status(w->answer, 503);
	/* a header now and then does not help */
	do {
		turn(w);
		sd_event_now(w->loop, CLOCK_MONOTONIC, &to);
		if (send(slow, "A", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
	} while (to < from + 60000000);
	read_answer(w, slow);
	assert_true(to < from + 60000000);
	assert_status(ask(w, "GET", port, false), 503);
}

/* One client does not take the connections of all others. */
static void many_connections(void **state)
{
	struct world *w = *state;
	uint16_t port = free_port();
	int fds[64], i, closed = 0;
	char c;

	set(w, LB);
	healthport_service(w->health, "default/web", port);
	for (i = 0; i < 64; i++) {
		fds[i] = connect_to(port, false);
		assert_true(fds[i] >= 0);
		turn(w);
	}
	for (i = 0; i < 8; i++)
		turn(w);
	for (i = 0; i < 64; i++)
		closed += recv(fds[i], &c, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN;
	assert_int_equal(closed, 32);
	assert_status(ask(w, "GET", port, true), 503);
	for (i = 0; i < 64; i++)
		close(fds[i]);
	for (i = 0; i < 64; i++)
		turn(w);
	assert_status(ask(w, "GET", port, false), 503);
}

/* What another program has is waited for; all else goes on. */
static void port_in_use(void **state)
{
	struct world *w = *state;
	uint16_t port, other = free_port();
	int holder = bound(&port, true), fd = -1;

	set(w, LB);
	vrd_log.level = VR_LOG_ERR - 1;
	healthport_service(w->health, "default/busy", port);
	healthport_service(w->health, "default/web", other);
	assert_status(ask(w, "GET", other, false), 503);
	close(holder);
	while (fd < 0) {
		turn(w);
		fd = connect_to(port, false);
	}
	close(fd);
	assert_status(ask(w, "GET", port, false), 503);
}

static void node(void **state)
{
	struct world *w = *state;
	struct sockaddr_in6 addr;
	char text[32];
	uint16_t port = free_port();
	const char *a;

	snprintf(text, sizeof(text), "127.0.0.1:%u", port);
	assert_true(httpd_addr_parse(text, &addr));
	healthport_node(w->health, &addr, metrics_of, w);
	a = ask(w, "GET", port, false);
	assert_status(a, 200);
	assert_non_null(strstr(a, "\"lastUpdated\": \"1970-01-01T00:00:01Z\""));
	assert_non_null(strstr(a, "\"nodeEligible\": true"));
	assert_null(strstr(a, "Endpoint-Weight"));
	w->state.programmed = false;
	assert_status(ask(w, "GET", port, false), 503);
	w->state.programmed = true;
	w->state.synced = false;
	assert_status(ask(w, "GET", port, false), 503);
	w->state.leaving = true;
	a = ask(w, "GET", port, false);
	assert_status(a, 503);
	assert_non_null(strstr(a, "\"nodeEligible\": false"));
	/* it is well, and is to get nothing new */
	assert_status(ask_path(w, "GET", "/healthz", port, false), 503);
	assert_status(ask_path(w, "GET", "/livez", port, false), 503);
	w->state.synced = true;
	assert_status(ask_path(w, "GET", "/healthz", port, false), 503);
	assert_status(ask_path(w, "GET", "/livez?x", port, false), 200);
	a = ask_path(w, "GET", "/metrics", port, false);
	assert_status(a, 200);
	assert_non_null(strstr(a, "Content-Type: text/plain; version=0.0.4"));
	assert_non_null(strstr(a, "healthz 1 5, livez 1 1"));
	assert_int_equal(connect_to(port, true), -ECONNREFUSED);
}

/* Not in step yet, a node says of no service that it has members. */
static void not_in_step(void **state)
{
	struct world *w = *state;
	uint16_t port = free_port();

	set(w, LB);
	set(w, POOL("web.a", "IPv4", MEMBER("10.32.0.5", HERE)));
	healthport_service(w->health, "default/web", port);
	w->state.synced = false;
	assert_status(ask(w, "GET", port, false), 503);
	w->state.synced = true;
	assert_status(ask(w, "GET", port, false), 200);
	/* one object that is refused takes the node from no service */
	w->state.programmed = false;
	assert_status(ask(w, "GET", port, false), 200);
	w->state.updated = 0;
	assert_status(ask(w, "GET", port, false), 503);
}

static void addresses(void **state)
{
	static const char *const bad[] = {
		"", ":", "10256", ":10256", "0.0.0.0:", "0.0.0.0:0", "0.0.0.0:65536", "0.0.0.0:+1",
		"::10256", "[::]", "[::]:", "[]:1", "[0.0.0.0]:1", "localhost:1", "10.1:1", "[::1:1",
		"[1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111:2222]:1",
	};
	struct sockaddr_in6 a;
	unsigned int i;

	(void)state;
	for (i = 0; i < VR_ARRAY_SIZE(bad); i++)
		if (httpd_addr_parse(bad[i], &a))
			fail_msg("\"%s\" is taken", bad[i]);
	assert_true(httpd_addr_parse("[2001:db8::1]:10256", &a));
	assert_int_equal(a.sin6_family, AF_INET6);
	assert_int_equal(ntohs(a.sin6_port), 10256);
	assert_int_equal(a.sin6_addr.s6_addr[15], 1);
	assert_true(httpd_addr_parse("192.0.2.1:80", &a));
	assert_int_equal(a.sin6_family, AF_INET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(members, start, stop),
		cmocka_unit_test_setup_teardown(service, start, stop),
		cmocka_unit_test_setup_teardown(bad_requests, start, stop),
		cmocka_unit_test_setup_teardown(slow_client, start, stop),
		cmocka_unit_test_setup_teardown(many_connections, start, stop),
		cmocka_unit_test_setup_teardown(port_in_use, start, stop),
		cmocka_unit_test_setup_teardown(node, start, stop),
		cmocka_unit_test_setup_teardown(not_in_step, start, stop),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests_name("vrouterd: health", tests, own_netns, NULL);
}
