/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MANAGER_CONFIG_H
#define MANAGER_CONFIG_H

#include <netinet/in.h>

#include "addr.h"

/* One network: a prefix for each family it has. */
struct network {
	bool		has[FAMILIES];
	struct prefix	prefix[FAMILIES];
	enum family	primary;	/* the one given first */
};

struct config {
	const char	*manifests;
	const char	*socket;	/* path of the listening socket */
	bool		api;		/* objects are an API server's: others fill in what is missing */
	const char	*kubeconfig, *server, *identity, *lease_ns;	/* without manifests */
	struct network	pods, services;
	struct sockaddr_in6 http;	/* sin6_family 0 = none; AF_INET: a sockaddr_in */
	unsigned int	mtu;
	int		log_level;	/* VR_LOG_ */
	bool		check;		/* translate once, print, exit */
};

/* The defaults. */
void config_init(struct config *cfg);

/* "CIDR" or "CIDR,CIDR" of two families. NULL, or why it is refused (to be freed). */
char *config_network(const char *text, struct network *net);

/* What single options cannot tell: NULL, or the reason (to be freed). */
char *config_validate(const struct config *cfg);

/*
 * Reads the command line into cfg. Returns -1 to go on, else the exit status: help
 * and version have been printed, a mistake has been named.
 */
int config_args(struct config *cfg, int argc, char **argv);

#endif
