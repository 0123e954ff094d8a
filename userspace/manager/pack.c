// SPDX-License-Identifier: GPL-2.0-only
#include "pack.h"

#include <zlib.h>

#include "xmem.h"

/* Distances within a dictionary and a resource of common size; the larger ones lose little. */
#define WINDOW_BITS	12
#define MEM_LEVEL	5
#define LEVEL		5	/* of what a resource can gain nearly all, see tests/bench/NOTES.md */

/*
 * The kinds with all that they may have, from the fewest to the most, because what is nearer takes
 * fewer bits. A word that is missing here costs memory, and nothing else.
 */
static const char words[] =
	"\"{\"endpoints.kubernetes.io/last-change-trigger-time\":\"202T:Z\"}"
	"{\"vni\":,\"subnets\":[{\"cidr\":\"/16\",\"gateway\":\"10.\"},{\"cidr\":\"/64\",\"gateway\":\"fd00:\"}],"
	"\"serviceSubnets\":[\"10.\"],\"egress\":{}}"
	"{\"enforce\":[\"ingress\",\"egress\"],\"rules\":[{\"direction\":\"egress\",\"name\":\"policy egress[0].to[0].ports[0]\","
	"\"protocol\":\"UDP\",\"ports\":{\"from\":53,\"to\":},\"peer\":{\"cidr\":\"0.0.0.0/0\",\"except\":[\"::/0\"]}},"
	"{\"direction\":\"ingress\",\"name\":\"policy ingress[0].from[0].ports[0]\",\"protocol\":\"TCP\",\"ports\":{\"from\":8080},"
	"\"peer\":{\"securityGroup\":\"identity-\"}}]}"
	"{\"addresses\":[\"192.168.\",\"172.16.\",\"2001:\"],\"network\":\"default/cluster-network\",\"blocks\":["
	"{\"network\":\"default/cluster-network\",\"cidr\":\"10./26\"},{\"network\":\"default/cluster-network\",\"cidr\":\"fd00:/122\"}]}"
	"{\"network\":\"default/cluster-network\",\"node\":\"node-\",\"pod\":\"\",\"interface\":\"eth0\",\"macAddress\":\"02:\","
	"\"addresses\":[\"10.\",\"fd00:\"],\"securityGroups\":[\"default/identity-\"],\"mtu\":1500}"
	"{\"network\":\"default/cluster-network\",\"vips\":[\"10.\",\"fd00:\"],\"listeners\":[{\"name\":\"https\","
	"\"protocol\":\"TCP\",\"port\":443,\"nodePort\":3,\"pools\":{\"IPv4\":\"\",\"IPv6\":\"\"}},{\"name\":\"http\","
	"\"protocol\":\"TCP\",\"port\":80,\"pools\":{\"IPv4\":\"default/.http\"}}]}"
	"{\"address\":\"fd00:\",\"family\":\"IPv6\",\"network\":\"default/cluster-network\",\"interface\":\"default/\"}"
	"{\"address\":\"10.\",\"family\":\"IPv4\",\"network\":\"default/cluster-network\",\"interface\":\"default/\"}"
	"{\"address\":\"10.96.\",\"family\":\"IPv4\",\"network\":\"default/cluster-network\",\"loadBalancer\":\"default/\"}"
	"{\"loadBalancer\":\"default/\",\"network\":\"default/cluster-network\",\"protocol\":\"TCP\",\"family\":\"IPv6\","
	"\"members\":[{\"address\":\"fd00:\",\"port\":8080,\"weight\":1,\"state\":\"active\",\"node\":\"node-\",\"target\":\"default/\"}]}"
	"{\"loadBalancer\":\"default/\",\"network\":\"default/cluster-network\",\"protocol\":\"TCP\",\"family\":\"IPv4\","
	"\"members\":[{\"address\":\"10.\",\"port\":8080,\"weight\":1,\"state\":\"active\",\"node\":\"node-\",\"target\":\"default/\"},"
	"{\"address\":\"10.\",\"port\":8080,\"weight\":1,\"state\":\"active\",\"node\":\"node-\",\"target\":\"default/";

/* What fails here fails for want of memory only: the texts are our own. */
static void check(int ret, int expected)
{
	if (ret == expected)
		return;
	fprintf(stderr, "zlib: %s\n", zError(ret));
	abort();
}

static z_stream *deflater(void)
{
	static z_stream z;

	if (!z.state)
		check(deflateInit2(&z, LEVEL, Z_DEFLATED, -WINDOW_BITS, MEM_LEVEL, Z_DEFAULT_STRATEGY), Z_OK);
	check(deflateReset(&z), Z_OK);
	check(deflateSetDictionary(&z, (const Bytef *)words, sizeof(words) - 1), Z_OK);
	return &z;
}

static z_stream *inflater(void)
{
	static z_stream z;

	if (!z.state)
		check(inflateInit2(&z, -WINDOW_BITS), Z_OK);
	check(inflateReset(&z), Z_OK);
	check(inflateSetDictionary(&z, (const Bytef *)words, sizeof(words) - 1), Z_OK);
	return &z;
}

void *pack(const void *text, size_t len, size_t *packed)
{
	z_stream *z = deflater();
	size_t room = deflateBound(z, len);
	void *to = xzalloc(room);

	z->next_in = (Bytef *)text;
	z->avail_in = len;
	z->next_out = to;
	z->avail_out = room;
	check(deflate(z, Z_FINISH), Z_STREAM_END);
	*packed = room - z->avail_out;
	return to;
}

void unpack(const void *from, size_t packed, void *text, size_t len)
{
	z_stream *z = inflater();

	z->next_in = (Bytef *)from;
	z->avail_in = packed;
	z->next_out = text;
	z->avail_out = len;
	check(inflate(z, Z_FINISH), Z_STREAM_END);
}
