// SPDX-License-Identifier: GPL-2.0-only
#include "stream.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "jsonlines.h"
#include "xmem.h"

#define LIST_PIECE (64u << 10)	/* octets of lines that are made at once */

/* What is from start to end. */
struct buffer {
	char		*data;
	size_t		start, end, size;
};

struct client {
	struct client	*next;
	struct stream	*stream;
	sd_event_source	*source;
	int		fd;
	pid_t		pid;
	struct buffer	out;		/* what is being sent */
	struct store_list *list;	/* what there is to be sent of the first list; or NULL, and it is */
	struct buffer	later;		/* changes that come after it */
	bool		deaf;		/* it has closed its writing side */
	struct vr_lines	lines;		/* what it says */
	char		*peer;		/* whom it speaks for; NULL before its first STATUS */
};

static void client_drop(struct client *c, const char *why)
{
	struct stream *s = c->stream;
	struct client **at = &s->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	s->n_clients--;
	vr_logf(s->log, VR_LOG_INFO, "client with pid %d: %s", (int)c->pid, why);
	sd_event_source_unref(c->source);
	close(c->fd);
	vr_lines_free(&c->lines);
	store_list_free(c->list);
	free(c->out.data);
	free(c->later.data);
	free(c->peer);
	free(c);
}

static void client_watch(struct client *c)
{
	sd_event_source_set_io_events(c->source, (c->deaf ? 0 : EPOLLIN) |
				      (c->list || c->out.end > c->out.start ? EPOLLOUT : 0));
}

/* Room for len octets at the end. */
static void buffer_reserve(struct buffer *b, size_t len)
{
	if (b->size - b->end >= len)
		return;
	if (b->start)
		memmove(b->data, b->data + b->start, b->end - b->start);
	b->end -= b->start;
	b->start = 0;
	if (b->size - b->end >= len)
		return;
	b->size = b->size * 2 > b->end + len ? b->size * 2 : b->end + len;
	b->data = mem_check(realloc(b->data, b->size));
}

static void buffer_append(void *arg, const char *line, size_t len)
{
	struct buffer *b = arg;

	buffer_reserve(b, len);
	memcpy(b->data + b->end, line, len);
	b->end += len;
}

/* One burst of changes can be large; afterwards little is needed. */
static void buffer_empty(struct buffer *b)
{
	b->start = b->end = 0;
	if (b->size <= 1 << 20)
		return;
	free(b->data);
	memset(b, 0, sizeof(*b));
}

/* The list is many times larger as lines, so these are made as the client takes them. */
static void client_refill(struct client *c)
{
	bool more = true;

	while (more && c->out.end < LIST_PIECE)
		more = store_list_next(c->list, buffer_append, &c->out);
	if (more)
		return;
	if (c->later.end)
		buffer_append(&c->out, c->later.data, c->later.end);
	free(c->later.data);
	memset(&c->later, 0, sizeof(c->later));
	store_list_free(c->list);
	c->list = NULL;
}

/* False when the client is gone. */
static bool client_flush(struct client *c)
{
	for (;;) {
		struct buffer *out = &c->out;
		ssize_t n;

		if (out->start == out->end) {
			buffer_empty(out);
			if (!c->list)
				return true;
			client_refill(c);
		}
		n = send(c->fd, out->data + out->start, out->end - out->start,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			client_drop(c, strerror(errno));
			return false;
		}
		out->start += n;
	}
}

void stream_emit(void *arg, const char *line, size_t len)
{
	struct stream *s = arg;
	struct client *c, *next;

	for (c = s->clients; c; c = next) {
		struct buffer *b = c->list ? &c->later : &c->out;

		next = c->next;
		if (b->end - b->start + len > STREAM_MAX_WAITING) {
			client_drop(c, "reads too slowly, cut off");
			continue;
		}
		buffer_append(b, line, len);
		client_watch(c);
	}
}

/* 0, or a negative errno with the reason to refuse the line. */
static int take_line(struct client *c, const char *line, size_t len, struct vr_err *err)
{
	struct stream *s = c->stream;
	const char *type;
	json_t *event;
	json_error_t je;
	int ret;

	event = json_loadb(line, len, JSON_REJECT_DUPLICATES, &je);
	type = json_string_value(json_object_get(event, "type"));
	if (!event)
		ret = vr_err_set(err, EBADMSG, "column %d: %s", je.column, je.text);
	else if (!type || strcmp(type, "STATUS"))
		ret = vr_err_set(err, EBADMSG, "type: must be STATUS");
	else if (!s->status)
		ret = 0;
	else
		ret = s->status(s->status_arg, &c->peer, json_object_get(event, "object"), err);
	json_decref(event);
	return ret;
}

/* Takes what came. False when the client is gone. */
static bool client_hear(struct client *c)
{
	struct vr_err err = {};
	size_t len;
	char *line;
	int n;

	n = vr_lines_read(&c->lines, &err);
	if (!n)
		c->deaf = true;
	if (!n || n == -EAGAIN)
		return true;
	while (n > 0 && (n = vr_lines_next(&c->lines, &line, &len, &err)) > 0) {
		if (take_line(c, line, len, &err))
			vr_logf(c->stream->log, VR_LOG_WARNING,
				"client with pid %d: line %lu refused: %s", (int)c->pid,
				c->lines.number, err.text);
	}
	if (!n)
		return true;
	client_drop(c, err.text);
	return false;
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct client *c = arg;

	(void)source;
	(void)fd;
	if (events & (EPOLLHUP | EPOLLERR)) {
		client_drop(c, "has gone");
		return 0;
	}
	if ((events & EPOLLIN) && !client_hear(c))
		return 0;
	if ((events & EPOLLOUT) && !client_flush(c))
		return 0;
	client_watch(c);
	return 0;
}

static bool is_trusted(struct stream *s, int fd, pid_t *pid)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len)) {
		vr_logf(s->log, VR_LOG_ERR, "client's credentials: %s", strerror(errno));
		return false;
	}
	*pid = peer.pid;
	if (!peer.uid || peer.uid == geteuid())
		return true;
	vr_logf(s->log, VR_LOG_WARNING, "client with pid %d: user %u may not read the resources",
		(int)peer.pid, (unsigned int)peer.uid);
	return false;
}

static void client_new(struct stream *s, int fd)
{
	struct client *c;
	pid_t pid = 0;

	if (!is_trusted(s, fd, &pid)) {
		close(fd);
		return;
	}
	if (s->n_clients == STREAM_MAX_CLIENTS) {
		vr_logf(s->log, VR_LOG_WARNING, "client with pid %d: more than %d clients, refused",
			(int)pid, STREAM_MAX_CLIENTS);
		close(fd);
		return;
	}
	c = xzalloc(sizeof(*c));
	c->stream = s;
	c->fd = fd;
	c->pid = pid;
	vr_lines_init(&c->lines, fd, STREAM_MAX_LINE);
	if (sd_event_add_io(s->event, &c->source, fd, EPOLLIN, on_client, c) < 0) {
		vr_logf(s->log, VR_LOG_ERR, "client with pid %d: cannot be watched", (int)pid);
		close(fd);
		free(c);
		return;
	}
	c->next = s->clients;
	s->clients = c;
	s->n_clients++;
	c->list = store_list_new(s->store);
	client_watch(c);
	vr_logf(s->log, VR_LOG_INFO, "client with pid %d: connected", (int)pid);
}

static int on_listen(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct stream *s = arg;
	int client;

	(void)source;
	(void)events;
	client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client >= 0)
		client_new(s, client);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		vr_logf(s->log, VR_LOG_ERR, "accept: %s", strerror(errno));
	return 0;
}

static int set_path(struct sockaddr_un *sun, const char *path, struct vr_err *err)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun->sun_path))
		return vr_err_set(err, ENAMETOOLONG, "%s: longer than a socket's path may be (%zu)",
				  path, sizeof(sun->sun_path) - 1);
	strcpy(sun->sun_path, path);
	return 0;
}

/* 0: the name is free, or of a socket that nobody listens on. */
static int check_free(const char *path, struct vr_err *err)
{
	struct sockaddr_un sun;
	struct stat st;
	int fd, ret;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : vr_err_errno(err, errno, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return vr_err_set(err, EEXIST, "%s: is there and is no socket", path);
	ret = set_path(&sun, path, err);
	if (ret)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return vr_err_errno(err, errno, "socket");
	ret = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) ? errno : 0;
	close(fd);
	if (ret == ECONNREFUSED || ret == ENOENT)
		return 0;
	return vr_err_set(err, EADDRINUSE, "%s: somebody listens there", path);
}

/*
 * Bound under a name of its own and then renamed: the path is never absent, never open to others
 * than its owner, and a socket that came there meanwhile loses to a whole one.
 */
static int listen_at(const char *path, struct vr_err *err)
{
	cleanup_free char *aside = xasprintf("%s.%d", path, (int)getpid());
	struct sockaddr_un sun;
	mode_t mask;
	int fd, ret;

	ret = set_path(&sun, aside, err);
	if (ret)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return vr_err_errno(err, errno, "socket");
	unlink(aside);
	mask = umask(0177);
	ret = bind(fd, (struct sockaddr *)&sun, sizeof(sun)) ? errno : 0;
	umask(mask);
	if (!ret && (listen(fd, 16) || rename(aside, path))) {
		ret = errno;
		unlink(aside);
	}
	if (!ret)
		return fd;
	close(fd);
	return vr_err_errno(err, ret, "%s", path);
}

int stream_open(struct stream *s, sd_event *event, const struct store *store, struct vr_log *log,
		const char *path, struct vr_err *err)
{
	int fd, ret;

	memset(s, 0, sizeof(*s));
	s->event = event;
	s->store = store;
	s->log = log;
	ret = check_free(path, err);
	if (ret)
		return ret;
	fd = listen_at(path, err);
	if (fd < 0)
		return fd;
	ret = sd_event_add_io(event, &s->source, fd, EPOLLIN, on_listen, s);
	if (ret < 0) {
		close(fd);
		unlink(path);
		return vr_err_errno(err, -ret, "%s: cannot be watched", path);
	}
	sd_event_source_set_io_fd_own(s->source, 1);
	s->path = xstrdup(path);
	return 0;
}

void stream_close(struct stream *s)
{
	struct client *c, *next;

	for (c = s->clients; c; c = next) {
		next = c->next;
		/* What can go out without waiting does. */
		if (client_flush(c))
			client_drop(c, "closed");
	}
	sd_event_source_unref(s->source);
	if (s->path)
		unlink(s->path);
	free(s->path);
	memset(s, 0, sizeof(*s));
}
