// SPDX-License-Identifier: GPL-2.0-only
/* vrctl healthcheck: what vrouterd's health monitors see. The kernel knows nothing of it. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "cleanup.h"
#include "jsonlines.h"
#include "vrctl.h"

#define DEFAULT_SOCKET	"/run/vrouter/cni.sock"
#define MAX_REPLY	(64 << 20)	/* octets */
#define PATIENCE	10		/* seconds without a word from vrouterd */

struct words {
	char	*socket;
	bool	failed;
};

/* The connection, or a negative errno. */
static int dial(const char *path, struct vr_err *e)
{
	const struct timeval patience = { .tv_sec = PATIENCE };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(sun.sun_path))
		return vr_err_set(e, ENAMETOOLONG, "%s: longer than a socket's path may be", path);
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return vr_err_errno(e, errno, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (!connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
		return fd;
	err = errno;
	close(fd);
	return vr_err_errno(e, err, "vrouterd at %s", path);
}

/* One line, as JSON; NULL with *e. */
static json_t *ask(int fd, struct vr_err *e)
{
	static const char request[] = "{\"op\":\"health\"}\n";
	struct vr_lines lines;
	json_t *reply = NULL;
	json_error_t je;
	char *line;
	size_t len;
	int n = 0;

	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0) {
		vr_err_errno(e, errno, "vrouterd");
		return NULL;
	}
	vr_lines_init(&lines, fd, MAX_REPLY);
	while (!n && (n = vr_lines_read(&lines, e)) > 0)
		n = vr_lines_next(&lines, &line, &len, e);
	if (n > 0) {
		reply = json_loadb(line, len, 0, &je);
		if (!reply)
			vr_err_set(e, EBADMSG, "vrouterd's reply: %s", je.text);
	} else if (n == -EAGAIN) {
		vr_err_set(e, ETIMEDOUT, "vrouterd: no reply within %d seconds", PATIENCE);
	} else if (!n) {
		vr_err_set(e, ECONNRESET, "vrouterd: it closed the connection without a reply");
	}
	vr_lines_free(&lines);
	return reply;
}

static const char *text_of(const json_t *m, const char *key)
{
	return json_string_value(json_object_get(m, key));
}

static uint64_t number_of(const json_t *m, const char *key)
{
	return json_integer_value(json_object_get(m, key));
}

/* A row of the table: what is asked first at 3 a.m., then how it came to that. */
static void show_member(struct ctx *c, const json_t *m)
{
	bool failed = !strcmp(text_of(m, "state") ? text_of(m, "state") : "", "failed");
	uint64_t port = number_of(m, "port");

	out_str(c->out, "state", "STATE", text_of(m, "state"));
	out_str(c->out, "target", "MEMBER", text_of(m, "target"));
	out_str(c->out, "addr", "ADDRESS", text_of(m, "address"));
	if (port)
		out_num(c->out, "port", "PORT", port);
	else
		out_cell(c->out, "PORT", "-");
	out_str(c->out, "monitor", "MONITOR", text_of(m, "healthMonitor"));
	out_str(c->out, "type", "TYPE", text_of(m, "type"));
	out_str(c->out, "since", "SINCE", text_of(m, "since"));
	out_str(c->out, "last-result", "LAST RESULT", text_of(m, "lastResult"));
	out_str(c->out, "last-probe", NULL, text_of(m, "lastProbe"));
	out_bool(c->out, "last-good", json_is_true(json_object_get(m, "lastGood")));
	out_cell(c->out, "TURNING", "%llu of %llu",
		 (unsigned long long)number_of(m, "streak"),
		 (unsigned long long)number_of(m, failed ? "healthyThreshold" :
						  "unhealthyThreshold"));
	out_num(c->out, "streak", NULL, number_of(m, "streak"));
	out_num(c->out, "healthy-threshold", NULL, number_of(m, "healthyThreshold"));
	out_num(c->out, "unhealthy-threshold", NULL, number_of(m, "unhealthyThreshold"));
	out_num(c->out, "interval", NULL, number_of(m, "intervalSeconds"));
	out_num(c->out, "timeout", NULL, number_of(m, "timeoutSeconds"));
}

static int show_reply(struct ctx *c, const json_t *reply, const struct words *w)
{
	const json_t *members = json_object_get(reply, "members"), *m;
	const char *msg = text_of(json_object_get(reply, "error"), "msg");
	size_t i;

	if (!json_is_array(members)) {
		vr_err_set(&c->err, EPROTO, "vrouterd: %s", msg ? msg : "its reply has no members");
		return EXIT_REFUSED;
	}
	out_list_begin(c->out);
	json_array_foreach(members, i, m) {
		const char *state = text_of(m, "state");

		if (w->failed && (!state || strcmp(state, "failed")))
			continue;
		out_row_begin(c->out);
		show_member(c, m);
		out_row_end(c->out);
	}
	out_list_end(c->out);
	return EXIT_OK;
}

static int run_show(struct ctx *c, const struct verb *v, void *obj)
{
	struct words *w = obj;
	VR_AUTO_CLOSE int fd = dial(w->socket ? w->socket : DEFAULT_SOCKET, &c->err);
	json_t *reply = fd >= 0 ? ask(fd, &c->err) : NULL;
	int status = reply ? show_reply(c, reply, w) : refused(c);

	(void)v;
	json_decref(reply);
	free(w->socket);
	w->socket = NULL;
	return status;
}

static const struct arg show_args[] = {
	{ .word = "failed", .type = ARG_FLAG, .help = "only members that are taken out",
	  ARG_AT(struct words, failed) },
	{ .word = "socket", .value = "PATH", .type = ARG_STRING, .max = 107,
	  .help = "vrouterd's --cni-socket (" DEFAULT_SOCKET ")", ARG_AT(struct words, socket) },
};

static const struct verb verbs[] = {
	{ "show", "this node's members of services that are probed",
	  .args = ARG_TABLE(show_args, struct words), .daemon = true, .run = run_show },
};

const struct object object_healthcheck = { "healthcheck", "health monitors", VERBS(verbs) };
