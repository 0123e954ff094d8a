// SPDX-License-Identifier: GPL-2.0-only
/* The bound on what a SYN asks for: its option is found wherever it is, and nothing else changes. */

#include <net/checksum.h>
#include <net/tcp.h>

#include "kunit_util.h"

#define BOUND	1000
#define MSS(n)	TCPOPT_MSS, TCPOLEN_MSS, (n) >> 8, (n) & 0xff

static struct vr_vif vif = { .id = 7 };

struct options {
	const char	*desc;
	u8		len;		/* a multiple of four */
	u8		octets[40];
	u8		at;		/* of the value that is lowered; 0 = none is */
};

static const struct options cases_of[] = {
	{ "none", 0, {} },
	{ "alone", 4, { MSS(1460) }, 2 },
	{ "small enough", 4, { MSS(BOUND) } },
	{ "one more", 4, { MSS(BOUND + 1) }, 2 },
	{ "the largest", 4, { MSS(65535) }, 2 },
	{ "behind others", 12, { TCPOPT_SACK_PERM, 2, TCPOPT_WINDOW, 3, 7, TCPOPT_NOP, TCPOPT_NOP,
				 TCPOPT_NOP, MSS(1460) }, 10 },
	{ "at an odd octet", 8, { TCPOPT_NOP, MSS(1460), TCPOPT_WINDOW, 3, 7 }, 3 },
	{ "last of a full header", 40, { [0 ... 35] = TCPOPT_NOP, MSS(1460) }, 38 },
	{ "behind the end", 8, { TCPOPT_EOL, 0, 0, 0, MSS(1460) } },
	{ "of another length", 8, { TCPOPT_MSS, 6, 5, 180, 0, 0, TCPOPT_NOP, TCPOPT_NOP } },
	{ "cut off", 4, { TCPOPT_NOP, TCPOPT_MSS, TCPOLEN_MSS, 5 } },
	{ "behind one of no length", 8, { TCPOPT_WINDOW, 0, 7, 0, MSS(1460) } },
	{ "behind one that is too long", 8, { TCPOPT_WINDOW, 9, 7, 0, MSS(1460) } },
	{ "a kind and no more", 4, { TCPOPT_NOP, TCPOPT_NOP, TCPOPT_NOP, TCPOPT_MSS } },
};
KT_PARAM(cases_of, cases_of);

/* The octets behind the header become options. */
static void grow_header(struct sk_buff *skb, unsigned int l4, unsigned int len)
{
	struct tcphdr *th = (struct tcphdr *)(skb->data + l4);
	__be16 *word = (__be16 *)th + 6, old = *word;

	th->doff += len / 4;
	inet_proto_csum_replace2(&th->check, skb, old, *word, false);
}

static void expect(struct kunit *test, const struct options *o, u8 family, enum kt_csum csum)
{
	struct kt_pkt p = { .family = family, .src = KT_POD(0), .dst = KT_POD(1), .sport = 1025,
			    .dport = 80, .flags = TCPHDR_SYN, .payload = o->len,
			    .data = o->octets, .csum = csum };
	unsigned int l4 = family == AF_INET ? 20 : 40;
	struct sk_buff *skb = kt_skb(test, &p);
	struct vr_pkt pkt;
	u8 want[40];

	memcpy(want, o->octets, sizeof(want));
	if (o->at) {
		want[o->at] = BOUND >> 8;
		want[o->at + 1] = BOUND & 0xff;
	}
	grow_header(skb, l4, o->len);
	kt_read_lock();
	KUNIT_EXPECT_EQ(test, kt_parse(&pkt, &vif, skb), 0);
	vr_bound_mss(&pkt);
	kt_read_unlock();
	KUNIT_EXPECT_MEMEQ(test, pkt.skb->data + l4 + 20, want, o->len);
	kt_expect_sound(test, pkt.skb, o->desc);
	kfree_skb(pkt.skb);
}

static void lowered(struct kunit *test)
{
	static const enum kt_csum kinds[] = { KT_NONE, KT_UNNECESSARY, KT_COMPLETE, KT_PARTIAL };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		expect(test, test->param_value, AF_INET, kinds[i]);
		expect(test, test->param_value, AF_INET6, kinds[i]);
	}
}

static int init(struct kunit *test)
{
	int err = kt_init(test);

	if (err)
		return err;
	vif.vn = kt_world(test)->vn;
	vif.vn->limits.tcp_mss = BOUND;
	return 0;
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(lowered, cases_of_gen_params),
	{}
};

static struct kunit_suite suite = {
	.name = "vrouter_mss",
	.init = init,
	.exit = kt_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
