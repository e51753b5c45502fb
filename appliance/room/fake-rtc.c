// SPDX-License-Identifier: Apache-2.0
/* appliance/room/fake-rtc.c - a stand-in for webrtc/, for the room's tests only
 *
 * MOCK: no ICE, no DTLS, no packets. The room's rules (who offers, what is
 * kept, what is told) must be tested in every order within milliseconds, and
 * with failures on demand, which real connections do not offer; tests/ tries
 * the room on the real transport. Included by test-*.c, never built into a
 * program.
 *
 * Two fake peers of one process recognise each other by a line in their SDP,
 * and are "connected" when each has applied the other's description. Every
 * callback comes from the main loop, as webrtc/rtc.h promises.
 */
#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "webrtc/rtc.h"

#define FAKE_LINE "a=x-fake:"

struct rtc_engine {
	struct rtc_engine_config config;
	char fingerprint[100];
	guint n_peers, n_made, n_connected, n_relay_only;
	bool gathers_early;	/* before there is a description */
	bool unreachable;	/* negotiates, and never connects */
};

struct fake_task {
	void (*fn)(struct rtc_peer *peer, struct fake_task *task);
	char *text;
	gsize len;
	int number;
	bool flag;
};

struct rtc_peer {
	struct rtc_engine *engine;
	struct rtc_peer_config config;
	enum media_codec codecs[N_MEDIA_CODECS];
	char *name, *stream_id;
	guint id;
	guint n_ice_servers;
	enum rtc_signaling_state signaling;
	bool has_local, gathered, connected, remote_sends_audio;
	guint other;			/* id of the one over there, or 0 */
	guint agreed_with;		/* the same, also when cut off */
	guint n_ice_restarts;
	char *local;
	GQueue tasks;
	GSource *source;
	GPtrArray *wanted_channels;	/* labels */
	guint n_channels, n_candidates_in, n_offers;
	char remote_fingerprint[100];
	char *last_sent;
};

/* Who is who; a test program has one thread. */
static GHashTable *fake_peers;
static guint fake_next_id, fake_next_engine;

static struct rtc_peer *fake_find(guint id)
{
	return id ? g_hash_table_lookup(fake_peers, GUINT_TO_POINTER(id))
		  : NULL;
}

struct rtc_engine *rtc_engine_new(const struct rtc_engine_config *config,
				  GError **error)
{
	struct rtc_engine *e = g_new0(struct rtc_engine, 1);

	if (!fake_peers)
		fake_peers = g_hash_table_new(NULL, NULL);
	e->config = *config;
	snprintf(e->fingerprint, sizeof(e->fingerprint), "FA:KE:%02X",
		 ++fake_next_engine);
	return e;
}

struct rtc_engine *rtc_engine_free(struct rtc_engine *e)
{
	if (!e)
		return NULL;
	g_assert_cmpuint(e->n_peers, ==, 0);
	g_free(e);
	return NULL;
}

/* --- callbacks from the main loop ---------------------------------------- */
static gboolean fake_dispatch(gpointer data)
{
	struct rtc_peer *p = data;
	struct fake_task *t = g_queue_pop_head(&p->tasks);
	guint id = p->id;

	t->fn(p, t);
	g_free(t->text);
	g_free(t);
	p = fake_find(id);	/* it may have freed itself */
	if (!p)
		return G_SOURCE_REMOVE;
	if (!g_queue_is_empty(&p->tasks))
		return G_SOURCE_CONTINUE;
	g_clear_pointer(&p->source, g_source_unref);
	return G_SOURCE_REMOVE;
}

static void fake_later(struct rtc_peer *p, struct fake_task task)
{
	g_queue_push_tail(&p->tasks, g_memdup2(&task, sizeof(task)));
	if (p->source)
		return;
	p->source = g_idle_source_new();
	g_source_set_priority(p->source, G_PRIORITY_DEFAULT);
	g_source_set_callback(p->source, fake_dispatch, p, NULL);
	g_source_attach(p->source, p->engine->config.context);
}

static void tell_candidate(struct rtc_peer *p, struct fake_task *t)
{
	p->config.ops->local_candidate(p->config.user, "0", 0, t->text);
}

static void tell_gathered(struct rtc_peer *p, struct fake_task *t)
{
	p->gathered = true;
	p->config.ops->gathering_done(p->config.user);
}

static void tell_ice(struct rtc_peer *p, struct fake_task *t)
{
	p->config.ops->ice_state(p->config.user,
				 (enum rtc_ice_state) t->number);
}

static void tell_state(struct rtc_peer *p, struct fake_task *t)
{
	p->config.ops->state(p->config.user, (enum rtc_state) t->number,
			     t->text);
}

static void tell_channel_open(struct rtc_peer *p, struct fake_task *t)
{
	p->config.ops->channel_open(p->config.user, (uint16_t) t->number,
				    t->text, t->flag);
}

static void tell_channel_closed(struct rtc_peer *p, struct fake_task *t)
{
	p->config.ops->channel_closed(p->config.user, (uint16_t) t->number);
}

static void tell_channel_message(struct rtc_peer *p, struct fake_task *t)
{
	p->config.ops->channel_message(p->config.user, (uint16_t) t->number,
				       t->flag, (const uint8_t *) t->text,
				       t->len);
}

static void tell_media(struct rtc_peer *p, struct fake_task *t)
{
	p->config.ops->remote_media(p->config.user,
				    t->number & 1 ? t->text : NULL,
				    t->number & 2 ? t->text : NULL);
}

static void tell_codec(struct rtc_peer *p, struct fake_task *t)
{
	p->config.ops->video_codec(p->config.user,
				   t->flag ? &p->codecs[0] : NULL);
}

#define FAKE_CANDIDATE "candidate:1 1 udp 2122194687 127.0.0.1 9 typ host"

static void fake_gather(struct rtc_peer *p)
{
	fake_later(p, (struct fake_task){.fn = tell_candidate,
					 .text = g_strdup(FAKE_CANDIDATE)});
	fake_later(p, (struct fake_task){.fn = tell_gathered});
}

/* --- peers --------------------------------------------------------------- */
struct rtc_peer *rtc_peer_new(struct rtc_engine *engine,
			      const struct rtc_peer_config *config,
			      GError **error)
{
	struct rtc_peer *p;

	if (engine->config.max_peers &&
	    engine->n_peers >= engine->config.max_peers) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
			    "No room for another connection");
		return NULL;
	}
	p = g_new0(struct rtc_peer, 1);
	p->engine = engine;
	p->config = *config;
	p->name = g_strdup(config->name);
	p->stream_id = g_strdup(config->stream_id);
	p->n_ice_servers = config->n_ice_servers;
	memcpy(p->codecs, config->video_codecs,
	       config->n_video_codecs * sizeof(*p->codecs));
	p->id = ++fake_next_id;
	p->wanted_channels = g_ptr_array_new_with_free_func(g_free);
	g_hash_table_insert(fake_peers, GUINT_TO_POINTER(p->id), p);
	engine->n_peers++;
	engine->n_made++;
	engine->n_relay_only += config->relay_only;
	if (engine->gathers_early)
		fake_gather(p);
	return p;
}

struct rtc_peer *rtc_peer_free(struct rtc_peer *p)
{
	struct rtc_peer *other;
	struct fake_task *t;

	if (!p)
		return NULL;
	g_hash_table_remove(fake_peers, GUINT_TO_POINTER(p->id));
	if (p->connected)
		p->engine->n_connected--;
	/* as DTLS's close_notify does */
	other = fake_find(p->other);
	if (other && other->other == p->id && other->connected) {
		other->connected = false;
		other->engine->n_connected--;
		fake_later(other, (struct fake_task){
					  .fn = tell_state,
					  .number = RTC_STATE_CLOSED});
	}
	if (p->source) {
		g_source_destroy(p->source);
		g_source_unref(p->source);
	}
	while ((t = g_queue_pop_head(&p->tasks))) {
		g_free(t->text);
		g_free(t);
	}
	p->engine->n_peers--;
	g_ptr_array_unref(p->wanted_channels);
	g_free(p->name);
	g_free(p->stream_id);
	g_free(p->local);
	g_free(p->last_sent);
	g_free(p);
	return NULL;
}

static char *fake_sdp(struct rtc_peer *p, const char *setup)
{
	static const char *const words[] = {"inactive", "sendonly", "recvonly",
					    "sendrecv"};
	int receive = p->config.no_receive ? 0 : 2;
	const char *audio = words[receive + p->config.send_audio];
	const char *video = words[receive + p->config.send_video];

	return g_strdup_printf(
		"v=0\r\no=- %u 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
		"a=group:BUNDLE 0 1 2\r\n" FAKE_LINE "%u\r\n"
		"a=fingerprint:sha-256 %s\r\na=setup:%s\r\n"
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=%s\r\n"
		"a=msid:%s a\r\na=rtpmap:111 opus/48000/2\r\n"
		"m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=%s\r\n"
		"a=msid:%s v\r\na=rtpmap:96 VP8/90000\r\n"
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
		"a=mid:2\r\na=sctp-port:5000\r\n",
		p->id, p->id, p->engine->fingerprint, setup, audio,
		p->stream_id, video, p->stream_id);
}

static void fake_set_local(struct rtc_peer *p, const char *sdp)
{
	g_free(p->local);
	p->local = g_strdup(sdp);
	p->has_local = true;
	if (!p->gathered && !p->engine->gathers_early)
		fake_gather(p);
}

static void fake_open_channels(struct rtc_peer *p)
{
	struct rtc_peer *other = fake_find(p->other);

	for (guint i = 0; i < p->wanted_channels->len; i++) {
		int number = (int) (2 * p->id + 100 * ++p->n_channels);

		fake_later(p, (struct fake_task){
				      .fn = tell_channel_open,
				      .number = number,
				      .text = g_strdup(
					      p->wanted_channels->pdata[i])});
		fake_later(other, (struct fake_task){
					  .fn = tell_channel_open,
					  .number = number,
					  .flag = true,
					  .text = g_strdup(
						  p->wanted_channels
							  ->pdata[i])});
	}
	g_ptr_array_set_size(p->wanted_channels, 0);
}

static void fake_connect_one(struct rtc_peer *p, struct rtc_peer *other)
{
	p->connected = true;
	p->engine->n_connected++;
	g_strlcpy(p->remote_fingerprint, other->engine->fingerprint,
		  sizeof(p->remote_fingerprint));
	fake_later(p, (struct fake_task){.fn = tell_ice,
					 .number = RTC_ICE_CHECKING});
	fake_later(p, (struct fake_task){.fn = tell_ice,
					 .number = RTC_ICE_CONNECTED});
	fake_later(p, (struct fake_task){.fn = tell_state,
					 .number = RTC_STATE_CONNECTED});
}

/* Whether the first m-line that begins so is sent on. */
static bool fake_sends(const char *sdp, const char *mline)
{
	const char *at = strstr(sdp, mline), *end, *send;

	if (!at)
		return false;
	end = strstr(at + 1, "\nm=");
	send = strstr(at, "a=send");
	return send && (!end || send < end);
}

/* What applying a remote description leads to. */
static void fake_set_remote(struct rtc_peer *p, const char *sdp)
{
	const char *line = strstr(sdp, FAKE_LINE);
	const char *msid = strstr(sdp, "a=msid:");
	int sends = (fake_sends(sdp, "m=audio") ? 1 : 0) |
		    (fake_sends(sdp, "m=video") ? 2 : 0);
	struct rtc_peer *other;

	p->other = line ? (guint) atoi(line + strlen(FAKE_LINE)) : 0;
	p->agreed_with = p->other;
	p->signaling = RTC_SIGNALING_STABLE;
	fake_later(p, (struct fake_task){
			      .fn = tell_media,
			      .number = sends,
			      .text = sends && msid
					      ? g_strndup(msid + 7,
							  strcspn(msid + 7,
								  " \r"))
					      : NULL});
	fake_later(p, (struct fake_task){.fn = tell_codec,
					 .flag = p->config.send_video});
	other = fake_find(p->other);
	if (!other || other->other != p->id || !p->has_local ||
	    !other->has_local)
		return;
	if (p->engine->unreachable || other->engine->unreachable)
		return;
	if (!p->connected)
		fake_connect_one(p, other);
	if (!other->connected)
		fake_connect_one(other, p);
	fake_open_channels(p);
	fake_open_channels(other);
}

void rtc_peer_set_sending(struct rtc_peer *p, bool audio, bool video,
			  const char *stream_id)
{
	g_free(p->stream_id);
	p->stream_id = g_strdup(stream_id);
	p->config.send_audio = audio;
	p->config.send_video = video;
}

char *rtc_peer_create_offer(struct rtc_peer *p, bool ice_restart,
			    GError **error)
{
	char *sdp;

	if (p->signaling != RTC_SIGNALING_STABLE) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "not stable");
		return NULL;
	}
	p->signaling = RTC_SIGNALING_HAVE_LOCAL_OFFER;
	p->n_offers++;
	p->n_ice_restarts += ice_restart;
	sdp = fake_sdp(p, "actpass");
	fake_set_local(p, sdp);
	return sdp;
}

char *rtc_peer_accept_offer(struct rtc_peer *p, const char *sdp, GError **error)
{
	char *answer;

	if (p->signaling != RTC_SIGNALING_STABLE ||
	    !g_str_has_prefix(sdp, "v=0")) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
			    "not an offer that can be taken");
		return NULL;
	}
	answer = fake_sdp(p, "passive");
	fake_set_local(p, answer);
	fake_set_remote(p, sdp);
	return answer;
}

bool rtc_peer_accept_answer(struct rtc_peer *p, const char *sdp, GError **error)
{
	if (p->signaling != RTC_SIGNALING_HAVE_LOCAL_OFFER) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
			    "no offer is out");
		return false;
	}
	fake_set_remote(p, sdp);
	return true;
}

bool rtc_peer_rollback(struct rtc_peer *p)
{
	if (p->signaling != RTC_SIGNALING_HAVE_LOCAL_OFFER)
		return false;
	p->signaling = RTC_SIGNALING_STABLE;
	return true;
}

/* Each fake connection is known by its number. */
bool rtc_peer_is_other_connection(struct rtc_peer *p, const char *sdp)
{
	const char *line = strstr(sdp, FAKE_LINE);

	return line && p->agreed_with &&
	       p->agreed_with != (guint) atoi(line + strlen(FAKE_LINE));
}

char *rtc_peer_get_local_sdp(struct rtc_peer *p)
{
	return g_strdup_printf("%sa=" FAKE_CANDIDATE "\r\n", p->local);
}

bool rtc_peer_add_candidate(struct rtc_peer *p, const char *mid,
			    unsigned int mline, const char *candidate,
			    GError **error)
{
	/* the handshake holds them back until then */
	g_assert_nonnull(p->local);
	p->n_candidates_in++;
	if (g_str_has_prefix(candidate, "candidate:"))
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "no candidate");
	return false;
}

enum rtc_signaling_state rtc_peer_get_signaling_state(struct rtc_peer *p)
{
	return p->signaling;
}

bool rtc_peer_open_channel(struct rtc_peer *p, const char *label,
			   GError **error)
{
	g_ptr_array_add(p->wanted_channels, g_strdup(label));
	if (p->connected)
		fake_open_channels(p);
	return true;
}

int rtc_peer_send(struct rtc_peer *p, uint16_t channel, bool text,
		  const uint8_t *data, size_t len)
{
	struct rtc_peer *other = fake_find(p->other);

	if (!p->connected || !other)
		return -ENOTCONN;
	g_free(p->last_sent);
	p->last_sent = g_strndup((const char *) data, len);
	fake_later(other, (struct fake_task){
				  .fn = tell_channel_message,
				  .number = channel,
				  .flag = text,
				  .text = g_strndup((const char *) data, len),
				  .len = len});
	return 0;
}

void rtc_peer_close_channel(struct rtc_peer *p, uint16_t channel)
{
	struct rtc_peer *other = fake_find(p->other);

	fake_later(p, (struct fake_task){.fn = tell_channel_closed,
					 .number = channel});
	if (other)
		fake_later(other, (struct fake_task){.fn = tell_channel_closed,
						     .number = channel});
}

const char *rtc_peer_get_remote_fingerprint(struct rtc_peer *p)
{
	return p->remote_fingerprint;
}

void rtc_peer_get_stats(struct rtc_peer *p, struct rtc_peer_stats *ret)
{
	*ret = (struct rtc_peer_stats){
		.ice = p->connected ? RTC_ICE_CONNECTED : RTC_ICE_NEW,
		.state = p->connected ? RTC_STATE_CONNECTED : RTC_STATE_NEW,
		.video_codec = p->connected ? "VP8" : NULL,
	};
}

/* --- for the tests ------------------------------------------------------- */
/* The connection that @engine has to the peer of this id. */
static inline struct rtc_peer *fake_rtc_get(struct rtc_engine *engine,
				     const char *name)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, fake_peers);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct rtc_peer *p = value;

		if (p->engine == engine && !strcmp(p->name, name))
			return p;
	}
	return NULL;
}

/* What consent checks find out after a cable was pulled. */
static inline void fake_rtc_fail(struct rtc_peer *p)
{
	struct rtc_peer *other = fake_find(p->other);

	if (other)
		other->other = 0;	/* nothing reaches it any more */
	p->other = 0;
	if (p->connected)
		p->engine->n_connected--;
	p->connected = false;
	fake_later(p, (struct fake_task){.fn = tell_state,
					 .number = RTC_STATE_DISCONNECTED,
					 .text = g_strdup("no consent")});
}

/* The process over there was killed: no goodbye. */
static inline void fake_rtc_mute(struct rtc_peer *p)
{
	struct rtc_peer *other = fake_find(p->other);

	p->other = 0;
	if (other)
		other->other = 0;
}

/* Over there everything about the connection is new, save who it is. */
static inline void fake_rtc_become_another(struct rtc_peer *p)
{
	struct rtc_peer *other = fake_find(p->other);

	g_hash_table_remove(fake_peers, GUINT_TO_POINTER(p->id));
	p->id = ++fake_next_id;
	g_hash_table_insert(fake_peers, GUINT_TO_POINTER(p->id), p);
	if (other)
		other->other = 0;
	p->other = p->agreed_with = 0;
	if (p->connected)
		p->engine->n_connected--;
	p->connected = false;
}

static inline void fake_ignore(void *user)
{
}

static inline void fake_ignore_candidate(void *user, const char *mid,
					 unsigned int mline, const char *line)
{
}

static inline void fake_ignore_ice(void *user, enum rtc_ice_state state)
{
}

static inline void fake_ignore_state(void *user, enum rtc_state state,
				     const char *detail)
{
}

static inline void fake_ignore_open(void *user, uint16_t channel,
				    const char *label, bool remote)
{
}

static inline void fake_ignore_message(void *user, uint16_t channel, bool text,
				       const uint8_t *data, size_t len)
{
}

static inline void fake_ignore_channel(void *user, uint16_t channel)
{
}

static inline void fake_ignore_media(void *user, const char *audio,
				     const char *video)
{
}

static inline void fake_ignore_codec(void *user, const enum media_codec *codec)
{
}

/* Somebody's end of a connection who is in no room of the test's. */
static inline struct rtc_peer *
fake_rtc_stranger(const struct rtc_engine_config *like,
		  struct rtc_engine **ret_engine)
{
	static const enum media_codec vp8[] = {MEDIA_CODEC_VP8};
	static const struct rtc_peer_ops ops = {
		.local_candidate = fake_ignore_candidate,
		.gathering_done = fake_ignore,
		.ice_state = fake_ignore_ice,
		.state = fake_ignore_state,
		.channel_open = fake_ignore_open,
		.channel_message = fake_ignore_message,
		.channel_closed = fake_ignore_channel,
		.channel_writable = fake_ignore_channel,
		.remote_media = fake_ignore_media,
		.video_codec = fake_ignore_codec,
	};
	const struct rtc_peer_config config = {
		.name = "stranger", .stream_id = "strange",
		.video_codecs = vp8, .n_video_codecs = 1, .ops = &ops,
	};

	*ret_engine = rtc_engine_new(like, NULL);
	return rtc_peer_new(*ret_engine, &config, NULL);
}
