// SPDX-License-Identifier: GPL-2.0-only
/* Talks to vrouterd: one connection, one line there, one line back. */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cni.h"

#define MAX_REPLY	(64 << 10)	/* octets */

static int connect_to(const char *path, struct cni_error *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		return cni_fail(e, CNI_BAD_CONFIG, "socket: path is longer than %zu octets",
				sizeof(sun.sun_path) - 1);
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return cni_fail_errno(e, CNI_IO, errno, "no socket");
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
		/* The node daemon is starting or being upgraded: the runtime comes again. */
		cni_fail_errno(e, CNI_TRY_AGAIN, errno, "vrouterd does not answer at %s", path);
		close(fd);
		return -1;
	}
	return fd;
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Waits until the socket is ready; 0, or -1 with errno. */
static int await(int fd, short events, long long deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	long long left = deadline - now_ms();
	int n;

	n = poll(&p, 1, left > 0 ? left : 0);
	if (n > 0 || (n < 0 && errno == EINTR))
		return 0;
	if (!n)
		errno = ETIMEDOUT;
	return -1;
}

static int send_all(int fd, const char *text, long long deadline)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n > 0) {
			text += n;
			len -= n;
		} else if ((errno != EAGAIN && errno != EINTR) || await(fd, POLLOUT, deadline)) {
			return -1;
		}
	}
	return 0;
}

/* The reply's line without its end, or NULL with errno. */
static char *read_line(int fd, long long deadline)
{
	char *buf = malloc(MAX_REPLY), *end;
	size_t len = 0;

	while (buf && len < MAX_REPLY) {
		ssize_t n = recv(fd, buf + len, MAX_REPLY - len, 0);

		if (n > 0) {
			end = memchr(buf + len, '\n', n);
			len += n;
			if (!end)
				continue;
			*end = '\0';
			return buf;
		}
		if (!n)
			errno = ECONNRESET;
		if ((n < 0 && errno != EAGAIN && errno != EINTR) || !n ||
		    await(fd, POLLIN, deadline)) {
			free(buf);
			return NULL;
		}
	}
	errno = buf ? EMSGSIZE : ENOMEM;
	free(buf);
	return NULL;
}

static json_t *request(const struct cni_request *rq, const struct cni_interface *ifc,
		       const char *op, unsigned int timeout)
{
	/* of the pod, so of its first interface */
	json_t *ports = ifc && ifc->first ? rq->ports : NULL;

	if (rq->verb == CNI_STATUS || rq->verb == CNI_GC)
		return json_pack("{ss ss* sO*}", "op", op, "network", rq->network, "keep",
				 rq->keep);
	return json_pack("{ss ss ss ss ss* ss* ss* ss* ss* ss* sO* si}", "op", op, "containerID",
			 rq->container, "ifname", ifc ? ifc->ifname : rq->ifname, "hostIfname",
			 ifc ? ifc->host : rq->host, "network", rq->network, "netns", rq->netns,
			 "namespace", rq->ns, "pod", rq->pod, "uid", rq->uid, "interface",
			 ifc && ifc->key[0] ? ifc->key : NULL, "portMappings", ports, "timeout",
			 (int)timeout);
}

static char *line_of(json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT), *line = NULL;

	if (text) {
		line = malloc(strlen(text) + 2);
		if (line)
			strcat(strcpy(line, text), "\n");
	}
	free(text);
	json_decref(o);
	return line;
}

/* A refusal in vrouterd's words; code and sentences are CNI's own form. */
static int refused(const json_t *reply, struct cni_error *e)
{
	const json_t *err = json_object_get(reply, "error");
	const char *msg, *details;
	int code;

	if (!err)
		return 0;
	code = json_integer_value(json_object_get(err, "code"));
	msg = json_string_value(json_object_get(err, "msg"));
	details = json_string_value(json_object_get(err, "details"));
	cni_fail(e, code > 0 ? code : CNI_DAEMON, "%s", msg ?: "vrouterd refused");
	if (details)
		strncat(e->details, details, sizeof(e->details) - 1);
	return -1;
}

int cni_call(const struct cni_request *rq, const struct cni_interface *ifc, const char *op,
	     unsigned int timeout, json_t **reply, struct cni_error *e)
{
	/* vrouterd keeps to the time itself, and then says what is missing. */
	long long deadline = now_ms() + timeout * 1000LL + 2000;
	char *line = line_of(request(rq, ifc, op, timeout)), *answer = NULL;
	json_t *o = NULL;
	json_error_t je;
	int fd, err = -1;

	if (!line)
		return cni_fail(e, CNI_IO, "out of memory, or the environment is not UTF-8");
	fd = connect_to(rq->socket, e);
	if (fd < 0)
		goto out;
	if (!send_all(fd, line, deadline))
		answer = read_line(fd, deadline);
	if (!answer) {
		cni_fail_errno(e, CNI_TRY_AGAIN, errno, "vrouterd did not answer \"%s\"", op);
		goto out;
	}
	o = json_loads(answer, 0, &je);
	if (!json_is_object(o)) {
		cni_fail(e, CNI_DECODE, "vrouterd's answer to \"%s\" is not a JSON object", op);
		goto out;
	}
	err = refused(o, e);
	if (!err && reply)
		*reply = json_incref(o);
out:
	json_decref(o);
	free(answer);
	free(line);
	if (fd >= 0)
		close(fd);
	return err;
}
