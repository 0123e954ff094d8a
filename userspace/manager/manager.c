// SPDX-License-Identifier: GPL-2.0-only
#include "manager.h"

#include <errno.h>
#include <signal.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "http.h"
#include "xmem.h"

/* An object that is right in itself and cannot be had as it is: a taken address, say. */
static void on_problem(void *arg, const struct object *obj, const char *text)
{
	struct manager *mgr = arg;

	(void)obj;
	if (!text)
		return;
	vr_logf(&mgr->log, VR_LOG_ERR, "%s", text);
}

void manager_init(struct manager *mgr, const struct config *cfg)
{
	static const double run_bounds[] = { 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30 };

	memset(mgr, 0, sizeof(*mgr));
	mgr->cfg = cfg;
	mgr->runs.bounds = run_bounds;
	mgr->runs.n = sizeof(run_bounds) / sizeof(run_bounds[0]);
	vr_log_init(&mgr->log, "contrail-kube-manager", cfg->log_level);
	store_init(&mgr->store, &mgr->log, stream_emit, &mgr->stream);
	model_init(&mgr->model, cfg, &mgr->store, on_problem, mgr);
	manifests_init(&mgr->manifests, cfg, &mgr->model);
}

void manager_free(struct manager *mgr)
{
	manifests_free(&mgr->manifests);
	model_free(&mgr->model);
	store_free(&mgr->store);
}

unsigned int manager_run(struct manager *mgr)
{
	struct timespec from, to;
	unsigned int refused;

	clock_gettime(CLOCK_MONOTONIC, &from);
	refused = model_run(&mgr->model);
	clock_gettime(CLOCK_MONOTONIC, &to);
	prom_observe(&mgr->runs, (to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) / 1e9);
	return refused;
}

int manager_load(struct manager *mgr)
{
	static const int levels[] = { [NOTE] = VR_LOG_NOTICE, [WARNING] = VR_LOG_WARNING,
				      [ERROR] = VR_LOG_ERR };
	uint64_t before = mgr->store.version;
	struct report report = {};
	size_t i;
	int ret;

	ret = manifests_read(&mgr->manifests, &report);
	for (i = 0; i < report.n; i++)
		vr_logf(&mgr->log, levels[report.v[i].severity], "%s", report.v[i].text);
	if (!ret)
		ret = report.errors;
	report_free(&report);
	if (ret >= 0)
		ret += manager_run(mgr);
	if (mgr->store.version != before)
		vr_logf(&mgr->log, VR_LOG_INFO, "%llu changes published, at version %llu",
			(unsigned long long)(mgr->store.version - before),
			(unsigned long long)mgr->store.version);
	return ret;
}

static void print_line(void *arg, const char *line, size_t len)
{
	fwrite(line, 1, len, arg);
}

int manager_check(struct manager *mgr)
{
	struct store_list *list;
	int errors;

	/* Everything that is wrong, however much it is. */
	mgr->log.burst = 0;
	errors = manager_load(mgr);
	if (errors < 0)
		return 1;
	list = store_list_new(&mgr->store);
	while (store_list_next(list, print_line, stdout))
		;
	store_list_free(list);
	if (fflush(stdout)) {
		vr_logf(&mgr->log, VR_LOG_ERR, "standard output: %s", strerror(errno));
		return 1;
	}
	return errors || mgr->model.problems;
}

static void on_change(void *arg)
{
	manager_load(arg);
}

int manager_signals(sd_event *event, sd_event_signal_handler_t handler, void *arg)
{
	sigset_t set;
	int ret;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	ret = -sigprocmask(SIG_BLOCK, &set, NULL);
	if (ret >= 0)
		ret = sd_event_add_signal(event, NULL, SIGTERM, handler, arg);
	if (ret >= 0)
		ret = sd_event_add_signal(event, NULL, SIGINT, handler, arg);
	return ret;
}

/* Many lines that come at once are one change. */
static int on_health(sd_event_source *source, void *arg)
{
	struct manager *mgr = arg;

	(void)source;
	manager_run(mgr);
	return 0;
}

static int on_status(void *arg, char **peer, const json_t *object, struct vr_err *err)
{
	struct manager *mgr = arg;
	int ret = model_health(&mgr->model, peer, object, err);

	if (!ret)
		sd_event_source_set_enabled(mgr->health, SD_EVENT_ONESHOT);
	return ret;
}

int manager_hear(struct manager *mgr, sd_event *event, struct vr_err *err)
{
	int ret = sd_event_add_defer(event, &mgr->health, on_health, mgr);

	if (ret >= 0)
		ret = sd_event_source_set_enabled(mgr->health, SD_EVENT_OFF);
	if (ret < 0)
		return vr_err_errno(err, -ret, "event loop");
	mgr->stream.status = on_status;
	mgr->stream.status_arg = mgr;
	return 0;
}

/* Watching begins before reading, so no change falls between the two. */
static int start(struct manager *mgr, sd_event *event, struct vr_err *err)
{
	int ret = manager_signals(event, NULL, NULL);

	if (ret < 0)
		return vr_err_errno(err, -ret, "signals");
	ret = watch_start(&mgr->watch, event, &mgr->manifests, &mgr->log, on_change, mgr, err);
	if (ret)
		return ret;
	ret = stream_open(&mgr->stream, event, &mgr->store, &mgr->log, mgr->cfg->socket, err);
	if (ret)
		return vr_err_wrap(err, "--listen");
	ret = manager_hear(mgr, event, err);
	if (!ret)
		ret = manager_http_new(&mgr->http, event, &mgr->log,
				       &(struct http_parts){ .mgr = mgr }, err);
	if (ret)
		return ret;
	if (manager_load(mgr) < 0)
		return vr_err_set(err, EIO, "--manifests: the folder cannot be read");
	return 0;
}

int manager_serve(struct manager *mgr)
{
	sd_event *event = NULL;
	struct vr_err err = {};
	int ret;

	ret = sd_event_new(&event);
	if (ret < 0)
		vr_err_errno(&err, -ret, "event loop");
	else
		ret = start(mgr, event, &err);
	if (!ret) {
		sd_notify(0, "READY=1");
		vr_logf(&mgr->log, VR_LOG_NOTICE, "serving %s on %s", mgr->cfg->manifests,
			mgr->cfg->socket);
		ret = sd_event_loop(event);
		if (ret < 0)
			vr_err_errno(&err, -ret, "event loop");
		sd_notify(0, "STOPPING=1");
	}
	if (ret < 0)
		vr_logf(&mgr->log, VR_LOG_ERR, "%s", err.text);
	manager_http_free(mgr->http);
	stream_close(&mgr->stream);
	sd_event_source_unref(mgr->health);
	watch_stop(&mgr->watch);
	sd_event_unref(event);
	return ret < 0;
}
