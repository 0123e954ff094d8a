// SPDX-License-Identifier: GPL-2.0-only
#include "watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include "xmem.h"

#define RETRY_USEC 1000000
/* After the inotify events of one wake-up, which have the normal priority. */
#define READ_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

#define WATCHED                                                                                    \
	(IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE |        \
	 IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

static int on_soon(sd_event_source *source, void *arg)
{
	struct watch *w = arg;

	(void)source;
	w->changed(w->arg);
	return 0;
}

static void read_soon(struct watch *w)
{
	sd_event_source_set_enabled(w->soon, SD_EVENT_ONESHOT);
}

/*
 * A new name whose contents are complete: a symbolic or hard link. All others come with a writer
 * that will close them. Linking sets the ctime and not the mtime, which tells also when the
 * other name is gone by now.
 */
static bool is_link(const struct watch *w, const char *name)
{
	cleanup_free char *path = xasprintf("%s/%s", w->manifests->cfg->manifests, name);
	struct stat st;

	return !lstat(path, &st) &&
	       (S_ISLNK(st.st_mode) || st.st_nlink > 1 || st.st_mtim.tv_sec != st.st_ctim.tv_sec ||
		st.st_mtim.tv_nsec != st.st_ctim.tv_nsec);
}

static void on_name(struct watch *w, uint32_t mask, const char *name)
{
	bool writing = (mask & IN_MODIFY) || ((mask & IN_CREATE) && !is_link(w, name));

	/* Others matter too: a symbolic link that all manifests lead through, say. */
	if (writing && manifests_is_one(name)) {
		map_set(&w->manifests->writing, name, w);
		return;
	}
	if (!(mask & (IN_ATTRIB | IN_MODIFY)))
		map_del(&w->manifests->writing, name);
	if (!(mask & IN_MODIFY))
		read_soon(w);
}

static void folder_lost(struct watch *w);

static int on_inotify(sd_event_source *source, const struct inotify_event *ev, void *arg)
{
	struct watch *w = arg;

	(void)source;
	if (ev->mask & IN_Q_OVERFLOW) {
		vr_logf(w->log, VR_LOG_WARNING,
			"changes of the folder were lost; reading all of it");
		map_clear(&w->manifests->writing, NULL);
		read_soon(w);
	} else if (ev->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) {
		folder_lost(w);
	} else if (ev->len && !(ev->mask & IN_ISDIR)) {
		on_name(w, ev->mask, ev->name);
	}
	return 0;
}

static int add_inotify(struct watch *w)
{
	return sd_event_add_inotify(w->event, &w->inotify, w->manifests->cfg->manifests, WATCHED,
				    on_inotify, w);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *arg)
{
	struct watch *w = arg;

	(void)usec;
	if (add_inotify(w) < 0) {
		sd_event_source_set_time_relative(source, RETRY_USEC);
		sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
		return 0;
	}
	vr_logf(w->log, VR_LOG_NOTICE, "%s: is there again", w->manifests->cfg->manifests);
	map_clear(&w->manifests->writing, NULL);
	read_soon(w);
	return 0;
}

/* The folder was removed or renamed: what is known stays, until one of that name is back. */
static void folder_lost(struct watch *w)
{
	if (!w->inotify)
		return;
	vr_logf(w->log, VR_LOG_ERR, "%s: has gone; all objects stay as they are until it is back",
		w->manifests->cfg->manifests);
	w->inotify = sd_event_source_disable_unref(w->inotify);
	sd_event_source_set_time_relative(w->retry, RETRY_USEC);
	sd_event_source_set_enabled(w->retry, SD_EVENT_ONESHOT);
}

int watch_start(struct watch *w, sd_event *event, struct manifests *ms, struct vr_log *log,
		watch_fn *changed, void *arg, struct vr_err *err)
{
	int ret;

	memset(w, 0, sizeof(*w));
	w->event = event;
	w->manifests = ms;
	w->log = log;
	w->changed = changed;
	w->arg = arg;
	ret = add_inotify(w);
	if (ret < 0)
		return vr_err_errno(err, -ret, "%s: cannot be watched", ms->cfg->manifests);
	ret = sd_event_add_defer(event, &w->soon, on_soon, w);
	if (ret >= 0)
		ret = sd_event_source_set_enabled(w->soon, SD_EVENT_OFF);
	if (ret >= 0)
		ret = sd_event_source_set_priority(w->soon, READ_PRIORITY);
	if (ret >= 0)
		ret = sd_event_add_time_relative(event, &w->retry, CLOCK_MONOTONIC, 0, 0, on_retry,
						 w);
	if (ret >= 0)
		ret = sd_event_source_set_enabled(w->retry, SD_EVENT_OFF);
	if (ret >= 0)
		return 0;
	watch_stop(w);
	return vr_err_errno(err, -ret, "event loop");
}

void watch_stop(struct watch *w)
{
	sd_event_source_disable_unref(w->inotify);
	sd_event_source_disable_unref(w->soon);
	sd_event_source_disable_unref(w->retry);
	memset(w, 0, sizeof(*w));
}
