/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/rtc.h - the transport as the room sees it: an engine and its peers
 *
 * One rtc_engine owns the ice and the network thread. One rtc_peer is one
 * peer connection: ICE, DTLS, SRTP, RTP sessions, SCTP association. All calls
 * come from the control thread and all callbacks run there (an eventfd source
 * attached to the context given), save where said otherwise.
 *
 * Source:  RFC 8829 (JSEP), as far as one fixed set of m-lines needs it
 * Thread:  control
 * Memory:  owned by the creator; a callback may free its own peer
 */
#pragma once

#include <glib.h>

#include "media/coded-unit.h"
#include "webrtc/net-loop.h"

struct rtc_engine;
struct rtc_peer;

enum rtc_demux {
	RTC_DEMUX_AUTO,		/* kernel where it works, else callback */
	RTC_DEMUX_KERNEL,	/* SO_REUSEPORT + classic BPF beside libnice */
	RTC_DEMUX_CALLBACK,	/* everything through libnice's receive */
};

/* A decrypted RTP packet of a peer's audio or video. */
struct rtc_media_packet {
	enum media_codec codec;
	uint32_t ssrc, timestamp;
	uint16_t seq;
	bool marker;
	const uint8_t *payload;		/* borrowed */
	size_t len;
	uint64_t received_us;		/* CLOCK_MONOTONIC */
};

/* Where sockets are opened. */
struct rtc_network {
	uint16_t port_min, port_max;	/* UDP; 0: any */
	const char *const *addresses;	/* local addresses to gather on, NULL
					 * terminated, at least one; NULL: all
					 * interfaces that libnice takes, and
					 * the loopback if there is nothing
					 * else */
	bool loopback;			/* gather on 127.0.0.1 too */
};

/* How much may be sent, in bits per second; 0: no limit. */
struct rtc_limits {
	unsigned int data_bps;		/* messages and files, to each peer */
	unsigned int total_bps;		/* everything to all peers together */
	unsigned int audio_bps;		/* what one peer's sound takes of it,
					 * without headers */
};

struct rtc_engine_config {
	GMainContext *context;		/* control; borrowed, referenced */
	enum net_backend backend;
	bool no_gso;
	enum rtc_demux demux;
	struct rtc_network network;	/* copied */
	struct rtc_limits limits;
	uint8_t dscp_audio, dscp_video;	/* code points, 0: none */
	unsigned int max_peers;		/* named limit; 0: 64 */
	bool playout_delay_zero;	/* send playout-delay 0/0 */
	unsigned int start_bps, min_bps, max_bps;	/* video, per peer */

	/* A peer needs a keyframe of this codec's rung. Network thread, or the
	 * one that pushed a unit for which there was no room. */
	void (*request_keyframe)(void *user, enum media_codec codec,
				 bool first);
	/* What the slowest peer taking this codec can receive. Network thread,
	 * at most ten times a second, only on change. */
	void (*rung_bitrate)(void *user, enum media_codec codec,
			     unsigned int bps);
	/* What peers send, in the order it arrives; retransmissions are left
	 * out. Network thread, must not block. NULL: it is only counted. */
	void (*media_packet)(void *user, const char *peer_name,
			     const struct rtc_media_packet *packet);
	void *user;
};

/* One at a time: usrsctp has one state in a process, and wants one thread. */
struct rtc_engine *rtc_engine_new(const struct rtc_engine_config *config,
				  GError **error);
/* All peers must be freed first. */
struct rtc_engine *rtc_engine_free(struct rtc_engine *engine);

/* Peers that come from now on count against this many; 0: 64. Control. */
void rtc_engine_set_max_peers(struct rtc_engine *engine,
			      unsigned int max_peers);
/* The rates of config.start_bps and its kin: peers that come begin with
 * @start_bps; the range holds for those that are here, too. Control. Return: 0
 * or negative errno, and then nothing changed. */
int rtc_engine_set_rates(struct rtc_engine *engine, unsigned int start_bps,
			 unsigned int min_bps, unsigned int max_bps);

/* Peers that come open their sockets so; those that are here with the next ICE
 * restart, which begins by itself for those whose local address is gone:
 * ops.ice_state(RTC_ICE_FAILED). Control. */
void rtc_engine_set_network(struct rtc_engine *engine,
			    const struct rtc_network *network);
/* For who is here and who comes. The total is kept by what video takes: sound
 * always leaves, data gets a quarter of each peer's share at most, and video
 * what is left of it, but 30 kbit/s. Control. Return: 0 or negative errno. */
int rtc_engine_set_limits(struct rtc_engine *engine,
			  const struct rtc_limits *limits);
/* Code points of what is sent from now on. What is relayed (TURN) carries
 * none. Control. */
void rtc_engine_set_dscp(struct rtc_engine *engine, uint8_t audio,
			 uint8_t video);

/* Hands a unit to every peer that negotiated its codec. Any thread, never
 * blocks; takes its own reference; full queue: the unit is dropped, counted,
 * and for video a keyframe is asked for. */
void rtc_engine_push(struct rtc_engine *engine, struct coded_unit *unit);

struct rtc_engine_stats {
	struct net_loop_stats net;
	const char *backend;		/* "io_uring", "epoll" */
	const char *backend_reason;	/* why not io_uring, or NULL */
	bool gso;			/* allowed; each peer tells its own */
	const char *demux;		/* "kernel", "callback": of the pair that
					 * was selected last */
	const char *demux_reason;	/* why not the kernel, or NULL */
	unsigned int peers;
	uint64_t units_in, units_dropped;
	uint64_t bitstream_copies;	/* unit bytes copied other than by
					 * encryption; 0 unless relayed */
	/* From a frame's capture until its last packet was handed to the
	 * kernel, over all peers; recent frames weigh most. Exact to 9 %. */
	uint32_t sent_us_median, sent_us_p95;
	uint64_t ice_cpu_ns;		/* the ice thread's CPU time */
};
void rtc_engine_get_stats(struct rtc_engine *engine,
			  struct rtc_engine_stats *ret);

/* --- peers --------------------------------------------------------------- */
enum rtc_ice_state {		/* RTCIceConnectionState */
	RTC_ICE_NEW,
	RTC_ICE_CHECKING,
	RTC_ICE_CONNECTED,
	RTC_ICE_COMPLETED,
	RTC_ICE_FAILED,
	RTC_ICE_DISCONNECTED,
	RTC_ICE_CLOSED,
};

enum rtc_state {		/* RTCPeerConnectionState */
	RTC_STATE_NEW,
	RTC_STATE_CONNECTING,
	RTC_STATE_CONNECTED,	/* DTLS done, fingerprint checked: media flows */
	RTC_STATE_DISCONNECTED,	/* no way there (ICE failed): a negotiation that
				 * restarts ICE may bring it back */
	RTC_STATE_FAILED,	/* lost for good */
	RTC_STATE_CLOSED,	/* the remote closed DTLS (close_notify) */
};

enum rtc_signaling_state {	/* RTCSignalingState */
	RTC_SIGNALING_STABLE,
	RTC_SIGNALING_HAVE_LOCAL_OFFER,
	RTC_SIGNALING_HAVE_REMOTE_OFFER,
	RTC_SIGNALING_CLOSED,
};

struct rtc_peer_ops {
	/* A local candidate ("candidate:...", without "a="), for the m-line
	 * that carries the bundle. */
	void (*local_candidate)(void *user, const char *mid,
				unsigned int mline, const char *candidate);
	void (*gathering_done)(void *user);
	void (*ice_state)(void *user, enum rtc_ice_state state);
	/* @detail: a sentence for a person, or NULL */
	void (*state)(void *user, enum rtc_state state, const char *detail);
	/* A data channel is open. @remote: the peer made it. */
	void (*channel_open)(void *user, uint16_t channel, const char *label,
			     bool remote);
	/* @data is borrowed. Text is UTF-8 checked, not NUL-terminated. */
	void (*channel_message)(void *user, uint16_t channel, bool text,
				const uint8_t *data, size_t len);
	void (*channel_closed)(void *user, uint16_t channel);
	/* Refused with -EAGAIN before, this channel may send again. */
	void (*channel_writable)(void *user, uint16_t channel);
	/* The remote description (re)negotiated what it sends. Each string is
	 * the msid stream id, "" without one, NULL when not sent. */
	void (*remote_media)(void *user, const char *audio_stream,
			     const char *video_stream);
	/* The video codec that this peer takes from us, after every negotiation
	 * that changed it. NULL: it takes no video. May be left NULL. */
	void (*video_codec)(void *user, const enum media_codec *codec);
};

struct rtc_ice_server {
	const char *url;	/* stun:HOST[:PORT], turn:[USER@]HOST[:PORT]
				 * [?transport=udp|tcp] */
	const char *username, *credential;
};

struct rtc_peer_config {
	const char *name;	/* peer id, for logs */
	const char *stream_id;	/* msid of what we send */
	bool send_audio, send_video;
	bool no_receive;	/* takes no media, as towards an MCU */
	/* A certificate for this connection alone, instead of the engine's: a
	 * remote that still has the connection of before sees by it that DTLS
	 * begins anew. */
	bool own_certificate;
	bool trickle;		/* false: descriptions wait for gathering */
	/* Video codecs in order of preference; the first the peer has is used */
	const enum media_codec *video_codecs;
	unsigned int n_video_codecs;
	const struct rtc_ice_server *ice_servers;
	unsigned int n_ice_servers;
	bool relay_only;
	const struct rtc_peer_ops *ops;
	void *user;
};

struct rtc_peer *rtc_peer_new(struct rtc_engine *engine,
			      const struct rtc_peer_config *config,
			      GError **error);
/* Closes everything; no callback runs afterwards. Takes NULL, returns NULL. */
struct rtc_peer *rtc_peer_free(struct rtc_peer *peer);

/* What we send from the next negotiation on, and its msid stream id: follow up
 * with an offer, or let the peer make one. */
void rtc_peer_set_sending(struct rtc_peer *peer, bool audio, bool video,
			  const char *stream_id);

/**
 * rtc_peer_create_offer() - make an offer and set it as local description
 *
 * Candidates follow by local_candidate(). Without trickle the text is empty
 * of candidates until gathering_done(): take it then from
 * rtc_peer_get_local_sdp(). Fails in any state but stable.
 *
 * Return: the SDP, to be freed with g_free(), or NULL with @error set.
 */
char *rtc_peer_create_offer(struct rtc_peer *peer, bool ice_restart,
			    GError **error);
/* Applies a remote offer and returns our answer (g_free). In stable only. When
 * disconnected ICE is restarted, whether the offer does or not. */
char *rtc_peer_accept_offer(struct rtc_peer *peer, const char *sdp,
			    GError **error);
bool rtc_peer_accept_answer(struct rtc_peer *peer, const char *sdp,
			    GError **error);
/* Takes an offer of ours back that nobody answered: stable again, and the
 * connection as it was. Return: false when there was none. */
bool rtc_peer_rollback(struct rtc_peer *peer);
/* Whether an offer or answer comes from another peer connection than the one
 * that was agreed with: it needs a new rtc_peer, too. */
bool rtc_peer_is_other_connection(struct rtc_peer *peer, const char *sdp);
/* The current local description with the candidates known so far (g_free). */
char *rtc_peer_get_local_sdp(struct rtc_peer *peer);
/* Return: false with @error for a line that does not parse; unusable but
 * well-formed candidates (mDNS names, TCP active) are ignored, true. */
bool rtc_peer_add_candidate(struct rtc_peer *peer, const char *mid,
			    unsigned int mline, const char *candidate,
			    GError **error);
enum rtc_signaling_state rtc_peer_get_signaling_state(struct rtc_peer *peer);

/* Queues the opening of a channel (before or after the connection is up).
 * The messaging channel must be the first. One more than the limits of
 * transport.h and sctp.h allow is never opened. Return: false: the label is
 * too long, or the network thread does not keep up. */
bool rtc_peer_open_channel(struct rtc_peer *peer, const char *label,
			   GError **error);
/* What is sent to a channel that is not there, or has just closed, is dropped.
 * Return: 0, -EAGAIN (queue full: wait for channel_writable), -ENOTCONN,
 * -EMSGSIZE, -ENOBUFS (the network thread does not keep up), -ENOMEM. */
int rtc_peer_send(struct rtc_peer *peer, uint16_t channel, bool text,
		  const uint8_t *data, size_t len);
void rtc_peer_close_channel(struct rtc_peer *peer, uint16_t channel);

/* The SHA-256 fingerprint of the certificate the peer presented, as in SDP,
 * or "" before DTLS is done. */
const char *rtc_peer_get_remote_fingerprint(struct rtc_peer *peer);

struct rtc_peer_stats {
	enum rtc_ice_state ice;
	enum rtc_state state;
	const char *srtp_profile;	/* "AEAD_AES_128_GCM", ... or NULL */
	const char *dtls_role;		/* "server", "client" or NULL */
	const char *video_codec;	/* "H264", "VP8" or NULL */
	bool kernel_demux, gso;
	char pair[160];			/* "host 10.0.0.1:5000 -> srflx ..." */
	uint32_t rtt_us;		/* from RTCP, 0: unknown */
	uint32_t target_bps;		/* congestion controller */
	bool path_limited;		/* the path carries less than we may
					 * send */
	bool at_cap;			/* the target is all we may send */
	float loss;			/* 0..1, last report */
	uint64_t audio_packets, audio_bytes;
	uint64_t video_packets, video_bytes, video_frames, video_frames_dropped;
	uint64_t rtx_packets, nacks, plis, firs;
	uint64_t rx_audio_packets, rx_audio_bytes;	/* decrypted, counted */
	uint64_t rx_video_packets, rx_video_bytes, rx_lost;
	uint64_t rx_bad;		/* not authentic or not parseable */
	uint64_t twcc_reports, remb_reports;
};
/* A copy at most 100 ms old. */
void rtc_peer_get_stats(struct rtc_peer *peer, struct rtc_peer_stats *ret);
