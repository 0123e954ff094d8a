// SPDX-License-Identifier: GPL-2.0-only
/* vrouterd, the node daemon: options, privileges, event loop. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "dlog.h"
#include "httpd.h"
#include "names.h"

#define DEFAULT_STATE	"/run/vrouter/attachments"
#define DEFAULT_FEED	"unix:/run/vrouter/feed.sock"
#define DEFAULT_CNI	"/run/vrouter/cni.sock"
#define DEFAULT_HOST	"vrouter0"

static void usage(FILE *out)
{
	fprintf(out,
		"Usage: vrouterd --node NAME [OPTION]...\n"
		"Programs the vrouter kernel module of a node from the manager's feed, and\n"
		"serves the CNI plugin. See vrouterd(8).\n\n"
		"  -n, --node NAME        the node's name in Kubernetes\n"
		"  -f, --feed unix:PATH   the manager's stream (%s)\n"
		"  -f, --feed kubernetes[:FILE]  or the API server: by this kubeconfig, $KUBECONFIG\n"
		"                         or the service account of the pod that vrouterd runs in\n"
		"  -c, --cni-socket PATH  where contrail-cni asks (%s)\n"
		"  -e, --encap ENCAP      tunnels to other nodes: none (default), vxlan or mplsoudp\n"
		"  -u, --underlay FAMILY  ipv4 or ipv6: of the nodes' addresses that tunnels\n"
		"                         lead to (default: that of their first address)\n"
		"  -x, --external         node ports, external addresses, and SNAT to the outside\n"
		"  -d, --host-device NAME the node's own interface in the network (%s);\n"
		"                         \"\" = none, and no health monitors\n"
		"  -z, --healthz ADDR:PORT  /healthz, /livez and /metrics over HTTP, as\n"
		"                         0.0.0.0:10256 or [::]:10256 (none)\n"
		"  -t, --export-table N   routing table for the addresses of this node's pods that\n"
		"                         are reached from outside (none)\n"
		"  -N, --netns PATH       network namespace of the node (this process's)\n"
		"  -s, --state-dir DIR    which devices are attached (%s)\n"
		"  -l, --log-level LEVEL  err, warning, notice, info (default) or debug\n"
		"  -h, --help             this text\n"
		"  -V, --version          version\n",
		DEFAULT_FEED, DEFAULT_CNI, DEFAULT_HOST, DEFAULT_STATE);
}

static int bad_option(const char *fmt, const char *value)
{
	fprintf(stderr, "vrouterd: ");
	fprintf(stderr, fmt, value);
	fprintf(stderr, "\nvrouterd --help lists the options.\n");
	return -1;
}

static int parse_encap(const char *text, struct options *o)
{
	uint32_t encap;

	o->tunnels = strcmp(text, "none");
	if (!o->tunnels)
		return 0;
	if (!vr_name_value(vr_names_tunnel_encap, text, &encap))
		return bad_option("--encap %s: not none, vxlan or mplsoudp", text);
	o->encap = encap;
	return 0;
}

static int parse_table(const char *text, struct options *o)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || !n || n > UINT32_MAX)
		return bad_option("--export-table %s: not a number from 1 to 4294967295", text);
	if (n >= RT_TABLE_DEFAULT && n <= RT_TABLE_LOCAL)
		return bad_option("--export-table %s: is one of the tables that the node itself uses",
				  text);
	o->export_table = n;
	return 0;
}

static int parse_underlay(const char *text, struct options *o)
{
	uint32_t family;

	if (!vr_name_value(vr_names_family, text, &family))
		return bad_option("--underlay %s: not ipv4 or ipv6", text);
	o->underlay = family;
	return 0;
}

/* 0: go on; 1: done, nothing to run; -1: told what is wrong. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "node", required_argument, NULL, 'n' },
		{ "feed", required_argument, NULL, 'f' },
		{ "cni-socket", required_argument, NULL, 'c' },
		{ "encap", required_argument, NULL, 'e' },
		{ "underlay", required_argument, NULL, 'u' },
		{ "host-device", required_argument, NULL, 'd' },
		{ "external", no_argument, NULL, 'x' },
		{ "healthz", required_argument, NULL, 'z' },
		{ "export-table", required_argument, NULL, 't' },
		{ "netns", required_argument, NULL, 'N' },
		{ "state-dir", required_argument, NULL, 's' },
		{ "log-level", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){
		.feed = DEFAULT_FEED, .cni_socket = DEFAULT_CNI, .state_dir = DEFAULT_STATE,
		.host_device = DEFAULT_HOST, .log_level = VR_LOG_INFO,
	};
	while ((c = getopt_long(argc, argv, "n:f:c:e:u:d:xz:t:N:s:l:hV", longs, NULL)) != -1) {
		switch (c) {
		case 'n':
			o->node = optarg;
			break;
		case 'f':
			o->feed = optarg;
			break;
		case 'c':
			o->cni_socket = optarg;
			break;
		case 'e':
			if (parse_encap(optarg, o))
				return -1;
			break;
		case 'u':
			if (parse_underlay(optarg, o))
				return -1;
			break;
		case 'd':
			o->host_device = optarg;
			break;
		case 'x':
			o->external = true;
			break;
		case 'z':
			if (!httpd_addr_parse(optarg, &o->healthz))
				return bad_option("--healthz %s: not an address and port as "
						  "0.0.0.0:10256 or [::]:10256", optarg);
			break;
		case 't':
			if (parse_table(optarg, o))
				return -1;
			break;
		case 'N':
			o->netns = optarg;
			break;
		case 's':
			o->state_dir = optarg;
			break;
		case 'l':
			o->log_level = vr_log_level(optarg);
			if (o->log_level < 0)
				return bad_option("--log-level %s: not err, warning, notice, "
						  "info or debug", optarg);
			break;
		case 'h':
			usage(stdout);
			return 1;
		case 'V':
			printf("vrouterd %s\n", VR_VERSION);
			return 1;
		default:
			return bad_option("%s", "unknown option, or one without its value");
		}
	}
	return 0;
}

static int parse_feed(struct options *o)
{
	static const char kubernetes[] = "kubernetes";
	const char *end = o->feed + strlen(kubernetes);

	o->kubernetes = !strncmp(o->feed, kubernetes, strlen(kubernetes)) && (!*end || *end == ':');
	if (o->kubernetes) {
		o->feed = *end && end[1] ? end + 1 : NULL;
		return 0;
	}
	if (strncmp(o->feed, "unix:/", 6))
		return bad_option("--feed %s: must be unix: and an absolute path, or kubernetes",
				  o->feed);
	o->feed += 5;
	return 0;
}

static int check_options(int argc, char **argv, struct options *o)
{
	if (optind < argc)
		return bad_option("\"%s\": not an option", argv[optind]);
	if (!o->node || !*o->node)
		return bad_option("--node %s", "is missing");
	if (parse_feed(o))
		return -1;
	if (o->cni_socket[0] != '/')
		return bad_option("--cni-socket %s: must be an absolute path", o->cni_socket);
	if (strlen(o->host_device) >= IF_NAMESIZE || strpbrk(o->host_device, "/ \t"))
		return bad_option("--host-device %s: not a device's name", o->host_device);
	if (o->export_table && (!o->external || !*o->host_device))
		return bad_option("--export-table needs %s, too",
				  o->external ? "--host-device" : "--external");
	if (o->state_dir[0] != '/')
		return bad_option("--state-dir %s: must be an absolute path", o->state_dir);
	return 0;
}

static int enter_netns(const char *path)
{
	int fd, err;

	if (!path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	err = fd < 0 || setns(fd, CLONE_NEWNET) ? -errno : 0;
	if (fd >= 0)
		close(fd);
	if (err)
		log_err("--netns %s: %s", path, strerror(-err));
	return err;
}

/* Only to configure the network from here on. What was root may do no more than
 * its own files allow, and no program that it would start could be more.
 */
static int drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &header, data))
		goto err;
	/* NET_RAW: health monitors of type PING */
	data[0].permitted &= CAP_TO_MASK(CAP_NET_ADMIN) | CAP_TO_MASK(CAP_NET_RAW);
	data[0].effective = data[0].permitted;
	data[0].inheritable = 0;
	memset(&data[1], 0, sizeof(data[1]));
	if (!(data[0].permitted & CAP_TO_MASK(CAP_NET_ADMIN)))
		log_warn("no CAP_NET_ADMIN: the kernel module will refuse every request");
	if (syscall(SYS_capset, &header, data) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		goto err;
	return 0;

err:
	log_err("cannot drop privileges: %s", strerror(errno));
	return -errno;
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	(void)arg;
	log_info("signal %u: ending; the data path goes on as programmed", si->ssi_signo);
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

static int make_loop(sd_event **loop)
{
	sigset_t mask;
	int err;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	err = sd_event_new(loop);
	if (err >= 0)
		err = sd_event_add_signal(*loop, NULL, SIGTERM, on_signal, NULL);
	if (err >= 0)
		err = sd_event_add_signal(*loop, NULL, SIGINT, on_signal, NULL);
	if (err >= 0)
		err = sd_event_set_watchdog(*loop, true);
	if (err < 0)
		log_err("event loop: %s", strerror(-err));
	return err;
}

int main(int argc, char **argv)
{
	static struct daemon daemon;
	struct options opt;
	sd_event *loop = NULL;
	int err;

	err = parse_options(argc, argv, &opt);
	if (err > 0)
		return 0;
	if (err < 0 || check_options(argc, argv, &opt))
		return 2;

	vr_log_init(&vrd_log, "vrouterd", opt.log_level);
	srandom(time(NULL) ^ (getpid() << 8));
	if (enter_netns(opt.netns) || drop_privileges() || make_loop(&loop) < 0)
		return 1;

	err = daemon_start(&daemon, loop, &opt);
	if (err >= 0) {
		sd_notify(0, "READY=1");
		err = sd_event_loop(loop);
		sd_notify(0, "STOPPING=1");
	}
	daemon_stop(&daemon);
	sd_event_unref(loop);
	return err < 0;
}
