// SPDX-License-Identifier: GPL-2.0-only
/* links: vrouterd kube lib */
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon.h"
#include "dlog.h"
#include "hostport.h"

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
				.state_dir = state_dir, .host_device = "vrouter0" };
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
		{ "{\"op\":\"play\"}", "op: must be prepare, attach, detach, check, health, status or gc" },
		{ "{\"op\":\"gc\"}", "keep: must be a list" },
		{ "{\"op\":\"gc\",\"keep\":null}", "keep: must be a list" },
		{ "{\"op\":\"gc\",\"keep\":[\"eth0\"]}", "keep: [0] is not a name" },
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

static json_t *ask_text(const char *text)
{
	struct pod_request rq;
	char why[256];
	json_t *o;

	if (!pod_request_parse(&rq, text, strlen(text), why, sizeof(why)))
		fail_msg("%s", why);
	o = pod_ops.serve(&d, &rq, false);
	pod_request_clear(&rq);
	return o;
}

static void status_says_what_is_missing(void **state)
{
	const struct healthport_state was = d.state;
	bool dumped = d.dumped, in_step = d.health.in_step;
	json_t *o;

	(void)state;
	d.state.synced = d.state.programmed = d.dumped = false;
	d.health.in_step = true;
	refused(ask_text("{\"op\":\"status\"}"), 50, "manager has not been heard");
	d.state.synced = true;
	refused(ask_text("{\"op\":\"status\"}"), 50, "kernel module does not answer");
	d.dumped = true;
	refused(ask_text("{\"op\":\"status\"}"), 50, "not all that is planned");
	d.state.programmed = true;
	d.health.in_step = false;
	refused(ask_text("{\"op\":\"status\"}"), 51, "manager is lost");
	d.health.in_step = true;
	o = ask_text("{\"op\":\"status\"}");
	assert_int_equal(json_object_size(o), 0);
	json_decref(o);
	d.state = was;
	d.dumped = dumped;
	d.health.in_step = in_step;
}

static void gc_ends(const char *text, unsigned int n, const char *host)
{
	json_t *o = ask_text(text), *names = json_object_get(o, "hostIfnames");

	assert_int_equal(json_array_size(names), n);
	if (host)
		assert_string_equal(json_string_value(json_array_get(names, 0)), host);
	json_decref(o);
}

static int add_attachment(struct attachments *a, const char *host, uint32_t ifindex,
			  const char *vmi, const char *container, const char *ifname)
{
	struct attachment at = {
		.ifindex = ifindex, .vmi = (char *)vmi, .container = (char *)container,
		.ifname = (char *)ifname,
	};

	strcpy(at.host, host);
	return attachment_add(a, &at);
}

static void gc_keeps_what_is_listed(void **state)
{
#define OF(c, n) "vr00000000000" c n
	static const char *const keep = "{\"op\":\"gc\",\"keep\":[\"" OF("a", "0") "\"]}";
	struct attachments *a = &d.attachments;

	(void)state;
	/* a pod with a further interface, told and taken over from the kernel; one of another
	 * sandbox whose name only looks like a further interface's
	 */
	assert_int_equal(add_attachment(a, OF("a", "0"), 9001, "default/a", "ca", "eth0"), 0);
	assert_int_equal(add_attachment(a, OF("a", "1"), 9002, "default/a.net1", "ca", "net1"), 0);
	assert_int_equal(add_attachment(a, OF("a", "2"), 9003, "default/a.net2", NULL, NULL), 0);
	assert_int_equal(add_attachment(a, OF("b", "0"), 9004, "default/a.b", "cb", "eth0"), 0);
	gc_ends(keep, 1, OF("b", "0"));
	gc_ends(keep, 0, NULL);
	assert_non_null(attachment_find(a, OF("a", "2")));
	gc_ends("{\"op\":\"gc\",\"keep\":[]}", 3, NULL);
	assert_null(a->list);
}

/* Attachments of two networks, one that is not known: no runtime ends another's. */
static void gc_is_of_one_network(void **state)
{
	struct attachments *a = &d.attachments;
	struct attachment at = { .container = "c", .ifname = "eth0", .ifindex = 9001 };

	(void)state;
	strcpy(at.host, OF("a", "0"));
	at.vmi = "default/a";
	at.net = "one";
	assert_int_equal(attachment_add(a, &at), 0);
	strcpy(at.host, OF("b", "0"));
	at.vmi = "default/b";
	at.net = "two";
	assert_int_equal(attachment_add(a, &at), 0);
	gc_ends("{\"op\":\"gc\",\"network\":\"three\",\"keep\":[]}", 0, NULL);
	gc_ends("{\"op\":\"gc\",\"network\":\"two\",\"keep\":[]}", 1, OF("b", "0"));
	gc_ends("{\"op\":\"gc\",\"network\":\"one\",\"keep\":[]}", 1, OF("a", "0"));
	assert_null(a->list);
}

static void ports_in_use(const char *ports, const char *want)
{
	json_t *o = json_loads(ports, 0, NULL), *rq = json_pack("{so}", "portMappings", o);
	struct jerr e = {};
	char why[512] = "";
	unsigned int n;
	struct host_port *p = host_ports_parse(&e, rq, &n);

	if (!e.text[0])
		host_ports_free(d.model, &d.attachments, "default/web-0", p, n, why, sizeof(why));
	assert_string_equal(e.text[0] ? e.text : why, want);
	free(p);
	json_decref(rq);
}

#define PORT(port, proto, more) "{\"hostPort\":" port ",\"containerPort\":80,\"protocol\":\"" \
	proto "\"" more "}"
#define AT(ip) ",\"hostIP\":\"" ip "\""

static void host_ports_have_one_owner(void **state)
{
	struct host_port theirs = { .proto = IPPROTO_TCP, .port = 8080, .target = 80 };
	struct attachment at = { .container = "c", .ifname = "eth0", .ifindex = 9001,
				 .vmi = "default/a", .ports = &theirs, .n_ports = 1 };
	struct attachments *a = &d.attachments;

	(void)state;
	strcpy(at.host, OF("a", "0"));
	assert_int_equal(attachment_add(a, &at), 0);
	put("LoadBalancer", "web", "u9", "{\"network\":\"default/net\",\"vips\":[\"10.96.0.1\"],"
	    "\"healthCheckNodePort\":32000,\"listeners\":[{\"protocol\":\"UDP\",\"port\":53,"
	    "\"nodePort\":30053,\"pools\":{}}]}");
	ports_in_use("[" PORT("8080", "TCP", "") "]", "hostPort 8080/TCP is that of pod default/a");
	ports_in_use("[" PORT("8080", "TCP", AT("192.0.2.1")) "]",
		     "hostPort 8080/TCP is that of pod default/a");
	ports_in_use("[" PORT("8080", "UDP", "") "," PORT("8081", "TCP", "") "]", "");
	ports_in_use("[" PORT("30053", "UDP", "") "]",
		     "hostPort 30053/UDP is a node port of service default/web");
	ports_in_use("[" PORT("30053", "TCP", "") "]", "");
	ports_in_use("[" PORT("32000", "TCP", "") "]",
		     "hostPort 32000/TCP is a node port of service default/web");
	ports_in_use("[" PORT("81", "TCP", "") "," PORT("81", "TCP", AT("0.0.0.0")) "]",
		     "hostPort 81/TCP is asked for twice");
	ports_in_use("[" PORT("81", "TCP", AT("::")) "," PORT("81", "TCP", AT("0.0.0.0")) "]", "");
	ports_in_use("[" PORT("81", "TCP", AT("198.51.100.250")) "]",
		     "hostPort 81/TCP: hostIP 198.51.100.250 is not an address of this node");
	ports_in_use("[" PORT("81", "TCP", AT("127.0.0.1")) "]", "hostPort 81/TCP: hostIP 127.0.0.1 is "
		     "a loopback address, which pods' ports are not served at");
	ports_in_use("[" PORT("81", "TCP", AT("::1")) "]", "hostPort 81/TCP: hostIP ::1 is "
		     "a loopback address, which pods' ports are not served at");
	ports_in_use("[" PORT("81", "TCP", AT("here")) "]",
		     "portMappings[0].hostIP: \"here\" is not an IP address");
	ports_in_use("[" PORT("81", "ICMP", "") "]",
		     "portMappings[0].protocol: \"ICMP\" is not TCP, UDP or SCTP");
	ports_in_use("[{\"containerPort\":80,\"protocol\":\"TCP\"}]",
		     "portMappings[0].hostPort: is missing");
	/* what was there is not in its own way */
	at.vmi = "default/web-0";
	attachment_del(a, a->list);
	assert_int_equal(attachment_add(a, &at), 0);
	ports_in_use("[" PORT("8080", "TCP", "") "]", "");
	attachment_del(a, a->list);
	model_del(d.model, RES_LB, "default/web");
}

static void one_add_makes_all(void **state)
{
	struct attachments *a = &d.attachments;
	json_t *o;

	(void)state;
	assert_int_equal(add_attachment(a, OF("a", "0"), 9001, "default/web-0", "c", "eth0"), 0);
	refused(ask_text("{\"op\":\"prepare\",\"containerID\":\"c\",\"ifname\":\"net1\","
			 "\"hostIfname\":\"" OF("a", "1") "\",\"namespace\":\"default\",\"pod\":"
			 "\"web-0\"}"), 7, "were made with eth0");
	/* a new sandbox is another matter */
	o = ask_text("{\"op\":\"prepare\",\"containerID\":\"d\",\"ifname\":\"net1\","
		     "\"hostIfname\":\"" OF("a", "1") "\",\"namespace\":\"default\",\"pod\":"
		     "\"web-0\"}");
	assert_null(json_object_get(o, "error"));
	json_decref(o);
	attachment_del(a, a->list);
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
	struct host_port ports[HOST_PORTS_MAX];
	struct attachment told = {
		.host = HOST, .vmi = "default/web-0", .container = "c", .ifname = "eth0",
		.net = "pods", .ports = ports, .n_ports = HOST_PORTS_MAX,
	};
	unsigned int i;
	struct attachments a;
	struct attachment *at;

	(void)state;
	if (tap < 0)
		skip();
	assert_int_equal(attachments_open(&a, state_dir), 0);
	/* as many as a pod may have, each as long as it can be */
	for (i = 0; i < HOST_PORTS_MAX; i++) {
		ports[i] = (struct host_port){ .proto = IPPROTO_SCTP, .port = 65000 + i,
					       .target = 10000, .addr.family = AF_INET6 };
		memset(ports[i].addr.b, 0xdd, sizeof(ports[i].addr.b));
	}
	told.ifindex = if_nametoindex(HOST);
	assert_int_equal(attachment_add(&a, &told), 0);
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
	assert_string_equal(at->net, "pods");
	assert_int_equal(at->n_ports, HOST_PORTS_MAX);
	for (i = 0; i < HOST_PORTS_MAX; i++) {
		assert_int_equal(at->ports[i].proto, IPPROTO_SCTP);
		assert_int_equal(at->ports[i].port, 65000 + i);
		assert_int_equal(at->ports[i].target, 10000);
		assert_int_equal(vr_addr_compare(&at->ports[i].addr, &ports[i].addr), 0);
	}
	assert_int_equal(at->ifindex, if_nametoindex(HOST));
	assert_null(attachment_of_vmi(&a, "default/gone"));
	assert_false(exists(NO_HOST ".json"));
	assert_false(exists("vr0123456789abe.json"));
	assert_true(exists("README"));
	attachment_del(&a, at);
	assert_false(exists(HOST ".json"));
	attachments_close(&a);
}

/* --- health: to the operator, and to the manager ----------------------------------------- */

#define FAILED_MEMBERS	5000	/* of which so many have failed: more than a socket takes at once */

static void put_failed_pool(void)
{
	json_t *spec = json_pack("{s:s, s:s, s:{s:s, s:s, s:i}, s:[]}", "protocol", "TCP", "family", "IPv4",
				 "healthMonitor", "name", "default/hm", "type", "TCP", "intervalSeconds", 3600, "members");
	json_t *object = json_pack("{s:s, s:s, s:{s:s, s:s}, s:o}", "apiVersion", "opencontrail.org/v1", "kind",
				   "LoadBalancerPool", "metadata", "namespace", "default", "name", "web", "spec", spec);
	struct jerr e;
	struct res *r;
	char addr[32];
	int i;

	for (i = 0; i < FAILED_MEMBERS; i++) {
		sprintf(addr, "10.33.%d.%d", i / 250, 1 + i % 250);
		json_array_append_new(json_object_get(spec, "members"),
				      json_pack("{s:s, s:i, s:s, s:s}", "address", addr, "port", 80, "node", "n1",
						"state", "failed"));
	}
	r = res_identify(object, &e);
	assert_non_null(r);
	assert_true(res_parse_spec(r, object, &e));
	json_decref(object);
	model_set(d.model, r);
}

/* The next line that comes while the daemon runs, as JSON. */
static json_t *next_line(int fd)
{
	static char text[4 << 20];
	size_t len = 0;
	int turns = 0;
	json_t *o;
	ssize_t n;

	while (!len || text[len - 1] != '\n') {
		assert_true(sd_event_run(loop, 10000) >= 0);
		n = recv(fd, text + len, sizeof(text) - len, MSG_DONTWAIT);
		len += n > 0 ? n : 0;
		if (++turns > 6000)
			fail_msg("no line after %zu octets", len);
	}
	o = json_loadb(text, len, 0, NULL);
	assert_non_null(o);
	return o;
}

static void health_is_shown(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	const json_t *m;
	json_t *o;

	(void)state;
	put_failed_pool();
	strcpy(sun.sun_path, sock);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(send(fd, "{\"op\":\"health\"}\n", 16, 0), 16);
	o = next_line(fd);
	assert_int_equal(json_array_size(json_object_get(o, "members")), FAILED_MEMBERS);
	m = json_array_get(json_object_get(o, "members"), 0);
	assert_string_equal(json_string_value(json_object_get(m, "state")), "failed");
	assert_string_equal(json_string_value(json_object_get(m, "healthMonitor")), "default/hm");
	json_decref(o);
	close(fd);
}

/* After the list the whole state, within what a line may be; and again after a reconnect. */
static void health_is_told(void **state)
{
	static const char mark[] = "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"annotations\":"
				   "{\"k8s.io/initial-events-end\":\"true\"}}}}\n";
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int manager = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), fd, i;
	const json_t *object;
	json_t *o;

	(void)state;
	strcpy(sun.sun_path, feed);
	assert_int_equal(bind(manager, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(manager, 1), 0);
	for (i = 0; i < 2; i++) {
		while ((fd = accept(manager, NULL, NULL)) < 0)
			assert_true(sd_event_run(loop, 100000) >= 0);
		put_failed_pool();
		/* The members are listed; nothing is said before the end of the list. */
		assert_int_equal(send(fd, mark, strlen(mark), 0), strlen(mark));
		o = next_line(fd);
		object = json_object_get(o, "object");
		assert_string_equal(json_string_value(json_object_get(o, "type")), "STATUS");
		assert_string_equal(json_string_value(json_object_get(object, "kind")), "MemberHealth");
		assert_string_equal(json_string_value(json_object_get(json_object_get(object, "metadata"), "name")),
				    "n1");
		assert_int_equal(json_array_size(json_object_get(json_object_get(object, "status"), "failedMembers")),
				 MONITORS_TOLD);
		json_decref(o);
		close(fd);
	}
	close(manager);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_checked),
		cmocka_unit_test(the_socket_is_roots),
		cmocka_unit_test(prepare_waits_for_all_of_it),
		cmocka_unit_test(attach_needs_device_and_kernel),
		cmocka_unit_test(status_says_what_is_missing),
		cmocka_unit_test(gc_keeps_what_is_listed),
		cmocka_unit_test(gc_is_of_one_network),
		cmocka_unit_test(host_ports_have_one_owner),
		cmocka_unit_test(one_add_makes_all),
		cmocka_unit_test(attachments_last),
		cmocka_unit_test(health_is_shown),
		cmocka_unit_test(health_is_told),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
