/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_RTNL_PRIV_H
#define VR_RTNL_PRIV_H

/* For the parts of rtnl.c only. */

#include "rtnl.h"

struct nlmsghdr;

typedef void (*rtnl_answer_fn)(const struct nlmsghdr *nlh, void *arg);

/* Sends a request and reads until its acknowledgement or the end of the dump; fn (may be NULL)
 * gets each message of the answer.
 */
int rtnl_call(struct rtnl *r, struct nlmsghdr *nlh, rtnl_answer_fn fn, void *arg);

#endif
