// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's queueing, as far as a pod's rate limits take it. */

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#include "rtnl_priv.h"

#define BUFFER	1024	/* of a request */

static struct tcmsg *put_tc(char *buf, struct nlmsghdr **nlh, uint16_t type, uint16_t flags,
			    unsigned int ifindex)
{
	struct tcmsg *tc;

	*nlh = mnl_nlmsg_put_header(buf);
	(*nlh)->nlmsg_type = type;
	(*nlh)->nlmsg_flags = flags;
	tc = mnl_nlmsg_put_extra_header(*nlh, sizeof(*tc));
	tc->tcm_family = AF_UNSPEC;
	tc->tcm_ifindex = ifindex;
	return tc;
}

int rtnl_tbf_set(struct rtnl *r, unsigned int ifindex, uint64_t rate, uint32_t burst,
		 uint32_t limit)
{
	struct tc_tbf_qopt opt = {
		.limit = limit,
		/* of a known link layer there is no table of rates to pass */
		.rate = { .rate = rate > UINT32_MAX ? UINT32_MAX : rate,
			  .linklayer = TC_LINKLAYER_ETHERNET },
	};
	struct nlattr *options;
	struct nlmsghdr *nlh;
	struct tcmsg *tc;
	char buf[BUFFER];

	tc = put_tc(buf, &nlh, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, ifindex);
	tc->tcm_parent = TC_H_ROOT;
	tc->tcm_handle = TC_H_MAKE(1 << 16, 0);
	mnl_attr_put_strz(nlh, TCA_KIND, "tbf");
	options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	mnl_attr_put(nlh, TCA_TBF_PARMS, sizeof(opt), &opt);
	mnl_attr_put_u32(nlh, TCA_TBF_BURST, burst);
	if (rate > UINT32_MAX)
		mnl_attr_put_u64(nlh, TCA_TBF_RATE64, rate);
	mnl_attr_nest_end(nlh, options);
	return rtnl_call(r, nlh, NULL, NULL);
}

/* All that comes in by the device goes out by another one. */
static int redirect(struct rtnl *r, unsigned int ifindex, unsigned int to)
{
	struct tc_mirred m = {
		.action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR, .ifindex = to,
	};
	struct nlattr *options, *list, *action, *parms;
	struct nlmsghdr *nlh;
	struct tcmsg *tc;
	char buf[BUFFER];

	tc = put_tc(buf, &nlh, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, ifindex);
	tc->tcm_parent = TC_H_MAKE(TC_H_INGRESS, 0);
	tc->tcm_info = TC_H_MAKE(1 << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(nlh, TCA_KIND, "matchall");
	options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	list = mnl_attr_nest_start(nlh, TCA_MATCHALL_ACT);
	action = mnl_attr_nest_start(nlh, 1);
	mnl_attr_put_strz(nlh, TCA_ACT_KIND, "mirred");
	parms = mnl_attr_nest_start(nlh, TCA_ACT_OPTIONS);
	mnl_attr_put(nlh, TCA_MIRRED_PARMS, sizeof(m), &m);
	mnl_attr_nest_end(nlh, parms);
	mnl_attr_nest_end(nlh, action);
	mnl_attr_nest_end(nlh, list);
	mnl_attr_nest_end(nlh, options);
	return rtnl_call(r, nlh, NULL, NULL);
}

int rtnl_ingress_redirect(struct rtnl *r, unsigned int ifindex, unsigned int to)
{
	struct nlmsghdr *nlh;
	struct tcmsg *tc;
	char buf[BUFFER];

	tc = put_tc(buf, &nlh, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex);
	tc->tcm_parent = TC_H_INGRESS;
	tc->tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0);
	mnl_attr_put_strz(nlh, TCA_KIND, "ingress");
	return rtnl_call(r, nlh, NULL, NULL) ?: redirect(r, ifindex, to);
}

struct search {
	unsigned int	ifindex;
	uint64_t	rate;
};

static void match_tbf(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a, *options = NULL;
	const struct tc_tbf_qopt *opt;
	struct search *s = arg;
	bool tbf = false;

	if ((unsigned int)tc->tcm_ifindex != s->ifindex || tc->tcm_parent != TC_H_ROOT)
		return;
	mnl_attr_for_each(a, nlh, sizeof(*tc)) {
		if (mnl_attr_get_type(a) == TCA_KIND)
			tbf = !strcmp(mnl_attr_get_str(a), "tbf");
		else if (mnl_attr_get_type(a) == TCA_OPTIONS)
			options = a;
	}
	if (!tbf || !options)
		return;
	mnl_attr_for_each_nested(a, options) {
		if (mnl_attr_get_type(a) == TCA_TBF_RATE64) {
			s->rate = mnl_attr_get_u64(a);
			return;
		}
		if (mnl_attr_get_type(a) != TCA_TBF_PARMS ||
		    mnl_attr_get_payload_len(a) < sizeof(*opt))
			continue;
		opt = mnl_attr_get_payload(a);
		s->rate = opt->rate.rate;
	}
}

int rtnl_tbf_get(struct rtnl *r, unsigned int ifindex, uint64_t *rate)
{
	struct search s = { .ifindex = ifindex };
	struct nlmsghdr *nlh;
	char buf[BUFFER];
	int err;

	put_tc(buf, &nlh, RTM_GETQDISC, NLM_F_DUMP, ifindex);
	err = rtnl_call(r, nlh, match_tbf, &s);
	*rate = s.rate;
	return err;
}
