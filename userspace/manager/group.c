// SPDX-License-Identifier: GPL-2.0-only
/* Sets of pods and which pod is in which. */
#include "field.h"
#include "model.h"
#include "xmem.h"

/* "namespace/ports-HASH-" and this are within 253 characters of a name, 319 of a label. */
#define NAME_PART_MAX 200

/* --- variants: the SecurityGroups that a set consists of ----------------------- */

static void variant_free(void *value)
{
	struct variant *v = value;

	free(v->text);
	free(v->ns);
	free(v->name);
	free(v);
}

char *variant_reference(const struct variant *v)
{
	return xasprintf("%s/%s", v->ns, v->name);
}

/* A policy's name as a part of longer ones, which have a bound (see resources.md); to be freed. */
static char *bounded_name(const char *name)
{
	if (strlen(name) <= NAME_PART_MAX)
		return xstrdup(name);
	return xasprintf("%.*s-%016llx", NAME_PART_MAX - 17, name,
			 (unsigned long long)stable_hash(name));
}

/* As the model calls its own policy, when that is a name for all. */
static char *isolation_name(const char *name, unsigned long long hash, unsigned int again)
{
	if (!again && !name_dns_subdomain(name))
		return xstrdup(name);
	return xasprintf("isolation-%016llx", hash);
}

/*
 * Where a variant's SecurityGroup is and what it is called (see resources.md). Two sets must
 * never share one, also if somebody looks for selectors with equal hashes: then the
 * later one is hashed anew.
 */
static void name_variant(struct model *m, const struct group *g, struct variant *v)
{
	unsigned int again;

	v->ns = xstrdup(g->ns ? g->ns : CLUSTER_NETWORK_NS);
	for (again = 0;; again++) {
		cleanup_free char *seed = xasprintf("%s = %s #%u", g->key, v->text, again);
		cleanup_free char *ref = NULL, *policy = NULL;
		unsigned long long hash = stable_hash(seed);

		if (g->policy)
			policy = bounded_name(g->policy->object->name);
		if (g->policy && g->policy->object->policy->domain)
			v->name = isolation_name(g->policy->object->name, hash, again);
		else if (g->policy && *v->text)
			v->name = xasprintf("ports-%016llx-%s", hash, policy);
		else if (g->policy)
			v->name = xasprintf("%spolicy-%s",
					    g->policy->object->policy->tier ? "cluster-" : "",
					    policy);
		else
			v->name = xasprintf("identity-%016llx", hash);
		ref = variant_reference(v);
		if (!map_get(&m->group_names, ref)) {
			mark(&m->group_names, ref);
			return;
		}
		free(v->name);
	}
}

static void publish_identity(struct model *m, const struct group *g, const struct variant *v)
{
	cleanup_free char *text = xasprintf("%s%s%s", g->key, *v->text ? " = " : "", v->text);

	store_put(m->store, RES_SECURITY_GROUP, v->ns, v->name, NULL,
		  json_pack("{s:s}", "opencontrail.org/selector", text),
		  json_pack("{s:[], s:[]}", "enforce", "rules"));
}

/* Whose rules name this set, or are this set's. */
static void mark_policies(struct model *m, const struct group *g)
{
	if (g->policy)
		mark(&m->dirty_rules, g->policy->key);
	map_for_each(&g->users, node)
		mark(&m->dirty_rules, node->key);
}

static struct variant *variant_get(struct model *m, struct group *g, const char *text)
{
	struct variant *v = map_get(&g->variants, text);

	if (v)
		return v;
	v = xzalloc(sizeof(*v));
	v->text = xstrdup(text);
	name_variant(m, g, v);
	map_keep(&g->variants, v->text, v);
	if (group_is_published(g) && !g->policy)
		publish_identity(m, g, v);
	mark_policies(m, g);
	return v;
}

/* The variant "" is there with no pod in it too, so that who comes and goes moves no rules. */
static bool stays_when_empty(const struct group *g, const struct variant *v)
{
	return !*v->text && !g->port_name && !(g->policy && g->policy->named_ingress);
}

static void variant_del(struct model *m, struct group *g, struct variant *v)
{
	cleanup_free char *ref = variant_reference(v);

	store_del(m->store, RES_SECURITY_GROUP, v->ns, v->name);
	map_del(&m->group_names, ref);
	map_del(&g->variants, v->text);
	variant_free(v);
}

static void variant_put(struct model *m, struct group *g, const char *text)
{
	struct variant *v = map_get(&g->variants, text);

	if (--v->pods || stays_when_empty(g, v))
		return;
	variant_del(m, g, v);
	mark_policies(m, g);
}

static int by_text(const void *a, const void *b)
{
	const struct variant *const *x = a, *const *y = b;

	return strcmp((*x)->text, (*y)->text);
}

struct variant **group_variants(const struct group *g, size_t *n)
{
	struct variant **list = xcalloc(g->variants.n, sizeof(*list));

	*n = 0;
	map_for_each(&g->variants, node)
		list[(*n)++] = node->value;
	qsort(list, *n, sizeof(*list), by_text);
	return list;
}

/* --- groups ---------------------------------------------------------------------- */

struct bucket_arg {
	struct model	*m;
	struct group	*g;
	bool		add;
};

static void index_bucket(const char *bucket, void *p)
{
	struct bucket_arg *arg = p;

	if (arg->add)
		index_add(&arg->m->group_index, bucket, arg->g->key, arg->g);
	else
		index_del(&arg->m->group_index, bucket, arg->g->key);
}

static void mark_bucket(const char *bucket, void *p)
{
	struct model *m = p;
	const struct map *pods = index_get(&m->pod_index, bucket);

	if (!pods)
		return;
	map_for_each(pods, node)
		mark(&m->dirty_members, node->key);
}

/*
 * Pods that may be in the group. Where it selects namespaces only theirs: many policies name one
 * namespace each, and all pods of the cluster for each of them would be many.
 */
static void mark_pods(struct model *m, const struct group *g)
{
	if (!g->ns_selector) {
		buckets_of_selector(g->ns, g->pods, mark_bucket, m);
		return;
	}
	map_for_each(&m->namespaces, node) {
		const struct namespace_state *ns = node->value;

		if (selector_matches(g->ns_selector, ns->labels))
			buckets_of_selector(ns->name, g->pods, mark_bucket, m);
	}
}

static void reindex(struct model *m, struct group *g, bool add)
{
	struct bucket_arg arg = { .m = m, .g = g, .add = add };

	buckets_of_selector(g->ns, g->pods, index_bucket, &arg);
}

void group_clear(struct group *g)
{
	selector_free(g->ns_selector);
	selector_free(g->pods);
	free(g->except);
	free(g->port_name);
	free(g->ns);
	free(g->key);
	map_clear(&g->users, NULL);
	map_clear(&g->members, NULL);
	map_clear(&g->variants, variant_free);
	memset(g, 0, sizeof(*g));
}

void group_free(void *value)
{
	group_clear(value);
	free(value);
}

struct group *group_get(struct model *m, struct group *g)
{
	struct group *there = map_get(&m->groups, g->key);

	if (there) {
		group_clear(g);
		return there;
	}
	there = xzalloc(sizeof(*there));
	*there = *g;
	map_keep(&m->groups, there->key, there);
	reindex(m, there, true);
	mark_pods(m, there);
	if (!there->port_name && !(there->policy && there->policy->named_ingress))
		variant_get(m, there, "");
	return there;
}

static void leave(struct model *m, struct pod_state *pod, struct membership *ms)
{
	size_t i;

	map_del(&ms->group->members, pod->key);
	if (!group_is_published(ms->group))
		mark_policies(m, ms->group);
	for (i = 0; i < ms->n; i++) {
		variant_put(m, ms->group, ms->variants[i]);
		free(ms->variants[i]);
	}
	free(ms->variants);
	free(ms);
}

void group_drop(struct model *m, struct group *g)
{
	reindex(m, g, false);
	map_for_each(&g->members, node) {
		struct pod_state *pod = node->value;

		mark(&m->dirty_interfaces, pod->key);
		leave(m, pod, map_del(&pod->groups, g->key));
	}
	map_for_each(&g->variants, node)
		variant_del(m, g, node->value);
	map_del(&m->groups, g->key);
	group_free(g);
}

void pod_leave_groups(struct model *m, struct pod_state *pod)
{
	map_for_each(&pod->groups, node)
		leave(m, pod, node->value);
	map_clear(&pod->groups, NULL);
}

/* --- membership -------------------------------------------------------------------- */

static bool has_addr_in_block(const struct group *g, const struct pod_state *pod)
{
	const struct addr *a = &pod->addr[g->block.addr.family];
	size_t i;

	if (!pod->has_addr[g->block.addr.family] || !prefix_contains(&g->block, a))
		return false;
	for (i = 0; i < g->n_except; i++)
		if (prefix_contains(&g->except[i], a))
			return false;
	return true;
}

static bool matches(const struct group *g, const struct pod_state *pod,
		    const struct labels *ns_labels)
{
	if (g->ns && strcmp(g->ns, pod->ns))
		return false;
	if (g->ns_selector && !selector_matches(g->ns_selector, ns_labels))
		return false;
	if (g->pods && !selector_matches(g->pods, pod->labels))
		return false;
	return !g->in_block || has_addr_in_block(g, pod);
}

static void add_variant(struct model *m, struct membership *ms, const char *text)
{
	size_t i;

	for (i = 0; i < ms->n; i++)
		if (!strcmp(ms->variants[i], text))
			return;
	variant_get(m, ms->group, text)->pods++;
	*(char **)array_push(&ms->variants, &ms->n, sizeof(char *)) = xstrdup(text);
}

/* One for each number that the port's name has on the pod (several containers may use it). */
static void add_numbers(struct model *m, struct membership *ms, const struct pod_spec *spec)
{
	const struct group *g = ms->group;
	char text[8];
	size_t i;

	for (i = 0; i < spec->n_ports; i++) {
		if (spec->ports[i].proto != g->port_proto ||
		    strcmp(spec->ports[i].name, g->port_name))
			continue;
		snprintf(text, sizeof(text), "%u", spec->ports[i].number);
		add_variant(m, ms, text);
	}
}

static void join(struct model *m, struct pod_state *pod, struct group *g)
{
	struct membership *ms = xzalloc(sizeof(*ms));
	ms->group = g;
	if (g->port_name) {
		add_numbers(m, ms, pod->object->pod);
	} else if (g->policy && g->policy->named_ingress) {
		cleanup_free char *numbers = policy_port_numbers(g->policy, pod);

		add_variant(m, ms, numbers);
	} else {
		add_variant(m, ms, "");
	}
	map_keep(&pod->groups, g->key, ms);
	map_keep(&g->members, pod->key, pod);
	if (!group_is_published(g))
		mark_policies(m, g);
}

struct join_arg {
	struct model		*m;
	struct pod_state	*pod;
	const struct labels	*ns_labels;
};

static void join_bucket(const char *bucket, void *p)
{
	struct join_arg *arg = p;
	const struct map *groups = index_get(&arg->m->group_index, bucket);

	if (!groups)
		return;
	/* most that select namespaces do not match */
	map_for_each(groups, node)
		if (matches(node->value, arg->pod, arg->ns_labels) &&
		    !map_get(&arg->pod->groups, node->key))
			join(arg->m, arg->pod, node->value);
}

static void pod_regroup(struct model *m, struct pod_state *pod)
{
	struct join_arg arg = { m, pod, namespace_labels(m, pod->ns) };

	pod_leave_groups(m, pod);
	if (!pod->has_interface)
		return;
	buckets_of_pod(pod->ns, pod->labels, join_bucket, &arg);
	mark(&m->dirty_interfaces, pod->key);
}

void groups_reconcile(struct model *m)
{
	map_for_each(&m->dirty_members, node) {
		struct pod_state *pod = map_get(&m->pods, node->key);

		if (pod)
			pod_regroup(m, pod);
	}
	map_clear(&m->dirty_members, NULL);
}
