/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MANAGER_CONFIG_H
#define MANAGER_CONFIG_H

#include <netinet/in.h>

#include "addr.h"

#define NETWORK_SUBNETS 16

/* One network: its subnets, of each family it has one or more. */
struct network {
	struct prefix	subnets[NETWORK_SUBNETS];	/* in the order given */
	size_t		n;
	bool		has[FAMILIES];
	enum family	primary;	/* the one given first */
};

struct config {
	const char	*manifests;
	const char	*socket;	/* path of the listening socket */
	bool		api;		/* objects are an API server's: others fill in what is missing */
	const char	*kubeconfig, *server, *identity, *lease_ns;	/* without manifests */
	struct network	pods, services;
	struct network	joined;		/* ranges: users' networks in them are joined with the cluster's */
	unsigned int	block_len[FAMILIES];	/* of the nodes' blocks of addresses; 0: none */
	bool		block_len_given;
	struct sockaddr_in6 http;	/* sin6_family 0 = none; AF_INET: a sockaddr_in */
	unsigned int	mtu;
	int		log_level;	/* VR_LOG_ */
	bool		check;		/* translate once, print, exit */
};

/* The defaults. */
void config_init(struct config *cfg);

/*
 * The network's first subnet of a family, NULL: it has none; the one that has an address; and the
 * first two subnets of a and b that overlap (a may be b): false, there are none.
 */
const struct prefix *network_first(const struct network *net, enum family f);
const struct prefix *network_subnet_of(const struct network *net, const struct addr *a);
bool network_overlap(const struct network *a, const struct network *b, const struct prefix **of_a,
		     const struct prefix **of_b);
/* Adds a subnet. False: there are too many. */
bool network_add(struct network *net, const struct prefix *p);

/* "CIDR[,CIDR]...". NULL, or why it is refused (to be freed). */
char *config_network(const char *text, struct network *net);

/* What single options cannot tell: NULL, or the reason (to be freed). */
char *config_validate(const struct config *cfg);

/*
 * Reads the command line into cfg. Returns -1 to go on, else the exit status: help
 * and version have been printed, a mistake has been named.
 */
int config_args(struct config *cfg, int argc, char **argv);

#endif
