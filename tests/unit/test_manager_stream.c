// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
/* The whole manager on a real folder and socket: list, changes, clients that misbehave. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "manager.h"
#include "test_manager_world.h"

struct setup {
	struct config	cfg;
	struct manager	mgr;
	sd_event	*event;
	char		dir[64], socket[96];
};

static void on_change(void *arg)
{
	manager_load(arg);
}

static void set_up(struct setup *s)
{
	cleanup_free char *folder = NULL;
	struct vr_err err = {};

	memset(s, 0, sizeof(*s));
	strcpy(s->dir, "/tmp/vr-stream-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	sprintf(s->socket, "%s/feed.sock", s->dir);
	folder = xasprintf("%s/manifests", s->dir);
	assert_int_equal(mkdir(folder, 0700), 0);
	config_init(&s->cfg);
	s->cfg.manifests = xstrdup(folder);
	s->cfg.log_level = VR_LOG_ERR;
	manager_init(&s->mgr, &s->cfg);
	assert_true(sd_event_new(&s->event) >= 0);
	assert_int_equal(watch_start(&s->mgr.watch, s->event, &s->mgr.manifests, &s->mgr.log, on_change, &s->mgr, &err), 0);
	assert_int_equal(stream_open(&s->mgr.stream, s->event, &s->mgr.store, &s->mgr.log, s->socket, &err), 0);
	assert_int_equal(manager_hear(&s->mgr, s->event, &err), 0);
	assert_int_equal(manager_load(&s->mgr), 0);
}

static void tear_down(struct setup *s)
{
	cleanup_free char *rm = xasprintf("rm -r %s", s->dir);

	stream_close(&s->mgr.stream);
	sd_event_source_unref(s->mgr.health);
	watch_stop(&s->mgr.watch);
	manager_free(&s->mgr);
	sd_event_unref(s->event);
	assert_int_equal(access(s->socket, F_OK), -1);
	assert_int_equal(system(rm), 0);
	free((char *)s->cfg.manifests);
}

/* Until nothing is left to do. */
static void spin(struct setup *s)
{
	int idle = 0;

	while (idle < 3)
		idle = sd_event_run(s->event, 1000) > 0 ? 0 : idle + 1;
}

static int dial(struct setup *s)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sun.sun_path, s->socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* What came, as "TYPE Kind ns/name" lines. */
static char *drain(struct setup *s, int fd)
{
	char *all = xstrdup(""), *out = xstrdup(""), *at, *end, buf[65536], *more;
	ssize_t n;

	do {
		spin(s);
		n = recv(fd, buf, sizeof(buf) - 1, 0);
		buf[n > 0 ? n : 0] = '\0';
		more = xasprintf("%s%s", all, buf);
		free(all);
		all = more;
	} while (n > 0);
	for (at = all; (end = strchr(at, '\n')); at = end + 1) {
		json_t *event = json_loadb(at, end - at, 0, NULL), *obj = json_object_get(event, "object");
		json_t *meta = json_object_get(obj, "metadata"), *name = json_object_get(meta, "name");

		assert_non_null(event);
		assert_non_null(json_string_value(json_object_get(meta, "resourceVersion")));
		more = xasprintf("%s%s %s%s%s\n", out, json_string_value(json_object_get(event, "type")),
				 json_string_value(json_object_get(obj, "kind")), name ? " " : "",
				 name ? json_string_value(name) : "");
		json_decref(event);
		free(out);
		out = more;
	}
	assert_int_equal(*at, '\0');
	free(all);
	return out;
}

static void expect(struct setup *s, int fd, const char *want)
{
	cleanup_free char *got = drain(s, fd);

	assert_string_equal(got, want);
}

static void put(struct setup *s, const char *name, const char *text)
{
	cleanup_free char *path = xasprintf("%s/%s", s->cfg.manifests, name), *aside = xasprintf("%s.new", path);
	FILE *out = fopen(aside, "w");

	fputs(text, out);
	fclose(out);
	assert_int_equal(rename(aside, path), 0);
}

#define LIST "ADDED Project default\nADDED VirtualNetwork cluster-network\n"
#define NS(name) "{apiVersion: v1, kind: Namespace, metadata: {name: " name "}}\n"

static void list_and_changes(void **state)
{
	cleanup_free char *path = NULL;
	struct setup s;
	struct stat st;
	int a, b;

	(void)state;
	set_up(&s);
	assert_int_equal(stat(s.socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	a = dial(&s);
	expect(&s, a, LIST "BOOKMARK Project\n");
	put(&s, "a.yaml", NS("one"));
	expect(&s, a, "ADDED Project one\n");
	b = dial(&s);
	expect(&s, b, "ADDED Project default\nADDED Project one\nADDED VirtualNetwork cluster-network\nBOOKMARK Project\n");
	put(&s, "a.yaml", NS("two"));
	expect(&s, a, "ADDED Project two\nDELETED Project one\n");
	expect(&s, b, "ADDED Project two\nDELETED Project one\n");
	put(&s, "a.yaml", NS("two") "# the same\n");
	expect(&s, a, "");
	/* One that goes does not disturb the other, and may come again. */
	close(a);
	path = xasprintf("%s/a.yaml", s.cfg.manifests);
	assert_int_equal(unlink(path), 0);
	expect(&s, b, "DELETED Project two\n");
	assert_int_equal(s.mgr.stream.n_clients, 1);
	a = dial(&s);
	expect(&s, a, LIST "BOOKMARK Project\n");
	/* Nobody is interested in what clients send; one that only reads on is served. */
	assert_int_equal(send(a, "hello\n", 6, 0), 6);
	shutdown(a, SHUT_WR);
	put(&s, "a.yaml", NS("three"));
	expect(&s, a, "ADDED Project three\n");
	close(a);
	close(b);
	spin(&s);
	assert_int_equal(s.mgr.stream.n_clients, 0);
	tear_down(&s);
}

/* Each way in which a file can change, and none half-way. */
static void following(void **state)
{
	cleanup_free char *path = NULL, *moved = NULL, *link_ = NULL;
	struct setup s;
	FILE *out;
	int fd;

	(void)state;
	set_up(&s);
	path = xasprintf("%s/a.yaml", s.cfg.manifests);
	moved = xasprintf("%s/b.yaml", s.cfg.manifests);
	link_ = xasprintf("%s/c.yaml", s.cfg.manifests);
	fd = dial(&s);
	expect(&s, fd, LIST "BOOKMARK Project\n");
	out = fopen(path, "w");
	fputs(NS("one") "---\n", out);
	fflush(out);
	expect(&s, fd, "");
	/* Another file's change does not make it be read half-way. */
	put(&s, "z.yaml", NS("other"));
	expect(&s, fd, "ADDED Project other\n");
	fputs(NS("two"), out);
	fclose(out);
	expect(&s, fd, "ADDED Project one\nADDED Project two\n");
	assert_int_equal(rename(path, moved), 0);
	expect(&s, fd, "");
	out = fopen(moved, "r+");
	fputs("#", out);
	fclose(out);
	expect(&s, fd, "DELETED Project one\n");
	assert_int_equal(link(moved, link_), 0);
	assert_int_equal(unlink(moved), 0);
	expect(&s, fd, "");
	assert_int_equal(unlink(link_), 0);
	expect(&s, fd, "DELETED Project two\n");
	close(fd);
	tear_down(&s);
}

/* The folder itself goes: all stays, until one of its name is back. */
static void folder_replaced(void **state)
{
	cleanup_free char *aside = NULL;
	struct setup s;
	int fd, i;

	(void)state;
	set_up(&s);
	s.mgr.log.level = -1;
	aside = xasprintf("%s/aside", s.dir);
	put(&s, "a.yaml", NS("one"));
	spin(&s);
	assert_int_equal(rename(s.cfg.manifests, aside), 0);
	fd = dial(&s);
	expect(&s, fd, "ADDED Project default\nADDED Project one\nADDED VirtualNetwork cluster-network\nBOOKMARK Project\n");
	assert_int_equal(mkdir(s.cfg.manifests, 0700), 0);
	put(&s, "a.yaml", NS("two"));
	for (i = 0; i < 30 && !store_get(&s.mgr.store, RES_PROJECT, "/two"); i++)
		sd_event_run(s.event, 100000);
	expect(&s, fd, "ADDED Project two\nDELETED Project one\n");
	close(fd);
	tear_down(&s);
}

/* A client that does not read is cut off at the bound; others do not notice. */
static void slow_client(void **state)
{
	cleanup_free char *line = mem_check(malloc(STORE_MAX_LINE));
	struct setup s;
	int slow, i;

	(void)state;
	set_up(&s);
	slow = dial(&s);
	spin(&s);
	memset(line, 'x', STORE_MAX_LINE - 1);
	line[STORE_MAX_LINE - 1] = '\n';
	for (i = 0; i < 16; i++) {
		stream_emit(&s.mgr.stream, line, STORE_MAX_LINE);
		sd_event_run(s.event, 0);
	}
	assert_int_equal(s.mgr.stream.n_clients, 1);
	stream_emit(&s.mgr.stream, line, STORE_MAX_LINE);
	stream_emit(&s.mgr.stream, line, STORE_MAX_LINE);
	assert_int_equal(s.mgr.stream.n_clients, 0);
	close(slow);
	tear_down(&s);
}

static void many_clients(void **state)
{
	int fds[STREAM_MAX_CLIENTS + 1], i;
	struct setup s;
	char c;

	(void)state;
	set_up(&s);
	for (i = 0; i <= STREAM_MAX_CLIENTS; i++) {
		fds[i] = dial(&s);
		spin(&s);
	}
	assert_int_equal(s.mgr.stream.n_clients, STREAM_MAX_CLIENTS);
	assert_int_equal(recv(fds[STREAM_MAX_CLIENTS], &c, 1, 0), 0);
	for (i = 0; i <= STREAM_MAX_CLIENTS; i++)
		close(fds[i]);
	spin(&s);
	tear_down(&s);
}

static void socket_files(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	cleanup_free char *file = NULL, *stale = NULL;
	char long_path[200];
	struct stream other;
	struct vr_err err;
	struct setup s;
	int fd;

	(void)state;
	set_up(&s);
	assert_int_equal(stream_open(&other, s.event, &s.mgr.store, &s.mgr.log, s.socket, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "somebody listens there"));
	file = xasprintf("%s/file", s.dir);
	close(open(file, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(stream_open(&other, s.event, &s.mgr.store, &s.mgr.log, file, &err), -EEXIST);
	assert_non_null(strstr(err.text, "is there and is no socket"));
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(stream_open(&other, s.event, &s.mgr.store, &s.mgr.log, long_path, &err), -ENAMETOOLONG);
	/* Left behind by one that was killed. */
	stale = xasprintf("%s/stale", s.dir);
	strcpy(sun.sun_path, stale);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	assert_int_equal(stream_open(&other, s.event, &s.mgr.store, &s.mgr.log, stale, &err), 0);
	stream_close(&other);
	tear_down(&s);
}

#define MONITORED "{apiVersion: opencontrail.org/v1, kind: HealthMonitor, metadata: {name: hm}, spec: {type: TCP}}\n---\n" \
	"{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {app: web}}, spec: {nodeName: n1, containers: [{name: c}]}, " \
	"status: {podIP: 10.32.0.10}}\n---\n" \
	"{apiVersion: v1, kind: Service, metadata: {name: web, annotations: {opencontrail.org/health-monitor: hm}}, " \
	"spec: {selector: {app: web}, ports: [{name: http, port: 80}]}}\n"
#define STATUS(node, failed) "{\"type\":\"STATUS\",\"object\":{\"apiVersion\":\"opencontrail.org/v1\",\"kind\":" \
	"\"MemberHealth\",\"metadata\":{\"name\":\"" node "\"},\"status\":{\"failedMembers\":[" failed "]}}}\n"
#define MEMBER "{\"healthMonitor\":\"default/hm\",\"address\":\"10.32.0.10\",\"port\":80}"

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Of the only member. */
static bool is_state(struct setup *s, const char *state)
{
	json_t *pool = store_read(&s->mgr.store, RES_POOL, "default/web.http");
	const json_t *members = json_object_get(json_object_get(pool, "spec"), "members");
	bool is = !strcmp(json_string_value(json_object_get(json_array_get(members, 0), "state")), state);

	json_decref(pool);
	return is;
}

/* What a node says reaches all; what is wrong costs the line, what is no line the connection. */
static void status_lines(void **state)
{
	cleanup_free char *got = NULL, *junk = mem_check(malloc(STREAM_MAX_LINE));
	struct setup s;
	int node, other;
	size_t sent;
	ssize_t n;
	char c;

	(void)state;
	set_up(&s);
	s.mgr.log.level = -1;
	put(&s, "a.yaml", MONITORED);
	spin(&s);
	node = dial(&s);
	other = dial(&s);
	got = drain(&s, node);
	free(drain(&s, other));
	/* In pieces, and two at once: the last counts, and is one change. */
	say(node, "{\"type\":\"STA");
	spin(&s);
	say(node, STATUS("n1", "") + strlen("{\"type\":\"STA"));
	say(node, STATUS("n1", MEMBER));
	expect(&s, other, "MODIFIED LoadBalancerPool web.http\n");
	assert_true(is_state(&s, "failed"));
	/* Refused lines change nothing, and the client may go on. */
	say(node, "no json\n{\"type\":\"ADDED\"}\n\n{\"type\":\"STATUS\"}\n" STATUS("n2", ""));
	expect(&s, other, "");
	assert_int_equal(s.mgr.stream.n_clients, 2);
	/* Nor is another node believed for it. */
	say(other, STATUS("n2", ""));
	expect(&s, other, "");
	assert_true(is_state(&s, "failed"));
	/* A node that goes has said what it has said, until it comes again. */
	close(node);
	expect(&s, other, "");
	node = dial(&s);
	free(drain(&s, node));
	say(node, STATUS("n1", ""));
	expect(&s, other, "MODIFIED LoadBalancerPool web.http\n");
	assert_true(is_state(&s, "active"));
	/* A line without end. */
	memset(junk, ' ', STREAM_MAX_LINE);
	for (sent = 0; sent <= STREAM_MAX_LINE && s.mgr.stream.n_clients == 2; sent += n > 0 ? n : 0) {
		n = send(node, junk, 65536, MSG_NOSIGNAL);
		sd_event_run(s.event, 0);
	}
	spin(&s);
	assert_int_equal(s.mgr.stream.n_clients, 1);
	while ((n = recv(node, &c, 1, 0)) > 0)
		;
	close(node);
	close(other);
	tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_and_changes),
		cmocka_unit_test(following),
		cmocka_unit_test(folder_replaced),
		cmocka_unit_test(status_lines),
		cmocka_unit_test(slow_client),
		cmocka_unit_test(many_clients),
		cmocka_unit_test(socket_files),
	};

	return cmocka_run_group_tests_name("manager: stream", tests, NULL, NULL);
}
