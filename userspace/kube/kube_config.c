// SPDX-License-Identifier: GPL-2.0-only
#include "kube_config.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <unistd.h>
#include <yaml.h>

#include "cleanup.h"
#include "xmem.h"

static void pem_clear(struct kube_pem *pem)
{
	xwipe(pem->data);
	free(pem->file);
}

void kube_config_clear(struct kube_config *c)
{
	free(c->server);
	free(c->server_name);
	free(c->proxy);
	free(c->ns);
	pem_clear(&c->ca);
	pem_clear(&c->cert);
	pem_clear(&c->key);
	xwipe(c->token);
	free(c->token_file);
	memset(c, 0, sizeof(*c));
}

/* --- YAML ------------------------------------------------------------------ */

struct file {
	const char	*path;
	char		*folder;	/* that relative names are relative to; ends with a slash */
	yaml_document_t	doc;
	struct vr_err	*err;
};

/* The value of a key, or NULL. */
static yaml_node_t *get(struct file *f, yaml_node_t *map, const char *key)
{
	yaml_node_pair_t *pair;

	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
		yaml_node_t *k = yaml_document_get_node(&f->doc, pair->key);

		if (k && k->type == YAML_SCALAR_NODE && !strcmp((char *)k->data.scalar.value, key))
			return yaml_document_get_node(&f->doc, pair->value);
	}
	return NULL;
}

static const char *text(struct file *f, yaml_node_t *map, const char *key)
{
	yaml_node_t *node = get(f, map, key);

	if (!node || node->type != YAML_SCALAR_NODE || !*(char *)node->data.scalar.value)
		return NULL;
	return (char *)node->data.scalar.value;
}

/* The element called name of a list of {name: ..., what: ...}; NULL and the error. */
static yaml_node_t *named(struct file *f, const char *list, const char *what, const char *name)
{
	yaml_node_t *root = yaml_document_get_root_node(&f->doc), *seq = get(f, root, list);
	yaml_node_item_t *item;

	for (item = seq && seq->type == YAML_SEQUENCE_NODE ? seq->data.sequence.items.start : NULL;
	     item && item < seq->data.sequence.items.top; item++) {
		yaml_node_t *e = yaml_document_get_node(&f->doc, *item);
		const char *is = text(f, e, "name");

		if (is && !strcmp(is, name) && get(f, e, what))
			return get(f, e, what);
	}
	vr_err_set(f->err, ENOENT, "%s: %s: there is no \"%s\"", f->path, list, name);
	return NULL;
}

/* --- values ---------------------------------------------------------------- */

static char *full_name(const struct file *f, const char *name)
{
	return *name == '/' ? xstrdup(name) : xasprintf("%s%s", f->folder, name);
}

static int decode(struct file *f, const char *key, const char *base64, char **out)
{
	size_t len = strlen(base64), pad = 0;
	unsigned char *data;
	int n;

	while (pad < 2 && pad < len && base64[len - 1 - pad] == '=')
		pad++;
	data = xzalloc(len / 4 * 3 + 4);
	n = EVP_DecodeBlock(data, (const unsigned char *)base64, len);
	if (n < 0 || memchr(data, 0, n - pad)) {
		free(data);
		return vr_err_set(f->err, EINVAL, "%s: %s: is no base64 text", f->path, key);
	}
	data[n - pad] = '\0';
	*out = (char *)data;
	return 0;
}

/* key, the name of a file, or key-data, its content. */
static int read_pem(struct file *f, yaml_node_t *map, const char *key, struct kube_pem *pem)
{
	VR_AUTO_FREE char *inline_key = xasprintf("%s-data", key);
	const char *data = text(f, map, inline_key), *name = text(f, map, key);

	if (data)
		return decode(f, inline_key, data, &pem->data);
	if (name)
		pem->file = full_name(f, name);
	return 0;
}

static int read_cluster(struct file *f, yaml_node_t *map, struct kube_config *c)
{
	const char *server = text(f, map, "server"),
		   *insecure = text(f, map, "insecure-skip-tls-verify");

	if (insecure && !strcmp(insecure, "true"))
		return vr_err_set(f->err, EINVAL,
				  "%s: insecure-skip-tls-verify: the server is always "
				  "verified; give its certificate-authority",
				  f->path);
	c->server = xstrdup(server);
	c->server_name = xstrdup(text(f, map, "tls-server-name"));
	c->proxy = xstrdup(text(f, map, "proxy-url"));
	return read_pem(f, map, "certificate-authority", &c->ca);
}

static int read_user(struct file *f, yaml_node_t *map, struct kube_config *c)
{
	static const char *const programs[] = { "exec", "auth-provider", "username", NULL };
	const char *const *p, *name;
	int ret;

	for (p = programs; *p; p++)
		if (get(f, map, *p))
			return vr_err_set(f->err, EINVAL,
					  "%s: users: %s is not supported; use a client "
					  "certificate or a token",
					  f->path, *p);
	ret = read_pem(f, map, "client-certificate", &c->cert);
	if (!ret)
		ret = read_pem(f, map, "client-key", &c->key);
	name = text(f, map, "tokenFile");
	if (name)
		c->token_file = full_name(f, name);
	else
		c->token = xstrdup(text(f, map, "token"));
	return ret;
}

static int read_context(struct file *f, struct kube_config *c)
{
	const char *current = text(f, yaml_document_get_root_node(&f->doc), "current-context"),
		   *name;
	yaml_node_t *context, *part;
	int ret;

	if (!current)
		return vr_err_set(f->err, EINVAL, "%s: current-context: is not given", f->path);
	context = named(f, "contexts", "context", current);
	if (!context)
		return -ENOENT;
	c->ns = xstrdup(text(f, context, "namespace"));
	name = text(f, context, "cluster");
	part = named(f, "clusters", "cluster", name ? name : "");
	if (!part)
		return -ENOENT;
	ret = read_cluster(f, part, c);
	name = text(f, context, "user");
	if (ret || !name)
		return ret;
	part = named(f, "users", "user", name);
	return part ? read_user(f, part, c) : -ENOENT;
}

static int load_yaml(struct file *f, FILE *in)
{
	yaml_parser_t parser;
	int ret = 0;

	if (!yaml_parser_initialize(&parser))
		return vr_err_nomem(f->err);
	yaml_parser_set_input_file(&parser, in);
	if (!yaml_parser_load(&parser, &f->doc))
		ret = vr_err_set(f->err, EINVAL, "%s:%zu: %s", f->path,
				 parser.problem_mark.line + 1,
				 parser.problem ? parser.problem : "is no YAML");
	yaml_parser_delete(&parser);
	return ret;
}

static int read_file(struct kube_config *c, const char *path, struct vr_err *err)
{
	const char *slash = strrchr(path, '/');
	struct file f = { .path = path, .err = err };
	FILE *in = fopen(path, "re");
	int ret;

	if (!in)
		return vr_err_errno(err, errno, "%s", path);
	ret = load_yaml(&f, in);
	fclose(in);
	if (ret)
		return ret;
	f.folder = slash ? mem_check(strndup(path, slash - path + 1)) : xstrdup("");
	ret = read_context(&f, c);
	free(f.folder);
	yaml_document_delete(&f.doc);
	return ret;
}

/* --- a pod's --------------------------------------------------------------- */

static char *first_line(const char *path)
{
	FILE *in = fopen(path, "re");
	char line[256] = "";

	if (!in)
		return NULL;
	if (!fgets(line, sizeof(line), in))
		line[0] = '\0';
	fclose(in);
	line[strcspn(line, "\n")] = '\0';
	return *line ? xstrdup(line) : NULL;
}

static void use_service_account(struct kube_config *c, const char *host, const char *port)
{
	bool v6 = strchr(host, ':');

	c->server = xasprintf("https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "",
				 port ? port : "443");
	c->token_file = xstrdup(KUBE_SERVICE_ACCOUNT "/token");
	c->ca.file = xstrdup(KUBE_SERVICE_ACCOUNT "/ca.crt");
	c->ns = first_line(KUBE_SERVICE_ACCOUNT "/namespace");
}

static int find(struct kube_config *c, const char *path, struct vr_err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *home = getenv("HOME");
	VR_AUTO_FREE char *own = NULL;

	if (!path)
		path = getenv("KUBECONFIG");
	if (path && *path)
		return read_file(c, path, err);
	if (host && *host) {
		use_service_account(c, host, getenv("KUBERNETES_SERVICE_PORT"));
		return 0;
	}
	own = xasprintf("%s/.kube/config", home ? home : "");
	if (!access(own, R_OK))
		return read_file(c, own, err);
	return vr_err_set(err, ENOENT, "no kubeconfig is given, and this is no pod of a cluster "
			  "(KUBERNETES_SERVICE_HOST is not set)");
}

int kube_config_load(struct kube_config *c, const char *path, const char *server,
		     struct vr_err *err)
{
	size_t len;
	int ret;

	memset(c, 0, sizeof(*c));
	ret = find(c, path, err);
	if (!ret && server) {
		free(c->server);
		c->server = xstrdup(server);
	}
	if (!ret && (!c->server || strncmp(c->server, "https://", 8)))
		ret = vr_err_set(err, EINVAL,
				 "the API server \"%.200s\" is not https://HOST[:PORT]",
				 c->server ? c->server : "");
	if (ret || !c->server) {
		kube_config_clear(c);
		return ret;
	}
	len = strlen(c->server);
	while (len && c->server[len - 1] == '/')
		c->server[--len] = '\0';
	if (!c->ns)
		c->ns = xstrdup("default");
	return 0;
}
