// SPDX-License-Identifier: GPL-2.0-only
/* What a resource looks like to the API server, and whether two looks are the same. */
#include <inttypes.h>
#include <time.h>

#include "model.h"
#include "publisher_priv.h"
#include "xmem.h"

#define GROUP "/apis/opencontrail.org/v1/"

const struct publisher_kind publisher_kinds[RESOURCE_KINDS] = {
	[RES_PROJECT] = { "projects" },
	[RES_VIRTUAL_NETWORK] = { "virtualnetworks", true, true },
	[RES_SECURITY_GROUP] = { "securitygroups", true },
	[RES_ROUTER] = { "virtualrouters" },
	[RES_CHAIN] = { "servicechains", true, true },
	[RES_INSTANCE_IP] = { "instanceips" },
	[RES_INTERFACE] = { "virtualmachineinterfaces", true },
	[RES_POOL] = { "loadbalancerpools", true },
	[RES_LINK_LOCAL] = { "linklocalservices", false, true },
	[RES_LOAD_BALANCER] = { "loadbalancers", true },
};

const char *publisher_plural(enum resource_kind kind)
{
	return publisher_kinds[kind].plural;
}

char *publisher_path(enum resource_kind kind)
{
	return xasprintf(GROUP "%s", publisher_kinds[kind].plural);
}

/* --- what is wanted, what is there ----------------------------------------- */

static uint64_t hash_of(const json_t *content, const json_t *uid)
{
	cleanup_free char *text = mem_check(json_dumps(content, JSON_COMPACT | JSON_SORT_KEYS |
							JSON_ENCODE_ANY));
	cleanup_free char *all = xasprintf("%s %s", text,
					   json_is_string(uid) ? json_string_value(uid) : "");

	return stable_hash(all);
}

/* What the manager says of an object is its spec, or the status of a kind that users make. */
uint64_t published_hash(const struct published *e)
{
	const json_t *meta = json_object_get(e->want, "metadata");

	return hash_of(json_object_get(e->want, "spec"),
		       publisher_kinds[e->kind].users ? NULL : json_object_get(meta, "uid"));
}

/* A user's object says whether it is as its user wants it. */
static const char *readiness(const struct published *e)
{
	return e->problem ? "False" : "True";
}

static bool is_answered(const struct published *e)
{
	if (!publisher_kinds[e->kind].users || (!e->want && !e->problem))
		return true;
	return e->observed == e->generation && !strcmp(e->said, readiness(e));
}

bool published_is_right(const struct published *e)
{
	if (!e->want && (!e->exists || !e->managed))
		return !e->exists || is_answered(e);
	return e->want && e->exists && e->hash == published_hash(e) && is_answered(e);
}

static uint64_t interface_of(const json_t *object)
{
	const char *name = json_string_value(json_object_get(json_object_get(object, "spec"),
							     "interface"));

	return name ? stable_hash(name) : 0;
}

bool published_is_foreign(const struct published *e)
{
	if (!e->want || !e->exists || publisher_kinds[e->kind].users)
		return false;
	return !e->managed ||
	       (e->kind == RES_INSTANCE_IP && e->interface != interface_of(e->want));
}

/* metadata.resourceVersion is opaque by contract, and a number in fact; order is only looked at
 * to leave out news that are older than our own write.
 */
uint64_t published_version(const json_t *object)
{
	const char *text = json_string_value(json_object_get(json_object_get(object, "metadata"),
							     "resourceVersion"));

	return text ? strtoull(text, NULL, 10) : 0;
}

static uint64_t status_hash(const json_t *object)
{
	json_t *status = json_copy(json_object_get(object, "status"));
	uint64_t hash;

	json_object_del(status, "conditions");
	json_object_del(status, "observedGeneration");
	hash = status ? hash_of(status, NULL) : 0;
	json_decref(status);
	return hash;
}

static void take_condition(struct published *e, const json_t *object)
{
	const json_t *status = json_object_get(object, "status"), *c;
	const char *text;
	size_t i;

	e->generation = json_integer_value(json_object_get(json_object_get(object, "metadata"),
							   "generation"));
	e->observed = 0;
	e->said[0] = e->since[0] = '\0';
	json_array_foreach(json_object_get(status, "conditions"), i, c) {
		text = json_string_value(json_object_get(c, "type"));
		if (!text || strcmp(text, "Ready"))
			continue;
		e->observed = json_integer_value(json_object_get(c, "observedGeneration"));
		text = json_string_value(json_object_get(c, "status"));
		snprintf(e->said, sizeof(e->said), "%s", text ? text : "");
		text = json_string_value(json_object_get(c, "lastTransitionTime"));
		snprintf(e->since, sizeof(e->since), "%s", text ? text : "");
	}
}

void published_take(struct published *e, const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *by = json_string_value(json_object_get(json_object_get(meta, "labels"),
							   MANAGED_LABEL));

	e->exists = true;
	e->managed = by && !strcmp(by, MANAGED_BY);
	e->version = published_version(object);
	e->interface = interface_of(object);
	if (publisher_kinds[e->kind].users) {
		e->hash = status_hash(object);
		take_condition(e, object);
	} else {
		e->hash = hash_of(json_object_get(object, "spec"),
				  json_object_get(json_object_get(meta, "annotations"), OWNER_UID));
	}
}

/* --- on the wire ------------------------------------------------------------- */

char *published_path(const struct published *e, bool itself)
{
	const char *slash = strchr(e->key, '/'), *name = slash + 1;
	const struct publisher_kind *k = &publisher_kinds[e->kind];
	const char *dash = itself ? "/" : "";

	name = itself ? name : "";
	if (k->namespaced)
		return xasprintf(GROUP "namespaces/%.*s/%s%s%s", (int)(slash - e->key), e->key,
				 k->plural, dash, name);
	return xasprintf(GROUP "%s%s%s", k->plural, dash, name);
}

static json_t *metadata_of(const struct published *e)
{
	const json_t *from = json_object_get(e->want, "metadata");
	const char *slash = strchr(e->key, '/');
	json_t *notes, *meta;
	char version[24];

	notes = json_copy(json_object_get(from, "annotations"));
	if (!notes)
		notes = json_object();
	json_object_set(notes, OWNER_UID, json_object_get(from, "uid"));
	meta = mem_check(json_pack("{s:s, s:{s:s}, s:o}", "name", slash + 1, "labels",
				   MANAGED_LABEL, MANAGED_BY, "annotations", mem_check(notes)));
	if (publisher_kinds[e->kind].namespaced)
		json_object_set_new(meta, "namespace", json_stringn(e->key, slash - e->key));
	if (e->exists) {
		snprintf(version, sizeof(version), "%" PRIu64, e->version);
		json_object_set_new(meta, "resourceVersion", json_string(version));
	}
	return meta;
}

/* The store's object as the API server is to have it. */
json_t *published_resource(const struct published *e)
{
	return mem_check(json_pack("{s:O, s:O, s:o, s:O}", "apiVersion",
				   json_object_get(e->want, "apiVersion"), "kind",
				   json_object_get(e->want, "kind"), "metadata", metadata_of(e),
				   "spec", json_object_get(e->want, "spec")));
}

static json_t *condition_of(const struct published *e)
{
	time_t now = time(NULL);
	char when[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_pack("{s:s, s:s, s:I, s:s, s:s, s:s}", "type", "Ready", "status", readiness(e),
			 "observedGeneration", e->generation, "lastTransitionTime",
			 !strcmp(e->said, readiness(e)) && *e->since ? e->since : when, "reason",
			 e->problem ? "NotProgrammed" : "Programmed", "message",
			 e->problem ? e->problem : "");
}

/* The answer to a user's object: what was made of it, if anything, and whether it is right. */
json_t *published_answer(const struct published *e)
{
	const char *slash = strchr(e->key, '/');
	json_t *status, *meta;
	char version[24];

	status = e->want ? json_copy(json_object_get(e->want, "spec")) : json_object();
	json_object_set_new(mem_check(status), "conditions", json_pack("[o]", condition_of(e)));
	snprintf(version, sizeof(version), "%" PRIu64, e->version);
	meta = mem_check(json_pack("{s:s, s:s}", "name", slash + 1, "resourceVersion", version));
	if (publisher_kinds[e->kind].namespaced)
		json_object_set_new(meta, "namespace", json_stringn(e->key, slash - e->key));
	return mem_check(json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", "opencontrail.org/v1",
				   "kind", resource_name(e->kind), "metadata", meta, "status",
				   status));
}

/* Of the kinds that users make the manager makes one: the cluster's network. */
json_t *published_cluster_network(const struct published *e)
{
	const json_t *content = json_object_get(e->want, "spec"), *subnet;
	json_t *object = published_resource(e), *subnets = mem_check(json_array());
	size_t i;

	json_array_foreach(json_object_get(content, "subnets"), i, subnet) {
		json_array_append_new(subnets, json_pack("{s:O}", "cidr",
							 json_object_get(subnet, "cidr")));
	}
	json_object_set_new(object, "spec", json_pack("{s:O, s:o}", "vni",
						      json_object_get(content, "vni"), "subnets",
						      subnets));
	return object;
}

json_t *published_delete_options(const struct published *e)
{
	char version[24];

	snprintf(version, sizeof(version), "%" PRIu64, e->version);
	return mem_check(json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind",
				   "DeleteOptions", "preconditions", "resourceVersion", version));
}
