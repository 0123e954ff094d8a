// SPDX-License-Identifier: GPL-2.0-only
/* links: vrouterd lib */
/*
 * What contrail-cni may ask, and what is kept of it. In a network namespace of
 * its own, with a tap that plays the pod's device; without the kernel module.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "dlog.h"

#define HOST	"vr0123456789abc"
#define NO_HOST	"vr0123456789abd"

static char dir[64], state_dir[96], feed[96], sock[96];
static struct options opt;
static struct daemon d;
static sd_event *loop;
static int tap = -1;

static void make_tap(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	strcpy(ifr.ifr_name, HOST);
	tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (tap >= 0 && ioctl(tap, TUNSETIFF, &ifr)) {
		close(tap);
		tap = -1;
	}
}

static int start(void **state)
{
	(void)state;
	vrd_log.level = VR_LOG_ERR;
	if (!unshare(CLONE_NEWNET))
		make_tap();
	strcpy(dir, "/tmp/vrouterd-test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(state_dir, sizeof(state_dir), "%s/a/b", dir);
	snprintf(feed, sizeof(feed), "%s/feed", dir);
	snprintf(sock, sizeof(sock), "%s/cni", dir);
	opt = (struct options){ .node = "n1", .feed = feed, .cni_socket = sock,
				.state_dir = state_dir };
	return sd_event_new(&loop) < 0 || daemon_start(&d, loop, &opt) < 0;
}

static int stop(void **state)
{
	char cmd[128];

	(void)state;
	daemon_stop(&d);
	sd_event_unref(loop);
	close(tap);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	return system(cmd);
}

static void put(const char *kind, const char *name, const char *uid, const char *spec)
{
	char text[2048];
	struct jerr e;
	struct res *r;
	json_t *o;

	snprintf(text, sizeof(text), "{\"apiVersion\":\"opencontrail.org/v1\",\"kind\":\"%s\","
		 "\"metadata\":{\"namespace\":\"default\",\"name\":\"%s\",\"uid\":\"%s\","
		 "\"annotations\":{\"kubernetes.io/config.hash\":\"hash\"}},\"spec\":%s}",
		 kind, name, uid, spec);
	o = json_loads(text, 0, NULL);
	assert_non_null(o);
	r = res_identify(o, &e);
	assert_non_null(r);
	if (!res_parse_spec(r, o, &e))
		fail_msg("%s", e.text);
	json_decref(o);
	model_set(d.model, r);
}

/* The reply; NULL: it waits. */
static json_t *ask(const char *op, const char *host, const char *uid, bool last)
{
	struct pod_request rq;
	char text[512], why[256];
	json_t *o;

	snprintf(text, sizeof(text), "{\"op\":\"%s\",\"containerID\":\"c\",\"ifname\":\"eth0\","
		 "\"hostIfname\":\"%s\",\"namespace\":\"default\",\"pod\":\"web-0\",\"uid\":\"%s\"}",
		 op, host, uid);
	if (!pod_request_parse(&rq, text, strlen(text), why, sizeof(why)))
		fail_msg("%s", why);
	o = pod_ops.serve(&d, &rq, last);
	pod_request_clear(&rq);
	return o;
}

static void refused(json_t *o, int code, const char *part)
{
	const json_t *e = json_object_get(o, "error");
	const char *msg = json_string_value(json_object_get(e, "msg"));

	assert_non_null(msg);
	if (!strstr(msg, part))
		fail_msg("\"%s\" does not say \"%s\"", msg, part);
	assert_int_equal(json_integer_value(json_object_get(e, "code")), code);
	json_decref(o);
}

static void requests_are_checked(void **state)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "nonsense", "request: " },
		{ "[]", "request: must be an object" },
		{ "{\"op\":\"play\"}", "op: must be prepare, attach, detach, check or health" },
		{ "{\"op\":\"detach\"}", "containerID: is missing" },
		{ "{\"op\":\"detach\",\"containerID\":\"c\",\"ifname\":\"eth0\",\"hostIfname\":"
		  "\"eth1\"}", "hostIfname: \"eth1\" is not a name that contrail-cni gives" },
		{ "{\"op\":\"attach\",\"containerID\":\"c\",\"ifname\":\"eth0\",\"hostIfname\":\""
		  HOST "\",\"namespace\":\"a\"}", "pod: is missing" },
		{ "{\"op\":\"attach\",\"containerID\":\"c\",\"ifname\":\"eth0\",\"hostIfname\":\""
		  HOST "\",\"namespace\":\"a\",\"pod\":\"b/c\"}", "pod: \"a/b/c\" is not" },
		{ "{\"op\":\"check\",\"containerID\":\"c\",\"ifname\":\"eth0\",\"hostIfname\":\""
		  HOST "\",\"timeout\":9999}", "timeout: must be a number from 1 to 120" },
	};
	struct pod_request rq;
	unsigned int i;
	char why[256];

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(pod_request_parse(&rq, cases[i].text, strlen(cases[i].text), why,
					       sizeof(why)));
		if (strncmp(why, cases[i].want, strlen(cases[i].want)))
			fail_msg("\"%s\", expected \"%s...\"", why, cases[i].want);
	}
}

static void the_socket_is_roots(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(sock, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(state_dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

#define VMI(node) "{\"network\":\"default/net\",\"node\":\"" node "\",\"macAddress\":" \
	"\"02:00:00:00:00:01\",\"addresses\":[\"10.32.0.5\",\"fd00::5\"]," \
	"\"securityGroups\":[\"default/g\"],\"mtu\":1400}"

static void prepare_waits_for_all_of_it(void **state)
{
	json_t *o;

	(void)state;
	assert_null(ask("prepare", HOST, "u1", false));
	refused(ask("prepare", HOST, "u1", true), 11, "no interface of this pod yet");
	put("VirtualMachineInterface", "web-0", "u1", VMI("n2"));
	refused(ask("prepare", HOST, "u1", true), 11, "is placed on node n2, this is n1");
	put("VirtualMachineInterface", "web-0", "u1", VMI("n1"));
	refused(ask("prepare", HOST, "u2", true), 11, "an earlier pod of this name (uid u1, not u2)");
	refused(ask("prepare", HOST, "u1", true), 11, "its network default/net is not known");
	put("VirtualNetwork", "net", "u",
	    "{\"subnets\":[{\"cidr\":\"10.32.0.0/12\",\"gateway\":\"10.32.0.1\"}]}");
	refused(ask("prepare", HOST, "u1", true), 11, "no subnet of default/net holds its address fd00::5");
	put("VirtualNetwork", "net", "u",
	    "{\"subnets\":[{\"cidr\":\"10.32.0.0/12\",\"gateway\":\"10.32.0.1\"},"
	    "{\"cidr\":\"fd00::/64\",\"gateway\":\"fd00::1\"}]}");
	refused(ask("prepare", HOST, "u1", true), 11, "its security group default/g is not known");
	assert_null(ask("prepare", HOST, "u1", false));
	put("SecurityGroup", "g", "u", "{}");

	o = ask("prepare", HOST, "hash", false);	/* a static pod's kubelet says this */
	assert_non_null(o);
	json_decref(o);
	o = ask("prepare", HOST, "u1", false);
	assert_string_equal(json_string_value(json_object_get(o, "macAddress")),
			    "02:00:00:00:00:01");
	assert_int_equal(json_integer_value(json_object_get(o, "mtu")), 1400);
	assert_string_equal(json_string_value(json_object_get(json_array_get(
		json_object_get(o, "addresses"), 1), "gateway")), "fe80::1");
	json_decref(o);
}

static void attach_needs_device_and_kernel(void **state)
{
	(void)state;
	refused(ask("attach", NO_HOST, "u1", false), 5, "is not in the node's namespace");
	if (tap < 0)
		skip();
	if (d.kernel)
		skip();		/* the module is here: tests/node has this case */
	refused(ask("attach", HOST, "u1", true), 11, "the kernel module does not answer");
	assert_null(attachment_find(&d.attachments, HOST));	/* nothing half done */
	refused(ask("check", HOST, "u1", false), 101, "no such attachment");
	json_decref(ask("detach", HOST, "u1", false));
}

static bool exists(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", state_dir, name);
	return !access(path, F_OK);
}

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", state_dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void attachments_last(void **state)
{
	struct attachments a;
	struct attachment *at;

	(void)state;
	if (tap < 0)
		skip();
	assert_int_equal(attachments_open(&a, state_dir), 0);
	assert_int_equal(attachment_add(&a, HOST, if_nametoindex(HOST), "default/web-0", "c",
					"eth0"), 0);
	attachments_close(&a);

	write_file(NO_HOST ".json", "{\"containerID\":\"c\",\"ifname\":\"eth0\",\"interface\":"
		   "\"default/gone\",\"created\":1}");
	write_file("vr0123456789abe.json", "half a fi");
	write_file("README", "not ours");
	assert_int_equal(attachments_open(&a, state_dir), 0);
	at = attachment_of_vmi(&a, "default/web-0");
	assert_non_null(at);
	assert_ptr_equal(at, attachment_find(&a, HOST));
	assert_string_equal(at->container, "c");
	assert_int_equal(at->ifindex, if_nametoindex(HOST));
	assert_null(attachment_of_vmi(&a, "default/gone"));
	assert_false(exists(NO_HOST ".json"));
	assert_false(exists("vr0123456789abe.json"));
	assert_true(exists("README"));
	attachment_del(&a, at);
	assert_false(exists(HOST ".json"));
	attachments_close(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_checked),
		cmocka_unit_test(the_socket_is_roots),
		cmocka_unit_test(prepare_waits_for_all_of_it),
		cmocka_unit_test(attach_needs_device_and_kernel),
		cmocka_unit_test(attachments_last),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
