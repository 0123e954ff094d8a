/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who leads, by a Lease of coordination.k8s.io/v1, as client-go does it: the holder renews; whoever
 * has seen the lease unchanged for its duration by its own clock takes it. Clocks of others are
 * not believed. Each write carries the resourceVersion it was decided on, so two cannot take it at
 * once; a holder that cannot renew stops leading before anybody else may begin.
 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include "kube_client.h"

struct kube_lease_ops {
	void (*leading)(void *arg);
	void (*stopped)(void *arg, const char *why);
};

struct kube_lease_times {
	unsigned int	duration_ms;	/* whole seconds; others wait for so long */
	unsigned int	renew_ms;	/* between two attempts of the holder, and of the others */
	unsigned int	give_up_ms;	/* without success; less than the duration */
};

struct kube_lease;

/*
 * times NULL: 15 s, 2 s, 10 s. identity: unique among the candidates. It only looks who holds the
 * lease until kube_lease_stand().
 */
struct kube_lease *kube_lease_new(struct kube_client *client, const char *ns, const char *name,
				  const char *identity, const struct kube_lease_times *times,
				  const struct kube_lease_ops *ops, void *arg);
/*
 * Takes the lease from now on when it is free. Not before work that keeps the loop busy for long: a
 * lease that is not renewed in time is lost.
 */
void kube_lease_stand(struct kube_lease *lease);
/*
 * Gives it back, so that another need not wait; done() when the server has it, or after a second. Not
 * leading from now on (stopped() is not called).
 */
void kube_lease_release(struct kube_lease *lease, void (*done)(void *arg), void *arg);
void kube_lease_free(struct kube_lease *lease);

bool kube_lease_is_held(const struct kube_lease *lease);
/* Who holds it, as last seen; "" when nobody does. */
const char *kube_lease_holder(const struct kube_lease *lease);

#endif
