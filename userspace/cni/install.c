// SPDX-License-Identifier: GPL-2.0-only
/*
 * contrail-cni --install: puts the plugin, then its configuration, where a runtime looks. Each
 * file is written aside, made durable and renamed, so that the runtime, and the node after a
 * power failure, finds the old one or the new one whole.
 */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni.h"

static int fail(const char *what, const char *path)
{
	fprintf(stderr, "contrail-cni: --install: %s%s%s: %s\n", what, *what ? " " : "", path,
		strerror(errno));
	return 1;
}

/* All of in; 0 or -1 with errno. */
static int copy(int in, int out)
{
	static char buf[1 << 16];
	ssize_t n, done, w;

	while ((n = read(in, buf, sizeof(buf)))) {
		if (n < 0 && errno != EINTR)
			return -1;
		for (done = 0; done < n; done += w) {
			w = write(out, buf + done, n - done);
			if (w < 0 && errno != EINTR)
				return -1;
			if (w < 0)
				w = 0;
		}
	}
	return 0;
}

/* The name that is new has to last, too. */
static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd < 0)
		return -1;
	err = fsync(fd);
	close(fd);
	return err;
}

static int install(const char *from, const char *dir, const char *name, mode_t mode)
{
	char path[PATH_MAX], aside[PATH_MAX];
	int in, out, err;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
	    snprintf(aside, sizeof(aside), "%s/.%s.new", dir, name) >= (int)sizeof(aside)) {
		errno = ENAMETOOLONG;
		return fail("", dir);
	}
	in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return fail("cannot read", from);
	/* what an install that was killed left must not be in the way of the next one */
	unlink(aside);
	out = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0) {
		err = fail("cannot write", aside);
		close(in);
		return err;
	}
	err = copy(in, out) || fchmod(out, mode) || fsync(out) || rename(aside, path) ||
	      sync_dir(dir);
	if (err) {
		err = fail("cannot write", path);
		unlink(aside);
	}
	close(out);
	close(in);
	return err;
}

static bool names_us(const json_t *root)
{
	const json_t *plugin;
	const char *type;
	size_t i;

	json_array_foreach(json_object_get(root, "plugins"), i, plugin) {
		type = json_string_value(json_object_get(plugin, "type"));
		if (type && !strcmp(type, "contrail-cni"))
			return true;
	}
	return false;
}

/* A file that is none would leave the node without network at the runtime's next look. */
static int check_conflist(const char *path)
{
	json_error_t je;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &je);
	bool good = names_us(root);

	if (!root)
		fprintf(stderr, "contrail-cni: --install: %s: line %d: %s\n", path, je.line,
			je.text);
	else if (!good)
		fprintf(stderr, "contrail-cni: --install: %s: plugins has none of type "
			"contrail-cni\n", path);
	json_decref(root);
	return !good;
}

int cni_install(const char *bin, const char *conflist, const char *conf)
{
	const char *slash = conflist ? strrchr(conflist, '/') : NULL;

	if (conflist && check_conflist(conflist))
		return 1;
	if (install("/proc/self/exe", bin, "contrail-cni", 0755))
		return 1;
	return conflist ? install(conflist, conf, slash ? slash + 1 : conflist, 0644) : 0;
}
