// SPDX-License-Identifier: GPL-2.0-only
/* The JSON that the runtime gets, and gets back as prevResult. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni.h"

static json_t *mac_json(const uint8_t mac[6])
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
			    mac[4], mac[5]);
}

/* What the plugins before left, to which this one's is added. */
static json_t *list_of(const struct cni_request *rq, const char *key)
{
	json_t *list = json_deep_copy(json_object_get(rq->prev, key));

	if (json_is_array(list))
		return list;
	json_decref(list);
	return json_array();
}

static json_t *dns_of(const struct cni_request *rq)
{
	json_t *dns = json_object_get(rq->prev, "dns");

	return dns ? json_incref(dns) : json_object();
}

static void append_interface(json_t *list, const struct cni_request *rq,
			     const struct cni_interface *ifc)
{
	json_t *host = json_pack("{ss so}", "name", ifc->host, "mac", mac_json(ifc->host_mac));
	json_t *pod = json_pack("{ss so ss}", "name", ifc->ifname, "mac", mac_json(ifc->mac),
				"sandbox", rq->netns);

	if (!strcmp(rq->version, "1.1.0")) {	/* came with it */
		json_object_set_new(host, "mtu", json_integer(ifc->mtu));
		json_object_set_new(pod, "mtu", json_integer(ifc->mtu));
	}
	json_array_append_new(list, host);
	json_array_append_new(list, pod);
}

/* One default route a family, by the first address's gateway; of an interface that is not the
 * pod's first, what is behind it instead.
 */
static void append_routes(json_t *routes, const struct cni_interface *ifc,
			  const struct cni_addr *a)
{
	char dst[INET6_ADDRSTRLEN], gw[INET6_ADDRSTRLEN];
	unsigned int i;

	inet_ntop(a->family, a->gateway, gw, sizeof(gw));
	if (ifc->first)
		json_array_append_new(routes, json_pack("{ss ss}", "dst", a->family == AF_INET6 ?
							"::/0" : "0.0.0.0/0", "gw", gw));
	for (i = 0; i < ifc->n_routes; i++) {
		if (ifc->routes[i].family != a->family)
			continue;
		inet_ntop(a->family, ifc->routes[i].addr, dst, sizeof(dst));
		json_array_append_new(routes, json_pack("{so ss}", "dst",
							json_sprintf("%s/%u", dst, ifc->routes[i].len),
							"gw", gw));
	}
}

static void append_addr(json_t *ips, const struct cni_addr *a, unsigned int index, bool versioned)
{
	char addr[INET6_ADDRSTRLEN], gw[INET6_ADDRSTRLEN];
	json_t *ip;

	inet_ntop(a->family, a->addr, addr, sizeof(addr));
	inet_ntop(a->family, a->gateway, gw, sizeof(gw));
	ip = json_pack("{so ss si}", "address", json_sprintf("%s/%u", addr, a->len),
		       "gateway", gw, "interface", (int)index);
	if (versioned)
		json_object_set_new(ip, "version", json_string(a->family == AF_INET6 ? "6" : "4"));
	json_array_append_new(ips, ip);
}

json_t *cni_result(const struct cni_request *rq, const struct cni_interfaces *all)
{
	json_t *list = list_of(rq, "interfaces"), *ips = list_of(rq, "ips");
	json_t *routes = list_of(rq, "routes");
	bool versioned = rq->version[0] == '0';	/* ips had it until 1.0.0 */
	const struct cni_interface *ifc;
	unsigned int i;

	for (ifc = all->v; ifc < all->v + all->n; ifc++) {
		bool seen[2] = { false, false };

		append_interface(list, rq, ifc);
		for (i = 0; i < ifc->n_addrs; i++) {
			bool v6 = ifc->addrs[i].family == AF_INET6;

			append_addr(ips, &ifc->addrs[i], json_array_size(list) - 1, versioned);
			if (!seen[v6])
				append_routes(routes, ifc, &ifc->addrs[i]);
			seen[v6] = true;
		}
	}
	return json_pack("{ss so so so so}", "cniVersion", rq->version, "interfaces", list,
			 "ips", ips, "routes", routes, "dns", dns_of(rq));
}

json_t *cni_error_json(const char *version, const struct cni_error *e)
{
	json_t *o = json_pack("{ss si}", "cniVersion", version, "code", e->code);

	/* What the input said may be quoted in here, whatever octets it had. */
	json_object_set_new(o, "msg", json_string(e->msg) ?: json_string("input is not UTF-8"));
	if (e->details[0])
		json_object_set_new(o, "details",
				    json_string(e->details) ?: json_string("not UTF-8"));
	return o;
}

json_t *cni_versions_json(const char *version)
{
	return json_pack("{ss s[ssss]}", "cniVersion", version,
			 "supportedVersions", "0.3.1", "0.4.0", "1.0.0", "1.1.0");
}

static bool parse_mac(const char *s, uint8_t mac[6])
{
	char end;

	return s && strlen(s) == 17 &&
	       sscanf(s, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", &mac[0], &mac[1], &mac[2],
		      &mac[3], &mac[4], &mac[5], &end) == 6;
}

static int parse_family(const char *s, uint8_t *family, void *addr)
{
	*family = strchr(s, ':') ? AF_INET6 : AF_INET;
	return inet_pton(*family, s, addr) == 1 ? 0 : -1;
}

/* "10.32.0.5/32" with gateway, or vrouterd's "10.32.0.5", always a host's. */
static int parse_addr(struct cni_addr *a, const json_t *o)
{
	const char *text = json_string_value(json_object_get(o, "address"));
	const char *gw = json_string_value(json_object_get(o, "gateway"));
	char host[INET6_ADDRSTRLEN];
	uint8_t family;
	size_t len;

	if (!text || !gw)
		return -1;
	len = strcspn(text, "/");
	if (len >= sizeof(host))
		return -1;
	memcpy(host, text, len);
	host[len] = '\0';
	if (parse_family(host, &a->family, a->addr) || parse_family(gw, &family, a->gateway) ||
	    family != a->family)
		return -1;
	a->len = a->family == AF_INET ? 32 : 128;
	return 0;
}

static int parse_addrs(const json_t *list, json_int_t index, struct cni_interface *ifc)
{
	const json_t *o, *i;
	size_t n;

	json_array_foreach(list, n, o) {
		i = json_object_get(o, "interface");
		if (i && json_integer_value(i) != index)
			continue;
		if (ifc->n_addrs == CNI_MAX_ADDRS || parse_addr(&ifc->addrs[ifc->n_addrs], o))
			return -1;
		ifc->n_addrs++;
	}
	return 0;
}

static int parse_route(struct cni_prefix *r, const char *text)
{
	const char *slash = text ? strchr(text, '/') : NULL;
	char addr[INET6_ADDRSTRLEN], end;
	unsigned int len;

	if (!slash || slash - text >= (int)sizeof(addr) ||
	    sscanf(slash + 1, "%3u%c", &len, &end) != 1)
		return -1;
	memcpy(addr, text, slash - text);
	addr[slash - text] = '\0';
	if (parse_family(addr, &r->family, r->addr) || len > (r->family == AF_INET ? 32 : 128))
		return -1;
	r->len = len;
	return 0;
}

static int parse_mac_of(const json_t *o, struct cni_interface *ifc)
{
	const char *mac = json_string_value(json_object_get(o, "mac"));

	return mac && !parse_mac(mac, ifc->mac) ? -1 : 0;
}

static struct cni_interface *add_interface(const struct cni_request *rq,
					   struct cni_interfaces *all, const char *ifname)
{
	struct cni_interface *ifc = &all->v[all->n];

	if (all->n == CNI_MAX_INTERFACES || !ifname || !*ifname || strlen(ifname) >= IFNAMSIZ)
		return NULL;
	memset(ifc, 0, sizeof(*ifc));
	strcpy(ifc->ifname, ifname);
	cni_host_ifname(ifc->host, rq->container, ifname);
	ifc->first = !all->n++;
	if (!ifc->first && rq->ns && rq->pod)
		snprintf(ifc->key, sizeof(ifc->key), "%s/%s.%s", rq->ns, rq->pod, ifname);
	return ifc;
}

/* One interface of a container in a prevResult: that with this name. */
static int parse_prev(const struct cni_request *rq, const json_t *result, size_t i,
		      struct cni_interfaces *all, struct cni_error *e)
{
	const json_t *o = json_array_get(json_object_get(result, "interfaces"), i);
	struct cni_interface *ifc = add_interface(rq, all, json_string_value(json_object_get(o, "name")));

	if (!ifc)
		return cni_fail(e, CNI_BAD_CONFIG, "prevResult.interfaces[%zu].name: not that of an "
				"interface, or there are more than %d", i, CNI_MAX_INTERFACES);
	if (parse_mac_of(o, ifc))
		return cni_fail(e, CNI_BAD_CONFIG, "prevResult.interfaces[%zu].mac: not a MAC address",
				i);
	if (parse_addrs(json_object_get(result, "ips"), i, ifc))
		return cni_fail(e, CNI_BAD_CONFIG,
				"prevResult.ips: an address or gateway is not one");
	return 0;
}

/* Is this one of ours? Other plugins of a chain may have made more. */
static bool is_made_here(const struct cni_request *rq, const json_t *list, const char *ifname)
{
	char host[IFNAMSIZ];
	const char *name;
	const json_t *o;
	size_t i;

	cni_host_ifname(host, rq->container, ifname);
	json_array_foreach(list, i, o) {
		name = json_string_value(json_object_get(o, "name"));
		if (name && !strcmp(name, host))
			return true;
	}
	return false;
}

int cni_result_parse(const struct cni_request *rq, const json_t *result,
		     struct cni_interfaces *all, struct cni_error *e)
{
	const json_t *o, *list = json_object_get(result, "interfaces");
	const char *name;
	int first;
	size_t i;

	all->n = 0;
	for (first = 1; first >= 0; first--) {
		json_array_foreach(list, i, o) {
			name = json_string_value(json_object_get(o, "name"));
			if (!name || !json_object_get(o, "sandbox") ||
			    (strcmp(name, rq->ifname) == 0) != first ||
			    (!first && !is_made_here(rq, list, name)))
				continue;
			if (parse_prev(rq, result, i, all, e))
				return -1;
		}
		if (!all->n)
			return cni_fail(e, CNI_BAD_CONFIG,
					"prevResult has no interface %s of a container", rq->ifname);
	}
	return 0;
}

static int parse_interface(const json_t *o, struct cni_interface *ifc, struct cni_error *e)
{
	const json_t *routes = json_object_get(o, "routes"), *r;
	const char *key = json_string_value(json_object_get(o, "interface"));
	size_t i;

	if (key && strlen(key) < sizeof(ifc->key))
		strcpy(ifc->key, key);
	ifc->mtu = json_integer_value(json_object_get(o, "mtu"));
	if (!parse_mac(json_string_value(json_object_get(o, "macAddress")), ifc->mac))
		return cni_fail(e, CNI_DECODE, "reply of vrouterd: macAddress is not one");
	if (parse_addrs(json_object_get(o, "addresses"), 0, ifc) || !ifc->n_addrs)
		return cni_fail(e, CNI_DECODE, "reply of vrouterd: addresses are not");
	if (ifc->mtu < 68 || ifc->mtu > 65535)
		return cni_fail(e, CNI_DECODE, "reply of vrouterd: mtu is not one");
	json_array_foreach(routes, i, r) {
		if (ifc->n_routes == CNI_MAX_ADDRS ||
		    parse_route(&ifc->routes[ifc->n_routes++], json_string_value(r)))
			return cni_fail(e, CNI_DECODE, "reply of vrouterd: routes are not");
	}
	return 0;
}

int cni_interfaces_parse(const struct cni_request *rq, const json_t *reply,
			 struct cni_interfaces *all, struct cni_error *e)
{
	const json_t *o, *list = json_object_get(reply, "additional");
	struct cni_interface *ifc;
	size_t i;

	all->n = 0;
	ifc = add_interface(rq, all, rq->ifname);
	if (!ifc || parse_interface(reply, ifc, e))
		return -1;
	json_array_foreach(list, i, o) {
		ifc = add_interface(rq, all, json_string_value(json_object_get(o, "ifname")));
		if (!ifc)
			return cni_fail(e, CNI_DECODE, "reply of vrouterd: additional[%zu].ifname is "
					"not a name, or there are more than %d interfaces", i,
					CNI_MAX_INTERFACES);
		if (parse_interface(o, ifc, e))
			return -1;
	}
	return 0;
}
