// SPDX-License-Identifier: GPL-2.0-only
/* links: lib */
/* Bounded lines from a descriptor; errors as objects; the log. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "jsonlines.h"
#include "log.h"

struct pipe { int rd, wr; struct vr_lines l; };

static void open_lines(struct pipe *p, size_t max)
{
	int fd[2];

	assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
	p->rd = fd[0];
	p->wr = fd[1];
	vr_lines_init(&p->l, p->rd, max);
}

static void close_lines(struct pipe *p)
{
	vr_lines_free(&p->l);
	close(p->rd);
	if (p->wr >= 0)
		close(p->wr);
}

static void feed(struct pipe *p, const char *text)
{
	assert_int_equal(write(p->wr, text, strlen(text)), strlen(text));
}

static void expect_line(struct pipe *p, const char *want)
{
	struct vr_err e;
	char *line;
	size_t len;

	assert_int_equal(vr_lines_next(&p->l, &line, &len, &e), 1);
	assert_string_equal(line, want);
	assert_int_equal(len, strlen(want));
}

static void expect_none(struct pipe *p)
{
	struct vr_err e;
	char *line;
	size_t len;

	assert_int_equal(vr_lines_next(&p->l, &line, &len, &e), 0);
}

static void pieces(void **state)
{
	struct vr_err e;
	struct pipe p;
	char *line;
	size_t len;

	open_lines(&p, 100);
	assert_int_equal(vr_lines_read(&p.l, &e), -EAGAIN);
	feed(&p, "one\n\ntw");
	assert_int_equal(vr_lines_read(&p.l, &e), 1);
	expect_line(&p, "one");
	expect_line(&p, "");
	expect_none(&p);
	assert_int_equal(vr_lines_read(&p.l, &e), -EAGAIN);
	feed(&p, "o\nrest");
	assert_int_equal(vr_lines_read(&p.l, &e), 1);
	expect_line(&p, "two");
	expect_none(&p);
	assert_int_equal(p.l.number, 3);
	close(p.wr);
	p.wr = -1;
	assert_int_equal(vr_lines_read(&p.l, &e), 0);
	assert_int_equal(vr_lines_rest(&p.l, &line, &len, &e), 1);
	assert_string_equal(line, "rest");
	assert_int_equal(vr_lines_rest(&p.l, &line, &len, &e), 0);
	close_lines(&p);
	(void)state;
}

static void bound(void **state)
{
	struct vr_err e;
	struct pipe p;
	char *line;
	size_t len;

	open_lines(&p, 5);
	feed(&p, "12345\n123456\n");
	assert_int_equal(vr_lines_read(&p.l, &e), 1);
	expect_line(&p, "12345");
	assert_int_equal(vr_lines_next(&p.l, &line, &len, &e), -E2BIG);
	assert_string_equal(e.text, "line 2 is longer than 5 octets");
	close_lines(&p);

	/* Without an end: refused as soon as it is too long. */
	open_lines(&p, 5);
	feed(&p, "123456");
	assert_int_equal(vr_lines_read(&p.l, &e), 1);
	assert_int_equal(vr_lines_next(&p.l, &line, &len, &e), -E2BIG);
	assert_int_equal(vr_lines_read(&p.l, &e), -E2BIG);
	close_lines(&p);
	(void)state;
}

static void nul(void **state)
{
	struct vr_err e;
	struct pipe p;
	char *line;
	size_t len;

	open_lines(&p, 100);
	assert_int_equal(write(p.wr, "a\0b\n", 4), 4);
	assert_int_equal(vr_lines_read(&p.l, &e), 1);
	assert_int_equal(vr_lines_next(&p.l, &line, &len, &e), -EBADMSG);
	assert_string_equal(e.text, "line 1 has a NUL character");
	close_lines(&p);
	(void)state;
}

/* Lines of any length, cut in pieces at random. */
static void random_pieces(void **state)
{
	enum { LINES = 300, MAX = 200000 };
	size_t sent = 0, total = 0, n, i, taken = 0, len;
	char *text = malloc(LINES * 2000UL), *line, *want = text;
	struct vr_err e;
	struct pipe p;
	int got;

	srandom(3);
	for (i = 0; i < LINES; i++) {
		for (n = random() % 1990; n; n--)
			text[total++] = 'a' + random() % 26;
		text[total++] = '\n';
	}
	open_lines(&p, MAX);
	while (taken < LINES) {
		n = random() % 9000;
		if (n > total - sent)
			n = total - sent;
		assert_int_equal(write(p.wr, text + sent, n), n);
		sent += n;
		while (vr_lines_read(&p.l, &e) > 0)
			;
		while ((got = vr_lines_next(&p.l, &line, &len, &e)) > 0) {
			assert_memory_equal(line, want, len);
			assert_int_equal(want[len], '\n');
			want += len + 1;
			taken++;
		}
		assert_int_equal(got, 0);
	}
	close_lines(&p);
	free(text);
	(void)state;
}

static void errors(void **state)
{
	char *longest = malloc(2 * VR_ERR_TEXT);
	struct vr_err e;

	assert_int_equal(vr_err_set(&e, ENOENT, "no %s", "x"), -ENOENT);
	assert_int_equal(vr_err_wrap(&e, "file %d", 7), -ENOENT);
	assert_string_equal(e.text, "file 7: no x");
	assert_int_equal(vr_err_errno(&e, EPERM, "open"), -EPERM);
	assert_string_equal(e.text, "open: Operation not permitted");
	assert_int_equal(vr_err_set(NULL, EIO, "nobody asks"), -EIO);
	assert_int_equal(vr_err_nomem(NULL), -ENOMEM);

	memset(longest, 'x', 2 * VR_ERR_TEXT);
	longest[2 * VR_ERR_TEXT - 1] = '\0';
	vr_err_set(&e, EIO, "%s", longest);
	vr_err_wrap(&e, "%s", longest);
	vr_err_wrap(&e, "context");
	assert_int_equal(strlen(e.text), VR_ERR_TEXT - 1);
	assert_memory_equal(e.text, "context: xxx", 12);
	free(longest);
	(void)state;
}

static void read_log(int fd, char *buf, size_t size)
{
	ssize_t n = read(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
}

static void log_lines(void **state)
{
	char buf[4096];
	struct vr_log log;
	int fd[2], i;

	assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
	vr_log_init(&log, "prog", VR_LOG_INFO);
	log.fd = fd[1];
	log.journal = false;
	vr_log(&log, VR_LOG_WARNING, "two\nlines", VR_LOG_STR("label", "a \"b\"\n"),
	       VR_LOG_NUM("vif", -3), VR_LOG_STR("none", NULL));
	read_log(fd[0], buf, sizeof(buf));
	assert_string_equal(buf,
			    "prog: warning: two lines label=\"a \\\"b\\\"\\x0a\" vif=-3 none=\"\"\n");
	vr_log(&log, VR_LOG_INFO, "plain");
	vr_log(&log, VR_LOG_DEBUG, "not shown");
	vr_logf(&log, VR_LOG_ERR, "%d of %s", 1, "them");
	read_log(fd[0], buf, sizeof(buf));
	assert_string_equal(buf, "prog: plain\nprog: error: 1 of them\n");

	log.burst = 3;
	for (i = 0; i < 10; i++)
		vr_logf(&log, VR_LOG_NOTICE, "%d", i);
	vr_logf(&log, VR_LOG_ERR, "always");
	read_log(fd[0], buf, sizeof(buf));
	assert_string_equal(buf, "prog: notice: 0\nprog: notice: 1\nprog: notice: 2\n"
			    "prog: error: always\n");
	log.rate[VR_LOG_NOTICE].start -= log.interval;
	vr_logf(&log, VR_LOG_NOTICE, "later");
	read_log(fd[0], buf, sizeof(buf));
	assert_string_equal(buf, "prog: notice: 7 lines were left out\nprog: notice: later\n");

	assert_int_equal(vr_log_level("warning"), VR_LOG_WARNING);
	assert_int_equal(vr_log_level("loud"), -EINVAL);
	close(fd[0]);
	close(fd[1]);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces), cmocka_unit_test(bound), cmocka_unit_test(nul),
		cmocka_unit_test(random_pieces), cmocka_unit_test(errors),
		cmocka_unit_test(log_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
