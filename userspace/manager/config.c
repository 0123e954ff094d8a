// SPDX-License-Identifier: GPL-2.0-only
#include "config.h"

#include <getopt.h>

#include "httpd.h"
#include "log.h"
#include "xmem.h"

#define MTU_MIN 1280		/* IPv6's (RFC 8200, 5) */
#define MTU_MAX 65535

/* RFC 1918; RFC 6598; RFC 4193 */
#define PRIVATE "10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fc00::/7"

static const char usage[] =
	"Usage: contrail-kube-manager [--kubeconfig FILE] [OPTION]...\n"
	"       contrail-kube-manager --manifests DIR --listen unix:PATH [OPTION]...\n"
	"       contrail-kube-manager --manifests DIR --check [OPTION]...\n"
	"Translates Kubernetes objects to OpenContrail resources: those of an API server to\n"
	"custom resources there; or those in a folder, which it serves to vrouterd with every\n"
	"change.\n"
	"\n"
	"  --kubeconfig FILE        where the API server is; default: $KUBECONFIG, the service\n"
	"                           account of the pod it runs in, ~/.kube/config\n"
	"  --server URL             instead of the API server's address there\n"
	"  --identity NAME          of this manager among those that want to lead\n"
	"  --lease-namespace NS     of the Lease that says who leads, default kube-system\n"
	"  --manifests DIR          folder of *.yaml, *.yml and *.json; its changes are followed\n"
	"  --listen unix:PATH       socket to serve the resources on\n"
	"  --http ADDR:PORT         health, metrics and what the manager knows, over HTTP, as\n"
	"                           127.0.0.1:8095 or [::]:8095; default: not\n"
	"  --pod-network CIDR[,CIDR]...   default 10.32.0.0/12; with IPv6's for dual stack; of\n"
	"                           several of one family the first with room is used\n"
	"  --service-network CIDR[,CIDR]  default 10.96.0.0/12; at most one of each family\n"
	"  --joined-networks CIDR[,CIDR]...  pods of VirtualNetworks in these ranges reach the\n"
	"                           cluster's DNS and services, as policy allows; none: no such\n"
	"                           networks; default 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12,\n"
	"                           192.168.0.0/16, fc00::/7\n"
	"  --node-block-size N[,N]  prefix lengths of the blocks of addresses that nodes have in\n"
	"                           a network, IPv4 and IPv6; default 26,122, with --manifests\n"
	"                           0: no blocks\n"
	"  --mtu N                  of the pods' interfaces, default 1500\n"
	"  --check                  translate once, print what is wrong and the resources; exit\n"
	"                           status 1 if something was wrong\n"
	"  --log-level LEVEL        err, warning, notice, info (default) or debug\n"
	"  --help, --version\n";

void config_init(struct config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	free(config_network("10.32.0.0/12", &cfg->pods));
	free(config_network("10.96.0.0/12", &cfg->services));
	free(config_network(PRIVATE, &cfg->joined));
	cfg->lease_ns = "kube-system";
	cfg->mtu = 1500;
	cfg->log_level = VR_LOG_INFO;
}

bool network_add(struct network *net, const struct prefix *p)
{
	if (net->n == NETWORK_SUBNETS)
		return false;
	if (!net->n)
		net->primary = p->addr.family;
	net->has[p->addr.family] = true;
	net->subnets[net->n++] = *p;
	return true;
}

const struct prefix *network_first(const struct network *net, enum family f)
{
	size_t i;

	for (i = 0; i < net->n; i++)
		if (net->subnets[i].addr.family == f)
			return &net->subnets[i];
	return NULL;
}

const struct prefix *network_subnet_of(const struct network *net, const struct addr *a)
{
	size_t i;

	for (i = 0; i < net->n; i++)
		if (prefix_contains(&net->subnets[i], a))
			return &net->subnets[i];
	return NULL;
}

bool network_overlap(const struct network *a, const struct network *b, const struct prefix **of_a,
		     const struct prefix **of_b)
{
	size_t i, j;

	for (i = 0; i < a->n; i++) {
		for (j = a == b ? i + 1 : 0; j < b->n; j++) {
			*of_a = &a->subnets[i];
			*of_b = &b->subnets[j];
			if (prefix_overlaps(*of_a, *of_b))
				return true;
		}
	}
	return false;
}

/* The text has been parsed into p, which lost them. */
static bool has_host_bits(const char *text, const struct prefix *p)
{
	char part[ADDR_TEXT];
	struct addr a;

	snprintf(part, sizeof(part), "%.*s", (int)strcspn(text, "/"), text);
	return addr_parse(part, &a) || !addr_equal(&a, &p->addr);
}

static char *add_prefix(const char *text, struct network *net)
{
	struct prefix p;
	const char *reason = prefix_parse(text, &p);
	char canonical[PREFIX_TEXT];

	if (reason)
		return xasprintf("\"%.60s\" %s", text, reason);
	if (family_bits(p.addr.family) - p.len < 2)
		return xasprintf("%s is too small: at least four addresses are needed", text);
	prefix_text(&p, canonical);
	if (has_host_bits(text, &p))
		return xasprintf("%s has bits set beyond its length; %s is meant?", text,
				 canonical);
	if (!network_add(net, &p))
		return xasprintf("has more than %d prefixes", NETWORK_SUBNETS);
	return NULL;
}

char *config_network(const char *text, struct network *net)
{
	char a[PREFIX_TEXT], b[PREFIX_TEXT], *problem;
	const struct prefix *first, *second;
	const char *comma;
	char *one;

	memset(net, 0, sizeof(*net));
	for (;; text = comma + 1) {
		comma = strchrnul(text, ',');
		one = mem_check(strndup(text, comma - text));
		problem = add_prefix(one, net);
		free(one);
		if (problem || !*comma)
			break;
	}
	if (!problem && network_overlap(net, net, &first, &second))
		problem = xasprintf("%s and %s overlap", prefix_text(first, a),
				    prefix_text(second, b));
	return problem;
}

/* Kubernetes has one range of each family for its services. */
static char *take_services(struct config *cfg, const char *arg)
{
	char *problem = config_network(arg, &cfg->services);

	if (!problem && cfg->services.n > (size_t)cfg->services.has[V4] + cfg->services.has[V6])
		problem = xstrdup("has two networks of one family; give at most one of each");
	return problem;
}

char *config_validate(const struct config *cfg)
{
	const struct prefix *services, *pods;
	char a[PREFIX_TEXT], b[PREFIX_TEXT];
	enum family f;

	if (cfg->manifests && (cfg->kubeconfig || cfg->server))
		return xstrdup("--manifests: excludes --kubeconfig and --server");
	if (cfg->manifests && !cfg->socket && !cfg->check)
		return xstrdup("--listen: is required (or --check)");
	if (!cfg->manifests && cfg->check)
		return xstrdup("--check: needs --manifests");
	for (f = V4; f < FAMILIES; f++)
		if (cfg->services.has[f] && !cfg->pods.has[f])
			return xasprintf("--service-network: has %s, which --pod-network has not",
					 family_name(f));
	if (network_overlap(&cfg->services, &cfg->pods, &services, &pods))
		return xasprintf("--service-network: %s overlaps %s of --pod-network",
				 prefix_text(services, a), prefix_text(pods, b));
	return NULL;
}

/* NULL, or the problem. */
static char *take_listen(struct config *cfg, const char *arg)
{
	if (strncmp(arg, "unix:", 5) || !arg[5])
		return xasprintf("\"%.100s\" is not unix:PATH", arg);
	cfg->socket = arg + 5;
	return NULL;
}

static char *take_http(struct config *cfg, const char *arg)
{
	if (httpd_addr_parse(arg, &cfg->http))
		return NULL;
	return xasprintf("\"%.100s\" is not an address and port as 127.0.0.1:8095 or [::]:8095",
			 arg);
}

static char *take_mtu(struct config *cfg, const char *arg)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || v < MTU_MIN || v > MTU_MAX)
		return xasprintf("\"%.30s\" is not %d to %d", arg, MTU_MIN, MTU_MAX);
	cfg->mtu = v;
	return NULL;
}

/* 0: none; else a block has two addresses or more, and at most 65536. */
static char *take_block(unsigned int *len, enum family f, const char **text)
{
	unsigned int bits = family_bits(f);
	char *end;
	unsigned long v = strtoul(*text, &end, 10);

	if (**text < '0' || **text > '9' || (*end && *end != ',') ||
	    (v && (v > bits - 1 || v < bits - 16)))
		return xasprintf("\"%.30s\" is not a prefix length of %s, %u to %u, or 0", *text,
				 family_name(f), bits - 16, bits - 1);
	*len = v;
	*text = *end ? end + 1 : NULL;
	return NULL;
}

static char *take_blocks(struct config *cfg, const char *arg)
{
	char *problem = take_block(&cfg->block_len[V4], V4, &arg);

	if (!problem && arg)
		problem = take_block(&cfg->block_len[V6], V6, &arg);
	else if (!problem)
		cfg->block_len[V6] = cfg->block_len[V4] ? cfg->block_len[V4] + 96 : 0;
	if (!problem && arg)
		problem = xstrdup("has more than two lengths");
	cfg->block_len_given = true;
	return problem;
}

static char *take_level(struct config *cfg, const char *arg)
{
	cfg->log_level = vr_log_level(arg);
	if (cfg->log_level >= 0)
		return NULL;
	return xasprintf("\"%.30s\" is not err, warning, notice, info or debug", arg);
}

static char *take(struct config *cfg, int opt, const char *arg)
{
	switch (opt) {
	case 'm':
		cfg->manifests = arg;
		return NULL;
	case 'k':
		cfg->kubeconfig = arg;
		return NULL;
	case 'S':
		cfg->server = arg;
		return NULL;
	case 'i':
		cfg->identity = arg;
		return NULL;
	case 'n':
		cfg->lease_ns = arg;
		return NULL;
	case 'l':
		return take_listen(cfg, arg);
	case 'H':
		return take_http(cfg, arg);
	case 'p':
		return config_network(arg, &cfg->pods);
	case 's':
		return take_services(cfg, arg);
	case 'j':
		memset(&cfg->joined, 0, sizeof(cfg->joined));
		return strcmp(arg, "none") ? config_network(arg, &cfg->joined) : NULL;
	case 'b':
		return take_blocks(cfg, arg);
	case 'u':
		return take_mtu(cfg, arg);
	case 'L':
		return take_level(cfg, arg);
	default:
		cfg->check = true;
		return NULL;
	}
}

static int refuse(const char *what, char *problem)
{
	fprintf(stderr, "contrail-kube-manager: %s%s%s\n", what ? what : "", what ? ": " : "",
		problem);
	free(problem);
	return 2;
}

static const struct option options[] = {
	{ "manifests", required_argument, NULL, 'm' },
	{ "kubeconfig", required_argument, NULL, 'k' },
	{ "server", required_argument, NULL, 'S' },
	{ "identity", required_argument, NULL, 'i' },
	{ "lease-namespace", required_argument, NULL, 'n' },
	{ "listen", required_argument, NULL, 'l' },
	{ "http", required_argument, NULL, 'H' },
	{ "pod-network", required_argument, NULL, 'p' },
	{ "service-network", required_argument, NULL, 's' },
	{ "joined-networks", required_argument, NULL, 'j' },
	{ "node-block-size", required_argument, NULL, 'b' },
	{ "mtu", required_argument, NULL, 'u' },
	{ "log-level", required_argument, NULL, 'L' },
	{ "check", no_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 }
};

int config_args(struct config *cfg, int argc, char **argv)
{
	int opt, index = 0;
	char *problem;

	while ((opt = getopt_long(argc, argv, "h", options, &index)) != -1) {
		if (opt == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (opt == 'V') {
			puts("contrail-kube-manager " VR_VERSION);
			return 0;
		}
		if (opt == '?')
			return 2;
		problem = take(cfg, opt, optarg);
		if (problem) {
			cleanup_free char *name = xasprintf("--%s", options[index].name);

			return refuse(name, problem);
		}
	}
	if (optind < argc)
		return refuse(argv[optind], xstrdup("is not an option"));
	cfg->api = !cfg->manifests;
	/* a pod's place in a block depends on who came first, which manifests do not say */
	if (cfg->api && !cfg->block_len_given) {
		cfg->block_len[V4] = 26;
		cfg->block_len[V6] = 122;
	}
	problem = config_validate(cfg);
	return problem ? refuse(NULL, problem) : -1;
}
