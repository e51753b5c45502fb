// SPDX-License-Identifier: Apache-2.0
#include "webrtc/jsep-apply.h"

#include <errno.h>
#include <string.h>

#include "webrtc/jsep-codec.h"

struct jsep_version *jsep_version_new(unsigned int n_lines)
{
	struct jsep_version *v = g_new0(struct jsep_version, 1);

	v->lines = g_new0(struct jsep_line, n_lines ? n_lines : 1);
	v->n_lines = n_lines;
	v->audio_track = -1;
	v->video_track = -1;
	return v;
}

struct jsep_version *jsep_version_free(struct jsep_version *v)
{
	if (!v)
		return NULL;
	g_free(v->lines);
	g_free(v->negotiated.candidates);
	g_free(v->negotiated.media);
	g_free(v);
	return NULL;
}

/* --- after all lines are read ------------------------------------------- */
static int find_track(const struct jsep_version *v, enum sdp_kind kind,
		      int sticky)
{
	/* Where it was, if we may still send there; else the first m-line
	 * where we may. */
	if (sticky >= 0 && (unsigned int) sticky < v->n_lines &&
	    v->lines[sticky].media.kind == kind && v->lines[sticky].media.send)
		return sticky;

	for (unsigned int i = 0; i < v->n_lines; i++) {
		if (v->lines[i].media.kind == kind && v->lines[i].media.send)
			return (int) i;
	}
	return -1;
}

/* Return: @track, or -1 when its line was rejected or became something else. */
static int still_there(const struct jsep_version *v, enum sdp_kind kind,
		       int track)
{
	if (track >= 0 && v->lines[track].media.kind == kind &&
	    !v->lines[track].media.rejected)
		return track;
	return -1;
}

/* Only one m-line of a kind carries our track; the others do not send. */
static void bind_tracks(struct jsep_version *v,
			const struct jsep_version *current)
{
	int audio = current ? current->audio_track : -1;
	int video = current ? current->video_track : -1;
	int audio_send = find_track(v, SDP_KIND_AUDIO, audio);
	int video_send = find_track(v, SDP_KIND_VIDEO, video);

	for (unsigned int i = 0; i < v->n_lines; i++) {
		struct jsep_media *m = &v->lines[i].media;

		if ((m->kind == SDP_KIND_AUDIO && (int) i != audio_send) ||
		    (m->kind == SDP_KIND_VIDEO && (int) i != video_send))
			m->send = false;
	}
	v->negotiated.audio_send = audio_send;
	v->negotiated.video_send = video_send;
	v->audio_track = audio_send >= 0
				 ? audio_send
				 : still_there(v, SDP_KIND_AUDIO, audio);
	v->video_track = video_send >= 0
				 ? video_send
				 : still_there(v, SDP_KIND_VIDEO, video);
}

static bool same_codec(const struct jsep_codec *a, const struct jsep_codec *b)
{
	return a->codec == b->codec && a->pt == b->pt &&
	       a->rtx_pt == b->rtx_pt && a->fb == b->fb;
}

static bool same_media(const struct jsep_media *a, const struct jsep_media *b)
{
	if (a->kind != b->kind || strcmp(a->mid, b->mid) != 0 ||
	    a->rejected != b->rejected || a->send != b->send ||
	    a->receive != b->receive || a->n_receiving != b->n_receiving ||
	    a->n_remote != b->n_remote || a->max_bps != b->max_bps ||
	    strcmp(a->remote_stream, b->remote_stream) != 0 ||
	    strcmp(a->remote_track, b->remote_track) != 0 ||
	    memcmp(a->ext, b->ext, sizeof(a->ext)) != 0)
		return false;
	if (a->send && !same_codec(&a->sending, &b->sending))
		return false;
	for (unsigned int i = 0; i < a->n_receiving; i++) {
		if (!same_codec(&a->receiving[i], &b->receiving[i]))
			return false;
	}
	for (unsigned int i = 0; i < a->n_remote; i++) {
		if (a->remote[i].ssrc != b->remote[i].ssrc ||
		    a->remote[i].rtx_ssrc != b->remote[i].rtx_ssrc)
			return false;
	}
	return true;
}

static bool is_changed(const struct jsep_negotiated *a,
		       const struct jsep_negotiated *b)
{
	if (a->n_media != b->n_media || a->data != b->data ||
	    a->remote_sctp_port != b->remote_sctp_port ||
	    a->remote_max_message_size != b->remote_max_message_size)
		return true;
	for (unsigned int i = 0; i < a->n_media; i++) {
		if (!same_media(&a->media[i], &b->media[i]))
			return true;
	}
	return false;
}

/* --- lines that nobody uses ---------------------------------------------- */
static bool is_idle(const struct jsep_line *line)
{
	const struct jsep_media *m = &line->media;

	return !m->rejected && !m->send && !m->receive &&
	       (m->kind == SDP_KIND_AUDIO || m->kind == SDP_KIND_VIDEO);
}

/* Where our track is, or would go first (see jsep.c, set_directions()). */
static bool is_for_us(const struct jsep_version *v, unsigned int i)
{
	enum sdp_kind kind = v->lines[i].media.kind;
	int track = kind == SDP_KIND_AUDIO ? v->audio_track : v->video_track;

	if (track >= 0)
		return track == (int) i;
	for (unsigned int k = 0; k < i; k++) {
		if (v->lines[k].media.kind == kind &&
		    !v->lines[k].media.rejected)
			return false;
	}
	return true;
}

/* Each other stream of a browser takes new m-lines, and those of the one before
 * stay for ever, inactive: unless they are rejected. Then the browser stops
 * what they belonged to and uses them again (RFC 9429 §5.2.2). Some may idle,
 * and all for one negotiation: what pauses must find its line again. */
static void give_back_lines(struct jsep_version *v,
			    const struct jsep_version *current)
{
	unsigned int n_idle = 0;

	for (unsigned int i = 0; i < v->n_lines; i++)
		n_idle += is_idle(&v->lines[i]);
	if (n_idle <= JSEP_IDLE_LINES_MAX)
		return;
	for (unsigned int i = 0; current && i < current->n_lines; i++) {
		if (is_idle(&v->lines[i]) && is_idle(&current->lines[i]) &&
		    i != v->negotiated.transport_mline && !is_for_us(v, i))
			jsep_line_reject(&v->lines[i]);
	}
}

/* The line of @kind that began last: what begins now is newer than what goes
 * on, and a later line newer than an earlier one. Return: its index, or -1. */
static int find_newest(const struct jsep_version *v, enum sdp_kind kind,
		       const struct jsep_negotiated *old, int old_newest)
{
	int fresh = -1, last = -1;

	for (unsigned int i = 0; i < v->n_lines; i++) {
		const struct jsep_media *m = &v->lines[i].media;

		if (m->kind != kind || !m->receive)
			continue;
		last = (int) i;
		if (!old || i >= old->n_media || !old->media[i].receive ||
		    strcmp(old->media[i].mid, m->mid) != 0)
			fresh = (int) i;
	}
	if (fresh >= 0)
		return fresh;
	if (old_newest >= 0 && v->lines[old_newest].media.kind == kind &&
	    v->lines[old_newest].media.receive)
		return old_newest;
	return last;
}

/* Publishes the lines and compares with what was in force. */
static void finish(struct jsep_version *v, const struct jsep_version *current)
{
	struct jsep_negotiated *n = &v->negotiated;
	const struct jsep_negotiated *old =
		current ? &current->negotiated : NULL;

	n->n_media = v->n_lines;
	n->media = g_new0(struct jsep_media, v->n_lines);
	for (unsigned int i = 0; i < v->n_lines; i++)
		n->media[i] = v->lines[i].media;
	n->audio_receive = find_newest(v, SDP_KIND_AUDIO, old,
				       old ? old->audio_receive : -1);
	n->video_receive = find_newest(v, SDP_KIND_VIDEO, old,
				       old ? old->video_receive : -1);
	v->transport = n->transport_mline;
	v->agreed = true;

	if (!old) {
		n->changed = true;
		return;
	}
	n->ice_restarted = strcmp(n->ufrag, old->ufrag) != 0 ||
			   strcmp(n->pwd, old->pwd) != 0;
	n->dtls_changed = n->dtls_role != old->dtls_role ||
			  strcmp(n->fingerprint, old->fingerprint) != 0;
	n->changed = is_changed(n, old);
}

/* --- an offer ----------------------------------------------------------- */
/* The group of the first m-line we can serve decides; of it the first one we
 * can serve, in the group's own order, carries the transport. */
static int find_transport(const struct jsep_wish *wish,
			  const struct sdp_session *s,
			  struct sdp_span *ret_group)
{
	struct sdp_span rest, mid;
	int first = -1;

	*ret_group = (struct sdp_span){0};
	for (unsigned int i = 0; i < s->n_media && first < 0; i++) {
		if (jsep_is_servable(wish, &s->media[i]))
			first = (int) i;
	}
	if (first < 0)
		return -1;

	for (unsigned int g = 0; g < s->n_bundles && !ret_group->p; g++) {
		if (sdp_bundle_has(s->bundle[g], s->media[first].mid))
			*ret_group = s->bundle[g];
	}

	rest = *ret_group;
	while (sdp_span_next(&rest, ' ', &mid)) {
		for (unsigned int i = 0; i < s->n_media; i++) {
			if (sdp_span_equal(mid, s->media[i].mid) &&
			    jsep_is_servable(wish, &s->media[i]))
				return (int) i;
		}
	}
	return first;
}

static void offered_rtp(const struct jsep_wish *wish, const struct sdp_media *m,
			struct jsep_line *line)
{
	struct jsep_media *media = &line->media;
	bool wanted =
		m->kind == SDP_KIND_AUDIO ? wish->send_audio : wish->send_video;

	jsep_extension_match(m, media->ext);
	line->n_codecs = jsep_match_codecs(wish, m, line->codecs);
	jsep_settle_feedback(line->codecs, line->n_codecs,
			     media->ext[JSEP_EXT_TWCC]);
	line->h264_asymmetry = jsep_is_asymmetric(m);
	line->rtcp_rsize = m->rtcp_rsize;
	jsep_line_set_receiving(line);

	media->rtcp_rsize = m->rtcp_rsize;
	media->max_bps = m->max_bps;
	media->receive = !wish->no_receive && (m->direction & SDP_SENDONLY);
	media->send =
		wanted && (m->direction & SDP_RECVONLY) &&
		jsep_set_sending(wish, media, line->codecs, line->n_codecs);
	if (media->receive)
		jsep_read_sources(m, media);
}

/* First in the answer what we send, so that both directions agree. */
static void sort_codecs(struct jsep_line *line)
{
	if (!line->media.send)
		return;
	for (unsigned int i = 1; i < line->n_codecs; i++) {
		struct jsep_codec chosen = line->codecs[i];

		if (chosen.pt != line->media.sending.pt)
			continue;
		memmove(&line->codecs[1], &line->codecs[0],
			i * sizeof(line->codecs[0]));
		line->codecs[0] = chosen;
	}
}

static void read_offer_lines(const struct jsep_wish *wish,
			     const struct sdp_session *offer,
			     unsigned int transport, struct sdp_span group,
			     struct jsep_version *v)
{
	bool data = false;

	for (unsigned int i = 0; i < offer->n_media; i++) {
		const struct sdp_media *m = &offer->media[i];
		struct jsep_line *line = &v->lines[i];

		jsep_line_name(m, i, line);
		if (!jsep_is_servable(wish, m) ||
		    (i != transport && !sdp_bundle_has(group, m->mid))) {
			jsep_line_reject(line);
		} else if (m->kind != SDP_KIND_APPLICATION) {
			offered_rtp(wish, m, line);
		} else if (data) {
			jsep_line_reject(
				line); /* one association is all there is */
		} else {
			data = true;
			line->old_sctp =
				!sdp_span_is(m->formats, "webrtc-datachannel");
			jsep_read_application(m, &v->negotiated);
		}
	}
}

static int choose_role(const struct sdp_session *offer, unsigned int transport,
		       const struct jsep_version *current,
		       struct jsep_negotiated *n, char *error)
{
	switch (jsep_get_setup(offer, transport)) {
	case SDP_SETUP_ACTPASS:
		/* The association in force keeps its roles (RFC 8842 §5.5). */
		n->dtls_role = JSEP_DTLS_SERVER;
		if (current && strcmp(current->negotiated.fingerprint,
				      n->fingerprint) == 0)
			n->dtls_role = current->negotiated.dtls_role;
		return 0;
	case SDP_SETUP_NONE:
	case SDP_SETUP_ACTIVE:
		n->dtls_role = JSEP_DTLS_SERVER;
		return 0;
	case SDP_SETUP_PASSIVE:
		n->dtls_role = JSEP_DTLS_CLIENT;
		return 0;
	case SDP_SETUP_HOLDCONN:
		break;
	}
	return jsep_fail(error, -EOPNOTSUPP,
			 "The offer asks to hold the connection");
}

int jsep_apply_offer(const struct jsep_wish *wish,
		     const struct jsep_version *current,
		     const struct sdp_session *offer, struct jsep_version **ret,
		     char *error)
{
	struct sdp_span group;
	struct jsep_version *v;
	int transport, r;

	r = jsep_check_form(offer, error);
	if (r < 0)
		return r;
	if (current && offer->n_media < current->n_lines)
		return jsep_fail(error, -EBADMSG,
				 "The offer has %u m-lines, the "
				 "session already %u",
				 offer->n_media, current->n_lines);
	for (unsigned int i = 0; current && i < current->n_lines; i++) {
		if (current->lines[i].media.rejected)
			continue;
		r = jsep_check_slot(&current->lines[i], &offer->media[i], i,
				    "offer", error);
		if (r < 0)
			return r;
	}

	transport = find_transport(wish, offer, &group);
	if (transport < 0)
		return jsep_fail(error, -EOPNOTSUPP,
				 "The offer has no m-line that "
				 "can be served: Opus, VP8, H.264 constrained "
				 "baseline or data channels, with rtcp-mux");

	v = jsep_version_new(offer->n_media);
	r = jsep_read_transport(offer, (unsigned int) transport, "offer",
				&v->negotiated, error);
	if (r == 0)
		r = choose_role(offer, (unsigned int) transport, current,
				&v->negotiated, error);
	if (r < 0) {
		jsep_version_free(v);
		return r;
	}

	read_offer_lines(wish, offer, (unsigned int) transport, group, v);
	jsep_read_candidates(&offer->media[transport], &v->negotiated);
	bind_tracks(v, current);
	give_back_lines(v, current);
	for (unsigned int i = 0; i < v->n_lines; i++) {
		struct jsep_line *line = &v->lines[i];

		sort_codecs(line);
		line->direction = (line->media.send ? SDP_SENDONLY : 0) |
				  (line->media.receive ? SDP_RECVONLY : 0);
	}
	finish(v, current);
	*ret = v;
	return 0;
}

/* --- an answer ---------------------------------------------------------- */
/* Of what we offered, what the answer kept; its payload types for sending, our
 * own for receiving. */
static int answered_rtp(const struct jsep_wish *wish, const struct sdp_media *m,
			unsigned int i, struct jsep_line *line, char *error)
{
	struct jsep_codec theirs[JSEP_MAX_RECEIVE], kept[JSEP_MAX_RECEIVE];
	struct jsep_codec sendable[JSEP_MAX_RECEIVE];
	unsigned int n = jsep_match_codecs(wish, m, theirs), n_kept = 0;
	struct jsep_media *media = &line->media;
	uint8_t ext[N_JSEP_EXTENSIONS];

	if (!m->rtcp_mux)
		return jsep_fail(error, -EBADMSG,
				 "The answer has no rtcp-mux in m-line %u", i);

	jsep_extension_match(m, ext);
	for (int e = 0; e < N_JSEP_EXTENSIONS; e++) {
		if (media->ext[e] != ext[e])
			media->ext[e] = 0;
	}

	for (unsigned int k = 0; k < line->n_codecs; k++) {
		for (unsigned int t = 0; t < n; t++) {
			if (theirs[t].codec != line->codecs[k].codec)
				continue;
			sendable[n_kept] = theirs[t];
			kept[n_kept] = line->codecs[k];
			kept[n_kept].fb &= theirs[t].fb;
			kept[n_kept].h264_profile_level_id =
				theirs[t].h264_profile_level_id;
			if (theirs[t].rtx_pt < 0)
				kept[n_kept].rtx_pt = -1;
			if (line->codecs[k].rtx_pt < 0)
				sendable[n_kept].rtx_pt = -1;
			n_kept++;
		}
	}
	if (n_kept == 0)
		return jsep_fail(error, -EBADMSG,
				 "The answer accepts m-line %u, "
				 "%s, with no codec that was offered",
				 i, line->type);

	jsep_settle_feedback(kept, n_kept, media->ext[JSEP_EXT_TWCC]);
	for (unsigned int k = 0; k < n_kept; k++)
		sendable[k].fb = kept[k].fb;
	memcpy(line->codecs, kept, n_kept * sizeof(kept[0]));
	line->n_codecs = n_kept;
	line->h264_asymmetry = jsep_is_asymmetric(m);
	line->rtcp_rsize = m->rtcp_rsize;
	jsep_line_set_receiving(line);

	media->rtcp_rsize = m->rtcp_rsize;
	media->max_bps = m->max_bps;
	media->receive = (line->direction & SDP_RECVONLY) &&
			 (m->direction & SDP_SENDONLY);
	media->send = (line->direction & SDP_SENDONLY) &&
		      (m->direction & SDP_RECVONLY) &&
		      jsep_set_sending(wish, media, sendable, n_kept);
	if (media->receive)
		jsep_read_sources(m, media);
	return 0;
}

/* Forgets what an earlier negotiation left in a line that is agreed anew. */
static void clear_remote(struct jsep_media *m)
{
	m->send = false;
	m->receive = false;
	m->n_receiving = 0;
	m->n_remote = 0;
	memset(m->remote, 0, sizeof(m->remote));
	memset(&m->sending, 0, sizeof(m->sending));
	m->remote_cname[0] = '\0';
	m->remote_stream[0] = '\0';
	m->remote_track[0] = '\0';
	m->max_bps = 0;
}

static int read_answer_line(const struct jsep_wish *wish,
			    const struct sdp_media *m, unsigned int i,
			    struct jsep_version *v, char *error)
{
	struct jsep_line *line = &v->lines[i];

	clear_remote(&line->media);
	if (line->media.rejected || m->port == 0) {
		jsep_line_reject(line);
		return 0;
	}
	if (m->kind != SDP_KIND_APPLICATION)
		return answered_rtp(wish, m, i, line, error);
	if (m->sctp_port == 0)
		return jsep_fail(error, -EBADMSG,
				 "The answer names no SCTP port in m-line %u",
				 i);
	jsep_read_application(m, &v->negotiated);
	return 0;
}

static int find_answered_transport(const struct sdp_session *answer,
				   const struct jsep_version *v, char *error)
{
	struct sdp_span group = {0};
	int first = -1;

	for (unsigned int i = 0; i < v->n_lines; i++) {
		if (v->lines[i].media.rejected)
			continue;
		if (first < 0) {
			first = (int) i;
			for (unsigned int g = 0; g < answer->n_bundles; g++) {
				if (sdp_bundle_has(answer->bundle[g],
						   answer->media[i].mid))
					group = answer->bundle[g];
			}
			continue;
		}
		if (!sdp_bundle_has(group, answer->media[i].mid))
			return jsep_fail(error, -EBADMSG,
					 "The answer does not "
					 "bundle m-line %u with m-line %d",
					 i, first);
	}
	if (first < 0)
		return jsep_fail(error, -EOPNOTSUPP,
				 "The answer rejects every m-line");
	return first;
}

static int answered_role(const struct sdp_session *answer,
			 unsigned int transport, struct jsep_negotiated *n,
			 char *error)
{
	switch (jsep_get_setup(answer, transport)) {
	case SDP_SETUP_NONE:
	case SDP_SETUP_ACTIVE:
		n->dtls_role = JSEP_DTLS_SERVER;
		return 0;
	case SDP_SETUP_PASSIVE:
		n->dtls_role = JSEP_DTLS_CLIENT;
		return 0;
	case SDP_SETUP_ACTPASS:
	case SDP_SETUP_HOLDCONN:
		break;
	}
	return jsep_fail(error, -EBADMSG,
			 "The answer does not say which side of "
			 "DTLS it takes");
}

static int read_answer(const struct jsep_wish *wish,
		       const struct sdp_session *answer, struct jsep_version *v,
		       char *error)
{
	int transport, r;

	for (unsigned int i = 0; i < v->n_lines; i++) {
		r = read_answer_line(wish, &answer->media[i], i, v, error);
		if (r < 0)
			return r;
	}
	transport = find_answered_transport(answer, v, error);
	if (transport < 0)
		return transport;
	r = jsep_read_transport(answer, (unsigned int) transport, "answer",
				&v->negotiated, error);
	if (r < 0)
		return r;
	return answered_role(answer, (unsigned int) transport, &v->negotiated,
			     error);
}

int jsep_apply_answer(const struct jsep_wish *wish,
		      const struct jsep_version *current,
		      const struct jsep_version *offered,
		      const struct sdp_session *answer,
		      struct jsep_version **ret, char *error)
{
	struct jsep_version *v;
	int r;

	r = jsep_check_form(answer, error);
	if (r < 0)
		return r;
	if (answer->n_media != offered->n_lines)
		return jsep_fail(error, -EBADMSG,
				 "The answer has %u m-lines, the "
				 "offer %u",
				 answer->n_media, offered->n_lines);
	for (unsigned int i = 0; i < offered->n_lines; i++) {
		r = jsep_check_slot(&offered->lines[i], &answer->media[i], i,
				    "answer", error);
		if (r < 0)
			return r;
	}

	v = jsep_version_new(offered->n_lines);
	memcpy(v->lines, offered->lines,
	       offered->n_lines * sizeof(offered->lines[0]));
	v->was_offer = true;
	v->number = offered->number;
	r = read_answer(wish, answer, v, error);
	if (r < 0) {
		jsep_version_free(v);
		return r;
	}

	jsep_read_candidates(&answer->media[v->negotiated.transport_mline],
			     &v->negotiated);
	bind_tracks(v, offered);
	finish(v, current);
	*ret = v;
	return 0;
}
