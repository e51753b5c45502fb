/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/viewer-files.h - the viewer page, built into the program
 *
 * Thread:  any
 * Memory:  the bytes are part of the program; nothing to release
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct viewer_file {
	const char *bytes;
	size_t len;
	const char *content_type;
	char etag[20];		/* with its quotes */
};

/* What a browser may load and do on the page: our own files, the rooms. */
#define VIEWER_CSP                                                             \
	"default-src 'none'; script-src 'self'; style-src 'self'; "            \
	"img-src 'self' data:; media-src 'self' blob: mediastream:; "          \
	"connect-src 'self' ws: wss:; manifest-src 'self'; "                   \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* @path: "/" or "/viewer.css". Return: false if there is no such file. */
bool viewer_file_find(const char *path, struct viewer_file *ret);
