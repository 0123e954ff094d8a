/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VRCTL_H
#define VRCTL_H

/*
 * What the files of vrctl share: the state of a run, the table of verbs that
 * each object's file has, the labels beside ids.
 */

#include "args.h"
#include "nl.h"
#include "print.h"

/* Exit status, see vrctl(8). */
enum {
	EXIT_OK		= 0,
	EXIT_REFUSED	= 1,	/* the kernel refused, or cannot be asked */
	EXIT_USAGE	= 2,	/* the command is wrong; nothing was asked */
	EXIT_DROP	= 3,	/* trace: the packet would be dropped */
};

#define N_LABELLED 4		/* vrf, vif, nexthop, sg */

/* What ids are called, read when it is first asked for. */
struct labels {
	bool		loaded;
	struct vr_list	list;	/* in order of id */
};

struct ctx {
	struct vr_nl	*nl;		/* open_nl() */
	const char	*netns;		/* NULL: the process's */
	struct out	*out;
	bool		json, pretty, counters, all;
	struct labels	labels[N_LABELLED];
	struct vr_err	err;
};

/* A verb: its words fill a structure, which run() gets. For type the structure
 * is the type's, and what it owns is freed after run(). Returns an exit
 * status; for all but EXIT_OK and EXIT_DROP ctx->err says why.
 */
struct verb {
	const char	*name;		/* "" : the object has no verbs */
	const char	*help;
	const char	*more;		/* further lines of help; may be NULL */
	const struct vr_obj_type *type;
	struct arg_table args;
	bool		daemon;		/* asks vrouterd; the module may be away */
	enum vr_set_mode mode;		/* verb_set() */
	int		(*run)(struct ctx *c, const struct verb *v, void *obj);
};

struct object {
	const char	*name;
	const char	*help;
	const char	*page;		/* "vrctl-PAGE(8)" tells more; NULL = name */
	const struct verb *verbs;	/* the first is meant when none is given */
	unsigned int	n;
};

#define VERBS(v) .verbs = v, .n = VR_ARRAY_SIZE(v)

extern const struct object object_vrf, object_vif, object_nexthop, object_route, object_vip,
	object_sg, object_flow, object_stats, object_drops, object_limits, object_monitor,
	object_trace, object_tunnel, object_snat, object_chain, object_host,
	object_healthcheck;
extern const struct object *const objects[];	/* NULL at the end */

/* --- run.c: one command -------------------------------------------------------- */

/* Words of a command, from the object on. An exit status; help is printed. */
int run_command(struct ctx *c, char *const *words, unsigned int n);
/* Opens the socket once. */
int open_nl(struct ctx *c);

/* For tables of verbs. */
int verb_set(struct ctx *c, const struct verb *v, void *obj);
int verb_del(struct ctx *c, const struct verb *v, void *obj);
/* Prints one object, or all that the filter (a struct of the type, or NULL) selects. */
typedef void (*show_fn)(struct ctx *c, const void *obj);
int show_one(struct ctx *c, const struct vr_obj_type *t, const void *key, show_fn show);
int show_all(struct ctx *c, const struct vr_obj_type *t, const void *filter, show_fn show);
/* Deletes all that the filter selects, in one batch; says how many. */
void out_flushed(struct ctx *c, unsigned long n, const struct vr_obj_type *t);
int flush_all(struct ctx *c, const struct vr_obj_type *t, const void *filter);
/* The exit status for c->err after a function of the library failed. */
int refused(struct ctx *c);
int usage(struct ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- batch.c ---------------------------------------------------------------------- */

/* Commands of a file ("-": standard input). Without force the first that fails ends it. */
int run_batch(struct ctx *c, const char *file, bool force);

/* --- help.c ------------------------------------------------------------------------ */

void help_all(FILE *f);
void help_object(FILE *f, const struct object *o);
void help_verb(FILE *f, const struct object *o, const struct verb *v);

/* --- labels.c ----------------------------------------------------------------------- */

/* NULL when it has none, or is not there. Until labels_forget(). */
const char *label_of(struct ctx *c, const struct vr_obj_type *t, uint32_t id);
int label_resolve(void *ctx, const struct vr_obj_type *t, const char *label, uint32_t *id,
		  struct vr_err *e);
/* After a change of such objects; NULL: of any. */
void labels_forget(struct ctx *c, const struct vr_obj_type *t);

#define REF_TEXT (VROUTER_LABEL_MAX + 16)

/* "3 (default/web-0)", "-" for 0. */
const char *ref_text(struct ctx *c, const struct vr_obj_type *t, uint32_t id,
		     char buf[REF_TEXT]);

/* --- show.c: values that several objects have ------------------------------------------- */

/* "vif": 3, "vif-label": "default/web-0". 0: nothing in JSON, "-" in the table. */
void show_ref(struct ctx *c, const char *key, const char *head, const struct vr_obj_type *t,
	      uint32_t id);
/* An array of ids and one of labels (null where there is none); a line each in the table. */
void show_refs(struct ctx *c, const char *key, const char *head, const struct vr_obj_type *t,
	       const uint32_t *ids, unsigned int n);
void show_addr(struct ctx *c, const char *key, const char *head, const struct vr_addr *addr);
void show_addrs(struct ctx *c, const char *key, const char *head, const struct vr_addr *addrs,
		unsigned int n);
void show_name(struct ctx *c, const char *key, const char *head, const struct vr_name *names,
	       uint32_t value);
enum { COUNT_RX = 1, COUNT_TX = 2, COUNT_DROPS = 4 };

/* A line of counters, an object "counters" in JSON; nothing without -s. Flows,
 * and what else the module counts for such an object.
 */
void show_counters(struct ctx *c, const struct vr_counters *counters, unsigned int which);
/* An object of src, dst, sport, dport (ICMP: icmp-id, icmp-type, icmp-code). */
void show_tuple(struct ctx *c, const char *key, const struct vr_tuple *t);

#define END_TEXT (VR_ADDR_TEXT + 16)

/* "10.0.0.1:80", "[fd00::1]:80", "10.0.0.1" when there is no port. */
const char *source_text(const struct vr_tuple *t, char buf[END_TEXT]);
const char *dest_text(const struct vr_tuple *t, char buf[END_TEXT]);

/* --- the objects' rows, for monitor too ----------------------------------------------------- */

/* Type's name, id and label of an object: "vif 3 (default/web-0)". */
const char *object_text(const struct vr_obj_type *t, const void *obj, char *buf, size_t size);
void show_vrf(struct ctx *c, const void *obj);
void show_vif(struct ctx *c, const void *obj);
void show_nexthop(struct ctx *c, const void *obj);
void show_route(struct ctx *c, const void *obj);
void show_vip(struct ctx *c, const void *obj);
void show_sg(struct ctx *c, const void *obj);
void show_flow(struct ctx *c, const void *obj);

#endif
