/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/net-demux.h - a second socket on libnice's port, for media alone
 *
 * libnice owns the socket ICE runs on. A sibling is bound to the same address
 * (SO_REUSEPORT) and a classic BPF program on the group looks at the first
 * byte of every datagram:
 *
 *   0..3 STUN, 16..19 ZRTP, 64..79 TURN channel, the rest --> libnice
 *   20..63 DTLS, 128..191 RTP and RTCP                    --> sibling
 *
 * Rules that measurements taught, see docs/architecture.md, "Transport I/O":
 *  - never connect() the sibling: it would win the lookup before the program
 *    and take the peer's STUN too; ICE then dies of lost consent;
 *  - never set UDP_GRO on it: the GRO lookup runs without the program;
 *  - between bind and attach (some 10 us) datagrams are spread by hash. A STUN
 *    packet that strays onto the sibling is dropped; libnice sends it again;
 *  - when libnice's socket closes first the sibling keeps the port and
 *    receives everything: close the sibling yourself.
 * Whoever reads the sibling must do what libnice did: compare the sender with
 * the selected remote address, and stop sending when consent is lost.
 *
 * Source:  RFC 7983 (first byte), socket(7) SO_REUSEPORT,
 *          SO_ATTACH_REUSEPORT_CBPF
 * Thread:  any; plain system calls on descriptors
 * Memory:  none
 */
#pragma once

/* Asked for on both sockets; the kernel gives what net.core.rmem_max and
 * wmem_max allow. libnice leaves the default of 208 KiB. */
#define NET_DEMUX_BUFFER_BYTES (4 * 1024 * 1024)

/**
 * net_demux_sibling() - make the media socket beside libnice's
 * @nice_fd: a bound UDP socket, borrowed; left as it was on failure, save for
 *           its buffer sizes
 * @ret_fd:  the sibling, non-blocking, CLOEXEC, owned by the caller
 *
 * Call it before any candidate leaves for the peer, and again for sockets a
 * later gathering made. One sibling per socket at a time: a second one would
 * receive nothing.
 *
 * Return: 0, or the reason as negative errno: -ESOCKTNOSUPPORT not a datagram
 * socket (ICE-TCP), -EAFNOSUPPORT not IPv4 or IPv6, -EADDRNOTAVAIL not bound,
 * -EADDRINUSE another user holds the port, -EPERM and -EACCES a sandbox
 * refuses. On failure media of this socket comes through libnice.
 */
int net_demux_sibling(int nice_fd, int *ret_fd);

/**
 * net_demux_stop() - first step of closing: everything to libnice again
 * @sibling_fd: from net_demux_sibling()
 *
 * Packets already queued at the sibling stay there. Return: 0 or negative
 * errno (the group is gone: nothing to stop).
 */
int net_demux_stop(int sibling_fd);
