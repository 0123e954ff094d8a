/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A folder of manifests as the model's source.
 *
 * A reading takes in what changed since the last one. What is bad changes nothing: an object
 * that is refused keeps its last good state, and so do all objects of a file that cannot be
 * read or parsed. An object that two files have belongs to the one that had it first
 * (at the first reading: by file name); the other one's is told of and waits.
 */
#ifndef MANAGER_MANIFESTS_H
#define MANAGER_MANIFESTS_H

#include <stdbool.h>

#include "field.h"
#include "map.h"
#include "model.h"

struct manifests {
	const struct config	*cfg;
	struct model		*model;
	struct map		files;		/* name -> struct file */
	struct map		writing;	/* names of files that are being written */
};

void manifests_init(struct manifests *ms, const struct config *cfg, struct model *model);
void manifests_free(struct manifests *ms);

/* Whether a file of this name is read at all. */
bool manifests_is_one(const char *name);

/*
 * Reads what changed into the model (whose model_run() is the caller's to call). What is wrong
 * is added to the report. -1 if the folder itself cannot be read.
 */
int manifests_read(struct manifests *ms, struct report *report);

#endif
