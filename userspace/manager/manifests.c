// SPDX-License-Identifier: GPL-2.0-only
#include "manifests.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reader.h"
#include "xmem.h"

/* What a file says of an object. */
struct claim {
	/* NULL: the model has it, or it was refused and what the model has stays. */
	struct object	*object;
	struct file	*file;
	unsigned int	line;
};

struct file {
	char		*name;
	struct stat	st;		/* as last read */
	struct map	claims;		/* object's id -> struct claim */
	struct map	next;		/* the same, of the reading at hand */
	bool		changed;	/* next is to replace claims */
	bool		keep;		/* and what it does not have is not gone */
	bool		seen;
};

static void claim_free(void *value)
{
	struct claim *claim = value;

	object_free(claim->object);
	free(claim);
}

static void file_free(void *value)
{
	struct file *file = value;

	map_clear(&file->claims, claim_free);
	map_clear(&file->next, claim_free);
	free(file->name);
	free(file);
}

void manifests_init(struct manifests *ms, const struct config *cfg, struct model *model)
{
	memset(ms, 0, sizeof(*ms));
	ms->cfg = cfg;
	ms->model = model;
}

void manifests_free(struct manifests *ms)
{
	map_clear(&ms->files, file_free);
	map_clear(&ms->writing, NULL);
}

bool manifests_is_one(const char *name)
{
	static const char *const ends[] = { ".yaml", ".yml", ".json" };
	size_t i, len = strlen(name), end;

	for (i = 0; i < 3 && *name != '.'; i++) {
		end = strlen(ends[i]);
		if (len > end && !strcmp(name + len - end, ends[i]))
			return true;
	}
	return false;
}

/* The model's object of an id, "Pod/default/web-0"; or NULL. */
static struct object *object_of(const struct manifests *ms, const char *id)
{
	const char *slash = strchr(id, '/');
	size_t len = slash - id;
	enum object_kind k;

	for (k = 0; k < OBJECT_KINDS; k++)
		if (strlen(kind_name(k)) == len && !strncmp(kind_name(k), id, len))
			return map_get(&ms->model->objects[k], slash + 1);
	return NULL;
}

static const struct file *owner_of(const struct manifests *ms, const char *id)
{
	const struct object *obj = object_of(ms, id);

	return obj ? obj->owner : NULL;
}

/* --- one file's text to claims -------------------------------------------------------- */

struct reading {
	struct manifests	*ms;
	struct file		*file;
	struct report		*report;
};

/* "Pod/default/web-0" -> "Pod default/web-0", to be freed */
static char *readable(const char *id)
{
	char *text = xstrdup(id);

	*strchr(text, '/') = ' ';
	return text;
}

/* Notes what the file says of an object; obj NULL: it was refused. */
static void add_claim(struct reading *r, const struct field *doc, const char *id,
		      struct object *obj)
{
	struct claim *claim = map_get(&r->file->next, id);

	if (claim) {
		cleanup_free char *name = readable(id);

		report_add(r->report, ERROR,
			   "%s:%u: document %u: %s: is given in %s:%u too, which counts",
			   r->file->name, field_line(doc), doc->place->document, name,
			   r->file->name, claim->line);
		object_free(obj);
		return;
	}
	claim = xzalloc(sizeof(*claim));
	claim->object = obj;
	claim->file = r->file;
	claim->line = field_line(doc);
	map_set(&r->file->next, id, claim);
}

static void read_object(struct reading *r, const struct field *doc)
{
	size_t errors = r->report->errors;
	cleanup_free char *id = NULL;
	struct object *obj = object_read(doc, &id);

	if (!id) {
		/* It may have been any of the file's objects. */
		r->file->keep |= r->report->errors != errors;
		return;
	}
	if (!obj) {
		cleanup_free char *name = readable(id);

		report_add(r->report, NOTE, "%s:%u: document %u: %s: refused; %s", r->file->name,
			   field_line(doc), doc->place->document, name,
			   owner_of(r->ms, id) ? "its last good state stays in force"
						       : "it is left out");
	}
	if (obj) {
		cleanup_free char *text = mem_check(json_dumps(obj->source, JSON_COMPACT |
								JSON_SORT_KEYS));

		obj->content = stable_hash(text);
		object_forget_source(obj);
	}
	add_claim(r, doc, id, obj);
}

/* kind: List, PodList, ...: its items are objects. */
static bool is_list(const struct field *doc)
{
	const char *kind = json_string_value(json_object_get(doc->value, "kind"));
	size_t len = kind ? strlen(kind) : 0;

	return len >= 4 && !strcmp(kind + len - 4, "List") &&
	       (len == 4 || json_is_array(json_object_get(doc->value, "items")));
}

static void read_document(struct reading *r, const struct document *d)
{
	struct place place = { .file = r->file->name, .document = d->number, .config = r->ms->cfg,
			       .report = r->report };
	struct field doc = { .value = d->value, .lines = d->lines, .place = &place }, items;
	size_t i;

	if (json_is_null(d->value))
		return;
	if (!json_is_object(d->value)) {
		field_error(&doc, "is no object");
		r->file->keep = true;
		return;
	}
	if (!is_list(&doc)) {
		read_object(r, &doc);
		return;
	}
	items = field_array(&doc, "items");
	for (i = 0; i < field_count(&items); i++) {
		struct field item = field_at(&items, i);

		place.object = NULL;
		if (json_is_object(item.value)) {
			read_object(r, &item);
		} else {
			field_error(&item, "is no object");
			r->file->keep = true;
		}
	}
}

static void read_text(struct reading *r, const char *text, size_t len)
{
	const char *dot = strrchr(r->file->name, '.');
	struct documents docs;
	size_t i;

	if (!strcmp(dot, ".json"))
		json_read(text, len, &docs);
	else
		yaml_read(text, len, &docs);
	if (docs.error) {
		report_add(r->report, ERROR, "%s:%u: document %u: %s; %s", r->file->name,
			   docs.error_line, docs.error_document, docs.error,
			   r->file->claims.n ? "the file's objects stay as they were"
					     : "the file is left out");
		r->file->keep = true;
	}
	for (i = 0; i < docs.n; i++)
		read_document(r, &docs.v[i]);
	documents_free(&docs);
}

/* --- files --------------------------------------------------------------------------------- */

/* The whole file, to be freed, and *st of what was read; or NULL and errno. */
static char *slurp(int dir, const char *name, size_t *len, struct stat *st)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	ssize_t n = -1;
	int saved;

	if (fd < 0)
		return NULL;
	*len = 0;
	if (!fstat(fd, st)) {
		text = mem_check(malloc(READER_MAX_BYTES + 1));
		while (*len <= READER_MAX_BYTES &&
		       (n = read(fd, text + *len, READER_MAX_BYTES + 1 - *len)) > 0)
			*len += n;
		if (*len > READER_MAX_BYTES) {
			n = -1;
			errno = EFBIG;
		}
	}
	saved = errno;
	close(fd);
	if (!n)
		return text;
	free(text);
	errno = saved;
	return NULL;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void read_file(struct manifests *ms, int dir, const char *name, struct report *report)
{
	struct file *file = map_get(&ms->files, name);
	struct reading r = { .ms = ms, .report = report };
	struct stat st;
	size_t len;
	char *text;

	/* Gone since the folder was listed: as if it had not been in the list. */
	if (fstatat(dir, name, &st, 0) || S_ISDIR(st.st_mode))
		return;
	if (!file) {
		file = xzalloc(sizeof(*file));
		file->name = xstrdup(name);
		map_set(&ms->files, name, file);
	}
	file->seen = true;
	if (map_get(&ms->writing, name) || same_file(&st, &file->st))
		return;
	r.file = file;
	file->changed = true;
	file->keep = false;
	file->st = st;
	text = S_ISREG(st.st_mode) ? slurp(dir, name, &len, &file->st) : NULL;
	if (text) {
		read_text(&r, text, len);
	} else {
		report_add(report, ERROR, "%s: %s; %s", name,
			   S_ISREG(st.st_mode) ? strerror(errno) : "is not a regular file",
			   file->claims.n ? "its objects stay as they were" : "it is left out");
		file->keep = true;
	}
	free(text);
}

static int is_manifest(const struct dirent *d)
{
	return manifests_is_one(d->d_name);
}

/* --- claims to the model -------------------- */

/* The object passes to the model, unless that has the same. */
static void give(struct manifests *ms, struct claim *claim, const char *id)
{
	struct object *obj = claim->object, *old = object_of(ms, id);

	claim->object = NULL;
	if (obj)
		obj->owner = claim->file;
	if (obj && (!old || old->content != obj->content)) {
		model_put(ms->model, obj);
		return;
	}
	/* of what is refused the model has the last good state */
	if (old)
		old->owner = claim->file;
	if (!obj)
		return;
	free(old->where);
	old->where = obj->where;
	obj->where = NULL;
	object_free(obj);
}

static void take_from_model(struct manifests *ms, const char *id)
{
	const struct object *obj = object_of(ms, id);

	if (obj)
		model_del(ms->model, obj->kind, strchr(id, '/') + 1);
}

/* What the file no longer says; the ids go to orphans. */
static void drop_claims(struct manifests *ms, struct file *file, struct map *orphans)
{
	map_for_each(&file->claims, node) {
		struct claim *next = map_get(&file->next, node->key), *claim = node->value;

		if (!next && file->keep) {
			map_set(&file->next, node->key, claim);
			node->value = NULL;
			continue;
		}
		/* Refused, and an earlier good state is waiting: that one goes on waiting. */
		if (next && !next->object && claim->object) {
			next->object = claim->object;
			claim->object = NULL;
		}
		if (!next && owner_of(ms, node->key) == file) {
			object_of(ms, node->key)->owner = NULL;
			map_set(orphans, node->key, orphans);
		}
	}
	map_for_each(&file->claims, node)
		if (node->value)
			claim_free(node->value);
	map_clear(&file->claims, NULL);
}

static void make_claims(struct manifests *ms, struct file *file, const struct map *orphans,
			struct report *report)
{
	struct map_node **nodes = map_sorted(&file->next);
	size_t i, n = file->next.n;

	for (i = 0; i < n; i++) {
		const char *id = nodes[i]->key;
		const struct file *owner = owner_of(ms, id);
		struct claim *claim = nodes[i]->value, *first;

		map_set(&file->claims, id, claim);
		/* A refused one gives nothing, but keeps what another file has let go. */
		if (owner == file || (!owner && (claim->object || map_get(orphans, id)))) {
			give(ms, claim, id);
		} else if (owner && claim->object) {
			cleanup_free char *name = readable(id);

			first = map_get(&owner->claims, id);
			/* The owner may still wait for its turn here. */
			first = first ? first : map_get(&owner->next, id);
			report_add(report, ERROR, "%s:%u: %s: is given in %s:%u too, which counts",
				   file->name, claim->line, name, owner->name, first->line);
		}
	}
	free(nodes);
	map_clear(&file->next, NULL);
	file->changed = false;
}

/* The next file that has the object, or the end of it. */
static void adopt(struct manifests *ms, const char *id)
{
	struct map_node **nodes = map_sorted(&ms->files);
	struct claim *claim = NULL;
	size_t i;

	for (i = 0; i < ms->files.n && !claim; i++) {
		claim = map_get(&((struct file *)nodes[i]->value)->claims, id);
		if (claim && !claim->object)
			claim = NULL;
	}
	free(nodes);
	if (claim)
		give(ms, claim, id);
	else
		take_from_model(ms, id);
}

static void settle(struct manifests *ms, struct report *report)
{
	struct map_node **nodes;
	struct map orphans = {};
	size_t i, n;

	map_for_each(&ms->files, node) {
		struct file *file = node->value;

		/* One that is gone has nothing to say. */
		if (!file->seen) {
			file->changed = true;
			file->keep = false;
		}
		if (file->changed)
			drop_claims(ms, file, &orphans);
	}
	nodes = map_sorted(&ms->files);
	n = ms->files.n;
	for (i = 0; i < n; i++)
		if (((struct file *)nodes[i]->value)->changed)
			make_claims(ms, nodes[i]->value, &orphans, report);
	free(nodes);
	nodes = map_sorted(&orphans);
	for (i = 0; i < orphans.n; i++)
		if (!owner_of(ms, nodes[i]->key))
			adopt(ms, nodes[i]->key);
	free(nodes);
	map_clear(&orphans, NULL);
	map_for_each(&ms->files, node) {
		struct file *file = node->value;

		if (!file->seen)
			file_free(map_del(&ms->files, node->key));
	}
}

int manifests_read(struct manifests *ms, struct report *report)
{
	int dir = open(ms->cfg->manifests, O_RDONLY | O_DIRECTORY | O_CLOEXEC), i, n = -1;
	struct dirent **names = NULL;

	if (dir >= 0)
		n = scandirat(dir, ".", &names, is_manifest, alphasort);
	if (n < 0) {
		report_add(report, ERROR, "%s: %s; all objects stay as they were",
			   ms->cfg->manifests, strerror(errno));
		if (dir >= 0)
			close(dir);
		return -1;
	}
	map_for_each(&ms->files, node)
		((struct file *)node->value)->seen = false;
	for (i = 0; i < n; i++) {
		read_file(ms, dir, names[i]->d_name, report);
		free(names[i]);
	}
	free(names);
	close(dir);
	settle(ms, report);
	return 0;
}
