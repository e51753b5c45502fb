/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-pages.h - GET requests with an answer at once
 *
 * The room API, the viewer page and what the page needs to know.
 *
 * Thread:  server
 */
#pragma once

#include "appliance/roomserver/room-visitor.h"

/* Return: what the callback of libwebsockets must return. */
int room_pages_serve(struct room_service *service, struct lws *wsi,
		     const struct room_visit *visit, const char *path);
/* One of our files, or that there is none. */
int room_pages_serve_file(struct lws *wsi, const char *path);
