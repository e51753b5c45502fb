// SPDX-License-Identifier: Apache-2.0
/* The control half of a peer: negotiation, and events on their way up. */
#include "webrtc/rtc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <gio/gio.h>

#include "webrtc/jsep.h"
#include "webrtc/peer-setup.h"
#include "webrtc/sctp.h"
#include "webrtc/transport.h"

#define LABEL_MAX_BYTES	      256
/* On their way up, per peer: with more of them no message is read any more, and
 * the remote must wait. The rest of ENGINE_PEER_EVENTS_MAX is for what one
 * reading may bring along (channels that close), and for what the remote cannot
 * hurry: states, local candidates. */
#define EVENT_BYTES_MAX	      (4u << 20)
#define EVENTS_REMOTE_MAX     (ENGINE_PEER_EVENTS_MAX / 2)

struct rtc_peer {
	gatomicrefcount refs;	/* control's, the transport's, each event's */
	struct rtc_engine *engine;
	const struct rtc_peer_ops *ops;
	void *user;
	bool freed;		/* control: no callback any more */
	bool trickle;

	struct dtls_identity *identity;
	struct jsep *jsep;
	struct ice_agent *agent;
	struct transport *transport;
	uint32_t audio_ssrc, video_ssrc, rtx_ssrc;
	bool described;		/* a local description has left */
	bool remote_known;
	enum media_codec video_codec;	/* last reported; N_: none */
	char audio_stream[JSEP_STREAM_BYTES], video_stream[JSEP_STREAM_BYTES];
	bool audio_sent, video_sent, media_reported;

	enum rtc_ice_state ice_state;
	bool other_network;		/* the next restart begins anew */
	enum rtc_state state;
	char *remote_fingerprint;
	char pair[ICE_PAIR_BYTES];
	bool kernel_demux;

	/* control: channels that were refused and wait for room */
	uint16_t starved[SCTP_CHANNELS_MAX];
	uint32_t closings_heard;	/* of channels; ids are used again */
	unsigned int n_starved;

	atomic_size_t event_bytes;	/* on their way up */
	atomic_uint events;
	atomic_bool held;		/* nothing is read until they are less */
};

static void peer_unref(struct rtc_peer *peer)
{
	if (!g_atomic_ref_count_dec(&peer->refs))
		return;
	peer->jsep = jsep_free(peer->jsep);
	dtls_identity_unref(peer->identity);
	g_free(peer->remote_fingerprint);
	g_free(peer);
}

/* --- events: ice and network -> control ------------------------------------- */
enum event_kind {
	EVENT_CANDIDATE,
	EVENT_GATHERED,
	EVENT_ICE_STATE,
	EVENT_PAIR,
	EVENT_CONNECTED,
	EVENT_CLOSED,
	EVENT_CHANNEL_OPEN,
	EVENT_MESSAGE,
	EVENT_CHANNEL_CLOSED,
	EVENT_WRITABLE,
	EVENT_REMOTE_MEDIA,
	EVENT_VIDEO_CODEC,
	EVENT_GONE,
};

struct event {
	struct rtc_peer *peer;
	enum event_kind kind;
	int value;
	uint16_t channel;
	bool flag;
	size_t len;
	uint8_t data[];		/* NUL-terminated */
};

static void set_state(struct rtc_peer *peer, enum rtc_state state,
		      const char *detail)
{
	/* Failed and closed are final. */
	if (peer->state == state || peer->state >= RTC_STATE_FAILED)
		return;
	peer->state = state;
	peer->ops->state(peer->user, state, detail);
}

static void on_ice_state(struct rtc_peer *peer, enum rtc_ice_state state)
{
	if (peer->ice_state == state)
		return;
	peer->ice_state = state;
	peer->ops->ice_state(peer->user, state);
	if (peer->freed)
		return;
	if (state == RTC_ICE_CHECKING && peer->state == RTC_STATE_NEW)
		set_state(peer, RTC_STATE_CONNECTING, NULL);
	else if (state == RTC_ICE_FAILED)
		set_state(peer, RTC_STATE_DISCONNECTED,
			  "no candidate pair works any more (ICE failed)");
	else if ((state == RTC_ICE_CONNECTED || state == RTC_ICE_COMPLETED) &&
		 peer->state == RTC_STATE_DISCONNECTED)
		set_state(peer, peer->remote_fingerprint ?
			  RTC_STATE_CONNECTED : RTC_STATE_CONNECTING, NULL);
}

static void on_candidate(struct rtc_peer *peer, const char *line)
{
	/* After a restart they are told again, but the description that told
	 * of the restart has them. */
	if (jsep_add_local_candidate(peer->jsep, line) < 0)
		return;
	/* What is known before the description travels inside it. */
	if (peer->described && peer->trickle)
		peer->ops->local_candidate(
			peer->user, jsep_get_transport_mid(peer->jsep),
			jsep_get_transport_mline(peer->jsep), line);
}

static void on_video_codec(struct rtc_peer *peer, int codec)
{
	enum media_codec taken = (enum media_codec) codec;

	if (peer->video_codec == taken)
		return;
	peer->video_codec = taken;
	if (peer->ops->video_codec)
		peer->ops->video_codec(peer->user, taken == N_MEDIA_CODECS ?
				       NULL : &taken);
}

static bool is_starved(const struct rtc_peer *peer, uint16_t channel)
{
	for (unsigned int i = 0; i < peer->n_starved; i++)
		if (peer->starved[i] == channel)
			return true;
	return false;
}

static void note_starved(struct rtc_peer *peer, uint16_t channel)
{
	if (peer->n_starved < SCTP_CHANNELS_MAX && !is_starved(peer, channel))
		peer->starved[peer->n_starved++] = channel;
}

static void forget_starved(struct rtc_peer *peer, uint16_t channel)
{
	for (unsigned int i = 0; i < peer->n_starved; i++) {
		if (peer->starved[i] != channel)
			continue;
		peer->starved[i] = peer->starved[--peer->n_starved];
		return;
	}
}

/* The budget is shared by the channels: all that were refused hear of it. */
static void on_writable(struct rtc_peer *peer)
{
	uint16_t waiting[SCTP_CHANNELS_MAX];
	unsigned int n = peer->n_starved;

	memcpy(waiting, peer->starved, n * sizeof(waiting[0]));
	peer->n_starved = 0;
	for (unsigned int i = 0; i < n && !peer->freed; i++)
		peer->ops->channel_writable(peer->user, waiting[i]);
}

/* What AUTO came to, for the status of all. A relayed pair says nothing: no
 * kernel could help it. */
static void note_demux(struct rtc_peer *peer)
{
	struct ice_agent_stats ice;

	ice_agent_get_stats(peer->agent, &ice);
	if (peer->kernel_demux)
		peer->engine->demux_error = 0;
	else if (ice.demux_error < 0)
		peer->engine->demux_error = ice.demux_error;
}

static void deliver(struct rtc_peer *peer, struct event *e)
{
	const char *text = (const char *) e->data;

	switch (e->kind) {
	case EVENT_CANDIDATE:
		on_candidate(peer, text);
		break;
	case EVENT_GATHERED:
		jsep_set_gathering_done(peer->jsep);
		peer->ops->gathering_done(peer->user);
		break;
	case EVENT_ICE_STATE:
		on_ice_state(peer, (enum rtc_ice_state) e->value);
		break;
	case EVENT_PAIR:
		g_strlcpy(peer->pair, text, sizeof(peer->pair));
		peer->kernel_demux = e->flag;
		note_demux(peer);
		break;
	case EVENT_CONNECTED:
		g_free(peer->remote_fingerprint);
		peer->remote_fingerprint = g_strdup(text);
		set_state(peer, RTC_STATE_CONNECTED, NULL);
		break;
	case EVENT_CLOSED:
		set_state(peer, e->flag ? RTC_STATE_FAILED : RTC_STATE_CLOSED,
			  text);
		break;
	case EVENT_CHANNEL_OPEN:
		peer->ops->channel_open(peer->user, e->channel, text, e->flag);
		break;
	case EVENT_MESSAGE:
		peer->ops->channel_message(peer->user, e->channel, e->flag,
					   e->data, e->len);
		break;
	case EVENT_CHANNEL_CLOSED:
		peer->closings_heard++;
		forget_starved(peer, e->channel);
		peer->ops->channel_closed(peer->user, e->channel);
		break;
	case EVENT_WRITABLE:
		on_writable(peer);
		break;
	case EVENT_REMOTE_MEDIA:
		peer->ops->remote_media(
			peer->user,
			peer->audio_sent ? peer->audio_stream : NULL,
			peer->video_sent ? peer->video_stream : NULL);
		break;
	case EVENT_VIDEO_CODEC:
		on_video_codec(peer, e->value);
		break;
	case EVENT_GONE:
		break;
	}
}

static void run_resume(void *data)
{
	transport_resume(data);
}

static bool is_full(const struct rtc_peer *peer, unsigned int share)
{
	return atomic_load(&peer->event_bytes) >= EVENT_BYTES_MAX / share ||
		atomic_load(&peer->events) >= EVENTS_REMOTE_MAX / share;
}

/* Half of what held the remote up is done. If the network thread takes no
 * commands now, the next tick of SCTP's clock reads on. */
static void release_remote(struct rtc_peer *peer)
{
	if (!peer->freed && atomic_load(&peer->held) && !is_full(peer, 2) &&
	    atomic_exchange(&peer->held, false))
		net_loop_post(peer->engine->loop, run_resume, peer->transport);
}

static void run_event(void *data)
{
	struct event *e = data;
	struct rtc_peer *peer = e->peer;

	atomic_fetch_sub(&peer->event_bytes, e->len);
	atomic_fetch_sub(&peer->events, 1);
	if (!peer->freed)
		deliver(peer, e);
	release_remote(peer);
	/* The transport's own reference goes with its last event. */
	if (e->kind == EVENT_GONE)
		peer_unref(peer);
	peer_unref(peer);
	free(e);
}

static int post_event(struct rtc_peer *peer, const struct event *like,
		      const void *data, size_t len)
{
	struct event *e = malloc(sizeof(*e) + len + 1);
	int r;

	if (!e)
		return -ENOMEM;
	*e = *like;
	e->peer = peer;
	e->len = len;
	if (len)
		memcpy(e->data, data, len);
	e->data[len] = '\0';
	g_atomic_ref_count_inc(&peer->refs);
	atomic_fetch_add(&peer->event_bytes, len);
	atomic_fetch_add(&peer->events, 1);
	r = control_queue_post(peer->engine->events, run_event, e);
	if (r < 0) {
		atomic_fetch_sub(&peer->event_bytes, len);
		atomic_fetch_sub(&peer->events, 1);
		/* Never the last: the transport or control holds one. */
		peer_unref(peer);
		free(e);
	}
	return r;
}

static void post_text(struct rtc_peer *peer, const struct event *like,
		      const char *text)
{
	if (post_event(peer, like, text, text ? strlen(text) : 0) < 0)
		g_warning("peer event lost: control does not keep up");
}

/* ice thread */
static void ice_local_candidate(void *user, const char *line)
{
	post_text(transport_get_user(user),
		  &(struct event){ .kind = EVENT_CANDIDATE }, line);
}

static void ice_gathering_done(void *user)
{
	post_text(transport_get_user(user),
		  &(struct event){ .kind = EVENT_GATHERED }, NULL);
}

static void ice_state(void *user, enum rtc_ice_state state)
{
	post_text(transport_get_user(user),
		  &(struct event){ .kind = EVENT_ICE_STATE, .value = state },
		  NULL);
}

static void ice_selected_pair(void *user, const char *pair, bool kernel_demux)
{
	post_text(transport_get_user(user),
		  &(struct event){ .kind = EVENT_PAIR, .flag = kernel_demux },
		  pair);
}

static const struct ice_agent_ops ice_ops = {
	.local_candidate = ice_local_candidate,
	.gathering_done = ice_gathering_done,
	.state = ice_state,
	.selected_pair = ice_selected_pair,
	.path = transport_on_path,
	.packet = transport_on_packet,
	.closed = transport_on_closed,
};

/* network thread */
static void net_connected(void *user, const char *remote_fingerprint)
{
	post_text(user, &(struct event){ .kind = EVENT_CONNECTED },
		  remote_fingerprint);
}

static void net_closed(void *user, bool failed, const char *detail)
{
	post_text(user, &(struct event){ .kind = EVENT_CLOSED, .flag = failed },
		  detail);
}

/* Asked before each message is read. What is not read stays with SCTP, whose
 * window then closes: nothing is lost, and nothing grows. */
static bool net_may_read(void *user)
{
	struct rtc_peer *peer = user;

	if (!is_full(peer, 1))
		return true;
	atomic_store(&peer->held, true);
	/* Control may have emptied it since we looked, and would not know. */
	return !is_full(peer, 1) && atomic_exchange(&peer->held, false);
}

/* There is room, for net_may_read() was asked; only memory can be missing.
 * Then the connection ends: of a reliable channel nothing must vanish in
 * silence. */
static void net_channel_event(struct rtc_peer *peer, const struct event *like,
			      const void *data, size_t len)
{
	if (post_event(peer, like, data, len) < 0)
		net_closed(peer, true, "there is no memory for its messages");
}

static void net_channel_open(void *user, uint16_t id, const char *label,
			     bool remote)
{
	net_channel_event(user,
			  &(struct event){ .kind = EVENT_CHANNEL_OPEN,
					   .channel = id, .flag = remote },
			  label, strlen(label));
}

static void net_channel_message(void *user, uint16_t id, bool text,
				const uint8_t *data, size_t len)
{
	net_channel_event(user,
			  &(struct event){ .kind = EVENT_MESSAGE,
					   .channel = id, .flag = text },
			  data, len);
}

static void net_channel_closed(void *user, uint16_t id)
{
	net_channel_event(user,
			  &(struct event){ .kind = EVENT_CHANNEL_CLOSED,
					   .channel = id }, NULL, 0);
}

static void net_writable(void *user)
{
	post_text(user, &(struct event){ .kind = EVENT_WRITABLE }, NULL);
}

static void net_gone(void *user)
{
	struct rtc_peer *peer = user;

	if (post_event(peer, &(struct event){ .kind = EVENT_GONE }, NULL, 0) <
	    0)
		peer_unref(peer);
}

static const struct transport_ops net_ops = {
	.connected = net_connected,
	.closed = net_closed,
	.channel_open = net_channel_open,
	.channel_message = net_channel_message,
	.channel_closed = net_channel_closed,
	.may_read = net_may_read,
	.writable = net_writable,
	.gone = net_gone,
};

/* --- commands: control -> network -------------------------------------------- */
struct command {
	struct transport *transport;
	uint16_t channel;
	uint32_t heard;
	bool text;
	size_t len;
	uint8_t *data;
	struct transport_setup setup;
};

static void run_attach(void *data)
{
	transport_attach(data);
}

static void run_goodbye(void *data)
{
	transport_say_goodbye(data);
}

static void run_apply(void *data)
{
	struct command *c = data;

	transport_apply(c->transport, &c->setup);
	g_free(c);
}

static void run_open(void *data)
{
	struct command *c = data;

	transport_open_channel(c->transport, (const char *) c->data);
	free(c->data);
	g_free(c);
}

static void run_close(void *data)
{
	struct command *c = data;

	transport_close_channel(c->transport, c->channel, c->heard);
	g_free(c);
}

static void run_send(void *data)
{
	struct command *c = data;

	transport_send(c->transport, c->channel, c->heard, c->text, c->data,
		       c->len);
	g_free(c);
}

static bool post_command(struct rtc_peer *peer, void (*run)(void *),
			 struct command *c)
{
	c->transport = peer->transport;
	c->heard = peer->closings_heard;
	if (net_loop_post(peer->engine->loop, run, c) == 0)
		return true;
	free(c->data);
	g_free(c);
	return false;
}

/* --- negotiation --------------------------------------------------------------- */
static bool jsep_failed(struct rtc_peer *peer, int r, GError **error)
{
	int code = r == -EBUSY ? G_IO_ERROR_BUSY :
		r == -EOPNOTSUPP ? G_IO_ERROR_NOT_SUPPORTED :
				   G_IO_ERROR_INVALID_DATA;

	if (r >= 0)
		return false;
	g_set_error_literal(error, G_IO_ERROR, code,
			    jsep_get_error(peer->jsep));
	return true;
}

static bool note_stream(const struct jsep_negotiated *n, int index,
			char *stream, bool *sent)
{
	const char *now = index >= 0 ? n->media[index].remote_stream : "";
	bool changed = (index >= 0) != *sent || strcmp(now, stream);

	*sent = index >= 0;
	g_strlcpy(stream, now, JSEP_STREAM_BYTES);
	return changed;
}

static void report_media(struct rtc_peer *peer,
			 const struct jsep_negotiated *n)
{
	bool changed = note_stream(n, n->audio_receive, peer->audio_stream,
				   &peer->audio_sent);
	int codec = n->video_send >= 0 ?
		(int) n->media[n->video_send].sending.codec : N_MEDIA_CODECS;

	changed |= note_stream(n, n->video_receive, peer->video_stream,
			       &peer->video_sent);
	if (changed || !peer->media_reported)
		post_text(peer, &(struct event){ .kind = EVENT_REMOTE_MEDIA },
			  NULL);
	peer->media_reported = true;
	/* Told later than the call that negotiated it returns, as everything:
	 * the caller need not expect callbacks from within its calls. */
	post_text(peer, &(struct event){ .kind = EVENT_VIDEO_CODEC,
					 .value = codec }, NULL);
}

/* Offer and answer are both known: hand the rest of the work on. */
static bool apply(struct rtc_peer *peer, GError **error)
{
	const struct jsep_negotiated *n = jsep_get_negotiated(peer->jsep);
	struct command *c = g_new0(struct command, 1);

	peer_setup_fill(&(struct peer_setup){
				.audio_ssrc = peer->audio_ssrc,
				.video_ssrc = peer->video_ssrc,
				.rtx_ssrc = peer->rtx_ssrc,
				.playout_delay_zero =
					peer->engine->config.playout_delay_zero,
			}, n, &c->setup);
	if (!post_command(peer, run_apply, c)) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_BUSY,
				    "The network thread does not keep up");
		return false;
	}
	ice_agent_set_remote_credentials(peer->agent, n->ufrag, n->pwd);
	if (n->n_candidates)
		ice_agent_add_remote_candidates(peer->agent, n->candidates,
						n->n_candidates);
	if (n->remote_end_of_candidates)
		ice_agent_remote_gathering_done(peer->agent);
	peer->remote_known = true;
	report_media(peer, n);
	return true;
}

void peer_set_network(struct rtc_peer *peer)
{
	const struct rtc_network *n = &peer->engine->config.network;

	peer->other_network = true;
	ice_agent_set_network(peer->agent, &(struct ice_network){
						   .addresses = n->addresses,
						   .loopback = n->loopback,
						   .port_min = n->port_min,
						   .port_max = n->port_max,
					   });
}

static void restart_ice(struct rtc_peer *peer)
{
	if (peer->other_network)
		jsep_forget_local_candidates(peer->jsep);
	peer->other_network = false;
	ice_agent_restart(peer->agent);
	jsep_set_ice_credentials(peer->jsep, ice_agent_get_ufrag(peer->agent),
				 ice_agent_get_pwd(peer->agent));
}

void rtc_peer_set_sending(struct rtc_peer *peer, bool audio, bool video,
			  const char *stream_id)
{
	jsep_set_tracks(peer->jsep, audio, video, stream_id);
}

char *rtc_peer_create_offer(struct rtc_peer *peer, bool ice_restart,
			    GError **error)
{
	char *sdp;

	if (jsep_get_state(peer->jsep) == RTC_SIGNALING_STABLE) {
		if (ice_restart && peer->remote_known)
			restart_ice(peer);
		if (!peer->described) {
			ice_agent_set_controlling(peer->agent, true);
			ice_agent_gather(peer->agent);
		}
	}
	if (jsep_failed(peer, jsep_create_offer(peer->jsep, &sdp), error))
		return NULL;
	peer->described = true;
	return sdp;
}

/* Who answers is controlled, unless the other side never checks (RFC 8445
 * §6.1.1); that role may come too late for what is open. */
static void begin_ice(struct rtc_peer *peer)
{
	if (jsep_get_negotiated(peer->jsep)->remote_ice_lite) {
		ice_agent_set_controlling(peer->agent, true);
		peer_set_network(peer);
		restart_ice(peer);
	}
	ice_agent_gather(peer->agent);
}

char *rtc_peer_accept_offer(struct rtc_peer *peer, const char *sdp,
			    GError **error)
{
	char *answer;

	if (jsep_failed(peer, jsep_accept_offer(peer->jsep, sdp, strlen(sdp)),
			error))
		return NULL;
	if (!peer->described) {
		begin_ice(peer);
	} else if (jsep_get_negotiated(peer->jsep)->ice_restarted ||
		   /* 0.6.12 offers again without; its pairs are as dead. */
		   peer->state == RTC_STATE_DISCONNECTED) {
		restart_ice(peer);
	}
	if (jsep_failed(peer, jsep_create_answer(peer->jsep, &answer), error)) {
		jsep_rollback(peer->jsep);
		return NULL;
	}
	if (!apply(peer, error)) {
		g_free(answer);
		return NULL;
	}
	peer->described = true;
	return answer;
}

bool rtc_peer_accept_answer(struct rtc_peer *peer, const char *sdp,
			    GError **error)
{
	if (jsep_failed(peer, jsep_accept_answer(peer->jsep, sdp, strlen(sdp)),
			error))
		return false;
	return apply(peer, error);
}

bool rtc_peer_rollback(struct rtc_peer *peer)
{
	return jsep_rollback(peer->jsep) == 0;
}

bool rtc_peer_is_other_connection(struct rtc_peer *peer, const char *sdp)
{
	return jsep_is_other_connection(peer->jsep, sdp, strlen(sdp));
}

char *rtc_peer_get_local_sdp(struct rtc_peer *peer)
{
	return jsep_write_local(peer->jsep);
}

bool rtc_peer_add_candidate(struct rtc_peer *peer, const char *mid,
			    unsigned int mline, const char *candidate,
			    GError **error)
{
	struct candidate c;
	int r = candidate_parse(candidate, strlen(candidate), &c);

	if (r < 0) {
		g_autofree char *shown = g_strndup(candidate, 80);
		g_autofree char *safe = g_strescape(shown, NULL);

		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
			    "\"%s\" is no ICE candidate", safe);
		return false;
	}
	if (candidate_is_usable(&c) &&
	    jsep_candidate_applies(peer->jsep, mid, mline))
		ice_agent_add_remote_candidates(peer->agent, &c, 1);
	return true;
}

enum rtc_signaling_state rtc_peer_get_signaling_state(struct rtc_peer *peer)
{
	return jsep_get_state(peer->jsep);
}

/* --- data channels ---------------------------------------------------------------- */
bool rtc_peer_open_channel(struct rtc_peer *peer, const char *label,
			   GError **error)
{
	struct command *c;

	if (strlen(label) > LABEL_MAX_BYTES) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
			    "A data channel's label may have %d bytes, not %zu",
			    LABEL_MAX_BYTES, strlen(label));
		return false;
	}
	c = g_new0(struct command, 1);
	c->data = (uint8_t *) strdup(label);
	if (c->data && post_command(peer, run_open, c))
		return true;
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_BUSY,
			    "The network thread does not keep up");
	return false;
}

int rtc_peer_send(struct rtc_peer *peer, uint16_t channel, bool text,
		  const uint8_t *data, size_t len)
{
	struct command *c;
	int r;

	if (len > JSEP_MAX_MESSAGE_SIZE)
		return -EMSGSIZE;
	if (peer->state != RTC_STATE_CONNECTED)
		return -ENOTCONN;
	r = transport_reserve(peer->transport, len);
	if (r == -EAGAIN)
		note_starved(peer, channel);
	if (r < 0)
		return r;
	c = g_new0(struct command, 1);
	c->channel = channel;
	c->text = text;
	c->len = len;
	c->data = malloc(len ? len : 1);
	if (!c->data) {
		transport_unreserve(peer->transport, len);
		g_free(c);
		return -ENOMEM;
	}
	memcpy(c->data, data, len);
	if (post_command(peer, run_send, c))
		return 0;
	transport_unreserve(peer->transport, len);
	return -ENOBUFS;
}

void rtc_peer_close_channel(struct rtc_peer *peer, uint16_t channel)
{
	struct command *c = g_new0(struct command, 1);

	c->channel = channel;
	post_command(peer, run_close, c);
}

/* --- life --------------------------------------------------------------------------- */
static bool make_ssrcs(struct rtc_peer *peer, uint64_t *ret_session_id)
{
	uint32_t random[5];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return false;
	/* Never 0, and never the same for two of them. */
	peer->audio_ssrc = (random[0] & ~3u) | 1;
	peer->video_ssrc = (random[1] & ~3u) | 2;
	peer->rtx_ssrc = random[2] | 3;
	*ret_session_id = ((uint64_t) random[3] << 32 | random[4]) &
		(uint64_t) INT64_MAX;
	return true;
}

static bool make_jsep(struct rtc_peer *peer,
		      const struct rtc_peer_config *config)
{
	g_autofree char *fingerprint = g_strconcat(
		"sha-256 ",
		dtls_identity_get_fingerprint(peer->identity), NULL);
	struct jsep_config c = {
		.send_audio = config->send_audio,
		.send_video = config->send_video,
		.no_receive = config->no_receive,
		.video_codecs = config->video_codecs,
		.n_video_codecs = config->n_video_codecs,
		.stream_id = config->stream_id,
		.cname = peer->engine->cname,
		.fingerprint = fingerprint,
		.ufrag = ice_agent_get_ufrag(peer->agent),
		.pwd = ice_agent_get_pwd(peer->agent),
	};

	if (!make_ssrcs(peer, &c.session_id))
		return false;
	c.audio_ssrc = peer->audio_ssrc;
	c.video_ssrc = peer->video_ssrc;
	c.video_rtx_ssrc = peer->rtx_ssrc;
	peer->jsep = jsep_new(&c);
	return peer->jsep;
}

static bool make_transport(struct rtc_peer *peer,
			   const struct rtc_peer_config *config)
{
	const struct rtc_engine_config *e = &peer->engine->config;
	struct transport_config transport = {
		.engine = peer->engine,
		.ops = &net_ops,
		.user = peer,
		.name = config->name ? config->name : "",
		.identity = peer->identity,
	};
	struct ice_agent_config ice = {
		.servers = config->ice_servers,
		.n_servers = config->n_ice_servers,
		.relay_only = config->relay_only,
		.addresses = e->network.addresses,
		.loopback = e->network.loopback,
		.port_min = e->network.port_min,
		.port_max = e->network.port_max,
		.demux = e->demux,
		.ops = &ice_ops,
	};

	peer->transport = transport_new(&transport);
	if (!peer->transport)
		return false;
	if (net_loop_post(peer->engine->loop, run_attach, peer->transport) <
	    0) {
		transport_discard(peer->transport);
		return false;
	}
	/* From here on the transport lives until its agent has closed. */
	atomic_fetch_add(&peer->engine->n_alive, 1);
	g_atomic_ref_count_inc(&peer->refs);
	ice.user = peer->transport;
	peer->agent = ice_agent_new(peer->engine->ice, &ice);
	return true;
}

struct rtc_peer *rtc_peer_new(struct rtc_engine *engine,
			      const struct rtc_peer_config *config,
			      GError **error)
{
	struct rtc_peer *peer;

	if (engine->peers->len >= engine->config.max_peers) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
			    "There are %u peers already, the limit",
			    engine->config.max_peers);
		return NULL;
	}
	if (atomic_load(&engine->n_alive) >= ENGINE_PEERS_MAX) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_BUSY,
				    "Too many earlier peers still close");
		return NULL;
	}
	peer = g_new0(struct rtc_peer, 1);
	g_atomic_ref_count_init(&peer->refs);
	peer->engine = engine;
	peer->ops = config->ops;
	peer->user = config->user;
	peer->trickle = config->trickle;
	peer->video_codec = N_MEDIA_CODECS;
	if (!config->own_certificate)
		peer->identity = dtls_identity_ref(engine->identity);
	else if (dtls_identity_new(&peer->identity) < 0) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
				    "Cannot make a certificate");
		peer_unref(peer);
		return NULL;
	}
	if (!make_transport(peer, config)) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_BUSY,
				    "The network thread does not keep up");
		peer_unref(peer);
		return NULL;
	}
	g_ptr_array_add(engine->peers, peer);
	if (!make_jsep(peer, config)) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
				    "Cannot make session identifiers");
		return rtc_peer_free(peer);
	}
	/* Before the remote's first description, so that host candidates are
	 * inside our answer and the join is shorter; but behind our own offer,
	 * which gives us our role and mostly comes at once. */
	ice_agent_gather_soon(peer->agent);
	return peer;
}

struct rtc_peer *rtc_peer_free(struct rtc_peer *peer)
{
	if (!peer)
		return NULL;
	peer->freed = true;
	g_ptr_array_remove_fast(peer->engine->peers, peer);
	/* At once, or if the queue is full when the path closes. */
	transport_leave(peer->transport);
	net_loop_post(peer->engine->loop, run_goodbye, peer->transport);
	peer->transport = NULL;
	peer->agent = ice_agent_free(peer->agent);
	peer_unref(peer);
	return NULL;
}

const char *rtc_peer_get_remote_fingerprint(struct rtc_peer *peer)
{
	return peer->remote_fingerprint ? peer->remote_fingerprint : "";
}

void rtc_peer_get_stats(struct rtc_peer *peer, struct rtc_peer_stats *ret)
{
	struct transport_snapshot s;
	struct ice_agent_stats ice;

	transport_get_snapshot(peer->transport, &s);
	ice_agent_get_stats(peer->agent, &ice);
	*ret = (struct rtc_peer_stats){
		.ice = peer->ice_state,
		.state = peer->state,
		.srtp_profile = srtp_profile_to_string(s.profile),
		.dtls_role = !s.connected ? NULL :
			s.dtls_role == DTLS_SERVER ? "server" : "client",
		.video_codec = peer->video_codec == N_MEDIA_CODECS ?
			NULL : media_codec_name(peer->video_codec),
		.kernel_demux = peer->kernel_demux,
		.gso = s.gso,
		.rtt_us = s.rtp.rtt_us,
		.target_bps = s.rtp.target_bps,
		.path_limited = s.rtp.path_limited,
		.at_cap = s.rtp.at_cap,
		.loss = s.rtp.loss,
		.audio_packets = s.rtp.audio_packets,
		.audio_bytes = s.rtp.audio_bytes,
		.video_packets = s.rtp.video_packets,
		.video_bytes = s.rtp.video_bytes,
		.video_frames = s.rtp.video_frames,
		.video_frames_dropped = s.rtp.video_frames_dropped,
		.rtx_packets = s.rtp.rtx_packets,
		.nacks = s.rtp.nacks,
		.plis = s.rtp.plis,
		.firs = s.rtp.firs,
		.rx_audio_packets = s.rtp.rx_audio_packets,
		.rx_audio_bytes = s.rtp.rx_audio_bytes,
		.rx_video_packets = s.rtp.rx_video_packets,
		.rx_video_bytes = s.rtp.rx_video_bytes,
		.rx_lost = s.rtp.rx_lost,
		.rx_bad = s.rx_bad + s.rtp.rx_bad + ice.rx_unknown_source,
		.twcc_reports = s.rtp.twcc_reports,
		.remb_reports = s.rtp.remb_reports,
	};
	g_strlcpy(ret->pair, peer->pair, sizeof(ret->pair));
}
