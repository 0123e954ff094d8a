/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VR_UTF8_H
#define VR_UTF8_H

/*
 * Puts '?' in the place of each octet of s that is no part of a character in UTF-8 (RFC 3629), as one that was cut
 * off has some: no JSON can hold it. Returns s, which may be NULL.
 */
char *vr_utf8_clean(char *s);

#endif
