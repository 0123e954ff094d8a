// SPDX-License-Identifier: GPL-2.0-only
/* One line for an event: to the journal with its fields, else to standard error. */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"

#define MAX_VALUE	512	/* octets of a field; a longer one is cut off */

static const char *const levels[] = {
	[VR_LOG_ERR]	 = "err",
	[VR_LOG_WARNING] = "warning",
	[VR_LOG_NOTICE]	 = "notice",
	[VR_LOG_INFO]	 = "info",
	[VR_LOG_DEBUG]	 = "debug",
};

int vr_log_level(const char *name)
{
	int i;

	for (i = VR_LOG_ERR; i <= VR_LOG_DEBUG; i++)
		if (!strcmp(levels[i], name))
			return i;
	return -EINVAL;
}

/* Is fd the journal's stream (systemd.exec(5), JOURNAL_STREAM)? */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;
	char *end;

	if (!stream || fstat(fd, &st))
		return false;
	dev = strtoull(stream, &end, 10);
	if (*end != ':')
		return false;
	ino = strtoull(end + 1, &end, 10);
	return !*end && st.st_dev == dev && st.st_ino == ino;
}

void vr_log_init(struct vr_log *log, const char *program, int level)
{
	memset(log, 0, sizeof(*log));
	log->program = program;
	log->level = level;
	log->fd = STDERR_FILENO;
	log->journal = is_journal(log->fd);
	log->burst = 50;
	log->interval = 10;
}

/* Quoted when it would not be read back as one word; never more than one line. */
static void print_value(FILE *f, const char *text)
{
	size_t n, len = strnlen(text, MAX_VALUE);
	bool quote = !len || strcspn(text, " \t\"\\=") < len;

	if (quote)
		fputc('"', f);
	for (n = 0; n < len; n++) {
		unsigned char c = text[n];

		if (c < ' ' || c == 0x7f)
			fprintf(f, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else
			fputc(c, f);
	}
	if (quote)
		fputc('"', f);
}

static void print_sentence(FILE *f, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' ? ' ' : *text, f);
}

static void print_line(FILE *f, const char *sentence, const struct vr_log_field *fields)
{
	print_sentence(f, sentence);
	for (; fields->key; fields++) {
		fprintf(f, " %s=", fields->key);
		if (fields->str)
			print_value(f, fields->str);
		else
			fprintf(f, "%" PRId64, fields->num);
	}
}

static void write_line(struct vr_log *log, int level, const char *line)
{
	VR_AUTO_FREE char *text = NULL;
	size_t n, done = 0;
	ssize_t k;
	int len;

	if (level == VR_LOG_INFO)
		len = asprintf(&text, "%s: %s\n", log->program, line);
	else
		len = asprintf(&text, "%s: %s: %s\n", log->program,
			       level == VR_LOG_ERR ? "error" : levels[level], line);
	if (len < 0) {
		text = NULL;
		return;
	}
	for (n = len; done < n; done += k) {
		k = write(log->fd, text + done, n - done);
		if (k < 0 && errno == EINTR)
			k = 0;
		if (k < 0)
			return;
	}
}

/* "VROUTER_SG_VIF=7" */
static char *journal_field(const struct vr_log_field *field)
{
	char *text, *p;
	int len;

	if (field->str)
		len = asprintf(&text, "VROUTER_%s=%.*s", field->key, MAX_VALUE, field->str);
	else
		len = asprintf(&text, "VROUTER_%s=%" PRId64, field->key, field->num);
	if (len < 0)
		return NULL;
	for (p = text; *p != '='; p++)
		*p = isalnum((unsigned char)*p) ? toupper((unsigned char)*p) : '_';
	return text;
}

static bool write_journal(struct vr_log *log, int level, const char *line,
			  const struct vr_log_field *fields)
{
	struct iovec iov[VR_LOG_FIELDS + 3];
	char *text[VR_LOG_FIELDS + 3];
	int i, n = 0, err = -ENOMEM;

	if (asprintf(&text[n], "MESSAGE=%s", line) >= 0)
		n++;
	if (n && asprintf(&text[n], "PRIORITY=%d", level) >= 0)
		n++;
	if (n == 2 && asprintf(&text[n], "SYSLOG_IDENTIFIER=%s", log->program) >= 0)
		n++;
	for (; fields->key && n < VR_LOG_FIELDS + 3; fields++) {
		text[n] = journal_field(fields);
		n += !!text[n];
	}
	for (i = 0; i < n; i++)
		iov[i] = (struct iovec){ text[i], strlen(text[i]) };
	if (n)
		err = sd_journal_sendv(iov, n);
	while (n)
		free(text[--n]);
	return !err;
}

static void write_out(struct vr_log *log, int level, const char *sentence,
		      const struct vr_log_field *fields)
{
	VR_AUTO_FREE char *line = NULL;
	size_t size;
	FILE *f;

	f = open_memstream(&line, &size);
	if (!f)
		return;
	print_line(f, sentence, fields);
	if (fclose(f))
		return;
	if (!log->journal || !write_journal(log, level, line, fields))
		write_line(log, level, line);
}

/* Counts the line; false when it is too much. */
static bool may_write(struct vr_log *log, int level)
{
	static const struct vr_log_field none = { 0 };
	struct timespec now;
	unsigned int lost;
	char text[64];

	if (!log->burst || level <= VR_LOG_ERR || level > VR_LOG_DEBUG)
		return true;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!log->rate[level].start || now.tv_sec - log->rate[level].start >= log->interval) {
		lost = log->rate[level].left_out;
		log->rate[level].start = now.tv_sec;
		log->rate[level].written = 0;
		log->rate[level].left_out = 0;
		if (lost) {
			snprintf(text, sizeof(text), "%u lines were left out", lost);
			write_out(log, level, text, &none);
		}
	}
	if (log->rate[level].written < log->burst) {
		log->rate[level].written++;
		return true;
	}
	log->rate[level].left_out++;
	return false;
}

void vr_log_fields(struct vr_log *log, int level, const char *sentence,
		   const struct vr_log_field *fields)
{
	if (level < VR_LOG_ERR)
		level = VR_LOG_ERR;
	if (level > VR_LOG_DEBUG)
		level = VR_LOG_DEBUG;
	if (level <= log->level && may_write(log, level))
		write_out(log, level, sentence, fields);
}

void vr_logf(struct vr_log *log, int level, const char *fmt, ...)
{
	VR_AUTO_FREE char *text = NULL;
	va_list args;
	int len;

	if (level > log->level)
		return;
	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		text = NULL;
		return;
	}
	vr_log(log, level, text);
}
