// SPDX-License-Identifier: GPL-2.0-only
#include "cluster.h"

int main(int argc, char **argv)
{
	struct manager mgr;
	struct config cfg;
	int status;

	config_init(&cfg);
	status = config_args(&cfg, argc, argv);
	if (status >= 0)
		return status;
	manager_init(&mgr, &cfg);
	if (!cfg.manifests)
		status = cluster_serve(&mgr);
	else
		status = cfg.check ? manager_check(&mgr) : manager_serve(&mgr);
	manager_free(&mgr);
	return status;
}
