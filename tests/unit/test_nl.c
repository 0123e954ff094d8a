// SPDX-License-Identifier: GPL-2.0-only
/* links: lib */
/* The netlink socket, with a socket pair in the kernel's place. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nl_priv.h"

#define FAMILY	33
#define SEQ	100

struct world {
	struct vr_nl nl;
	int kernel;		/* the other end */
	struct vr_buf answer;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	w->nl.sk = mnl_socket_fdopen(sv[0]);
	w->nl.family = FAMILY;
	w->nl.seq = SEQ;
	w->nl.window = 4;
	w->nl.sndbuf = 1 << 20;
	w->nl.rx = malloc(VR_NL_RX);
	w->kernel = sv[1];
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	mnl_socket_close(w->nl.sk);
	close(w->kernel);
	free(w->nl.rx);
	vr_buf_free(&w->nl.tx);
	vr_buf_free(&w->answer);
	free(w);
	return 0;
}

/* --- what the kernel says ---------------------------------------------- */

static void say(struct world *w)
{
	assert_int_equal(send(w->kernel, w->answer.data, w->answer.len, 0), w->answer.len);
	w->answer.len = 0;
}

static void put_object(struct world *w, uint32_t seq, uint16_t flags, const struct vr_obj_type *t,
		       const void *obj, uint16_t told_attr, uint32_t told)
{
	vr_buf_begin(&w->answer, FAMILY, flags, t->get);
	vr_encode(&w->answer, &t->body, obj, VR_PART_CONFIG);
	if (told_attr)
		mnl_attr_put_u32(vr_buf_msg(&w->answer), told_attr, told);
	w->answer.len = w->answer.msg + vr_buf_msg(&w->answer)->nlmsg_len;
	vr_buf_end(&w->answer);
	vr_buf_msg(&w->answer)->nlmsg_seq = seq;
}

struct ack { uint32_t offset, missing, nest; const char *msg; };

/* An acknowledgement as NETLINK_CAP_ACK has it. */
static void put_ack(struct world *w, uint16_t type, uint32_t seq, int err, const struct ack *x)
{
	char space[512];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(space);
	struct nlmsgerr *body;

	nlh->nlmsg_type = type;
	nlh->nlmsg_seq = seq;
	nlh->nlmsg_flags = NLM_F_CAPPED | (x ? NLM_F_ACK_TLVS : 0);
	body = mnl_nlmsg_put_extra_header(nlh, type == NLMSG_DONE ? sizeof(int) : sizeof(*body));
	body->error = err;
	if (x && x->msg)
		mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, x->msg);
	if (x && x->offset)
		mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, x->offset);
	if (x && x->missing)
		mnl_attr_put_u32(nlh, NLMSGERR_ATTR_MISS_TYPE, x->missing);
	if (x && x->nest)
		mnl_attr_put_u32(nlh, NLMSGERR_ATTR_MISS_NEST, x->nest);
	assert_int_equal(send(w->kernel, nlh, nlh->nlmsg_len, 0), nlh->nlmsg_len);
}

/* --- objects ----------------------------------------------------------- */

static void get(void **state)
{
	struct vr_vrf key = { .id = 7 }, told = { .id = 7, .label = "a/b" }, got;
	struct world *w = *state;
	struct vr_err e;

	put_object(w, SEQ, 0, &vr_type_vrf, &key, 0, 0);	/* left from before */
	say(w);
	put_object(w, SEQ + 1, 0, &vr_type_vrf, &told, VROUTER_A_VRF_ROUTES, 4);
	say(w);
	put_ack(w, NLMSG_ERROR, SEQ + 1, 0, NULL);
	assert_int_equal(vr_get(&w->nl, &vr_type_vrf, &key, &got, &e), 0);
	assert_string_equal(got.label, "a/b");
	assert_int_equal(got.routes, 4);
	vr_obj_free(&vr_type_vrf, &got);
}

/* Offset of a byte string in the request that was sent last. */
static uint32_t offset_of(const struct world *w, const void *what, size_t len)
{
	const char *found = memmem(w->nl.tx.data, w->nl.tx.len, what, len);

	assert_non_null(found);
	return found - w->nl.tx.data;
}

static void refusals(void **state)
{
	struct vr_prefix except = { { AF_INET, { 10, 77 } }, 16 };
	struct vr_sg_rule rules[] = {
		{ .peer_sg = 1 }, { .peer_sg = 2 },
		{ .peer_prefix = { { AF_INET, { 10 } }, 8 }, .n_except = 1, .except = &except },
	};
	struct vr_sg sg = { .id = 5, .n_rules = 3, .rules = rules };
	struct ack x = { .msg = "No such thing" };
	struct world *w = *state;
	struct vr_err e;
	uint32_t at;

	/* The request's bytes, to know where its attributes are. */
	put_ack(w, NLMSG_ERROR, SEQ + 1, -ENOENT, &x);
	assert_int_equal(vr_set(&w->nl, &vr_type_sg, &sg, VR_ADD, &e), -ENOENT);
	assert_string_equal(e.text, "No such thing");
	assert_int_equal(e.code, ENOENT);

	at = offset_of(w, "\x0a\x4d\0\0", 4);
	x.offset = at - 4;
	put_ack(w, NLMSG_ERROR, SEQ + 2, -EINVAL, &x);
	assert_int_equal(vr_set(&w->nl, &vr_type_sg, &sg, VR_ADD, &e), -EINVAL);
	assert_string_equal(e.text, "No such thing (rule[2].except[0].address)");

	x = (struct ack){ .missing = VROUTER_A_SG_RULE_DIRECTION, .nest = 20 };
	put_ack(w, NLMSG_ERROR, SEQ + 3, -EINVAL, &x);
	assert_int_equal(vr_set(&w->nl, &vr_type_sg, &sg, VR_ADD, &e), -EINVAL);
	assert_string_equal(e.text, "A required attribute is missing (rule[0].direction)");

	x = (struct ack){ .missing = VROUTER_A_SG_ID, .msg = "The id is missing" };
	put_ack(w, NLMSG_ERROR, SEQ + 4, -EINVAL, &x);
	assert_int_equal(vr_set(&w->nl, &vr_type_sg, &sg, VR_ADD, &e), -EINVAL);
	assert_string_equal(e.text, "The id is missing (id)");

	/* It points to where there is nothing. */
	x = (struct ack){ .offset = 0xfffffff0 };
	put_ack(w, NLMSG_ERROR, SEQ + 5, -EPERM, &x);
	assert_int_equal(vr_set(&w->nl, &vr_type_sg, &sg, VR_ADD, &e), -EPERM);
	assert_string_equal(e.text, "Operation not permitted");
}

/* --- dumps ------------------------------------------------------------- */

static void fill_members(struct vr_member *m, unsigned int n)
{
	memset(m, 0, n * sizeof(*m));
	while (n--)
		m[n] = (struct vr_member){ .addr = { AF_INET, { 10, 0, 0, n } }, .weight = 1,
					   .label = "x" };
}

static void dump_in_parts(void **state)
{
	struct vr_member members[5];
	struct vr_nexthop part = { .id = 1, .type = VROUTER_NEXTHOP_TYPE_ECMP,
				   .members = members };
	const struct vr_nexthop *nh;
	struct world *w = *state;
	struct vr_list list;
	struct vr_err e;
	unsigned int i;

	fill_members(members, 5);
	part.n_members = 3;
	put_object(w, SEQ + 1, NLM_F_MULTI, &vr_type_nexthop, &part, VROUTER_A_NEXTHOP_MEMBERS, 5);
	say(w);
	part.members = members + 3;
	part.n_members = 2;
	put_object(w, SEQ + 1, NLM_F_MULTI, &vr_type_nexthop, &part, VROUTER_A_NEXTHOP_MEMBERS, 5);
	part.id = 2;
	part.n_members = 0;
	put_object(w, SEQ + 1, NLM_F_MULTI, &vr_type_nexthop, &part, VROUTER_A_NEXTHOP_MEMBERS, 0);
	say(w);
	put_ack(w, NLMSG_DONE, SEQ + 1, 0, NULL);

	assert_int_equal(vr_dump(&w->nl, &vr_type_nexthop, NULL, &list, &e), 0);
	assert_int_equal(list.n, 2);
	nh = list.objs;
	assert_int_equal(nh[0].n_members, 5);
	for (i = 0; i < 5; i++)
		assert_int_equal(nh[0].members[i].addr.b[3], i);
	assert_int_equal(nh[1].id, 2);
	vr_list_free(&list);
}

static void dump_again(void **state)
{
	struct vr_vrf vrf = { .id = 1 };
	struct world *w = *state;
	struct vr_list list;
	struct vr_err e;

	put_object(w, SEQ + 1, NLM_F_MULTI, &vr_type_vrf, &vrf, 0, 0);
	say(w);
	put_object(w, SEQ + 1, NLM_F_MULTI | NLM_F_DUMP_INTR, &vr_type_vrf, &vrf, 0, 0);
	say(w);
	put_ack(w, NLMSG_DONE, SEQ + 1, 0, NULL);
	put_object(w, SEQ + 2, NLM_F_MULTI, &vr_type_vrf, &vrf, 0, 0);
	say(w);
	put_ack(w, NLMSG_DONE, SEQ + 2, 0, NULL);

	assert_int_equal(vr_dump(&w->nl, &vr_type_vrf, NULL, &list, &e), 0);
	assert_int_equal(list.n, 1);
	vr_list_free(&list);
}

static void dump_refused(void **state)
{
	struct ack x = { .msg = "Not for you" };
	struct world *w = *state;
	struct vr_list list;
	struct vr_err e;

	put_ack(w, NLMSG_DONE, SEQ + 1, -EPERM, &x);
	assert_int_equal(vr_dump(&w->nl, &vr_type_flow, NULL, &list, &e), -EPERM);
	assert_string_equal(e.text, "Not for you");
	assert_int_equal(list.n, 0);
}

static int stop_at_first(const void *obj, void *arg)
{
	(void)obj;
	++*(int *)arg;
	return 7;
}

/* The rest is read all the same: the next dump would be refused. */
static void dump_ended(void **state)
{
	struct vr_vrf vrf = { .id = 1 };
	struct world *w = *state;
	struct vr_err e;
	int i, seen = 0;
	char c;

	for (i = 1; i <= 3; i++) {
		vrf.id = i;
		put_object(w, SEQ + 1, NLM_F_MULTI, &vr_type_vrf, &vrf, 0, 0);
		say(w);
	}
	put_ack(w, NLMSG_DONE, SEQ + 1, 0, NULL);
	assert_int_equal(vr_dump_each(&w->nl, &vr_type_vrf, NULL, stop_at_first, &seen, &e), 7);
	assert_int_equal(seen, 1);
	assert_int_equal(recv(vr_nl_fd(&w->nl), &c, 1, MSG_DONTWAIT), -1);
}

static void garbage(void **state)
{
	struct world *w = *state;
	struct vr_list list;
	struct vr_err e;

	vr_buf_begin(&w->answer, FAMILY, NLM_F_MULTI, VROUTER_CMD_VRF_GET);
	mnl_attr_put(vr_buf_msg(&w->answer), VROUTER_A_VRF_ID, 3, "abc");
	w->answer.len = vr_buf_msg(&w->answer)->nlmsg_len;
	vr_buf_end(&w->answer);
	vr_buf_msg(&w->answer)->nlmsg_seq = SEQ + 1;
	say(w);
	put_ack(w, NLMSG_DONE, SEQ + 1, 0, NULL);
	assert_int_equal(vr_dump(&w->nl, &vr_type_vrf, NULL, &list, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "id: an attribute of 3 octets"));
}

/* --- batches ----------------------------------------------------------- */

struct results { int n, err[8]; char text[64]; };

static void take_result(const struct vr_result *r, void *arg)
{
	struct results *rs = arg;

	assert_ptr_equal(r->tag, (void *)(intptr_t)(100 + rs->n));
	rs->err[rs->n++] = r->err.code;
	if (r->err.code)
		strncpy(rs->text, r->err.text, sizeof(rs->text) - 1);
}

static void batch(void **state)
{
	struct ack x = { .msg = "No VRF 9", .offset = 20 };
	struct vr_batch *b = vr_batch_new();
	struct results rs = { 0 };
	struct world *w = *state;
	struct vr_vrf vrf;
	struct vr_err e;
	int i;

	for (i = 0; i < 6; i++) {
		vrf = (struct vr_vrf){ .id = i + 1 };
		assert_int_equal(vr_batch_set(b, &vr_type_vrf, &vrf, VR_SET,
					      (void *)(intptr_t)(100 + i)), 0);
	}
	assert_int_equal(vr_batch_len(b), 6);
	for (i = 0; i < 6; i++)
		put_ack(w, NLMSG_ERROR, SEQ + 1 + i, i == 4 ? -ENOENT : 0, i == 4 ? &x : NULL);
	assert_int_equal(vr_batch_send(&w->nl, b, take_result, &rs, &e), 0);
	assert_int_equal(rs.n, 6);
	assert_int_equal(rs.err[3], 0);
	assert_int_equal(rs.err[4], ENOENT);
	assert_string_equal(rs.text, "No VRF 9 (id)");
	assert_int_equal(vr_batch_len(b), 0);
	vr_batch_free(b);
}

/* --- events ------------------------------------------------------------ */

static int take_event(const struct vr_event *ev, void *arg)
{
	const struct vr_vif *vif = ev->obj;

	assert_ptr_equal(ev->type, &vr_type_vif);
	assert_int_equal(vif->id, 3);
	*(int *)arg += ev->del ? 10 : 1;
	return 0;
}

static void events(void **state)
{
	static const uint8_t cmds[] = { VROUTER_CMD_VIF_NEW_NTF, VROUTER_CMD_VIF_DEL_NTF, 250 };
	struct vr_vif vif = { .id = 3 };
	struct world *w = *state;
	struct vr_err e;
	int seen = 0;
	size_t i;

	for (i = 0; i < sizeof(cmds); i++) {
		vr_buf_begin(&w->answer, FAMILY, 0, cmds[i]);
		vr_encode(&w->answer, &vr_type_vif.body, &vif, VR_PART_CONFIG);
		vr_buf_end(&w->answer);
		say(w);
	}
	assert_int_equal(vr_nl_events(&w->nl, take_event, &seen, &e), 3);
	assert_int_equal(seen, 11);
	assert_int_equal(vr_nl_events(&w->nl, take_event, &seen, &e), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(get), TEST(refusals), TEST(dump_in_parts), TEST(dump_again),
		TEST(dump_refused), TEST(dump_ended), TEST(garbage), TEST(batch), TEST(events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
