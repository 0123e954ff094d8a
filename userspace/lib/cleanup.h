/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_CLEANUP_H
#define VR_CLEANUP_H

/*
 * Resources that end with the scope of a variable:
 *
 *	VR_AUTO_FREE char *text = strdup(...);
 *	VR_AUTO_CLOSE int fd = open(...);
 *	return vr_steal(text);
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void vr_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void vr_cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void vr_cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define VR_AUTO_FREE	__attribute__((cleanup(vr_cleanup_free)))
#define VR_AUTO_CLOSE	__attribute__((cleanup(vr_cleanup_close)))
#define VR_AUTO_FCLOSE	__attribute__((cleanup(vr_cleanup_fclose)))

/* The pointer's value; the variable is NULL then and ends nothing. */
#define vr_steal(p) ({ __typeof__(p) _p = (p); (p) = NULL; _p; })

#endif
