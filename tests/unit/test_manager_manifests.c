// SPDX-License-Identifier: GPL-2.0-only
/* links: manager kube lib */
/* A folder of manifests: what is refused and how, what stays, whose an object is. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifests.h"
#include "test_manager_world.h"

struct folder {
	struct world		w;
	struct manifests	ms;
	char			path[64];
};

static void folder_init(struct folder *f)
{
	world_init(&f->w, "10.32.0.0/12", "10.96.0.0/12");
	strcpy(f->path, "/tmp/vr-manifests-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->w.cfg.manifests = f->path;
	manifests_init(&f->ms, &f->w.cfg, &f->w.model);
}

static void folder_free(struct folder *f)
{
	cleanup_free char *rm = xasprintf("rm -r %s", f->path);

	manifests_free(&f->ms);
	world_free(&f->w);
	assert_int_equal(system(rm), 0);
}

/* text NULL: the file is removed */
static void put(struct folder *f, const char *name, const char *text)
{
	cleanup_free char *path = xasprintf("%s/%s", f->path, name), *aside = xasprintf("%s.new", path);
	FILE *out;

	if (!text) {
		assert_int_equal(unlink(path), 0);
		return;
	}
	out = fopen(aside, "w");
	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(rename(aside, path), 0);
}

/* Reads and runs; the complaints must be these lines. */
static void read_(struct folder *f, const char *complaints, const char *file, int line)
{
	struct report report = {};
	size_t i;

	world_clear(&f->w);
	assert_int_equal(manifests_read(&f->ms, &report), 0);
	for (i = 0; i < report.n; i++)
		world_complain(&f->w, NULL, report.v[i].text);
	report_free(&report);
	world_run(&f->w);
	if (strcmp(f->w.complaints, complaints)) {
		print_error("%s:%d: complaints are\n%snot\n%s", file, line, f->w.complaints, complaints);
		_fail(file, line);
	}
}
#define read_manifests(f, complaints) read_(f, complaints, __FILE__, __LINE__)

#define NS(name) "{apiVersion: v1, kind: Namespace, metadata: {name: " name "}}\n"
#define POD(name, node) "apiVersion: v1\nkind: Pod\nmetadata: {name: " name "}\nspec: {nodeName: " node "}\n"

static void assert_project(struct folder *f, const char *key, bool there)
{
	assert_int_equal(!!store_get(&f->w.store, RES_PROJECT, key), there);
}

static char *slurp(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = xzalloc(65536);

	assert_non_null(in);
	assert_true(fread(text, 1, 65535, in) > 0);
	fclose(in);
	return text;
}

/* Every complaint with file, line, document, object, field and reason: as in refused.txt. */
static void refusals(void **state)
{
	static const char *const words[] = { "note", "warning", "error" };
	cleanup_free char *want = slurp(VR_SRCDIR "/tests/unit/data/manager/refused.txt");
	struct report report = {};
	struct manifests ms;
	struct world w;
	size_t i;

	(void)state;
	world_init(&w, "10.32.0.0/12", "10.96.0.0/12");
	w.cfg.manifests = VR_SRCDIR "/tests/unit/data/manager/refused";
	manifests_init(&ms, &w.cfg, &w.model);
	assert_int_equal(manifests_read(&ms, &report), 0);
	for (i = 0; i < report.n; i++) {
		cleanup_free char *line = xasprintf("%s: %s", words[report.v[i].severity], report.v[i].text);

		world_complain(&w, NULL, line);
	}
	assert_string_equal(w.complaints, want);
	report_free(&report);
	manifests_free(&ms);
	world_free(&w);
}

static void names(void **state)
{
	struct folder f;

	(void)state;
	folder_init(&f);
	put(&f, "a.yaml", NS("a"));
	put(&f, "b.yml", "---\n" NS("b") "---\n" NS("b2") "---\n");
	put(&f, "c.json", "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
	    "\"metadata\":{\"name\":\"c\"}}]}");
	put(&f, "d.txt", NS("d"));
	put(&f, ".e.yaml", NS("e"));
	put(&f, "f.yaml~", NS("f"));
	put(&f, "g.json", "");
	read_manifests(&f, "");
	assert_int_equal(f.w.store.published[RES_PROJECT].n, 5);
	assert_project(&f, "/c", true);
	put(&f, "b.yml", NS("b"));
	put(&f, "c.json", NULL);
	read_manifests(&f, "");
	assert_project(&f, "/b", true);
	assert_project(&f, "/b2", false);
	assert_project(&f, "/c", false);
	read_manifests(&f, "");
	assert_int_equal(json_array_size(f.w.events), 0);
	folder_free(&f);
}

/* Refused objects, unreadable texts and files change nothing. */
static void last_good_state(void **state)
{
	struct folder f;

	(void)state;
	folder_init(&f);
	put(&f, "a.yaml", POD("p", "n1") "---\n" POD("q", "n1"));
	read_manifests(&f, "");
	put(&f, "a.yaml", POD("p", "n2") "---\n" POD("q", "N"));
	read_manifests(&f, "a.yaml:9: document 2: Pod default/q: spec.nodeName: \"N\" must be lower case letters, digits, "
		       "'-' and '.', with a letter or digit at both ends of each part\n"
		       "a.yaml:6: document 2: Pod default/q: refused; its last good state stays in force\n");
	assert_spec(&f.w, RES_INTERFACE, "default/p", "node", "\"n2\"");
	assert_spec(&f.w, RES_INTERFACE, "default/q", "node", "\"n1\"");
	/* Which one this was, nobody knows: both stay. */
	put(&f, "a.yaml", "apiVersion: v1\nkind: Pod\n");
	read_manifests(&f, "a.yaml:1: document 1: Pod: metadata.name: is required\n");
	assert_int_equal(f.w.store.published[RES_INTERFACE].n, 2);
	put(&f, "a.yaml", POD("p", "n3") "---\n\t");
	read_manifests(&f, "a.yaml:6: document 2: while scanning for the next token: found character that cannot start any "
		       "token; the file's objects stay as they were\n");
	assert_spec(&f.w, RES_INTERFACE, "default/p", "node", "\"n2\"");
	assert_int_equal(f.w.store.published[RES_INTERFACE].n, 2);
	put(&f, "a.yaml", POD("p", "n3"));
	read_manifests(&f, "");
	assert_spec(&f.w, RES_INTERFACE, "default/p", "node", "\"n3\"");
	assert_int_equal(f.w.store.published[RES_INTERFACE].n, 1);
	/* An unused field changes nothing that is published. */
	put(&f, "a.yaml", POD("p", "n3") "status: {hostIP: 192.0.2.1}\n");
	read_manifests(&f, "");
	assert_int_equal(json_array_size(f.w.events), 0);
	put(&f, "a.yaml", NULL);
	read_manifests(&f, "");
	assert_int_equal(f.w.store.published[RES_INTERFACE].n, 0);
	folder_free(&f);
}

static void odd_files(void **state)
{
	struct folder f;
	cleanup_free char *path = NULL, *link = NULL, *dir = NULL, *big = NULL;

	(void)state;
	folder_init(&f);
	path = xasprintf("%s/a.yaml", f.path);
	link = xasprintf("%s/b.yaml", f.path);
	dir = xasprintf("%s/d.yaml", f.path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(symlink("nowhere", link), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	read_manifests(&f, "a.yaml: is not a regular file; it is left out\n");
	read_manifests(&f, "");
	put(&f, "real", NS("linked"));
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("real", link), 0);
	read_manifests(&f, "");
	assert_project(&f, "/linked", true);
	assert_int_equal(unlink(link), 0);
	big = xasprintf("%s/big.yaml", f.path);
	close(open(big, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(truncate(big, READER_MAX_BYTES + 1), 0);
	read_manifests(&f, "big.yaml: File too large; it is left out\n");
	assert_project(&f, "/linked", false);
	folder_free(&f);
}

static void duplicates(void **state)
{
	struct folder f;

	(void)state;
	folder_init(&f);
	put(&f, "a.yaml", POD("p", "n1"));
	put(&f, "b.yaml", "---\n" POD("q", "n2") "---\n" POD("p", "n2"));
	put(&f, "c.yaml", POD("p", "n3") "---\n" POD("p", "n4"));
	read_manifests(&f, "c.yaml:6: document 2: Pod default/p: is given in c.yaml:1 too, which counts\n"
		       "b.yaml:7: Pod default/p: is given in a.yaml:1 too, which counts\n"
		       "c.yaml:1: Pod default/p: is given in a.yaml:1 too, which counts\n");
	assert_spec(&f.w, RES_INTERFACE, "default/p", "node", "\"n1\"");
	/* The first one goes: the next has it. */
	put(&f, "a.yaml", NULL);
	read_manifests(&f, "");
	assert_spec(&f.w, RES_INTERFACE, "default/p", "node", "\"n2\"");
	/* A new first name does not take it away. */
	put(&f, "a.yaml", POD("p", "n5"));
	read_manifests(&f, "a.yaml:1: Pod default/p: is given in b.yaml:7 too, which counts\n");
	assert_spec(&f.w, RES_INTERFACE, "default/p", "node", "\"n2\"");
	put(&f, "b.yaml", POD("q", "n2"));
	read_manifests(&f, "");
	assert_spec(&f.w, RES_INTERFACE, "default/p", "node", "\"n5\"");
	put(&f, "a.yaml", NULL);
	put(&f, "c.yaml", NULL);
	read_manifests(&f, "");
	assert_int_equal(f.w.store.published[RES_INTERFACE].n, 1);
	assert_int_equal(f.w.model.objects[KIND_POD].n, 1);
	folder_free(&f);
}

/* An object that moves to another file is the same one all the time. */
static void moves(void **state)
{
	struct folder f;
	cleanup_free char *a = NULL, *b = NULL;

	(void)state;
	folder_init(&f);
	a = xasprintf("%s/a.yaml", f.path);
	b = xasprintf("%s/b.yaml", f.path);
	put(&f, "a.yaml", POD("p", "n1"));
	read_manifests(&f, "");
	assert_int_equal(rename(a, b), 0);
	read_manifests(&f, "");
	assert_int_equal(json_array_size(f.w.events), 0);
	/* Also when it arrives broken. */
	put(&f, "b.yaml", NULL);
	put(&f, "c.yaml", POD("p", "N"));
	read_manifests(&f, "c.yaml:4: document 1: Pod default/p: spec.nodeName: \"N\" must be lower case letters, digits, "
		       "'-' and '.', with a letter or digit at both ends of each part\n"
		       "c.yaml:1: document 1: Pod default/p: refused; its last good state stays in force\n");
	assert_int_equal(json_array_size(f.w.events), 0);
	assert_spec(&f.w, RES_INTERFACE, "default/p", "node", "\"n1\"");
	put(&f, "c.yaml", NULL);
	read_manifests(&f, "");
	assert_int_equal(f.w.store.published[RES_INTERFACE].n, 0);
	folder_free(&f);
}

/* Two changed files that claim the same, the owner's turn being the later one. */
static void both_changed(void **state)
{
	struct folder f;

	(void)state;
	folder_init(&f);
	put(&f, "b.yaml", POD("p", "n1"));
	read_manifests(&f, "");
	put(&f, "a.yaml", POD("p", "n2"));
	put(&f, "b.yaml", "---\n" POD("p", "n3"));
	read_manifests(&f, "a.yaml:1: Pod default/p: is given in b.yaml:2 too, which counts\n");
	assert_spec(&f.w, RES_INTERFACE, "default/p", "node", "\"n3\"");
	folder_free(&f);
}

static void being_written(void **state)
{
	struct folder f;

	(void)state;
	folder_init(&f);
	put(&f, "a.yaml", POD("p", "n1"));
	read_manifests(&f, "");
	map_set(&f.ms.writing, "a.yaml", &f);
	put(&f, "a.yaml", "half of a fi");
	read_manifests(&f, "");
	assert_spec(&f.w, RES_INTERFACE, "default/p", "node", "\"n1\"");
	map_del(&f.ms.writing, "a.yaml");
	put(&f, "a.yaml", POD("p", "n2"));
	read_manifests(&f, "");
	assert_spec(&f.w, RES_INTERFACE, "default/p", "node", "\"n2\"");
	folder_free(&f);
}

static void folder_gone(void **state)
{
	struct report report = {};
	struct folder f;

	(void)state;
	folder_init(&f);
	put(&f, "a.yaml", NS("a"));
	read_manifests(&f, "");
	f.w.cfg.manifests = "/nonexistent/manifests";
	assert_int_equal(manifests_read(&f.ms, &report), -1);
	assert_string_equal(report.v[0].text, "/nonexistent/manifests: No such file or directory; all objects stay as they were");
	report_free(&report);
	world_run(&f.w);
	assert_project(&f, "/a", true);
	folder_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(names),
		cmocka_unit_test(last_good_state),
		cmocka_unit_test(odd_files),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(moves),
		cmocka_unit_test(both_changed),
		cmocka_unit_test(being_written),
		cmocka_unit_test(folder_gone),
	};

	return cmocka_run_group_tests_name("manager: manifests", tests, NULL, NULL);
}
