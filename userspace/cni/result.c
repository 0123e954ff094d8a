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

static json_t *interfaces(const struct cni_request *rq, const struct cni_interface *ifc)
{
	return json_pack("[{ss so} {ss so ss}]",
			 "name", rq->host, "mac", mac_json(ifc->host_mac),
			 "name", rq->ifname, "mac", mac_json(ifc->mac), "sandbox", rq->netns);
}

static int append_addr(json_t *ips, json_t *routes, const struct cni_addr *a, bool versioned)
{
	bool v6 = a->family == AF_INET6;
	char addr[INET6_ADDRSTRLEN], gw[INET6_ADDRSTRLEN];
	json_t *ip;

	inet_ntop(a->family, a->addr, addr, sizeof(addr));
	inet_ntop(a->family, a->gateway, gw, sizeof(gw));
	/* Index 1 is the container's interface. */
	ip = json_pack("{so ss si}", "address", json_sprintf("%s/%u", addr, a->len),
		       "gateway", gw, "interface", 1);
	if (versioned)
		json_object_set_new(ip, "version", json_string(v6 ? "6" : "4"));
	return json_array_append_new(ips, ip) ?:
	       json_array_append_new(routes, json_pack("{ss ss}", "dst", v6 ? "::/0" : "0.0.0.0/0",
						       "gw", gw));
}

json_t *cni_result(const struct cni_request *rq, const struct cni_interface *ifc)
{
	bool versioned = rq->version[0] == '0';	/* ips had it until 1.0.0 */
	json_t *ips = json_array(), *routes = json_array();
	bool seen[2] = { false, false };
	unsigned int i;

	for (i = 0; i < ifc->n_addrs; i++) {
		bool v6 = ifc->addrs[i].family == AF_INET6;
		json_t *none = seen[v6] ? json_array() : NULL;

		/* One default route a family, by the first address's gateway. */
		append_addr(ips, none ?: routes, &ifc->addrs[i], versioned);
		json_decref(none);
		seen[v6] = true;
	}
	return json_pack("{ss so so so s{}}", "cniVersion", rq->version,
			 "interfaces", interfaces(rq, ifc), "ips", ips, "routes", routes, "dns");
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
	return json_pack("{ss s[sss]}", "cniVersion", version,
			 "supportedVersions", "0.3.1", "0.4.0", "1.0.0");
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

int cni_result_parse(const json_t *result, const char *ifname, struct cni_interface *ifc,
		     struct cni_error *e)
{
	const json_t *o, *list = json_object_get(result, "interfaces");
	const char *name, *mac;
	size_t i;

	memset(ifc, 0, sizeof(*ifc));
	json_array_foreach(list, i, o) {
		name = json_string_value(json_object_get(o, "name"));
		if (!name || strcmp(name, ifname) || !json_object_get(o, "sandbox"))
			continue;
		mac = json_string_value(json_object_get(o, "mac"));
		if (mac && !parse_mac(mac, ifc->mac))
			return cni_fail(e, CNI_BAD_CONFIG, "prevResult.interfaces[%zu].mac: not a "
					"MAC address", i);
		if (parse_addrs(json_object_get(result, "ips"), i, ifc))
			return cni_fail(e, CNI_BAD_CONFIG,
					"prevResult.ips: an address or gateway is not one");
		return 0;
	}
	return cni_fail(e, CNI_BAD_CONFIG, "prevResult has no interface %s of a container", ifname);
}

int cni_interface_parse(const json_t *reply, struct cni_interface *ifc, struct cni_error *e)
{
	const char *mac = json_string_value(json_object_get(reply, "macAddress"));

	memset(ifc, 0, sizeof(*ifc));
	ifc->mtu = json_integer_value(json_object_get(reply, "mtu"));
	if (!parse_mac(mac, ifc->mac))
		return cni_fail(e, CNI_DECODE, "reply of vrouterd: macAddress is not one");
	if (parse_addrs(json_object_get(reply, "addresses"), 0, ifc) || !ifc->n_addrs)
		return cni_fail(e, CNI_DECODE, "reply of vrouterd: addresses are not");
	if (ifc->mtu < 68 || ifc->mtu > 65535)
		return cni_fail(e, CNI_DECODE, "reply of vrouterd: mtu is not one");
	return 0;
}
