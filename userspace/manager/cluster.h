/* SPDX-License-Identifier: GPL-2.0-only */
/* The manager on an API server: what it watches, what it writes, and whether it is its turn to. */
#ifndef MANAGER_CLUSTER_H
#define MANAGER_CLUSTER_H

#include "manager.h"

/* Until told to end. The exit status. */
int cluster_serve(struct manager *mgr);

#endif
