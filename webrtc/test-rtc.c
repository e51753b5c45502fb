// SPDX-License-Identifier: Apache-2.0
/* Two peers of one engine over loopback: the whole transport, as the room uses
 * it, in every way it may be forced to work. (One engine: usrsctp's state is
 * the process's and wants one thread.) */
#include "webrtc/rtc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <gio/gio.h>

#include "webrtc/engine.h"

#define DEADLINE_S 60	/* for what hangs; slow is no failure */
#define UNIT_BYTES 9000

struct side {
	struct rtc_peer *peer;
	struct side *other;
	bool remote_set;	/* candidates may be passed to us */
	bool gathered;
	GPtrArray *early;	/* candidates that came before that */
	enum rtc_state state;
	enum rtc_ice_state ice_state;
	const char *leave_in;	/* the callback that frees the peer */
	char *label, *message;
	uint16_t channel;
	bool channel_is_remote, writable;
	GHashTable *opened, *writables;	/* channels, each once */
	size_t received_bytes;
	unsigned int messages;
	char *audio_stream, *video_stream;
	int video_codec;	/* -1: none */

	gint packets, markers, audio_packets;	/* atomic */
	gint last_seq, last_audio_seq;		/* atomic; video, audio */
	gint gaps;				/* atomic */
};

struct pair {
	GMainContext *context;
	struct rtc_engine *engine;
	struct side a, b;
	gint keyframes, bitrate;		/* atomic */
};

struct candidate_line {
	char *mid, *line;
	unsigned int mline;
};

static void candidate_line_free(gpointer data)
{
	struct candidate_line *c = data;

	g_free(c->mid);
	g_free(c->line);
	g_free(c);
}

/* Return: it has gone, in this very callback. */
static bool leave(struct side *s, const char *callback)
{
	if (!s->leave_in || strcmp(s->leave_in, callback))
		return false;
	s->peer = rtc_peer_free(s->peer);
	return true;
}

static void on_candidate(void *user, const char *mid, unsigned int mline,
			 const char *candidate)
{
	struct side *s = user, *o = s->other;
	struct candidate_line *c;

	if (!o->peer)
		return;
	if (o->remote_set) {
		g_assert_true(rtc_peer_add_candidate(o->peer, mid, mline,
						     candidate, NULL));
		return;
	}
	c = g_new0(struct candidate_line, 1);
	c->mid = g_strdup(mid);
	c->mline = mline;
	c->line = g_strdup(candidate);
	g_ptr_array_add(o->early, c);
}

static void remote_is_set(struct side *s)
{
	s->remote_set = true;
	for (guint i = 0; i < s->early->len; i++) {
		struct candidate_line *c = g_ptr_array_index(s->early, i);

		g_assert_true(rtc_peer_add_candidate(s->peer, c->mid, c->mline,
						     c->line, NULL));
	}
	g_ptr_array_set_size(s->early, 0);
}

static void on_gathering_done(void *user)
{
	struct side *s = user;

	s->gathered = true;
	leave(s, "gathering-done");
}

static void on_ice_state(void *user, enum rtc_ice_state state)
{
	struct side *s = user;

	s->ice_state = state;
	leave(s, "ice-state");
}

static void on_state(void *user, enum rtc_state state, const char *detail)
{
	struct side *s = user;

	g_test_message("state %d %s", state, detail ? detail : "");
	s->state = state;
	leave(s, "state");
}

static void on_channel_open(void *user, uint16_t channel, const char *label,
			    bool remote)
{
	struct side *s = user;

	g_free(s->label);
	s->label = g_strdup(label);
	s->channel = channel;
	s->channel_is_remote = remote;
	g_hash_table_add(s->opened, GUINT_TO_POINTER(channel));
	leave(s, "channel-open");
}

static void on_channel_message(void *user, uint16_t channel, bool text,
			       const uint8_t *data, size_t len)
{
	struct side *s = user;

	g_assert_true(g_hash_table_contains(s->opened,
					    GUINT_TO_POINTER(channel)));
	if (text) {
		g_free(s->message);
		s->message = g_strndup((const char *) data, len);
	}
	s->received_bytes += len;
	s->messages++;
	leave(s, "channel-message");
}

static void on_channel_closed(void *user, uint16_t channel)
{
	struct side *s = user;

	g_clear_pointer(&s->label, g_free);
}

static void on_channel_writable(void *user, uint16_t channel)
{
	struct side *s = user;

	s->writable = true;
	g_hash_table_add(s->writables, GUINT_TO_POINTER(channel));
}

static void on_remote_media(void *user, const char *audio, const char *video)
{
	struct side *s = user;

	g_free(s->audio_stream);
	g_free(s->video_stream);
	s->audio_stream = g_strdup(audio);
	s->video_stream = g_strdup(video);
	leave(s, "remote-media");
}

static void on_video_codec(void *user, const enum media_codec *codec)
{
	((struct side *) user)->video_codec = codec ? (int) *codec : -1;
}

static const struct rtc_peer_ops ops = {
	.local_candidate = on_candidate,
	.gathering_done = on_gathering_done,
	.ice_state = on_ice_state,
	.state = on_state,
	.channel_open = on_channel_open,
	.channel_message = on_channel_message,
	.channel_closed = on_channel_closed,
	.channel_writable = on_channel_writable,
	.remote_media = on_remote_media,
	.video_codec = on_video_codec,
};

/* network */
static void on_keyframe(void *user, enum media_codec codec, bool first)
{
	g_atomic_int_inc(&((struct pair *) user)->keyframes);
}

static void on_bitrate(void *user, enum media_codec codec, unsigned int bps)
{
	g_atomic_int_set(&((struct pair *) user)->bitrate, (int) bps);
}

/* Over the loopback nothing is lost or overtaken. */
static void note_seq(struct side *s, gint *last, uint16_t seq)
{
	gint before = g_atomic_int_get(last);

	if (before >= 0 && (uint16_t) (before + 1) != seq)
		g_atomic_int_inc(&s->gaps);
	g_atomic_int_set(last, seq);
}

static void on_media(void *user, const char *peer_name,
		     const struct rtc_media_packet *p)
{
	struct pair *pair = user;
	struct side *s = !strcmp(peer_name, "a") ? &pair->a : &pair->b;

	if (p->codec == MEDIA_CODEC_OPUS) {
		note_seq(s, &s->last_audio_seq, p->seq);
		g_atomic_int_inc(&s->audio_packets);
		return;
	}
	note_seq(s, &s->last_seq, p->seq);
	g_atomic_int_inc(&s->packets);
	if (p->marker)
		g_atomic_int_inc(&s->markers);
}

static void side_init(struct pair *p, struct side *s, struct side *other,
		      bool sends)
{
	static const enum media_codec codecs[] = { MEDIA_CODEC_VP8 };
	struct rtc_peer_config peer = {
		.name = sends ? "a" : "b",
		.stream_id = sends ? "stream-a" : "stream-b",
		.send_audio = sends,
		.send_video = sends,
		.trickle = true,
		.video_codecs = codecs,
		.n_video_codecs = 1,
		.ops = &ops,
		.user = s,
	};
	g_autoptr(GError) error = NULL;

	s->other = other;
	s->video_codec = -2;
	s->last_seq = s->last_audio_seq = -1;
	s->early = g_ptr_array_new_with_free_func(candidate_line_free);
	s->opened = g_hash_table_new(NULL, NULL);
	s->writables = g_hash_table_new(NULL, NULL);
	s->peer = rtc_peer_new(p->engine, &peer, &error);
	g_assert_no_error(error);
}

static void side_done(struct side *s)
{
	rtc_peer_free(s->peer);
	g_ptr_array_unref(s->early);
	g_hash_table_unref(s->opened);
	g_hash_table_unref(s->writables);
	g_free(s->label);
	g_free(s->message);
	g_free(s->audio_stream);
	g_free(s->video_stream);
}

struct waiting {
	struct pair *pair;
	const char *what;
};

static gboolean on_deadline(gpointer data)
{
	const struct waiting *w = data;
	const struct side *b = &w->pair->b;
	struct rtc_peer_stats stats = {0};

	if (w->pair->a.peer)
		rtc_peer_get_stats(w->pair->a.peer, &stats);
	g_error("not within %d s: %s; a sent %" G_GUINT64_FORMAT
		" frames, dropped %" G_GUINT64_FORMAT
		"; b has %d markers, %d packets, %d of sound, %u messages",
		DEADLINE_S, w->what, stats.video_frames,
		stats.video_frames_dropped, b->markers, b->packets,
		b->audio_packets, b->messages);
	return G_SOURCE_REMOVE;
}

#define WAIT_FOR(in, condition)                                                \
	do {                                                                   \
		GSource *late = g_timeout_source_new_seconds(DEADLINE_S);      \
		struct waiting waiting = { in, #condition };                   \
		g_source_set_callback(late, on_deadline, &waiting, NULL);      \
		g_source_attach(late, (in)->context);                          \
		while (!(condition))                                           \
			g_main_context_iteration((in)->context, TRUE);         \
		g_source_destroy(late);                                        \
		g_source_unref(late);                                          \
	} while (0)

/* Wakes the context regularly, for conditions that other threads fulfil. */
static gboolean tick(gpointer data)
{
	return G_SOURCE_CONTINUE;
}

/* @edit, or NULL, changes the answer on its way: returns the new text. */
static void negotiate_with(struct pair *p, struct side *offerer,
			   char *(*edit)(const char *sdp))
{
	struct side *answerer = offerer->other;
	g_autoptr(GError) error = NULL;
	g_autofree char *offer = NULL, *answer = NULL, *edited = NULL;

	offer = rtc_peer_create_offer(offerer->peer, false, &error);
	g_assert_no_error(error);
	answer = rtc_peer_accept_offer(answerer->peer, offer, &error);
	g_assert_no_error(error);
	remote_is_set(answerer);
	edited = edit ? edit(answer) : g_strdup(answer);
	g_assert_true(rtc_peer_accept_answer(offerer->peer, edited, &error));
	g_assert_no_error(error);
	remote_is_set(offerer);
}

static void negotiate(struct pair *p, struct side *offerer)
{
	negotiate_with(p, offerer, NULL);
}

static void pair_init(struct pair *p, const struct rtc_engine_config *like)
{
	GSource *ticker = g_timeout_source_new(10);
	struct rtc_engine_config config = *like;
	g_autoptr(GError) error = NULL;

	memset(p, 0, sizeof(*p));
	p->context = g_main_context_new();
	g_source_set_callback(ticker, tick, NULL, NULL);
	g_source_attach(ticker, p->context);
	g_source_unref(ticker);
	config.context = p->context;
	config.network.loopback = true;
	config.start_bps = 1000000;
	config.min_bps = 1000000;	/* a unit is never too slow */
	config.max_bps = 4000000;
	config.request_keyframe = on_keyframe;
	config.rung_bitrate = on_bitrate;
	config.media_packet = on_media;
	config.user = p;
	p->engine = rtc_engine_new(&config, &error);
	g_assert_no_error(error);
	side_init(p, &p->a, &p->b, true);
	side_init(p, &p->b, &p->a, false);
}

static void pair_done(struct pair *p)
{
	side_done(&p->a);
	side_done(&p->b);
	rtc_engine_free(p->engine);
	g_main_context_unref(p->context);
}

static void connect_pair(struct pair *p, struct side *offerer)
{
	g_assert_true(rtc_peer_open_channel(offerer->peer, "main", NULL));
	negotiate(p, offerer);
	WAIT_FOR(p, p->a.state == RTC_STATE_CONNECTED &&
		 p->b.state == RTC_STATE_CONNECTED);
	WAIT_FOR(p, p->a.label && p->b.label);
	g_assert_cmpstr(offerer->other->label, ==, "main");
	g_assert_true(offerer->other->channel_is_remote);
	g_assert_false(offerer->channel_is_remote);
}

/* --- units ------------------------------------------------------------------ */
static gint units_alive;

static void release_unit(struct coded_unit *u)
{
	g_atomic_int_add(&units_alive, -1);
	free((void *) u->data);
	free(u);
}

static void push_unit(struct pair *p, enum media_codec codec, uint64_t number)
{
	struct coded_unit *u = calloc(1, sizeof(*u));
	size_t size = codec == MEDIA_CODEC_OPUS ? 120 : UNIT_BYTES;
	uint8_t *data = malloc(size);

	g_assert_nonnull(u);
	g_assert_nonnull(data);
	memset(data, 0x5a, size);
	if (codec == MEDIA_CODEC_VP8)
		data[0] = number ? 0x01 : 0x00;	/* key frame first */
	*u = (struct coded_unit){
		.refs = 1,
		.codec = codec,
		.keyframe = number == 0,
		.number = number,
		.capture_us = (uint64_t) g_get_monotonic_time(),
		.encoded_us = (uint64_t) g_get_monotonic_time(),
		.n_samples = codec == MEDIA_CODEC_OPUS ? 960 : 0,
		.data = data,
		.size = size,
		.release = release_unit,
	};
	g_atomic_int_inc(&units_alive);
	rtc_engine_push(p->engine, u);
	coded_unit_unref(u);
}

static void check_media(struct pair *p)
{
	const int n = 30, packets = 8;	/* 9000 bytes in packets of 1200 */

	/* One after the other: what waits too long in the pacer is dropped, and
	 * how long a busy machine lets it wait is nobody's promise. */
	for (int i = 0; i < n; i++) {
		push_unit(p, MEDIA_CODEC_VP8, (uint64_t) i);
		push_unit(p, MEDIA_CODEC_OPUS, (uint64_t) i);
		WAIT_FOR(p, g_atomic_int_get(&p->b.markers) == i + 1 &&
			 g_atomic_int_get(&p->b.audio_packets) == i + 1);
	}
	g_assert_cmpint(g_atomic_int_get(&p->b.packets), ==, n * packets);
	g_assert_cmpint(g_atomic_int_get(&p->keyframes), >=, 1);
}

static void check_channel(struct pair *p)
{
	static const char hello[] = "{\"type\":\"MESSAGE\"}";
	g_autofree uint8_t *big = g_malloc0(65536);
	size_t sent = 0;

	g_assert_cmpint(rtc_peer_send(p->a.peer, p->a.channel, true,
				      (const uint8_t *) hello, strlen(hello)),
			==, 0);
	WAIT_FOR(p, p->b.message);
	g_assert_cmpstr(p->b.message, ==, hello);
	g_assert_cmpint(rtc_peer_send(p->b.peer, p->b.channel, true,
				      (const uint8_t *) "ok", 2), ==, 0);
	WAIT_FOR(p, p->a.message);
	g_assert_cmpstr(p->a.message, ==, "ok");

	/* More than every queue on the way holds: it must be held back, not
	 * lost, and nothing may grow without limit. */
	p->b.received_bytes = 0;
	while (sent < 16u << 20) {
		int r = rtc_peer_send(p->a.peer, p->a.channel, false, big,
				      65536);

		if (r == 0) {
			sent += 65536;
			continue;
		}
		g_assert_cmpint(r, ==, -EAGAIN);
		p->a.writable = false;
		WAIT_FOR(p, p->a.writable);
	}
	WAIT_FOR(p, p->b.received_bytes == sent);
}

static void test_everything(const void *data)
{
	const struct rtc_engine_config *like = data;
	struct rtc_peer_stats stats;
	struct rtc_engine_stats engine;
	struct pair p;

	pair_init(&p, like);
	connect_pair(&p, &p.a);
	WAIT_FOR(&p, p.b.video_stream);
	g_assert_cmpstr(p.b.video_stream, ==, "stream-a");
	g_assert_cmpstr(p.b.audio_stream, ==, "stream-a");
	WAIT_FOR(&p, p.a.video_codec == MEDIA_CODEC_VP8);
	g_assert_cmpint(p.b.video_codec, ==, -2);	/* none, as before */
	check_media(&p);
	check_channel(&p);

	rtc_peer_get_stats(p.a.peer, &stats);
	g_assert_cmpstr(stats.srtp_profile, ==, "AEAD_AES_128_GCM");
	g_assert_cmpuint(stats.video_frames_dropped, ==, 0);
	g_assert_cmpint(stats.gso, ==, !like->no_gso);
	g_assert_cmpint(stats.kernel_demux, ==,
			like->demux != RTC_DEMUX_CALLBACK);
	rtc_engine_get_stats(p.engine, &engine);
	g_assert_cmpstr(engine.backend, ==,
			like->backend == NET_BACKEND_EPOLL ? "epoll" :
							     "io_uring");
	g_assert_cmpuint(engine.bitstream_copies, ==, 0);
	g_assert_cmpuint(engine.units_dropped, ==, 0);
	g_test_message("pair %s, %" G_GUINT64_FORMAT " syscalls", stats.pair,
		       engine.net.syscalls);
	pair_done(&p);
	g_assert_cmpint(g_atomic_int_get(&units_alive), ==, 0);
}

/* The receiver offers; the sender answers and is the DTLS server. */
static void test_answering(void)
{
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	struct rtc_peer_stats stats;
	struct pair p;

	pair_init(&p, &like);
	connect_pair(&p, &p.b);
	check_media(&p);
	rtc_peer_get_stats(p.a.peer, &stats);
	while (!stats.dtls_role)
		rtc_peer_get_stats(p.a.peer, &stats);
	g_assert_cmpstr(stats.dtls_role, ==, "server");

	/* Again on the same connection: nothing is torn down. */
	negotiate(&p, &p.a);
	push_unit(&p, MEDIA_CODEC_OPUS, 99);
	WAIT_FOR(&p, g_atomic_int_get(&p.b.audio_packets) == 31);
	g_assert_cmpint(p.a.state, ==, RTC_STATE_CONNECTED);
	pair_done(&p);
}

/* @text with the first @from behind @start replaced. */
static char *replace_behind(const char *text, const char *start,
			    const char *from, const char *to)
{
	const char *at = strstr(text, start);

	g_assert_nonnull(at);
	at = strstr(at, from);
	g_assert_nonnull(at);
	return g_strdup_printf("%.*s%s%s", (int) (at - text), text, to,
			       at + strlen(from));
}

static char *refuse_audio(const char *sdp)
{
	return replace_behind(sdp, "m=audio", "a=recvonly", "a=inactive");
}

static void push_some(struct pair *p, uint64_t first, int n)
{
	for (int i = 0; i < n; i++) {
		push_unit(p, MEDIA_CODEC_VP8, first + (uint64_t) i);
		push_unit(p, MEDIA_CODEC_OPUS, first + (uint64_t) i);
	}
}

/* A remote that stops taking sound and takes it again must not move the
 * picture to other packet numbers, nor the sound when it returns. */
static void test_numbers_go_on(void)
{
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	struct pair p;

	pair_init(&p, &like);
	connect_pair(&p, &p.a);
	push_some(&p, 0, 3);
	WAIT_FOR(&p, g_atomic_int_get(&p.b.markers) == 3 &&
		 g_atomic_int_get(&p.b.audio_packets) == 3);

	negotiate_with(&p, &p.a, refuse_audio);
	push_some(&p, 3, 3);
	WAIT_FOR(&p, g_atomic_int_get(&p.b.markers) == 6);
	g_assert_cmpint(g_atomic_int_get(&p.b.audio_packets), ==, 3);

	negotiate(&p, &p.a);
	push_some(&p, 6, 3);
	WAIT_FOR(&p, g_atomic_int_get(&p.b.markers) == 9 &&
		 g_atomic_int_get(&p.b.audio_packets) == 6);
	g_assert_cmpint(g_atomic_int_get(&p.b.gaps), ==, 0);
	pair_done(&p);
}

/* Both sides of a restart hold the candidates: without trickle nobody would
 * tell of them later. The media goes on. */
static void test_ice_restart(void)
{
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	g_autofree char *offer = NULL, *answer = NULL;
	g_autoptr(GError) error = NULL;
	struct pair p;

	pair_init(&p, &like);
	connect_pair(&p, &p.a);
	offer = rtc_peer_create_offer(p.a.peer, true, &error);
	g_assert_no_error(error);
	g_assert_nonnull(strstr(offer, "a=candidate:"));
	answer = rtc_peer_accept_offer(p.b.peer, offer, &error);
	g_assert_no_error(error);
	g_assert_nonnull(strstr(answer, "a=candidate:"));
	/* As without trickle: not one candidate more. */
	p.a.remote_set = p.b.remote_set = false;
	p.a.ice_state = p.b.ice_state = RTC_ICE_NEW;
	g_assert_true(rtc_peer_accept_answer(p.a.peer, answer, &error));
	WAIT_FOR(&p, p.a.ice_state >= RTC_ICE_CONNECTED &&
		 p.b.ice_state >= RTC_ICE_CONNECTED);
	g_assert_cmpint(p.a.ice_state, <=, RTC_ICE_COMPLETED);
	push_some(&p, 0, 3);
	WAIT_FOR(&p, g_atomic_int_get(&p.b.markers) == 3 &&
		 g_atomic_int_get(&p.b.audio_packets) == 3);
	g_assert_cmpint(p.a.state, ==, RTC_STATE_CONNECTED);
	pair_done(&p);
}

/* --- a callback that frees its own peer ---------------------------------------- */
static void test_leaving(const void *callback)
{
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	struct pair p;

	pair_init(&p, &like);
	p.b.leave_in = callback;
	g_assert_true(rtc_peer_open_channel(p.a.peer, "main", NULL));
	negotiate_with(&p, &p.a, NULL);
	while (p.b.peer) {
		if (p.a.label && p.a.state == RTC_STATE_CONNECTED)
			rtc_peer_send(p.a.peer, p.a.channel, true,
				      (const uint8_t *) "x", 1);
		WAIT_FOR(&p, !p.b.peer || p.a.label);
		g_main_context_iteration(p.context, TRUE);
	}
	pair_done(&p);
}

/* It says that it never checks, and a moment before the answerer has begun as
 * one who is controlled: that has to open its sockets anew. (The offerer is a
 * whole agent all the same; libnice's lite one is in test-ice.c.) */
static void test_offer_of_a_lite_agent(void)
{
	g_autofree char *offer = NULL, *lite = NULL, *answer = NULL;
	g_autoptr(GError) error = NULL;
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	struct pair p;

	pair_init(&p, &like);
	WAIT_FOR(&p, p.b.gathered);
	g_assert_true(rtc_peer_open_channel(p.a.peer, "main", NULL));
	offer = rtc_peer_create_offer(p.a.peer, false, &error);
	g_assert_no_error(error);
	lite = replace_behind(offer, "v=0", "a=", "a=ice-lite\r\na=");
	answer = rtc_peer_accept_offer(p.b.peer, lite, &error);
	g_assert_no_error(error);
	remote_is_set(&p.b);
	g_assert_true(rtc_peer_accept_answer(p.a.peer, answer, &error));
	g_assert_no_error(error);
	remote_is_set(&p.a);
	WAIT_FOR(&p, p.a.state == RTC_STATE_CONNECTED &&
		 p.b.state == RTC_STATE_CONNECTED);
	check_media(&p);
	pair_done(&p);
}

static void test_goodbye(void)
{
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	struct pair p;

	pair_init(&p, &like);
	connect_pair(&p, &p.a);
	p.a.peer = rtc_peer_free(p.a.peer);
	WAIT_FOR(&p, p.b.state == RTC_STATE_CLOSED);
	pair_done(&p);
}

/* --- a network thread that is held up ---------------------------------------- */
struct hold {
	struct rtc_engine *engine;
	GMutex lock;
};

static void held_up(void *data)
{
	struct hold *h = data;

	g_mutex_lock(&h->lock);
	g_mutex_unlock(&h->lock);
}

static void nothing(void *data)
{
}

static void hold_network(struct hold *h, struct pair *p)
{
	h->engine = p->engine;
	g_mutex_init(&h->lock);
	g_mutex_lock(&h->lock);
	g_assert_cmpint(net_loop_post(h->engine->loop, held_up, h), ==, 0);
}

static void let_go(struct hold *h)
{
	g_mutex_unlock(&h->lock);
}

/* The queue to the network thread is full when a peer is freed: the remote is
 * told all the same. */
static void test_goodbye_late(void)
{
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	struct hold h;
	struct pair p;

	pair_init(&p, &like);
	connect_pair(&p, &p.a);
	hold_network(&h, &p);
	while (net_loop_post(p.engine->loop, nothing, NULL) == 0)
		continue;
	p.a.peer = rtc_peer_free(p.a.peer);
	let_go(&h);
	WAIT_FOR(&p, p.b.state == RTC_STATE_CLOSED);
	pair_done(&p);
	g_mutex_clear(&h.lock);
}

/* Peers that cannot close, because nothing runs, are bounded as well. */
static void test_many_closing(void)
{
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	struct rtc_peer_config config = {
		.name = "many", .stream_id = "s", .trickle = true, .ops = &ops,
	};
	g_autoptr(GError) error = NULL;
	unsigned int n = 2;		/* the pair */
	struct rtc_peer *peer;
	struct hold h;
	struct pair p;

	pair_init(&p, &like);
	config.user = &p.a;
	hold_network(&h, &p);
	while ((peer = rtc_peer_new(p.engine, &config, &error))) {
		rtc_peer_free(peer);
		g_assert_cmpuint(++n, <=, ENGINE_PEERS_MAX);
	}
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BUSY);
	g_assert_cmpuint(n, ==, ENGINE_PEERS_MAX);
	let_go(&h);
	/* They do close, and then there is room again. */
	WAIT_FOR(&p, atomic_load(&p.engine->n_alive) == 2);
	peer = rtc_peer_new(p.engine, &config, NULL);
	g_assert_nonnull(peer);
	rtc_peer_free(peer);
	pair_done(&p);
	g_mutex_clear(&h.lock);
}

/* --- limits ------------------------------------------------------------------ */
static unsigned int send_until_full(struct pair *p, size_t len)
{
	g_autofree uint8_t *data = g_malloc0(len);
	gint64 until = g_get_monotonic_time() + G_USEC_PER_SEC;
	unsigned int n = 0;

	/* Full for a second: nothing moves any more. */
	while (g_get_monotonic_time() < until) {
		if (rtc_peer_send(p->a.peer, p->a.channel, true, data, len) !=
		    0)
			continue;
		n++;
		until = g_get_monotonic_time() + G_USEC_PER_SEC;
		g_assert_cmpuint((uint64_t) n * len, <, UINT64_C(64) << 20);
		g_assert_cmpuint(n, <, 16 * ENGINE_PEER_EVENTS_MAX);
	}
	return n;
}

/* A remote that sends without end while control does not look is made to wait:
 * what is on its way up stays bounded, nothing is lost, and another peer's
 * events still come through. */
static void flood(size_t len)
{
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	struct pair p, quiet = { 0 };
	unsigned int n;

	pair_init(&p, &like);
	connect_pair(&p, &p.a);
	quiet.context = p.context;
	quiet.engine = p.engine;
	side_init(&quiet, &quiet.a, &quiet.b, true);
	side_init(&quiet, &quiet.b, &quiet.a, false);
	n = send_until_full(&p, len);
	g_assert_cmpuint(n, >, 0);
	negotiate(&quiet, &quiet.a);
	WAIT_FOR(&p, quiet.a.state == RTC_STATE_CONNECTED &&
		 quiet.b.state == RTC_STATE_CONNECTED);
	WAIT_FOR(&p, p.b.messages == n);
	g_assert_cmpint(p.b.state, ==, RTC_STATE_CONNECTED);
	side_done(&quiet.a);
	side_done(&quiet.b);
	pair_done(&p);
}

static void test_flood_of_small(void)
{
	flood(1);
}

static void test_flood_of_large(void)
{
	flood(65536);
}

/* One budget for all channels of a peer: each that was refused is told. */
static void test_writable(void)
{
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	g_autofree uint8_t *big = g_malloc0(65536);
	uint16_t first;
	struct pair p;

	pair_init(&p, &like);
	connect_pair(&p, &p.a);
	first = p.a.channel;
	g_assert_true(rtc_peer_open_channel(p.a.peer, "second", NULL));
	WAIT_FOR(&p, p.a.channel != first && p.b.channel == p.a.channel);

	while (rtc_peer_send(p.a.peer, first, false, big, 65536) == 0)
		continue;
	g_assert_cmpint(rtc_peer_send(p.a.peer, p.a.channel, false, big,
				      65536), ==, -EAGAIN);
	WAIT_FOR(&p, g_hash_table_contains(p.a.writables,
					   GUINT_TO_POINTER(first)) &&
		 g_hash_table_contains(p.a.writables,
				       GUINT_TO_POINTER(p.a.channel)));
	pair_done(&p);
}

/* --- renegotiation ------------------------------------------------------------ */
static char *change_certificate(const char *sdp)
{
	const char *at = strstr(sdp, "a=fingerprint:sha-256 ");
	const char *digit = at + strlen("a=fingerprint:sha-256 ");
	char *text = g_strdup(sdp);

	g_assert_nonnull(at);
	text[digit - sdp] = *digit == 'A' ? 'B' : 'A';
	return text;
}

static void test_other_certificate(void)
{
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	struct pair p;

	pair_init(&p, &like);
	connect_pair(&p, &p.a);
	negotiate_with(&p, &p.a, change_certificate);
	WAIT_FOR(&p, p.a.state == RTC_STATE_FAILED);
	pair_done(&p);
}

static void test_one_engine(void)
{
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	g_autoptr(GError) error = NULL;
	struct pair p;

	pair_init(&p, &like);
	g_assert_null(rtc_engine_new(&like, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BUSY);
	pair_done(&p);
	p.engine = rtc_engine_new(&like, NULL);
	g_assert_nonnull(p.engine);
	rtc_engine_free(p.engine);
}

static void test_states(void)
{
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	g_autoptr(GError) error = NULL;
	g_autofree char *offer = NULL;
	struct pair p;

	pair_init(&p, &like);
	g_assert_null(rtc_peer_accept_offer(p.a.peer, "nonsense", &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
	g_clear_error(&error);
	g_assert_false(rtc_peer_accept_answer(p.a.peer, "v=0\r\n", &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BUSY);
	g_clear_error(&error);
	offer = rtc_peer_create_offer(p.a.peer, false, &error);
	g_assert_no_error(error);
	g_assert_null(rtc_peer_create_offer(p.a.peer, false, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BUSY);
	g_clear_error(&error);
	g_assert_false(rtc_peer_add_candidate(p.a.peer, "0", 0, "candidate:",
					      &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
	g_assert_cmpint(rtc_peer_send(p.a.peer, 0, true, NULL, 0), ==,
			-ENOTCONN);
	pair_done(&p);
}

/* Made and freed in every state, without waiting for anything. */
static void test_churn(void)
{
	struct rtc_engine_config like = { .backend = NET_BACKEND_AUTO };
	struct rtc_peer_config config = {
		.name = "churn", .stream_id = "s", .send_audio = true,
		.send_video = true, .trickle = true, .ops = &ops,
	};
	struct pair p;

	pair_init(&p, &like);
	config.user = &p.a;
	p.a.peer = rtc_peer_free(p.a.peer);
	for (int i = 0; i < 200; i++) {
		g_autofree char *offer = NULL;

		p.a.peer = rtc_peer_new(p.engine, &config, NULL);
		g_assert_nonnull(p.a.peer);
		if (i % 2)
			offer = rtc_peer_create_offer(p.a.peer, false, NULL);
		if (i % 3)
			g_main_context_iteration(p.context, FALSE);
		p.a.peer = rtc_peer_free(p.a.peer);
	}
	pair_done(&p);
}

int main(int argc, char *argv[])
{
	static const struct rtc_engine_config ways[] = {
		{ .backend = NET_BACKEND_URING, .demux = RTC_DEMUX_KERNEL },
		{ .backend = NET_BACKEND_EPOLL, .demux = RTC_DEMUX_KERNEL },
		{ .backend = NET_BACKEND_URING, .demux = RTC_DEMUX_CALLBACK },
		{ .backend = NET_BACKEND_URING, .no_gso = true },
		{ .backend = NET_BACKEND_EPOLL, .demux = RTC_DEMUX_CALLBACK,
		  .no_gso = true },
	};
	static const char *const names[] = {
		"/rtc/io_uring", "/rtc/epoll", "/rtc/callback", "/rtc/no-gso",
		"/rtc/nothing-new",
	};

	static const char *const callbacks[] = {
		"gathering-done", "ice-state", "state", "channel-open",
		"channel-message", "remote-media",
	};

	g_test_init(&argc, &argv, NULL);
	for (unsigned int i = 0; i < G_N_ELEMENTS(ways); i++)
		g_test_add_data_func(names[i], &ways[i], test_everything);
	g_test_add_func("/rtc/answering", test_answering);
	g_test_add_func("/rtc/lite", test_offer_of_a_lite_agent);
	g_test_add_func("/rtc/numbers-go-on", test_numbers_go_on);
	g_test_add_func("/rtc/ice-restart", test_ice_restart);
	for (unsigned int i = 0; i < G_N_ELEMENTS(callbacks); i++) {
		g_autofree char *path =
			g_strconcat("/rtc/leaving/", callbacks[i], NULL);

		g_test_add_data_func(path, callbacks[i], test_leaving);
	}
	g_test_add_func("/rtc/goodbye", test_goodbye);
	g_test_add_func("/rtc/goodbye-late", test_goodbye_late);
	g_test_add_func("/rtc/many-closing", test_many_closing);
	g_test_add_func("/rtc/flood-of-small", test_flood_of_small);
	g_test_add_func("/rtc/flood-of-large", test_flood_of_large);
	g_test_add_func("/rtc/writable", test_writable);
	g_test_add_func("/rtc/other-certificate", test_other_certificate);
	g_test_add_func("/rtc/one-engine", test_one_engine);
	g_test_add_func("/rtc/states", test_states);
	g_test_add_func("/rtc/churn", test_churn);
	return g_test_run();
}
