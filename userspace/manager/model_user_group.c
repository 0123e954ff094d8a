// SPDX-License-Identifier: GPL-2.0-only
/*
 * SecurityGroups of users: which there are, and whose pods are in them, by an annotation of the pod
 * or of its namespace. A group is for the pods of its own namespace, because who is in it is what
 * other groups' rules go by; what the manager made nobody gets into by its name.
 */
#include "model.h"
#include "xmem.h"

/* Those of the group's namespace. */
static void mark_pods(struct model *m, const char *key)
{
	char *ns = mem_check(strndup(key, strcspn(key, "/")));
	const struct map *pods = index_get(&m->pods_of_ns, ns);

	free(ns);
	if (!pods)
		return;
	map_for_each(pods, node)
		mark(&m->dirty_pods, node->key);
}

void model_user_group(struct model *m, const char *key, bool there)
{
	if (there == !!map_get(&m->user_groups, key))
		return;
	if (there)
		mark(&m->user_groups, key);
	else
		map_del(&m->user_groups, key);
	mark_pods(m, key);
}

/* --- what a pod is to be in ------------------------------------------------- */

static const char *annotation(const struct object *obj)
{
	const json_t *meta = obj ? json_object_get(obj->source, "metadata") : NULL;

	return json_string_value(json_object_get(json_object_get(meta, "annotations"),
						 GROUPS_ANNOTATION));
}

/* "name,name": each in turn; *at begins as the text. NULL: no more. To be freed. */
static char *next_name(const char **at)
{
	const char *start = *at;
	size_t len;

	if (!start)
		return NULL;
	while (*start == ' ' || *start == ',')
		start++;
	len = strcspn(start, " ,");
	*at = start + len;
	return len ? mem_check(strndup(start, len)) : NULL;
}

/* What the names of a pod's list are. */
struct named {
	const struct model	*m;
	void			(*there)(char *key, void *arg);	/* may be NULL */
	void			*arg;
	char			*missing;	/* the first that is not there */
};

static void each_name(struct named *named, const char *ns, const char *text)
{
	char *name, *key;

	while ((name = next_name(&text))) {
		key = xasprintf("%s/%s", ns, name);
		free(name);
		if (!map_get(&named->m->user_groups, key) && !named->missing)
			named->missing = key;
		else if (map_get(&named->m->user_groups, key) && named->there)
			named->there(key, named->arg);
		else
			free(key);
	}
}

static void each_group(struct named *named, const struct pod_state *pod)
{
	const struct namespace_state *ns = map_get(&named->m->namespaces, pod->ns);

	each_name(named, pod->ns, pod->object->pod->groups);
	each_name(named, pod->ns, ns ? annotation(ns->object) : NULL);
}

void user_groups_there(const struct model *m, const struct pod_state *pod,
		       void (*fn)(char *key, void *arg), void *arg)
{
	struct named named = { .m = m, .there = fn, .arg = arg };

	each_group(&named, pod);
	free(named.missing);
}

char *user_groups_missing(const struct model *m, const struct pod_state *pod)
{
	struct named named = { .m = m };

	each_group(&named, pod);
	return named.missing;
}

bool user_groups_of_namespace_changed(struct namespace_state *ns)
{
	const char *text = annotation(ns->object);

	if (!text == !ns->groups && (!text || !strcmp(text, ns->groups)))
		return false;
	free(ns->groups);
	ns->groups = xstrdup(text);
	return true;
}
