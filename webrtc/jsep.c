// SPDX-License-Identifier: Apache-2.0
#include "webrtc/jsep.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "webrtc/jsep-apply.h"
#include "webrtc/jsep-codec.h"

/* What our own offers use where nothing was agreed yet. Chromium's numbers:
 * recordings of both are then easy to compare. */
static const struct {
	uint8_t pt;
	int16_t rtx_pt;
} default_pts[] = {
	[MEDIA_CODEC_VP8] = {96, 97},
	[MEDIA_CODEC_H264] = {108, 109},
	[MEDIA_CODEC_OPUS] = {111, -1},
};

static const uint8_t default_ext_ids[] = {
	[JSEP_EXT_MID] = 4,	    [JSEP_EXT_ABS_SEND_TIME] = 2,
	[JSEP_EXT_TWCC] = 3,	    [JSEP_EXT_PLAYOUT_DELAY] = 5,
	[JSEP_EXT_AUDIO_LEVEL] = 1,
};

struct jsep {
	struct jsep_wish wish;
	char *stream_id, *cname, *fingerprint;
	char *ufrag, *pwd;
	uint32_t audio_ssrc, video_ssrc, video_rtx_ssrc;
	uint64_t session_id, version;

	char *candidates[JSEP_MAX_CANDIDATES];
	unsigned int n_candidates;
	bool gathering_done;

	enum rtc_signaling_state state;
	struct jsep_version *current;  /* in force, or remote offer's result */
	struct jsep_version *previous; /* while a remote offer is open */
	struct jsep_version *offered;  /* while our offer is open */

	char *remote_session;	/* of the o-line agreed with, or NULL */
	char error[JSEP_ERROR_BYTES];
};

/* --- life --------------------------------------------------------------- */
static void add_video(struct jsep_wish *wish, enum media_codec codec)
{
	if (codec != MEDIA_CODEC_VP8 && codec != MEDIA_CODEC_H264)
		return;
	for (unsigned int i = 0; i < wish->n_video; i++) {
		if (wish->video[i] == codec)
			return;
	}
	wish->video[wish->n_video++] = codec;
}

static void set_wish(struct jsep_wish *wish, bool audio, bool video)
{
	wish->send_audio = audio;
	wish->send_video = video && wish->n_video_send > 0;
}

static void init_wish(struct jsep_wish *wish, const struct jsep_config *config)
{
	for (unsigned int i = 0; i < config->n_video_codecs; i++)
		add_video(wish, config->video_codecs[i]);
	wish->n_video_send = wish->n_video;
	add_video(wish, MEDIA_CODEC_H264);
	add_video(wish, MEDIA_CODEC_VP8);

	set_wish(wish, config->send_audio, config->send_video);
	wish->no_receive = config->no_receive;
}

struct jsep *jsep_new(const struct jsep_config *config)
{
	struct jsep *j = g_new0(struct jsep, 1);

	init_wish(&j->wish, config);
	j->stream_id = g_strdup(config->stream_id);
	j->cname = g_strdup(config->cname);
	j->fingerprint = g_strdup(config->fingerprint);
	j->ufrag = g_strdup(config->ufrag);
	j->pwd = g_strdup(config->pwd);
	j->audio_ssrc = config->audio_ssrc;
	j->video_ssrc = config->video_ssrc;
	j->video_rtx_ssrc = config->video_rtx_ssrc;
	j->session_id = config->session_id;
	j->state = RTC_SIGNALING_STABLE;
	return j;
}

static void forget_candidates(struct jsep *j)
{
	for (unsigned int i = 0; i < j->n_candidates; i++)
		g_clear_pointer(&j->candidates[i], g_free);
	j->n_candidates = 0;
}

struct jsep *jsep_free(struct jsep *j)
{
	if (!j)
		return NULL;
	forget_candidates(j);
	jsep_version_free(j->current);
	jsep_version_free(j->previous);
	jsep_version_free(j->offered);
	g_free(j->stream_id);
	g_free(j->cname);
	g_free(j->fingerprint);
	g_free(j->ufrag);
	g_free(j->pwd);
	g_free(j->remote_session);
	g_free(j);
	return NULL;
}

/* --- our side ----------------------------------------------------------- */
void jsep_set_tracks(struct jsep *j, bool audio, bool video,
		      const char *stream_id)
{
	char *copy = g_strdup(stream_id);

	set_wish(&j->wish, audio, video);
	g_free(j->stream_id);
	j->stream_id = copy;
}

void jsep_set_ice_credentials(struct jsep *j, const char *ufrag,
			      const char *pwd)
{
	g_free(j->ufrag);
	g_free(j->pwd);
	j->ufrag = g_strdup(ufrag);
	j->pwd = g_strdup(pwd);
}

void jsep_forget_local_candidates(struct jsep *j)
{
	while (j->n_candidates)
		g_free(j->candidates[--j->n_candidates]);
	j->gathering_done = false;
}

int jsep_add_local_candidate(struct jsep *j, const char *line)
{
	if (g_str_has_prefix(line, "a="))
		line += 2;
	for (unsigned int i = 0; i < j->n_candidates; i++) {
		if (!strcmp(j->candidates[i], line))
			return -EEXIST;
	}
	if (j->n_candidates == JSEP_MAX_CANDIDATES)
		return -ENOSPC;
	j->candidates[j->n_candidates++] = g_strdup(line);
	return 0;
}

void jsep_set_gathering_done(struct jsep *j)
{
	j->gathering_done = true;
}

/* --- errors ------------------------------------------------------------- */
static int fail(struct jsep *j, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct jsep *j, int r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(j->error, sizeof(j->error), format, ap);
	va_end(ap);
	return r;
}

static const char *state_name(enum rtc_signaling_state state)
{
	switch (state) {
	case RTC_SIGNALING_STABLE:
		return "no description is open";
	case RTC_SIGNALING_HAVE_LOCAL_OFFER:
		return "our own offer waits for its answer";
	case RTC_SIGNALING_HAVE_REMOTE_OFFER:
		return "an offer waits for our answer";
	case RTC_SIGNALING_CLOSED:
		return "the connection is closed";
	}
	return "";
}

static int check_state(struct jsep *j, enum rtc_signaling_state wanted,
		       const char *what)
{
	if (j->state == wanted)
		return 0;
	return fail(j, -EBUSY, "Cannot %s: %s", what, state_name(j->state));
}

/* --- our text ----------------------------------------------------------- */
static const struct jsep_version *latest_local(const struct jsep *j)
{
	switch (j->state) {
	case RTC_SIGNALING_HAVE_LOCAL_OFFER:
		return j->offered;
	case RTC_SIGNALING_HAVE_REMOTE_OFFER:
		return j->previous;
	case RTC_SIGNALING_STABLE:
	case RTC_SIGNALING_CLOSED:
		break;
	}
	return j->current;
}

static int render(const struct jsep *j, const struct jsep_version *v,
		  char **ret)
{
	const char *setup = "actpass";
	char *buf;
	int r;

	if (!v->was_offer)
		setup = v->negotiated.dtls_role == JSEP_DTLS_SERVER ? "passive"
								    : "active";
	const struct jsep_text text = {
		.session_id = j->session_id,
		.version = v->number,
		.lines = v->lines,
		.n_lines = v->n_lines,
		.transport = v->transport,
		.audio_track = v->audio_track,
		.video_track = v->video_track,
		.setup = setup,
		.ufrag = j->ufrag,
		.pwd = j->pwd,
		.fingerprint = j->fingerprint,
		.stream_id = j->stream_id,
		.cname = j->cname,
		.audio_ssrc = j->audio_ssrc,
		.video_ssrc = j->video_ssrc,
		.video_rtx_ssrc = j->video_rtx_ssrc,
		.candidates = j->candidates,
		.n_candidates = j->n_candidates,
		.end_of_candidates = j->gathering_done,
	};

	buf = g_malloc(SDP_MAX_BYTES);
	r = jsep_text_write(&text, buf, SDP_MAX_BYTES);
	if (r >= 0)
		*ret = g_strndup(buf, (size_t) r);
	g_free(buf);
	return r < 0 ? r : 0;
}

char *jsep_write_local(struct jsep *j)
{
	const struct jsep_version *v = latest_local(j);
	char *text;

	if (!v || render(j, v, &text) < 0)
		return NULL;
	return text;
}

/* --- offers of ours ----------------------------------------------------- */
static bool is_pt_used(const struct jsep_version *v, int pt)
{
	for (unsigned int i = 0; i < v->n_lines; i++) {
		const struct jsep_line *line = &v->lines[i];

		for (unsigned int c = 0; c < line->n_codecs; c++) {
			if (line->codecs[c].pt == pt ||
			    line->codecs[c].rtx_pt == pt)
				return true;
		}
	}
	return false;
}

/* A number means one thing in the whole bundle (RFC 8843 §9.1). */
static int free_pt(const struct jsep_version *v, int wanted, int avoid)
{
	if (!is_pt_used(v, wanted) && wanted != avoid)
		return wanted;
	for (int pt = 127; pt >= 96; pt--) {
		if (!is_pt_used(v, pt) && pt != avoid)
			return pt;
	}
	for (int pt = 63; pt >= 35; pt--) {
		if (!is_pt_used(v, pt) && pt != avoid)
			return pt;
	}
	return -1;
}

static bool find_agreed(const struct jsep_version *v, enum media_codec codec,
			struct jsep_codec *ret)
{
	for (unsigned int i = 0; i < v->n_lines; i++) {
		for (unsigned int c = 0; c < v->lines[i].n_codecs; c++) {
			if (v->lines[i].codecs[c].codec == codec) {
				*ret = v->lines[i].codecs[c];
				return true;
			}
		}
	}
	return false;
}

static bool new_codec(const struct jsep_version *v, enum media_codec codec,
		      struct jsep_codec *ret)
{
	int pt, rtx_pt = -1;

	if (find_agreed(v, codec, ret))
		return true;

	pt = free_pt(v, default_pts[codec].pt, -1);
	if (pt < 0)
		return false;
	if (default_pts[codec].rtx_pt >= 0) {
		rtx_pt = free_pt(v, default_pts[codec].rtx_pt, pt);
		if (rtx_pt < 0)
			return false;
	}
	*ret = (struct jsep_codec){
		.codec = codec,
		.pt = (uint8_t) pt,
		.rtx_pt = (int16_t) rtx_pt,
		.fb = jsep_feedback_ours(codec),
		.h264_profile_level_id = codec == MEDIA_CODEC_H264
						 ? JSEP_H264_PROFILE_LEVEL_ID
						 : 0,
	};
	return true;
}

static bool is_ext_used(const struct jsep_version *v, unsigned int id)
{
	for (unsigned int i = 0; i < v->n_lines; i++) {
		for (int e = 0; e < N_JSEP_EXTENSIONS; e++) {
			if (v->lines[i].media.ext[e] == id)
				return true;
		}
	}
	return false;
}

/* As with payload types: one id, one meaning. */
static uint8_t new_ext(const struct jsep_version *v, enum jsep_extension e)
{
	for (unsigned int i = 0; i < v->n_lines; i++) {
		if (v->lines[i].media.ext[e])
			return v->lines[i].media.ext[e];
	}
	if (!is_ext_used(v, default_ext_ids[e]))
		return default_ext_ids[e];
	for (uint8_t id = 14; id > 0; id--) {
		if (!is_ext_used(v, id))
			return id;
	}
	return 0;
}

static bool is_mid_used(const struct jsep_version *v, const char *mid)
{
	for (unsigned int i = 0; i < v->n_lines; i++) {
		if (strcmp(v->lines[i].media.mid, mid) == 0)
			return true;
	}
	return false;
}

/* Fills line @index, a slot of its own at the end of @v. */
static bool new_line(const struct jsep *j, struct jsep_version *v,
		     unsigned int index, enum sdp_kind kind)
{
	static const char *const types[] = {"", "audio", "video",
					    "application"};
	static const enum media_codec opus[] = {MEDIA_CODEC_OPUS};
	const enum media_codec *codecs =
		kind == SDP_KIND_AUDIO ? opus : j->wish.video;
	unsigned int n = kind == SDP_KIND_AUDIO ? 1 : j->wish.n_video;
	struct jsep_line *line = &v->lines[index];
	unsigned int number = index;
	char mid[JSEP_MID_BYTES];

	do
		snprintf(mid, sizeof(mid), "%u", number++);
	while (is_mid_used(v, mid));
	strcpy(line->media.mid, mid);
	strcpy(line->type, types[kind]);
	line->media.kind = kind;
	line->media.mline = index;

	if (kind == SDP_KIND_APPLICATION) {
		strcpy(line->proto, "UDP/DTLS/SCTP");
		strcpy(line->format, "webrtc-datachannel");
		return true;
	}

	strcpy(line->proto, "UDP/TLS/RTP/SAVPF");
	strcpy(line->format, "0");
	line->h264_asymmetry = true;
	line->rtcp_rsize = true;
	for (unsigned int i = 0; i < n; i++) {
		struct jsep_codec codec;

		if (!new_codec(v, codecs[i], &codec))
			return false;
		line->codecs[line->n_codecs++] = codec;
	}
	for (int e = 0; e < N_JSEP_EXTENSIONS; e++) {
		if (jsep_extension_fits(e, kind))
			line->media.ext[e] = new_ext(v, e);
	}
	return true;
}

static bool has_kind(const struct jsep_version *v, enum sdp_kind kind)
{
	for (unsigned int i = 0; v && i < v->n_lines; i++) {
		if (v->lines[i].media.kind == kind &&
		    !v->lines[i].media.rejected)
			return true;
	}
	return false;
}

/* We offer to receive everywhere (unless we only send), and to send where our
 * track is bound; not bound yet, on the first line of its kind. */
static void set_directions(const struct jsep *j, struct jsep_version *v)
{
	enum sdp_direction receive =
		j->wish.no_receive ? SDP_INACTIVE : SDP_RECVONLY;

	for (unsigned int i = 0; i < v->n_lines; i++) {
		struct jsep_line *line = &v->lines[i];
		bool audio = line->media.kind == SDP_KIND_AUDIO;
		bool wanted = audio ? j->wish.send_audio : j->wish.send_video;
		int *track = audio ? &v->audio_track : &v->video_track;

		line->direction = SDP_INACTIVE;
		if (line->media.rejected ||
		    line->media.kind == SDP_KIND_APPLICATION)
			continue;
		line->direction = receive;
		if (!wanted)
			continue;
		if (*track < 0 || v->lines[*track].media.rejected)
			*track = (int) i;
		if (*track == (int) i)
			line->direction = receive | SDP_SENDONLY;
	}
}

static struct jsep_version *make_offer(const struct jsep *j)
{
	static const enum sdp_kind kinds[] = {SDP_KIND_AUDIO, SDP_KIND_VIDEO,
					      SDP_KIND_APPLICATION};
	const struct jsep_version *base = j->current;
	unsigned int n = base ? base->n_lines : 0;
	struct jsep_version *v = jsep_version_new(n + G_N_ELEMENTS(kinds));

	v->n_lines = n;
	if (base) {
		memcpy(v->lines, base->lines, n * sizeof(base->lines[0]));
		v->audio_track = base->audio_track;
		v->video_track = base->video_track;
	}

	/* A kind the remote rejected is not pressed on it again. */
	for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
		bool refused = false;

		for (unsigned int i = 0; i < n; i++)
			refused |= base->lines[i].media.kind == kinds[k];
		if (refused || has_kind(v, kinds[k]) ||
		    v->n_lines == SDP_MAX_MEDIA)
			continue;
		/* The new slot is counted when it is complete, so that the
		 * search for free numbers sees the others alone. */
		if (new_line(j, v, v->n_lines, kinds[k]))
			v->n_lines++;
		else
			memset(&v->lines[v->n_lines], 0, sizeof(v->lines[0]));
	}

	set_directions(j, v);
	while (v->transport < v->n_lines &&
	       v->lines[v->transport].media.rejected)
		v->transport++;
	v->was_offer = true;
	v->number = j->version + 1;
	return v;
}

int jsep_create_offer(struct jsep *j, char **ret_sdp)
{
	struct jsep_version *v;
	int r;

	r = check_state(j, RTC_SIGNALING_STABLE, "make an offer");
	if (r < 0)
		return r;

	v = make_offer(j);
	r = render(j, v, ret_sdp);
	if (r < 0) {
		jsep_version_free(v);
		return fail(j, -EMSGSIZE, "Our offer is larger than %u bytes",
			    SDP_MAX_BYTES);
	}
	j->version++;
	j->offered = v;
	j->state = RTC_SIGNALING_HAVE_LOCAL_OFFER;
	return 0;
}

/* --- remote descriptions ------------------------------------------------ */
static int parse(struct jsep *j, const char *what, const char *sdp, size_t len,
		 struct sdp_session **ret)
{
	struct sdp_session *s = g_malloc(sizeof(*s));
	unsigned int line = 0;
	int r;

	r = sdp_parse(sdp, len, s, &line);
	if (r < 0) {
		g_free(s);
		if (r == -EMSGSIZE)
			return fail(j, r, "The %s is over a limit at line %u",
				    what, line);
		return fail(j, r, "The %s is malformed at line %u", what, line);
	}
	*ret = s;
	return 0;
}

/* User name and session id: the same in all descriptions of a connection. */
static char *session_of(const struct sdp_session *s)
{
	struct sdp_span rest = s->origin, user = {0}, id = {0};

	sdp_span_next(&rest, ' ', &user);
	sdp_span_next(&rest, ' ', &id);
	return g_strdup_printf("%.*s %.*s", (int) user.n, user.n ? user.p : "",
			       (int) id.n, id.n ? id.p : "");
}

static void note_session(struct jsep *j, const struct sdp_session *s)
{
	g_free(j->remote_session);
	j->remote_session = session_of(s);
}

/* The line that carries the transport is the first that is alive. */
static bool is_other(const struct jsep *j, const struct sdp_session *s)
{
	const struct jsep_negotiated *n = &j->current->negotiated;
	struct jsep_negotiated theirs = {0};
	char error[JSEP_ERROR_BYTES];
	g_autofree char *session = session_of(s);
	unsigned int line = 0;

	while (line < s->n_media && s->media[line].port == 0 &&
	       !s->media[line].bundle_only)
		line++;
	if (line == s->n_media ||
	    jsep_read_transport(s, line, "description", &theirs, error) < 0)
		return false;
	if (strcmp(theirs.fingerprint_algorithm, n->fingerprint_algorithm) ==
		    0 &&
	    strcmp(theirs.fingerprint, n->fingerprint) != 0)
		return true;
	return g_strcmp0(session, j->remote_session) != 0 &&
	       strcmp(theirs.ufrag, n->ufrag) != 0;
}

bool jsep_is_other_connection(const struct jsep *j, const char *sdp, size_t len)
{
	g_autofree struct sdp_session *s = NULL;
	unsigned int line;

	if (!j->current)
		return false;
	s = g_malloc(sizeof(*s));
	return sdp_parse(sdp, len, s, &line) == 0 && is_other(j, s);
}

int jsep_accept_offer(struct jsep *j, const char *sdp, size_t len)
{
	struct sdp_session *offer = NULL;
	struct jsep_version *v = NULL;
	int r;

	r = check_state(j, RTC_SIGNALING_STABLE, "take an offer");
	if (r < 0)
		return r;
	r = parse(j, "offer", sdp, len, &offer);
	if (r < 0)
		return r;
	r = jsep_apply_offer(&j->wish, j->current, offer, &v, j->error);
	if (r == 0)
		note_session(j, offer);
	g_free(offer);
	if (r < 0)
		return r;

	j->previous = j->current;
	j->current = v;
	j->state = RTC_SIGNALING_HAVE_REMOTE_OFFER;
	return 0;
}

int jsep_create_answer(struct jsep *j, char **ret_sdp)
{
	int r;

	r = check_state(j, RTC_SIGNALING_HAVE_REMOTE_OFFER, "make an answer");
	if (r < 0)
		return r;

	j->current->number = j->version + 1;
	r = render(j, j->current, ret_sdp);
	if (r < 0)
		return fail(j, -EMSGSIZE, "Our answer is larger than %u bytes",
			    SDP_MAX_BYTES);
	j->version++;
	j->previous = jsep_version_free(j->previous);
	j->state = RTC_SIGNALING_STABLE;
	return 0;
}

int jsep_accept_answer(struct jsep *j, const char *sdp, size_t len)
{
	struct sdp_session *answer = NULL;
	struct jsep_version *v = NULL;
	int r;

	r = check_state(j, RTC_SIGNALING_HAVE_LOCAL_OFFER, "take an answer");
	if (r < 0)
		return r;
	r = parse(j, "answer", sdp, len, &answer);
	if (r < 0)
		return r;
	r = jsep_apply_answer(&j->wish, j->current, j->offered, answer, &v,
			      j->error);
	if (r == 0)
		note_session(j, answer);
	g_free(answer);
	if (r < 0)
		return r;

	jsep_version_free(j->current);
	j->current = v;
	j->offered = jsep_version_free(j->offered);
	j->state = RTC_SIGNALING_STABLE;
	return 0;
}

int jsep_rollback(struct jsep *j)
{
	switch (j->state) {
	case RTC_SIGNALING_HAVE_LOCAL_OFFER:
		j->offered = jsep_version_free(j->offered);
		break;
	case RTC_SIGNALING_HAVE_REMOTE_OFFER:
		jsep_version_free(j->current);
		j->current = j->previous;
		j->previous = NULL;
		break;
	case RTC_SIGNALING_STABLE:
	case RTC_SIGNALING_CLOSED:
		return fail(j, -EBUSY, "Cannot roll back: %s",
			    state_name(j->state));
	}
	j->state = RTC_SIGNALING_STABLE;
	return 0;
}

/* --- questions ---------------------------------------------------------- */
const char *jsep_get_error(const struct jsep *j)
{
	return j->error;
}

enum rtc_signaling_state jsep_get_state(const struct jsep *j)
{
	return j->state;
}

const char *jsep_get_transport_mid(const struct jsep *j)
{
	const struct jsep_version *v = latest_local(j);

	return v ? v->lines[v->transport].media.mid : "";
}

unsigned int jsep_get_transport_mline(const struct jsep *j)
{
	const struct jsep_version *v = latest_local(j);

	return v ? v->transport : 0;
}

bool jsep_candidate_applies(const struct jsep *j, const char *mid,
			    unsigned int mline)
{
	const struct jsep_version *v = j->current;

	if (!v)
		return true;
	if (mid && mid[0] && v->lines[v->transport].media.mid[0])
		return strcmp(v->lines[v->transport].media.mid, mid) == 0;
	return mline == v->transport;
}

const struct jsep_negotiated *jsep_get_negotiated(const struct jsep *j)
{
	return j->current ? &j->current->negotiated : NULL;
}
