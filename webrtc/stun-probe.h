/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/stun-probe.h - one STUN binding request, to see who answers
 *
 *   binding request ──▶ server      again after 250 ms, 500 ms, ... (UDP)
 *   mapped address  ◀── server
 *
 * STUN servers answer it, and so do TURN servers, without credentials: it
 * tells that the server is there and lets us through, and not that it would
 * relay.
 *
 * Source:  RFC 8489 §6.2.1 (UDP), §6.2.2 (TCP), §14.2; messages by libnice
 * Thread:  any; blocks, at most as long as it is told
 * Memory:  none
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/**
 * stun_probe() - ask a server how it sees us
 * @to:         where it listens, IPv4 or IPv6
 * @tcp:        over TCP (turn:...?transport=tcp)
 * @timeout_ms: for all of it
 * @ret_seen:   our address as the server sees it
 *
 * Return: 0, -ETIMEDOUT (nobody answers), -ECONNREFUSED and its kin, -EBADMSG
 * (an answer that is none).
 */
int stun_probe(const struct sockaddr *to, socklen_t to_len, bool tcp,
	       unsigned int timeout_ms, struct sockaddr_storage *ret_seen);
