// SPDX-License-Identifier: GPL-2.0-only
/* links: cni lib */
/*
 * The pod's side for real, in network namespaces of this kernel:
 *
 *   node (this process) ── vr... ═ veth ═ eth0 ── pod (a child's namespace)
 *
 * Skipped where namespaces may not be made.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cni.h"
#include "rtnl.h"

static pid_t child;
static char netns[64];
static struct cni_request rq;
static struct cni_interface ifc;
static struct cni_error e;

static int open_namespaces(void **state)
{
	int ready[2];
	char c;

	(void)state;
	if (unshare(CLONE_NEWNET) || pipe(ready))
		return 0;
	child = fork();
	if (!child) {
		c = unshare(CLONE_NEWNET) ? 'n' : 'y';
		if (write(ready[1], &c, 1) == 1)
			pause();
		_exit(0);
	}
	if (read(ready[0], &c, 1) != 1 || c != 'y') {
		kill(child, SIGKILL);
		child = 0;
	}
	close(ready[0]);
	close(ready[1]);
	snprintf(netns, sizeof(netns), "/proc/%d/ns/net", child);
	return 0;
}

static int close_namespaces(void **state)
{
	(void)state;
	if (child) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return 0;
}

static void address(unsigned int i, uint8_t family, const char *addr, const char *gw)
{
	struct cni_addr *a = &ifc.addrs[i];

	a->family = family;
	a->len = family == AF_INET ? 32 : 128;
	assert_int_equal(inet_pton(family, addr, a->addr), 1);
	assert_int_equal(inet_pton(family, gw, a->gateway), 1);
	ifc.n_addrs = i + 1;
}

static void describe(void)
{
	static const uint8_t mac[6] = { 2, 0, 10, 32, 0, 5 };

	if (!child)
		skip();
	memset(&ifc, 0, sizeof(ifc));
	memcpy(ifc.mac, mac, sizeof(mac));
	ifc.mtu = 1400;
	address(0, AF_INET, "10.32.0.5", "10.32.0.1");
	address(1, AF_INET6, "fd00::5", "fe80::1");
	memset(&rq, 0, sizeof(rq));
	rq.container = "abc";
	rq.ifname = "eth0";
	rq.netns = netns;
	cni_host_ifname(rq.host, rq.container, rq.ifname);
	strcpy(ifc.host, rq.host);
	strcpy(ifc.ifname, rq.ifname);
	ifc.first = true;
}

#define ok(call) do { if (call) fail_msg("%s: %s: %s", #call, e.msg, e.details); } while (0)

static struct rtnl pod_socket(void)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);
	struct rtnl r;

	assert_int_equal(rtnl_open(&r, fd), 0);
	close(fd);
	return r;
}

static void up_and_gone(void **state)
{
	struct rtnl node, pod;
	struct rtnl_link link;

	(void)state;
	describe();
	ok(cni_pod_create(&rq, &ifc, &e));
	assert_int_equal(rtnl_open(&node, -1), 0);
	assert_int_equal(rtnl_link_get(&node, rq.host, &link), 0);
	assert_true(link.veth);
	assert_false(link.flags & IFF_UP);	/* until vrouterd programmed it */
	assert_int_equal(link.mtu, 1400);
	assert_memory_equal(link.mac, ifc.host_mac, 6);

	ok(cni_pod_up(&rq, &ifc, &e));
	assert_int_equal(rtnl_link_get(&node, rq.host, &link), 0);
	assert_true(link.running);
	pod = pod_socket();
	assert_int_equal(rtnl_link_get(&pod, "lo", &link), 0);
	assert_true(link.flags & IFF_UP);
	assert_int_equal(rtnl_link_get(&pod, "eth0", &link), 0);
	assert_true(link.running);
	assert_memory_equal(link.mac, ifc.mac, 6);
	ok(cni_pod_check(&rq, &ifc, &e));

	ok(cni_pod_delete(rq.host, &e));
	assert_int_equal(rtnl_link_get(&node, rq.host, &link), -ENODEV);
	assert_int_equal(rtnl_link_get(&pod, "eth0", &link), -ENODEV);
	ok(cni_pod_delete(rq.host, &e));		/* gone is gone */
	rtnl_close(&pod);
	rtnl_close(&node);
}

/* Its network is reached by it, everything else by the first one. */
static void a_second_interface(void **state)
{
	struct cni_interface first;
	bool found;
	struct rtnl_link link;
	struct rtnl pod;

	(void)state;
	describe();
	first = ifc;
	ok(cni_pod_create(&rq, &first, &e));
	ok(cni_pod_up(&rq, &first, &e));
	strcpy(ifc.ifname, "net1");
	cni_host_ifname(ifc.host, rq.container, ifc.ifname);
	ifc.first = false;
	ifc.mac[5]++;
	ifc.n_addrs = 0;
	address(0, AF_INET, "10.64.0.5", "10.64.0.1");
	ifc.n_routes = 1;
	ifc.routes[0] = (struct cni_prefix){ .family = AF_INET, .len = 16, .addr = { 10, 64 } };
	ok(cni_pod_create(&rq, &ifc, &e));
	ok(cni_pod_up(&rq, &ifc, &e));
	ok(cni_pod_check(&rq, &ifc, &e));
	ok(cni_pod_check(&rq, &first, &e));

	pod = pod_socket();
	assert_int_equal(rtnl_link_get(&pod, "net1", &link), 0);
	assert_true(link.running);
	assert_int_equal(rtnl_route_find(&pod, link.ifindex, AF_INET, ifc.addrs[0].gateway, &found), 0);
	assert_false(found);
	rtnl_close(&pod);
	ok(cni_pod_delete(first.host, &e));
	ok(cni_pod_delete(ifc.host, &e));
}

static void check_sees_what_is_missing(void **state)
{
	(void)state;
	describe();
	assert_int_equal(cni_pod_check(&rq, &ifc, &e), -1);
	assert_int_equal(e.code, CNI_CHECK_FAILED);

	ok(cni_pod_create(&rq, &ifc, &e));
	assert_int_equal(cni_pod_check(&rq, &ifc, &e), -1);
	assert_non_null(strstr(e.msg, "is down"));
	ok(cni_pod_up(&rq, &ifc, &e));
	ok(cni_pod_check(&rq, &ifc, &e));

	address(2, AF_INET6, "fd00::6", "fe80::1");
	assert_int_equal(cni_pod_check(&rq, &ifc, &e), -1);
	assert_non_null(strstr(e.msg, "lacks the address fd00::6"));
	ifc.n_addrs = 2;
	assert_int_equal(inet_pton(AF_INET, "10.32.0.2", ifc.addrs[0].gateway), 1);
	assert_int_equal(cni_pod_check(&rq, &ifc, &e), -1);
	assert_non_null(strstr(e.msg, "no default route by 10.32.0.2"));
	ifc.mac[5]++;
	assert_int_equal(cni_pod_check(&rq, &ifc, &e), -1);
	assert_non_null(strstr(e.msg, "another MAC"));
	ok(cni_pod_delete(rq.host, &e));
}

static void a_failure_leaves_nothing(void **state)
{
	struct rtnl_link link;
	struct rtnl node;

	(void)state;
	describe();
	assert_int_equal(rtnl_open(&node, -1), 0);
	/* The second address is the first again: the kernel refuses it. */
	address(1, AF_INET, "10.32.0.5", "10.32.0.1");
	assert_int_equal(cni_pod_create(&rq, &ifc, &e), -1);
	assert_int_equal(e.code, CNI_NETWORK);
	assert_int_equal(rtnl_link_get(&node, rq.host, &link), -ENODEV);

	/* What was there before is not this ADD's to remove. */
	describe();
	ok(cni_pod_create(&rq, &ifc, &e));
	assert_int_equal(cni_pod_create(&rq, &ifc, &e), -1);
	assert_int_equal(rtnl_link_get(&node, rq.host, &link), 0);
	ok(cni_pod_delete(rq.host, &e));
	rtnl_close(&node);
}

static void no_namespace(void **state)
{
	(void)state;
	describe();
	rq.netns = "/nowhere";
	assert_int_equal(cni_pod_create(&rq, &ifc, &e), -1);
	assert_int_equal(e.code, CNI_IO);
	assert_non_null(strstr(e.msg, "/nowhere"));
	ok(cni_pod_delete(rq.host, &e));		/* DEL does not need it */
}

static void no_vrouterd(void **state)
{
	(void)state;
	describe();
	rq.socket = "/nowhere/cni.sock";
	assert_int_equal(cni_call(&rq, NULL, "prepare", 1, NULL, &e), -1);
	assert_int_equal(e.code, CNI_TRY_AGAIN);
	assert_non_null(strstr(e.msg, "/nowhere/cni.sock"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_and_gone),
		cmocka_unit_test(a_second_interface),
		cmocka_unit_test(check_sees_what_is_missing),
		cmocka_unit_test(a_failure_leaves_nothing),
		cmocka_unit_test(no_namespace),
		cmocka_unit_test(no_vrouterd),
	};

	return cmocka_run_group_tests(tests, open_namespaces, close_namespaces);
}
