/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/network-watch.h - when this machine's addresses or routes change
 *
 * A cable that comes back, a DHCP server that answers late, another address:
 * whoever waits for something of the network need not wait any longer. What
 * comes in a burst is told once, when it has been quiet for a moment; what
 * never becomes quiet is told all the same, once a NETWORK_WATCH_MAX_MS.
 *
 * Source:  rtnetlink(7): links, addresses and routes
 * Thread:  the one whose default context it was made in
 * Memory:  owned by its creator; at most NETWORK_WATCH_ADDRESSES are compared
 */
#pragma once

#include <gio/gio.h>

#define NETWORK_WATCH_QUIET_MS	300
#define NETWORK_WATCH_MAX_MS	2000
#define NETWORK_WATCH_ADDRESSES 256

typedef struct NetworkWatch NetworkWatch;

/**
 * NetworkWatchFunc - something changed
 * @gained: there is an address more whose link works, or a route
 * @lost:   addresses that are no longer there, NULL terminated. That of a cable
 *	    which was pulled stays, as long as the interface has it
 *
 * Of the loopback's and of IPv6's link-local addresses nothing is told. Must
 * not free the watch.
 */
typedef void (*NetworkWatchFunc)(void *user, gboolean gained,
				 const char *const *lost);

NetworkWatch *network_watch_new(NetworkWatchFunc changed, void *user,
				GError **error);
/* Takes NULL, returns NULL. */
NetworkWatch *network_watch_free(NetworkWatch *watch);

/* The addresses of interfaces that are up, sorted; of those named, NULL
 * terminated, or of all but the loopback (NULL). g_strfreev() */
char **network_watch_list(const char *const *interfaces);
/* Those of @before that are not in @now; both sorted. Pure. g_strfreev() */
char **network_watch_missing(const char *const *before, const char *const *now);
