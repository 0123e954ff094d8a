/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_CODEC_H
#define VR_CODEC_H

/*
 * Structures to attributes and back, by tables. A codec_*.c is one table for
 * each attribute set; codec.c does what they say, struct.c the rest (copy,
 * compare, free). Library internal.
 */

#include <libmnl/libmnl.h>

#include "obj.h"

enum vr_field_type {
	VR_T_FLAG,		/* bool */
	VR_T_U8,
	VR_T_U16,
	VR_T_U32,
	VR_T_U64,
	VR_T_STRING,		/* char *, owned */
	VR_T_NAME,		/* char[16] */
	VR_T_MAC,		/* uint8_t[6] */
	VR_T_ADDR,		/* struct vr_addr */
	VR_T_NEST,		/* a structure in place */
	/* pointer to an array, owned; its length in an unsigned int */
	VR_T_U32S,
	VR_T_ADDRS,
	VR_T_NESTS,
};

enum {
	VR_F_KEY	= 1,	/* identity of the object */
	VR_F_GETKEY	= 2,	/* names it too, when it is got; compared where both have it */
	VR_F_TOLD	= 4,	/* not sent */
	VR_F_ALWAYS	= 8,	/* sent also when it is 0 */
	VR_F_OPT	= 16,	/* there when the bool at "with" says so, 0 or not */
	VR_F_UNORDERED	= 32,	/* a list whose order means nothing */
};

struct vr_struct;

struct vr_field {
	const char	*name;		/* what an operator calls it, see vrctl(8); "": nothing */
	uint16_t	attr;
	uint8_t		type;
	uint8_t		flags;
	uint16_t	offset;
	uint16_t	with;		/* offset of a list's length, or of an OPT's bool */
	const struct vr_struct *nest;
};

/* One attribute set and its structure. Fields in the order in which they are
 * sent, and by which lists of them are sorted.
 */
struct vr_struct {
	const struct vr_field	*fields;
	unsigned int		n;
	size_t			size;
};

struct vr_obj_type {
	const char		*name;
	struct vr_struct	body;
	struct vr_struct	filter;		/* of dumps; none: n is 0 */
	uint8_t			get, new, del;	/* VROUTER_CMD_*; 0 = no such */
	/* Lists that may come in several messages: the field, and where it is
	 * told how many there are in all.
	 */
	const struct vr_field	*split;
	uint16_t		split_told;
};

#define VR_FIELDS(table) { table, VR_ARRAY_SIZE(table), 0 }
#define VR_STRUCT(table, type) { table, VR_ARRAY_SIZE(table), sizeof(type) }

/* Entries of a table. */
#define VR_FIELD(word, a, t, fl, st, member)						\
	{ .name = word, .attr = a, .type = t, .flags = fl, .offset = offsetof(st, member) }
#define VR_OPT_FIELD(word, a, t, fl, st, member, has)					\
	{ .name = word, .attr = a, .type = t, .flags = (fl) | VR_F_OPT,			\
	  .offset = offsetof(st, member), .with = offsetof(st, has) }
#define VR_NEST_FIELD(word, a, fl, st, member, s)					\
	{ .name = word, .attr = a, .type = VR_T_NEST, .flags = fl,			\
	  .offset = offsetof(st, member), .nest = s }
#define VR_LIST_FIELD(word, a, t, fl, st, member, count, s)				\
	{ .name = word, .attr = a, .type = t, .flags = fl, .offset = offsetof(st, member), \
	  .with = offsetof(st, count), .nest = s }

extern const struct vr_struct vr_struct_counters, vr_struct_prefix, vr_struct_tuple;
extern const struct vr_struct vr_struct_lookup, vr_struct_flushed;	/* route, flow */

/* --- struct.c ---------------------------------------------------------------- */

void vr_struct_free(const struct vr_struct *s, void *obj);
/* Room for one more element of a list; NULL: no memory. The element is zero. */
void *vr_list_grow(const struct vr_field *f, void *obj);
size_t vr_element_size(const struct vr_field *f);
bool vr_is_zero(const void *data, size_t len);

static inline void *vr_at(const void *obj, uint16_t offset)
{
	return (char *)obj + offset;
}

static inline unsigned int *vr_count(const void *obj, const struct vr_field *f)
{
	return vr_at(obj, f->with);
}

static inline void **vr_pointer(const void *obj, const struct vr_field *f)
{
	return vr_at(obj, f->offset);
}

/* --- codec.c ------------------------------------------------------------------- */

/* Messages one after another in memory that grows. After an error nothing more
 * is put; ask for it once, at the end.
 */
struct vr_buf {
	char	*data;
	size_t	len, size;
	size_t	msg;		/* where the last message begins */
	int	err;		/* negative errno */
};

void vr_buf_free(struct vr_buf *b);
/* A message's headers. Its sequence number is to be set when it is sent. */
void vr_buf_begin(struct vr_buf *b, uint16_t type, uint16_t flags, uint8_t cmd);
void vr_buf_end(struct vr_buf *b);
static inline struct nlmsghdr *vr_buf_msg(const struct vr_buf *b)
{
	return (struct nlmsghdr *)(b->data + b->msg);
}

enum vr_part {
	VR_PART_CONFIG,		/* all but what is told */
	VR_PART_KEY,
	VR_PART_GETKEY,		/* key, or what names it too */
};

void vr_encode(struct vr_buf *b, const struct vr_struct *s, const void *obj, enum vr_part part);
/* Into *obj, which is to be zero. Checks every length; unknown attributes are
 * passed over. On error what was read stays in it, to be freed. -EBADMSG, -ENOMEM.
 */
int vr_decode(const struct vr_struct *s, void *obj, const void *attrs, size_t len,
	      struct vr_err *e);

/* Attributes one after another. Ends at the end or at a malformed one; then
 * vr_attrs_ok() is false.
 */
#define vr_for_each_attr(a, start, len)							\
	for (a = (const struct nlattr *)(start);					\
	     mnl_attr_ok(a, (int)((const char *)(start) + (len) - (const char *)a));	\
	     a = mnl_attr_next(a))
#define vr_attrs_ok(a, start, len) ((const char *)(a) >= (const char *)(start) + (len))

#endif
