/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/sctp-socket.h - a usrsctp socket set up for data channels
 *
 * Source:  RFC 8831 §6.1, §6.2; RFC 6458 (the options)
 * Thread:  network
 * Memory:  usrsctp's; buffers are SCTP_BUFFER_BYTES each way
 */
#pragma once

#include <usrsctp.h>

/* There may be something to read, or room to write. usrsctp is on the stack. */
typedef void sctp_upcall_fn(struct socket *socket, void *user, int flags);

/* Return: 0 or negative errno. Closed with usrsctp_close(), which aborts. */
int sctp_socket_new(sctp_upcall_fn *upcall, void *user, struct socket **ret);
/* Binds and sends the INIT. @address: registered with usrsctp, both ours and
 * the peer's. Return: 0 or negative errno. */
int sctp_socket_connect(struct socket *s, void *address);
