// SPDX-License-Identifier: GPL-2.0-only
/* Commands of a file */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "jsonlines.h"
#include "vrctl.h"

#define MAX_LINE	(16UL << 20)	/* octets: a group with 65536 rules is one line */

/* Cuts a line into words at blanks: "..." keeps blanks, \ the next character,
 * # begins a comment. In place; *words is the caller's to free.
 */
static int split(char *line, char ***words, unsigned int *n, struct vr_err *e)
{
	char *in = line, *out = line, **grown;
	bool quoted = false;

	*words = NULL;
	*n = 0;
	for (;;) {
		while (isspace((unsigned char)*in))
			in++;
		if (!*in || *in == '#')
			return 0;
		if (!(*n & (*n - 1))) {
			grown = reallocarray(*words, *n ? *n * 2UL : 1, sizeof(**words));
			if (!grown)
				return vr_err_nomem(e);
			*words = grown;
		}
		(*words)[(*n)++] = out;
		for (; *in && (quoted || !isspace((unsigned char)*in)); in++) {
			if (*in == '"') {
				quoted = !quoted;
				continue;
			}
			if (*in == '\\' && in[1])
				in++;
			*out++ = *in;
		}
		if (quoted)
			return vr_err_set(e, EINVAL, "a quote has no end");
		if (*in)
			in++;
		*out++ = '\0';	/* at or before the blank */
	}
}

static int run_line(struct ctx *c, char *line)
{
	VR_AUTO_FREE char **words = NULL;
	unsigned int n;

	if (split(line, &words, &n, &c->err))
		return EXIT_USAGE;
	return n ? run_command(c, words, n) : EXIT_OK;
}

struct batch {
	struct ctx	*c;
	const char	*name;		/* of the file, in messages */
	bool		force;
	int		status;		/* of the first command that failed */
};

/* False when that is the end. */
static bool take_line(struct batch *b, char *line, unsigned long number)
{
	int status = run_line(b->c, line);

	if (status == EXIT_OK || status == EXIT_DROP)
		return true;
	out_flush(b->c->out);
	fprintf(stderr, "%s:%lu: %s\n", b->name, number, b->c->err.text);
	if (!b->status)
		b->status = status;
	return b->force;
}

static int read_lines(struct batch *b, struct vr_lines *l)
{
	char *line;
	size_t len;
	int n;

	for (;;) {
		n = vr_lines_next(l, &line, &len, &b->c->err);
		if (!n) {
			n = vr_lines_read(l, &b->c->err);
			if (n > 0)
				continue;
			if (n == 0)
				break;
		}
		if (n < 0)
			return n;
		if (!take_line(b, line, l->number))
			return 0;
	}
	n = vr_lines_rest(l, &line, &len, &b->c->err);
	if (n > 0)
		take_line(b, line, l->number);
	return n < 0 ? n : 0;
}

int run_batch(struct ctx *c, const char *file, bool force)
{
	bool is_stdin = !strcmp(file, "-");
	VR_AUTO_CLOSE int fd = -1;
	struct vr_lines l;
	struct batch b = { .c = c, .name = is_stdin ? "stdin" : file, .force = force };
	int err;

	if (!is_stdin) {
		fd = open(file, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			fprintf(stderr, "vrctl: %s: %s\n", file, strerror(errno));
			return EXIT_USAGE;
		}
	}
	vr_lines_init(&l, is_stdin ? STDIN_FILENO : fd, MAX_LINE);
	err = read_lines(&b, &l);
	if (err) {
		fprintf(stderr, "%s: %s\n", b.name, c->err.text);
		b.status = b.status ? b.status : EXIT_USAGE;
	}
	vr_lines_free(&l);
	return b.status;
}
