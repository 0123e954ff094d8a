/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MANAGER_PUBLISHER_PRIV_H
#define MANAGER_PUBLISHER_PRIV_H

/* One resource, as the publisher sees it, and what it looks like on the wire. */

#include "publisher.h"

struct publisher_kind {
	const char	*plural;
	bool		namespaced;
	bool		users;		/* may be made by users, and then gets a status */
	bool		judged;		/* of which nothing is made but that */
};

extern const struct publisher_kind publisher_kinds[RESOURCE_KINDS];

enum condition {
	CONDITION_READY,	/* is it as its user wants it? */
	CONDITION_EXHAUSTED,	/* of a network: is there a family without an address left? */
	CONDITION_JOINED,	/* of a network: do its pods reach the cluster's services? */
	CONDITIONS
};

/* What is there of a kind that users make, and what it is to say. */
struct user_state {
	json_int_t	generation, observed;	/* of the spec, and of our answer */
	json_int_t	judged;			/* the one that the model has looked at */
	char		*refusal;		/* what is wrong with the spec itself; or NULL */
	char		*problem;		/* why it cannot be had as it is; or NULL */
	struct said {
		char	status[8], since[32];	/* as its status has it */
		uint64_t message;		/* the hash of it */
	}		said[CONDITIONS];
	char		exhausted[16];		/* families of which no address is left */
	char		*apart;			/* why it is not joined; NULL: it is */
	bool		made;			/* wanted, though no user makes it */
};

/* A request about a resource, or what became of the last ones. */
struct attempt {
	struct kube_call	*call;
	uint64_t		writing;	/* hash of what is on its way; 0: not all of it */
	uint64_t		not_before;	/* monotonic microseconds; 0 = now */
	unsigned int		failures;
	bool			reading;
};

/* There is one for each resource: what few of them need is elsewhere. */
struct published {
	struct publisher	*p;
	const struct record	*want;		/* the store's, or NULL */
	uint64_t		want_hash;	/* as hash below */
	/* what is there */
	uint64_t		interface;	/* of an InstanceIP: hash of its name */
	uint64_t		version;	/* resourceVersion, as a number */
	uint64_t		hash;		/* of its content; or of what we wrote */
	struct user_state	*user;		/* of a kind that users make; else NULL */
	/* what is going on */
	struct published	*next, **prev;	/* in the phase's queue */
	struct attempt		*attempt;	/* or NULL */
	unsigned char		kind;		/* enum resource_kind */
	unsigned char		phase;
	bool			exists, managed;	/* what is there */
	bool			seen;			/* so says its reflector */
	bool			queued, busy, told;
	struct map_node		node;		/* by key */
	char			key[];		/* "ns/name", "/name" */
};

/* --- publisher_json.c ------------------------------------------------------ */

/* Something else is wanted: the store's record, or NULL. */
void published_want(struct published *e, const struct record *want);
/* Is what is there so, and answered where it is a user's? */
bool published_is_right(const struct published *e);
/* Is what is there not the manager's to make into what is wanted? */
bool published_is_foreign(const struct published *e);
/* Is there something to be said to its user? */
bool published_has_answer(const struct published *e);
/* The object as the API server has it. */
void published_take(struct published *e, const json_t *object);
uint64_t published_version(const json_t *object);

/* All to be freed or dropped by the caller. The resource itself, or where its like are made. */
char *published_path(const struct published *e, bool itself);
json_t *published_resource(const struct published *e);
/* What is wanted, without what is the wire's. */
json_t *published_wanted(const struct published *e);
/* Of a user's object: what was made of it, if anything, and whether it is right. */
json_t *published_answer(const struct published *e);
/* Of the kinds that users make the manager makes networks: the cluster's, and those of attachment
 * definitions.
 */
json_t *published_network(const struct published *e);
json_t *published_delete_options(const struct published *e);

#endif
