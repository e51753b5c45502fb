/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-pages.h - GET requests with an answer at once
 *
 * The room API, the viewer page and what the page needs to know.
 *
 * Thread:  server
 */
#pragma once

#include "appliance/roomserver/room-connection.h"

/* Return: what the callback of libwebsockets must return. */
int room_pages_serve(struct room_service *service, struct lws *wsi,
		     const char *path);
