// SPDX-License-Identifier: GPL-2.0-only
/* LinkLocalService: what every node offers to its own pods, such as a DNS cache. */
#include "field.h"
#include "objects.h"
#include "xmem.h"

static bool is_link_local(const struct addr *a)
{
	if (a->family == V4)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

void link_local_read(struct object *obj, const struct field *doc)
{
	static const char *const known[] = { "address", "protocol", "port", "nodePort", NULL };
	struct field spec = field_object(doc, "spec"), at = field_get(&spec, "address");
	struct link_local_spec *ll = xzalloc(sizeof(*ll));

	obj->link_local = ll;
	field_required(doc, "spec");
	if (!spec.value)
		return;
	field_only(&spec, known, true);
	field_required(&spec, "address");
	field_required(&spec, "port");
	if (at.value && field_addr(&at, &ll->addr) && !is_link_local(&ll->addr))
		field_error(&at, "\"%s\" is not in 169.254.0.0/16 or fe80::/10",
			    json_string_value(at.value));
	field_protocol(&spec, &ll->proto);
	ll->port = field_int(&spec, "port", 1, 65535, 0);
	ll->node_port = field_int(&spec, "nodePort", 1, 65535, ll->port);
}
