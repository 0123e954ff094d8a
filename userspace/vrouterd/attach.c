// SPDX-License-Identifier: GPL-2.0-only
/* Attachments, in memory and in the state directory. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "hostport.h"
#include "jread.h"
#include "kobj.h"
#include "dlog.h"
#include "mem.h"

#define MAX_FILE	(64 << 10)	/* octets; HOST_PORTS_MAX ports take a third */

static void free_attachment(struct attachment *at)
{
	free(at->container);
	free(at->ifname);
	free(at->net);
	free(at->vmi);
	free(at->ports);
	free(at);
}

static void file_path(const struct attachments *a, const char *host, const char *suffix,
		      char *path, size_t size)
{
	snprintf(path, size, "%s/%s.json%s", a->dir, host, suffix);
}

/* Aside, then renamed: a file is whole or not there. */
static int save(const struct attachments *a, const struct attachment *at)
{
	char path[PATH_MAX], aside[PATH_MAX];
	json_t *o;
	int err;

	file_path(a, at->host, "", path, sizeof(path));
	file_path(a, at->host, ".new", aside, sizeof(aside));
	o = json_pack("{ss ss ss* ss sI so*}", "containerID", at->container, "ifname", at->ifname,
		      "network", at->net, "interface", at->vmi, "created",
		      (json_int_t)at->created, "portMappings",
		      at->n_ports ? host_ports_json(at->ports, at->n_ports) : NULL);
	if (!o)
		return -EINVAL;
	errno = EIO;
	err = json_dump_file(o, aside, JSON_INDENT(2)) || rename(aside, path) ? -errno : 0;
	json_decref(o);
	if (err)
		unlink(aside);
	return err;
}

static struct attachment *read_file(int dir, const char *name, struct jerr *e)
{
	struct attachment *at = mem_zero(1, sizeof(*at));
	char text[MAX_FILE];
	json_error_t je;
	ssize_t n = -1;
	json_t *o;
	int fd;

	memset(e, 0, sizeof(*e));
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text));
		close(fd);
	}
	o = n > 0 ? json_loadb(text, n, 0, &je) : NULL;
	if (!json_is_object(o))
		jfail(e, NULL, "%s", n < 0 ? strerror(errno) : "not a JSON object");
	at->container = mem_strdup(jstring(e, o, "containerID", true));
	at->ifname = mem_strdup(jstring(e, o, "ifname", true));
	at->net = mem_strdup(jstring(e, o, "network", false));
	at->vmi = jkey(e, o, "interface", true);
	at->ports = host_ports_parse(e, o, &at->n_ports);
	at->created = json_integer_value(json_object_get(o, "created"));
	json_decref(o);
	if (!jbad(e))
		return at;
	free_attachment(at);
	return NULL;
}

/* One file of the directory: kept when it names a device that is there. */
static void load(struct attachments *a, int dir, const char *name)
{
	size_t len = strlen(name);
	struct attachment *at;
	char host[IFNAMSIZ];
	struct jerr e;

	if (len != IFNAMSIZ - 1 + 5 || strcmp(name + IFNAMSIZ - 1, ".json"))
		return;
	memcpy(host, name, IFNAMSIZ - 1);
	host[IFNAMSIZ - 1] = '\0';
	if (!host_ifname_valid(host))
		return;

	at = read_file(dir, name, &e);
	if (!at) {
		log_warn("%s/%s: %s; file removed", a->dir, name, e.text);
		unlinkat(dir, name, 0);
		return;
	}
	at->ifindex = if_nametoindex(host);
	if (!at->ifindex) {
		log_info("%s: its device %s is gone; attachment forgotten", at->vmi, host);
		unlinkat(dir, name, 0);
		free_attachment(at);
		return;
	}
	memcpy(at->host, host, sizeof(host));
	at->raise = true;
	at->next = a->list;
	a->list = at;
}

static int make_dir(const char *path)
{
	char *copy = mem_strdup(path), *p;
	int err = 0;

	for (p = strchr(copy + 1, '/'); p && !err; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(copy, 0755) && errno != EEXIST)
			err = -errno;
		*p = '/';
	}
	if (!err && mkdir(path, 0700) && errno != EEXIST)
		err = -errno;
	free(copy);
	return err;
}

int attachments_open(struct attachments *a, const char *dir)
{
	struct dirent *de;
	int err;
	DIR *d;

	memset(a, 0, sizeof(*a));
	err = make_dir(dir);
	if (err)
		return err;
	d = opendir(dir);
	if (!d)
		return -errno;
	a->dir = mem_strdup(dir);
	while ((de = readdir(d)))
		load(a, dirfd(d), de->d_name);
	closedir(d);
	return 0;
}

void attachments_close(struct attachments *a)
{
	struct attachment *at;

	while ((at = a->list)) {
		a->list = at->next;
		free_attachment(at);
	}
	free(a->dir);
}

struct attachment *attachment_find(const struct attachments *a, const char *host)
{
	struct attachment *at;

	for (at = a->list; at; at = at->next)
		if (!strcmp(at->host, host))
			return at;
	return NULL;
}

struct attachment *attachment_of_vmi(const struct attachments *a, const char *vmi)
{
	struct attachment *at, *best = NULL;

	for (at = a->list; at; at = at->next)
		if (!strcmp(at->vmi, vmi) && (!best || at->created > best->created))
			best = at;
	return best;
}

int attachment_add(struct attachments *a, const struct attachment *told)
{
	struct attachment *at = mem_zero(1, sizeof(*at));
	struct timespec ts;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &ts);
	memcpy(at->host, told->host, sizeof(at->host));
	at->ifindex = told->ifindex;
	at->vmi = mem_strdup(told->vmi);
	at->container = mem_strdup(told->container);
	at->ifname = mem_strdup(told->ifname);
	at->net = mem_strdup(told->net);
	at->ports = mem_dup(told->ports, told->n_ports, sizeof(*told->ports));
	at->n_ports = told->n_ports;
	/* One that is only known from the kernel was there before any that is told. */
	if (at->container) {
		at->created = ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
		err = save(a, at);
	}
	if (err) {
		free_attachment(at);
		return err;
	}
	at->next = a->list;
	a->list = at;
	return 0;
}

void attachment_del(struct attachments *a, struct attachment *at)
{
	struct attachment **p = &a->list;
	char path[PATH_MAX];

	while (*p != at)
		p = &(*p)->next;
	*p = at->next;
	if (at->container) {
		file_path(a, at->host, "", path, sizeof(path));
		if (unlink(path) && errno != ENOENT)
			log_warn("%s: cannot remove: %s", path, strerror(errno));
	}
	free_attachment(at);
}
