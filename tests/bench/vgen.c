// SPDX-License-Identifier: GPL-2.0-only
/*
 * vgen: packets for measuring what a node does with them. It builds fresh UDP
 * packets, hands them to a device's receive path as if its driver had got
 * them, counts what comes out at the far ends of other devices, and tells how
 * long that took. A far end can turn packets round, so that flows see replies.
 *
 *	sink DEV		count, check and free what DEV receives
 *	client DEV		the same, but never turn round: the replies end here
 *	run KEY=VALUE...	send; the answer is read from the file
 *
 * by /proc/vgen. DEV is looked up in the network namespace of the writer.
 *
 *	dev=NAME	device that the packets are received on (needed)
 *	dmac=, smac=	its frames' addresses (needed)
 *	src=, dst=	IPv4 addresses (needed), of the first client and service
 *	dport=80 services=1 flows=1 base=0 n=1
 *	reflect=0|1	sinks turn packets round
 *	check=0|1	sinks recompute both checksums of each packet
 *	raw=0|1		build and free, send nothing: the generator's own cost
 *
 * Packet i belongs to flow base + i % flows; flow f is from address src + f /
 * 50000, port 1024 + f % 50000, to address dst + f % services.
 */

#include <linux/etherdevice.h>
#include <linux/inet.h>
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/proc_fs.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/sched/signal.h>
#include <linux/udp.h>
#include <net/ip.h>

#define MAX_SINKS	256
#define BATCH		64	/* packets for each time that softirqs may run */
#define PORTS		50000
#define PAYLOAD		18	/* a frame of 64 octets with its check sequence */

struct sink {
	struct net_device	*dev;	/* reference held */
	bool			client;
	u64			packets, bad;	/* one CPU at a time has the device's packets */
};

struct job {
	struct net_device *dev;
	char	name[IFNAMSIZ];
	u8	dmac[ETH_ALEN], smac[ETH_ALEN];
	__be32	src, dst;
	u32	dport, services, flows, base, n;
	bool	raw;
};

struct frame {
	struct ethhdr	eth;
	struct iphdr	ip;
	struct udphdr	udp;
	u8		payload[PAYLOAD];
} __packed;

static DEFINE_MUTEX(lock);		/* one writer at a time; the list of sinks */
static struct sink sinks[MAX_SINKS];
static unsigned int n_sinks;
static bool reflect, check;		/* of the job that runs */
static u64 took, sent;			/* of the last one */

/* --- the far ends ---------------------------------------------------------- */

static bool is_sound(const struct sk_buff *skb)
{
	const struct iphdr *ip = (const void *)skb->data;
	const struct udphdr *udp = (const void *)(ip + 1);
	unsigned int len = skb->len - sizeof(*ip);

	if (skb->len != sizeof(struct frame) - ETH_HLEN || ip_fast_csum(ip, ip->ihl))
		return false;
	return !csum_tcpudp_magic(ip->saddr, ip->daddr, len, IPPROTO_UDP,
				  csum_partial(udp, len, 0));
}

/* Swapping the ends changes no sum. */
static void turn_round(struct sk_buff *skb)
{
	struct iphdr *ip = (void *)skb->data;
	struct udphdr *udp = (void *)(ip + 1);
	struct ethhdr *eth = skb_push(skb, ETH_HLEN);
	u8 mac[ETH_ALEN];

	swap(ip->saddr, ip->daddr);
	swap(udp->source, udp->dest);
	ether_addr_copy(mac, eth->h_source);
	ether_addr_copy(eth->h_source, eth->h_dest);
	ether_addr_copy(eth->h_dest, mac);
	dev_queue_xmit(skb);
}

static rx_handler_result_t receive(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct sink *s = rcu_dereference(skb->dev->rx_handler_data);

	if (unlikely(skb->protocol != htons(ETH_P_IP)))
		return RX_HANDLER_PASS;
	s->packets++;
	if (check && (skb_linearize(skb) || !is_sound(skb)))
		s->bad++;
	if (reflect && !s->client && !skb_cow(skb, 0))
		turn_round(skb);
	else
		consume_skb(skb);
	return RX_HANDLER_CONSUMED;
}

static int sink_add(const char *name, bool client)
{
	struct sink *s = &sinks[n_sinks];
	int err;

	if (n_sinks == MAX_SINKS)
		return -ENOSPC;
	*s = (struct sink){ .dev = dev_get_by_name(current->nsproxy->net_ns, name),
			    .client = client };
	if (!s->dev)
		return -ENODEV;
	rtnl_lock();
	err = netdev_rx_handler_register(s->dev, receive, s);
	rtnl_unlock();
	if (err) {
		dev_put(s->dev);
		return err;
	}
	n_sinks++;
	return 0;
}

static void sink_end(struct sink *s)
{
	netdev_rx_handler_unregister(s->dev);
	dev_put(s->dev);
}

/* A sink's device goes away: the others keep their places. */
static void sink_remove(struct net_device *dev)
{
	unsigned int i;

	for (i = 0; i < n_sinks; i++) {
		if (sinks[i].dev != dev)
			continue;
		sink_end(&sinks[i]);
		sinks[i].dev = NULL;
	}
}

/* Under the RTNL. The mutex would be the wrong way round: it is taken first by
 * writers. Only the entry's device is touched, which the RTNL protects.
 */
static int on_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	if (event == NETDEV_UNREGISTER)
		sink_remove(netdev_notifier_info_to_dev(ptr));
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = on_event };

/* --- the generator --------------------------------------------------------- */

static void template(const struct job *j, struct frame *f)
{
	memset(f, 0, sizeof(*f));
	ether_addr_copy(f->eth.h_dest, j->dmac);
	ether_addr_copy(f->eth.h_source, j->smac);
	f->eth.h_proto = htons(ETH_P_IP);
	f->ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
				.tot_len = htons(sizeof(*f) - ETH_HLEN),
				.frag_off = htons(IP_DF) };
	f->udp.dest = htons(j->dport);
	f->udp.len = htons(sizeof(f->udp) + PAYLOAD);
}

/* sum: of the UDP part of the template without its pseudo-header. */
static struct sk_buff *build(const struct job *j, const struct frame *t, __wsum sum, u32 i)
{
	u32 flow = j->base + i % j->flows;
	struct sk_buff *skb;
	struct frame *f;

	skb = netdev_alloc_skb_ip_align(j->dev, sizeof(*f));
	if (unlikely(!skb))
		return NULL;
	f = skb_put_data(skb, t, sizeof(*f));
	f->ip.saddr = htonl(ntohl(j->src) + flow / PORTS);
	f->ip.daddr = htonl(ntohl(j->dst) + flow % j->services);
	f->udp.source = htons(1024 + flow % PORTS);
	f->ip.check = ip_fast_csum(&f->ip, 5);
	sum = csum_add(sum, (__force __wsum)f->udp.source);
	f->udp.check = csum_tcpudp_magic(f->ip.saddr, f->ip.daddr, sizeof(f->udp) + PAYLOAD,
					 IPPROTO_UDP, sum);
	if (!f->udp.check)
		f->udp.check = CSUM_MANGLED_0;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->protocol = eth_type_trans(skb, j->dev);
	return skb;
}

/* BH disabled; what is sent on is received when they run again. */
static unsigned int batch(const struct job *j, const struct frame *t, __wsum sum, u32 i)
{
	unsigned int n = min(j->n - i, (u32)BATCH), k;
	struct sk_buff *skb;

	for (k = 0; k < n; k++) {
		skb = build(j, t, sum, i + k);
		if (unlikely(!skb))
			return 0;
		if (j->raw)
			consume_skb(skb);
		else
			netif_receive_skb(skb);
	}
	return n;
}

static int generate(const struct job *j)
{
	unsigned int n, s;
	struct frame t;
	u64 start;
	__wsum sum;
	u32 i;

	for (s = 0; s < n_sinks; s++) {
		sinks[s].packets = 0;
		sinks[s].bad = 0;
	}
	template(j, &t);
	sum = csum_partial(&t.udp, sizeof(t.udp) + PAYLOAD, 0);
	sent = 0;
	start = ktime_get_ns();
	for (i = 0; i < j->n; i += n) {
		local_bh_disable();
		n = batch(j, &t, sum, i);
		local_bh_enable();
		if (!n)
			return -ENOMEM;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	took = ktime_get_ns() - start;
	sent = j->n;
	return 0;
}

/* --- /proc/vgen ------------------------------------------------------------ */

static int set_number(const char *key, const char *value, struct job *j)
{
	static const struct { const char *key; size_t off; } numbers[] = {
		{ "dport", offsetof(struct job, dport) },
		{ "services", offsetof(struct job, services) },
		{ "flows", offsetof(struct job, flows) },
		{ "base", offsetof(struct job, base) },
		{ "n", offsetof(struct job, n) },
	};
	static const struct { const char *key; bool *flag; } flags[] = {
		{ "reflect", &reflect }, { "check", &check },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(key, numbers[i].key))
			return kstrtou32(value, 0, (u32 *)((u8 *)j + numbers[i].off));
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(key, flags[i].key))
			return kstrtobool(value, flags[i].flag);
	return strcmp(key, "raw") ? -EINVAL : kstrtobool(value, &j->raw);
}

/* mac_pton() is in another header in each kernel. */
static int parse_mac(const char *s, u8 *mac)
{
	return sscanf(s, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
		      &mac[4], &mac[5]) == ETH_ALEN ? 0 : -EINVAL;
}

static int set_option(char *word, struct job *j)
{
	char *key = strsep(&word, "=");

	if (!word)
		return -EINVAL;
	if (!strcmp(key, "dev"))
		return strscpy(j->name, word, sizeof(j->name)) < 0 ? -EINVAL : 0;
	if (!strcmp(key, "dmac"))
		return parse_mac(word, j->dmac);
	if (!strcmp(key, "smac"))
		return parse_mac(word, j->smac);
	if (!strcmp(key, "src"))
		return in4_pton(word, -1, (u8 *)&j->src, -1, NULL) ? 0 : -EINVAL;
	if (!strcmp(key, "dst"))
		return in4_pton(word, -1, (u8 *)&j->dst, -1, NULL) ? 0 : -EINVAL;
	return set_number(key, word, j);
}

static int run(char *words)
{
	struct job j = { .dport = 80, .services = 1, .flows = 1, .n = 1 };
	char *word;
	int err;

	reflect = false;
	check = false;
	while ((word = strsep(&words, " "))) {
		err = *word ? set_option(word, &j) : 0;
		if (err) {
			pr_info("not an option, or not its value: %s\n", word);
			return err;
		}
	}
	if (!j.src || !j.dst || !j.flows || !j.services || j.base + j.flows < j.base)
		return -EINVAL;
	j.dev = dev_get_by_name(current->nsproxy->net_ns, j.name);
	if (!j.dev)
		return -ENODEV;
	err = generate(&j);
	dev_put(j.dev);
	return err;
}

static ssize_t vgen_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	char *buf, *words, *verb;
	int err = -EINVAL;

	if (len > 1000)
		return -E2BIG;
	buf = memdup_user_nul(ubuf, len);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	words = strim(buf);
	verb = strsep(&words, " ");
	mutex_lock(&lock);
	if (words && !strcmp(verb, "run"))
		err = run(words);
	else if (words && !strcmp(verb, "sink"))
		err = sink_add(words, false);
	else if (words && !strcmp(verb, "client"))
		err = sink_add(words, true);
	mutex_unlock(&lock);
	kfree(buf);
	return err ?: len;
}

static int vgen_show(struct seq_file *m, void *v)
{
	u64 arrived = 0, replies = 0, bad = 0;
	unsigned int i;

	mutex_lock(&lock);
	for (i = 0; i < n_sinks; i++) {
		if (sinks[i].client)
			replies += sinks[i].packets;
		else
			arrived += sinks[i].packets;
		bad += sinks[i].bad;
	}
	seq_printf(m, "ns=%llu sent=%llu arrived=%llu replies=%llu bad=%llu sinks=", took, sent,
		   arrived, replies, bad);
	for (i = 0; i < n_sinks; i++)
		seq_printf(m, "%s%llu", i ? "," : "", sinks[i].packets);
	seq_putc(m, '\n');
	mutex_unlock(&lock);
	return 0;
}

static int vgen_open(struct inode *inode, struct file *file)
{
	return single_open(file, vgen_show, NULL);
}

static const struct proc_ops vgen_ops = {
	.proc_open	= vgen_open,
	.proc_read	= seq_read,
	.proc_write	= vgen_write,
	.proc_lseek	= seq_lseek,
	.proc_release	= single_release,
};

static int __init vgen_init(void)
{
	int err = register_netdevice_notifier(&notifier);

	if (err)
		return err;
	if (proc_create("vgen", 0600, NULL, &vgen_ops))
		return 0;
	unregister_netdevice_notifier(&notifier);
	return -ENOMEM;
}
module_init(vgen_init);

static void __exit vgen_exit(void)
{
	unsigned int i;

	remove_proc_entry("vgen", NULL);
	unregister_netdevice_notifier(&notifier);
	rtnl_lock();
	for (i = 0; i < n_sinks; i++)
		if (sinks[i].dev)
			sink_end(&sinks[i]);
	rtnl_unlock();
}
module_exit(vgen_exit);

MODULE_DESCRIPTION("Packet generator and counting sink for measurements");
MODULE_LICENSE("GPL");
