// SPDX-License-Identifier: GPL-2.0-only
/* Copying, comparing, sorting and freeing of structures, by the codec's tables. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"

bool vr_is_zero(const void *data, size_t len)
{
	const char *p = data;

	while (len--)
		if (*p++)
			return false;
	return true;
}

size_t vr_element_size(const struct vr_field *f)
{
	switch (f->type) {
	case VR_T_FLAG:
		return sizeof(bool);
	case VR_T_U8:
		return sizeof(uint8_t);
	case VR_T_U16:
		return sizeof(uint16_t);
	case VR_T_U32:
	case VR_T_U32S:
		return sizeof(uint32_t);
	case VR_T_U64:
		return sizeof(uint64_t);
	case VR_T_STRING:
		return sizeof(char *);
	case VR_T_NAME:
		return 16;
	case VR_T_MAC:
		return 6;
	case VR_T_ADDR:
	case VR_T_ADDRS:
		return sizeof(struct vr_addr);
	}
	return f->nest->size;
}

/* Room is always the next power of two, so none is left when the length is one. */
void *vr_list_grow(const struct vr_field *f, void *obj)
{
	size_t size = vr_element_size(f);
	unsigned int n = *vr_count(obj, f);
	void **list = vr_pointer(obj, f);
	void *grown;

	if (!(n & (n - 1))) {
		grown = reallocarray(*list, n ? n * 2UL : 1, size);
		if (!grown)
			return NULL;
		*list = grown;
	}
	*vr_count(obj, f) = n + 1;
	return memset((char *)*list + n * size, 0, size);
}

void vr_struct_free(const struct vr_struct *s, void *obj)
{
	const struct vr_field *f;
	unsigned int i;
	char *list;

	for (f = s->fields; f < s->fields + s->n; f++) {
		switch (f->type) {
		case VR_T_STRING:
			free(*vr_pointer(obj, f));
			break;
		case VR_T_NEST:
			vr_struct_free(f->nest, vr_at(obj, f->offset));
			break;
		case VR_T_NESTS:
			list = *vr_pointer(obj, f);
			for (i = 0; i < *vr_count(obj, f); i++)
				vr_struct_free(f->nest, list + i * f->nest->size);
			/* fall through */
		case VR_T_U32S:
		case VR_T_ADDRS:
			free(*vr_pointer(obj, f));
			break;
		}
	}
	if (s->size)
		memset(obj, 0, s->size);
}

/* *to is a copy of the octets; gives it pointers of its own. On error those it
 * has not are NULL.
 */
static int own_pointers(const struct vr_struct *s, void *to);

static int own_list(const struct vr_field *f, void *to)
{
	unsigned int i, n = *vr_count(to, f);
	const void *from = *vr_pointer(to, f);
	size_t size = vr_element_size(f);
	size_t room = 1;
	int err = 0;
	char *list;

	*vr_pointer(to, f) = NULL;
	*vr_count(to, f) = 0;
	if (!n)
		return 0;

	while (room < n)	/* as vr_list_grow() wants it */
		room *= 2;
	list = reallocarray(NULL, room, size);
	if (!list)
		return -ENOMEM;
	memcpy(list, from, n * size);
	*vr_pointer(to, f) = list;
	*vr_count(to, f) = n;
	if (f->type != VR_T_NESTS)
		return 0;
	for (i = 0; i < n; i++)
		if (own_pointers(f->nest, list + i * size))
			err = -ENOMEM;
	return err;
}

static int own_pointers(const struct vr_struct *s, void *to)
{
	const struct vr_field *f;
	int err = 0;
	char **text;

	for (f = s->fields; f < s->fields + s->n; f++) {
		switch (f->type) {
		case VR_T_STRING:
			text = vr_at(to, f->offset);
			if (!*text)
				break;
			*text = strdup(*text);
			if (!*text)
				err = -ENOMEM;
			break;
		case VR_T_NEST:
			if (own_pointers(f->nest, vr_at(to, f->offset)))
				err = -ENOMEM;
			break;
		case VR_T_U32S:
		case VR_T_ADDRS:
		case VR_T_NESTS:
			if (own_list(f, to))
				err = -ENOMEM;
			break;
		}
	}
	return err;
}

static int compare_number(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static uint64_t number(const struct vr_field *f, const void *value)
{
	switch (f->type) {
	case VR_T_U8:
		return *(const uint8_t *)value;
	case VR_T_U16:
		return *(const uint16_t *)value;
	case VR_T_U32:
	case VR_T_U32S:
		return *(const uint32_t *)value;
	case VR_T_U64:
		return *(const uint64_t *)value;
	}
	return *(const bool *)value;
}

static int compare_struct(const struct vr_struct *s, const void *a, const void *b,
			  unsigned int with, unsigned int without);

static int compare_element(const struct vr_field *f, const void *a, const void *b)
{
	const char *x, *y;

	switch (f->type) {
	case VR_T_STRING:
		x = *(char *const *)a;
		y = *(char *const *)b;
		return strcmp(x ? x : "", y ? y : "");	/* the kernel keeps no empty one */
	case VR_T_NAME:
		return strncmp(a, b, vr_element_size(f));
	case VR_T_MAC:
		return memcmp(a, b, vr_element_size(f));
	case VR_T_ADDR:
	case VR_T_ADDRS:
		return vr_addr_compare(a, b);
	case VR_T_NEST:
	case VR_T_NESTS:
		return compare_struct(f->nest, a, b, ~0U, VR_F_TOLD);
	}
	return compare_number(number(f, a), number(f, b));
}

static int compare_field(const struct vr_field *f, const void *a, const void *b)
{
	unsigned int i, na, nb;
	size_t size = vr_element_size(f);
	int diff = 0;

	if (f->flags & VR_F_OPT)
		diff = *(bool *)vr_at(a, f->with) - *(bool *)vr_at(b, f->with);
	if (diff || (f->flags & VR_F_OPT && !*(bool *)vr_at(a, f->with)))
		return diff;
	if (f->flags & VR_F_GETKEY &&
	    (vr_is_zero(vr_at(a, f->offset), size) || vr_is_zero(vr_at(b, f->offset), size)))
		return 0;
	if (f->type < VR_T_U32S)
		return compare_element(f, vr_at(a, f->offset), vr_at(b, f->offset));

	na = *vr_count(a, f);
	nb = *vr_count(b, f);
	for (i = 0; i < na && i < nb && !diff; i++)
		diff = compare_element(f, (char *)*vr_pointer(a, f) + i * size,
				       (char *)*vr_pointer(b, f) + i * size);
	return diff ? diff : compare_number(na, nb);
}

/* Fields that have one of the flags "with" (~0: any or none) and none of "without". */
static int compare_struct(const struct vr_struct *s, const void *a, const void *b,
			  unsigned int with, unsigned int without)
{
	const struct vr_field *f;
	int diff;

	for (f = s->fields; f < s->fields + s->n; f++) {
		if (f->flags & without || (with != ~0U && !(f->flags & with)))
			continue;
		diff = compare_field(f, a, b);
		if (diff)
			return diff;
	}
	return 0;
}

static int compare_in_list(const void *a, const void *b, void *field)
{
	return compare_element(field, a, b);
}

static void sort_struct(const struct vr_struct *s, void *obj)
{
	const struct vr_field *f;
	unsigned int i, n;
	char *list;

	for (f = s->fields; f < s->fields + s->n; f++) {
		if (f->type < VR_T_U32S)
			continue;
		list = *vr_pointer(obj, f);
		n = *vr_count(obj, f);
		for (i = 0; f->type == VR_T_NESTS && i < n; i++)
			sort_struct(f->nest, list + i * f->nest->size);
		if (f->flags & VR_F_UNORDERED && n > 1)
			qsort_r(list, n, vr_element_size(f), compare_in_list, (void *)f);
	}
}

/* --- objects --------------------------------------------------------------------- */

const char *vr_type_name(const struct vr_obj_type *t)
{
	return t->name;
}

size_t vr_type_size(const struct vr_obj_type *t)
{
	return t->body.size;
}

void vr_obj_free(const struct vr_obj_type *t, void *obj)
{
	vr_struct_free(&t->body, obj);
}

int vr_obj_copy(const struct vr_obj_type *t, void *to, const void *from)
{
	int err;

	memcpy(to, from, t->body.size);
	err = own_pointers(&t->body, to);
	if (err)
		vr_obj_free(t, to);
	return err;
}

bool vr_obj_same_key(const struct vr_obj_type *t, const void *a, const void *b)
{
	return !compare_struct(&t->body, a, b, VR_F_KEY, 0);
}

bool vr_obj_equal(const struct vr_obj_type *t, const void *a, const void *b)
{
	return !compare_struct(&t->body, a, b, ~0U, VR_F_TOLD);
}

static void normalize_rule(struct vr_sg_rule *r)
{
	if (r->has_ports && r->port_min == 0 && r->port_max == UINT16_MAX)
		r->has_ports = false;
	if (r->peer_prefix.addr.family)
		r->family = r->peer_prefix.addr.family;
	else if (r->proto == IPPROTO_ICMP)
		r->family = AF_INET;
	else if (r->proto == IPPROTO_ICMPV6)
		r->family = AF_INET6;
}

static void normalize_nexthop(struct vr_nexthop *nh)
{
	static const uint8_t gateway[] = { 0x00, 0x00, 0x5e, 0x00, 0x01, 0x00 };
	unsigned int i;

	for (i = 0; i < nh->n_members; i++)
		if (!nh->members[i].weight)
			nh->members[i].weight = 1;
	if (nh->type == VROUTER_NEXTHOP_TYPE_SNAT) {
		nh->port_min = nh->port_min ? nh->port_min : 61000;
		nh->port_max = nh->port_max ? nh->port_max : 65535;
	}
	if (nh->type != VROUTER_NEXTHOP_TYPE_TUNNEL)
		return;
	if (!nh->has_csum)
		nh->csum = nh->remote.family == AF_INET6;
	nh->has_csum = true;
	if (nh->encap == VROUTER_TUNNEL_ENCAP_VXLAN && vr_is_zero(nh->mac, sizeof(nh->mac)))
		memcpy(nh->mac, gateway, sizeof(nh->mac));
}

void vr_obj_normalize(const struct vr_obj_type *t, void *obj)
{
	struct vr_vif *vif = obj;
	struct vr_sg *sg = obj;
	unsigned int i;

	if (t == &vr_type_nexthop)
		normalize_nexthop(obj);
	if (t == &vr_type_vif && vif->type == VROUTER_VIF_TYPE_TAP)
		vif->type = VROUTER_VIF_TYPE_VETH;
	if (t == &vr_type_sg)
		for (i = 0; i < sg->n_rules; i++)
			normalize_rule(&sg->rules[i]);
	sort_struct(&t->body, obj);
}
