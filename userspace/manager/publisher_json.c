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
	[RES_LOGICAL_ROUTER] = { "logicalrouters", true, true, true },
	[RES_MONITOR] = { "healthmonitors", true, true, true },
};

const char *publisher_plural(enum resource_kind kind)
{
	return publisher_kinds[kind].plural;
}

bool publisher_is_users(enum resource_kind kind)
{
	return publisher_kinds[kind].users;
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

static const char *const condition_types[CONDITIONS] = {
	[CONDITION_READY] = "Ready", [CONDITION_EXHAUSTED] = "AddressesExhausted",
	[CONDITION_JOINED] = "JoinedWithCluster",
};

/* Only what there is has addresses. */
static bool has_condition(const struct published *e, enum condition c)
{
	return c == CONDITION_READY || (e->kind == RES_VIRTUAL_NETWORK && e->want);
}

/* Why it is not as its user wants it, or NULL. */
static const char *problem_of(const struct published *e)
{
	return e->user->refusal ? e->user->refusal : e->user->problem;
}

bool published_has_answer(const struct published *e)
{
	return e->user && !e->managed &&
	       (e->want || problem_of(e) ||
		(publisher_kinds[e->kind].judged && e->user->judged == e->user->generation));
}

static const char *condition_status(const struct published *e, enum condition c)
{
	if (c == CONDITION_READY)
		return problem_of(e) ? "False" : "True";
	if (c == CONDITION_JOINED)
		return e->user->apart ? "False" : "True";
	return *e->user->exhausted ? "True" : "False";
}

/* To be freed. Not "", which Kubernetes 1.20 takes for null, and refuses. */
static char *condition_text(const struct published *e, enum condition c)
{
	const char *families = e->user->exhausted;

	if (c == CONDITION_READY)
		return xstrdup(problem_of(e) ? problem_of(e) : "in force as it is written");
	if (c == CONDITION_JOINED)
		return e->user->apart ?
		       xasprintf("its pods have no cluster DNS, services or probes: %s",
				 e->user->apart) :
		       xstrdup("its pods reach the cluster's services, as policy allows");
	if (!*families)
		return xstrdup("there are free addresses");
	return xasprintf("all %s addresses of its subnets are in use; pods wait until one is free or "
			 "the network gets another subnet", families);
}

static bool is_said(const struct published *e, enum condition c)
{
	const struct said *said = &e->user->said[c];
	cleanup_free char *text = NULL;

	if (!has_condition(e, c))
		return !*said->status;
	text = condition_text(e, c);
	return !strcmp(said->status, condition_status(e, c)) && said->message == stable_hash(text);
}

static bool is_answered(const struct published *e)
{
	enum condition c;

	if (!e->want && !published_has_answer(e))
		return true;
	if (!e->user)
		return true;
	for (c = 0; c < CONDITIONS; c++)
		if (!is_said(e, c))
			return false;
	return e->user->observed == e->user->generation;
}

bool published_is_right(const struct published *e)
{
	if (!e->want && (!e->exists || !e->managed))
		return !e->exists || is_answered(e);
	return e->want && e->exists && e->hash == e->want_hash && is_answered(e);
}

static uint64_t interface_of(const json_t *object)
{
	const char *name = json_string_value(json_object_get(json_object_get(object, "spec"),
							     "interface"));

	return name ? stable_hash(name) : 0;
}

json_t *published_wanted(const struct published *e)
{
	return record_read(e->want);
}

/* "IPv4", "IPv4 and IPv6" */
static void take_exhausted(struct published *e, const json_t *list)
{
	const char *one = json_string_value(json_array_get(list, 0));
	const char *other = json_string_value(json_array_get(list, 1));

	snprintf(e->user->exhausted, sizeof(e->user->exhausted), "%s%s%s", one ? one : "",
		 other ? " and " : "", other ? other : "");
}

/* What the manager says of an object is its spec, or the status of a kind that users make. */
void published_want(struct published *e, const struct record *want)
{
	json_t *object, *uid;

	e->want = want;
	if (!want)
		return;
	object = published_wanted(e);
	uid = json_object_get(json_object_get(object, "metadata"), "uid");
	e->want_hash = hash_of(json_object_get(object, "spec"),
			       publisher_kinds[e->kind].users ? NULL : uid);
	if (e->user) {
		take_exhausted(e, json_object_get(json_object_get(object, "spec"), "exhausted"));
		e->user->made = json_object_get(json_object_get(json_object_get(
			object, "metadata"), "annotations"), MADE_OF);
		free(e->user->apart);
		e->user->apart = xstrdup(json_string_value(json_object_get(
			json_object_get(object, "spec"), "apart")));
	}
	json_decref(object);
}

static bool is_of_other_interface(const struct published *ip)
{
	json_t *want = published_wanted(ip);
	bool other = ip->interface != interface_of(want);

	json_decref(want);
	return other;
}

bool published_is_foreign(const struct published *e)
{
	if (!e->want || !e->exists || publisher_kinds[e->kind].users)
		return false;
	return !e->managed || (e->kind == RES_INSTANCE_IP && is_of_other_interface(e));
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
	enum condition which;
	const char *text;
	size_t i;

	e->user->generation = json_integer_value(json_object_get(json_object_get(object, "metadata"),
							   "generation"));
	e->user->observed = 0;
	memset(e->user->said, 0, sizeof(e->user->said));
	json_array_foreach(json_object_get(status, "conditions"), i, c) {
		text = json_string_value(json_object_get(c, "type"));
		for (which = 0; text && which < CONDITIONS; which++)
			if (!strcmp(text, condition_types[which]))
				break;
		if (!text || which == CONDITIONS)
			continue;
		if (which == CONDITION_READY)
			e->user->observed = json_integer_value(json_object_get(c, "observedGeneration"));
		text = json_string_value(json_object_get(c, "status"));
		snprintf(e->user->said[which].status, sizeof(e->user->said[which].status), "%s", text ? text : "");
		text = json_string_value(json_object_get(c, "message"));
		e->user->said[which].message = stable_hash(text ? text : "");
		text = json_string_value(json_object_get(c, "lastTransitionTime"));
		snprintf(e->user->said[which].since, sizeof(e->user->said[which].since), "%s", text ? text : "");
	}
}

bool published_by_manager(const json_t *object)
{
	const json_t *labels = json_object_get(json_object_get(object, "metadata"), "labels");
	const char *by = json_string_value(json_object_get(labels, MANAGED_LABEL));

	return by && !strcmp(by, MANAGED_BY);
}

void published_take(struct published *e, const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");

	e->exists = true;
	e->managed = published_by_manager(object);
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

static json_t *metadata_of(const struct published *e, const json_t *want)
{
	const json_t *from = json_object_get(want, "metadata");
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
	json_t *want = published_wanted(e), *object;

	object = mem_check(json_pack("{s:O, s:O, s:o, s:O}", "apiVersion",
				     json_object_get(want, "apiVersion"), "kind",
				     json_object_get(want, "kind"), "metadata",
				     metadata_of(e, want), "spec", json_object_get(want, "spec")));
	json_decref(want);
	return object;
}

static json_t *condition_of(const struct published *e, enum condition c)
{
	const char *status = condition_status(e, c), *reason;
	char *message = condition_text(e, c);
	json_t *json;
	time_t now = time(NULL);
	char when[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (c == CONDITION_READY)
		reason = e->user->refusal ? "Refused" : e->user->problem ? "NotProgrammed" : "Programmed";
	else if (c == CONDITION_JOINED)
		reason = e->user->apart ? "AddressesNotItsOwn" : "Joined";
	else
		reason = *e->user->exhausted ? "AllInUse" : "Available";
	json = json_pack("{s:s, s:s, s:I, s:s, s:s, s:s}", "type", condition_types[c], "status",
			 status, "observedGeneration", e->user->generation, "lastTransitionTime",
			 !strcmp(e->user->said[c].status, status) && *e->user->said[c].since ?
			 e->user->said[c].since : when, "reason", reason, "message", message);
	free(message);
	return json;
}

/* The answer to a user's object: what was made of it, if anything, and whether it is right. */
json_t *published_answer(const struct published *e)
{
	const char *slash = strchr(e->key, '/');
	json_t *want = e->want ? published_wanted(e) : NULL, *status, *meta;
	json_t *conditions = mem_check(json_array());
	enum condition c;
	char version[24];

	status = want ? json_copy(json_object_get(want, "spec")) : json_object();
	json_decref(want);
	for (c = 0; c < CONDITIONS; c++)
		if (has_condition(e, c))
			json_array_append_new(conditions, condition_of(e, c));
	json_object_set_new(mem_check(status), "conditions", conditions);
	snprintf(version, sizeof(version), "%" PRIu64, e->version);
	meta = mem_check(json_pack("{s:s, s:s}", "name", slash + 1, "resourceVersion", version));
	if (publisher_kinds[e->kind].namespaced)
		json_object_set_new(meta, "namespace", json_stringn(e->key, slash - e->key));
	return mem_check(json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", "opencontrail.org/v1",
				   "kind", resource_name(e->kind), "metadata", meta, "status",
				   status));
}

/* Of the kinds that users make the manager makes networks: the cluster's, and those of attachment
 * definitions.
 */
json_t *published_network(const struct published *e)
{
	json_t *object = published_resource(e), *subnets = mem_check(json_array());
	json_t *content = json_incref(json_object_get(object, "spec")), *subnet;
	size_t i;

	json_array_foreach(json_object_get(content, "subnets"), i, subnet) {
		json_array_append_new(subnets, json_pack("{s:O}", "cidr",
							 json_object_get(subnet, "cidr")));
	}
	json_object_set_new(object, "spec", json_pack("{s:O, s:o}", "vni",
						      json_object_get(content, "vni"), "subnets",
						      subnets));
	json_decref(content);
	return object;
}

json_t *published_delete_options(const struct published *e)
{
	char version[24];

	snprintf(version, sizeof(version), "%" PRIu64, e->version);
	return mem_check(json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind",
				   "DeleteOptions", "preconditions", "resourceVersion", version));
}
