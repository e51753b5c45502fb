// SPDX-License-Identifier: Apache-2.0
#include "webrtc/jsep-line.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "webrtc/jsep-codec.h"

int jsep_fail(char *error, int r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(error, JSEP_ERROR_BYTES, format, ap);
	va_end(ap);
	return r;
}

/* --- checks of form ----------------------------------------------------- */
static bool is_dead(const struct sdp_media *m)
{
	return m->port == 0 && !m->bundle_only;
}

static bool span_matches(struct sdp_span s, const char *text)
{
	return s.n == strlen(text) && (s.n == 0 || sdp_span_is(s, text));
}

static bool is_mid(struct sdp_span mid)
{
	if (mid.n >= JSEP_MID_BYTES)
		return false;
	for (size_t i = 0; i < mid.n; i++) {
		unsigned char c = (unsigned char) mid.p[i];

		if (c <= ' ' || c >= 0x7f)
			return false;
	}
	return true;
}

static bool is_plain(struct sdp_span s, size_t size)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char) s.p[i];

		if (c < ' ' || c >= 0x7f)
			return false;
	}
	return s.n > 0 && s.n < size;
}

int jsep_check_form(const struct sdp_session *s, char *error)
{
	if (s->n_media == 0)
		return jsep_fail(error, -EBADMSG,
				 "The description has no m-line");

	for (unsigned int i = 0; i < s->n_media; i++) {
		const struct sdp_media *m = &s->media[i];

		if (!is_mid(m->mid))
			return jsep_fail(error, -EBADMSG,
					 "The mid of m-line %u is not usable",
					 i);
		if (!is_plain(m->type, JSEP_FORMAT_BYTES) ||
		    !is_plain(m->proto, JSEP_PROTO_BYTES))
			return jsep_fail(error, -EBADMSG,
					 "m-line %u is not usable", i);
		for (unsigned int k = 0; k < i; k++) {
			if (m->mid.n > 0 &&
			    sdp_span_equal(m->mid, s->media[k].mid))
				return jsep_fail(
					error, -EBADMSG,
					"m-lines %u and %u have the same "
					"mid",
					k, i);
		}
	}
	return 0;
}

/* A slot keeps its kind and its mid, unless it was rejected: then the offerer
 * may use it for something new (RFC 8829 §5.2.2). */
int jsep_check_slot(const struct jsep_line *old, const struct sdp_media *m,
		    unsigned int i, const char *what, char *error)
{
	if (!span_matches(m->type, old->type))
		return jsep_fail(error, -EBADMSG,
				 "The %s makes m-line %u, %s, "
				 "something else",
				 what, i, old->type);
	if (old->media.mid[0] && m->mid.n > 0 &&
	    !span_matches(m->mid, old->media.mid))
		return jsep_fail(error, -EBADMSG,
				 "The %s changes the mid of m-line "
				 "%u, '%s'",
				 what, i, old->media.mid);
	return 0;
}

/* --- the transport ------------------------------------------------------ */
static struct sdp_span pick(struct sdp_span media, struct sdp_span session)
{
	return media.n > 0 ? media : session;
}

int jsep_read_transport(const struct sdp_session *s, unsigned int line,
			const char *what, struct jsep_negotiated *n,
			char *error)
{
	const struct sdp_transport *t = &s->media[line].transport;
	struct sdp_span ufrag = pick(t->ufrag, s->transport.ufrag);
	struct sdp_span pwd = pick(t->pwd, s->transport.pwd);
	struct sdp_span print = pick(t->fingerprint, s->transport.fingerprint);

	if (!jsep_is_ice_credential(ufrag, 4) ||
	    !jsep_is_ice_credential(pwd, 22))
		return jsep_fail(error, -EBADMSG,
				 "The %s has no usable ICE user "
				 "fragment and password for m-line %u",
				 what, line);
	if (print.n == 0)
		return jsep_fail(error, -EBADMSG,
				 "The %s has no DTLS fingerprint "
				 "for m-line %u",
				 what, line);
	if (jsep_fingerprint_parse(print, n->fingerprint_algorithm,
				   n->fingerprint) < 0)
		return jsep_fail(error, -EBADMSG,
				 "The %s has a DTLS fingerprint of "
				 "an unknown kind",
				 what);

	sdp_span_copy(ufrag, n->ufrag, sizeof(n->ufrag));
	sdp_span_copy(pwd, n->pwd, sizeof(n->pwd));
	n->remote_ice_lite = s->ice_lite;
	n->remote_end_of_candidates = s->media[line].end_of_candidates;
	n->transport_mline = line;
	return 0;
}

enum sdp_setup jsep_get_setup(const struct sdp_session *s, unsigned int line)
{
	enum sdp_setup setup = s->media[line].transport.setup;

	return setup != SDP_SETUP_NONE ? setup : s->transport.setup;
}

void jsep_read_candidates(const struct sdp_media *m, struct jsep_negotiated *n)
{
	n->candidates =
		g_new0(struct candidate, m->n_candidates ? m->n_candidates : 1);

	/* A line we cannot read costs us one candidate, not the call. */
	for (unsigned int i = 0; i < m->n_candidates; i++) {
		struct candidate *c = &n->candidates[n->n_candidates];

		if (candidate_parse(m->candidates[i].p, m->candidates[i].n,
				    c) == 0 &&
		    candidate_is_usable(c))
			n->n_candidates++;
	}
}

/* --- one m-line --------------------------------------------------------- */
static bool has_word(struct sdp_span s, const char *word)
{
	struct sdp_span part;

	while (sdp_span_next(&s, '/', &part)) {
		if (sdp_span_is(part, word))
			return true;
	}
	return false;
}

unsigned int jsep_match_codecs(const struct jsep_wish *wish,
			       const struct sdp_media *m,
			       struct jsep_codec ret[JSEP_MAX_RECEIVE])
{
	static const enum media_codec audio[] = {MEDIA_CODEC_OPUS};

	if (m->kind == SDP_KIND_AUDIO)
		return jsep_codec_match(m, audio, 1, ret);
	return jsep_codec_match(m, wish->video, wish->n_video, ret);
}

bool jsep_is_servable(const struct jsep_wish *wish, const struct sdp_media *m)
{
	struct jsep_codec codecs[JSEP_MAX_RECEIVE];

	if (is_dead(m))
		return false;

	switch (m->kind) {
	case SDP_KIND_AUDIO:
	case SDP_KIND_VIDEO:
		return has_word(m->proto, "RTP") &&
		       has_word(m->proto, "SAVPF") && m->rtcp_mux &&
		       jsep_match_codecs(wish, m, codecs) > 0;
	case SDP_KIND_APPLICATION:
		return has_word(m->proto, "DTLS") &&
		       has_word(m->proto, "SCTP") && m->sctp_port != 0;
	case SDP_KIND_OTHER:
		break;
	}
	return false;
}

static bool can_send(const struct jsep_wish *wish, enum media_codec codec)
{
	if (codec == MEDIA_CODEC_OPUS)
		return true;
	for (unsigned int i = 0; i < wish->n_video_send; i++) {
		if (wish->video[i] == codec)
			return true;
	}
	return false;
}

static void read_msid(struct sdp_span msid, struct jsep_media *ret)
{
	struct sdp_span stream = {0}, track = {0};

	sdp_span_next(&msid, ' ', &stream);
	sdp_span_next(&msid, ' ', &track);
	if (sdp_span_is(stream, "-"))
		stream.n = 0;
	sdp_span_copy(stream, ret->remote_stream, sizeof(ret->remote_stream));
	sdp_span_copy(track, ret->remote_track, sizeof(ret->remote_track));
}

/* What the remote says about its own sending. */
void jsep_read_sources(const struct sdp_media *m, struct jsep_media *ret)
{
	struct sdp_span msid = m->msid;

	for (unsigned int i = 0; i < m->n_ssrcs; i++) {
		const struct sdp_ssrc *s = &m->ssrcs[i];

		if (s->is_rtx)
			continue;
		if (msid.n == 0)
			msid = s->msid;
		if (!ret->remote_cname[0])
			sdp_span_copy(s->cname, ret->remote_cname,
				      sizeof(ret->remote_cname));
		if (ret->n_remote == JSEP_MAX_REMOTE_SSRCS)
			continue;
		ret->remote[ret->n_remote].ssrc = s->ssrc;
		ret->remote[ret->n_remote].rtx_ssrc = s->rtx_ssrc;
		ret->n_remote++;
	}
	read_msid(msid, ret);
}

void jsep_line_name(const struct sdp_media *m, unsigned int i,
		    struct jsep_line *line)
{
	struct sdp_span rest = m->formats, format = {0};

	line->media.kind = m->kind;
	line->media.mline = i;
	sdp_span_copy(m->mid, line->media.mid, sizeof(line->media.mid));
	sdp_span_copy(m->type, line->type, sizeof(line->type));
	sdp_span_copy(m->proto, line->proto, sizeof(line->proto));
	sdp_span_next(&rest, ' ', &format);
	if (!is_plain(format, sizeof(line->format)) ||
	    !sdp_span_copy(format, line->format, sizeof(line->format)))
		strcpy(line->format, "0");
}

void jsep_line_reject(struct jsep_line *line)
{
	line->media.rejected = true;
	line->direction = SDP_INACTIVE;
	line->n_codecs = 0;
}

/* Feedback of the codecs once the extensions are known. */
void jsep_settle_feedback(struct jsep_codec *codecs, unsigned int n,
			  uint8_t twcc_id)
{
	for (unsigned int i = 0; i < n; i++)
		codecs[i].fb = jsep_feedback_settle(codecs[i].fb, twcc_id);
}

void jsep_line_set_receiving(struct jsep_line *line)
{
	memcpy(line->media.receiving, line->codecs, sizeof(line->codecs));
	line->media.n_receiving = line->n_codecs;
}

/* The codec we send is the first of ours in the list, which is in our order
 * of preference. */
bool jsep_set_sending(const struct jsep_wish *wish, struct jsep_media *media,
		      const struct jsep_codec *codecs, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (can_send(wish, codecs[i].codec)) {
			media->sending = codecs[i];
			return true;
		}
	}
	return false;
}

void jsep_read_application(const struct sdp_media *m, struct jsep_negotiated *n)
{
	n->data = true;
	n->remote_sctp_port = m->sctp_port;
	/* RFC 8841 §6.1: 64 kB unless said otherwise. */
	n->remote_max_message_size =
		m->has_max_message_size ? m->max_message_size : 65536;
}

bool jsep_is_asymmetric(const struct sdp_media *m)
{
	for (unsigned int i = 0; i < m->n_codecs; i++) {
		struct sdp_span value;

		if (sdp_span_is_nocase(m->codecs[i].name, "H264") &&
		    !(sdp_fmtp_get(m->codecs[i].fmtp, "level-asymmetry-allowed",
				   &value) &&
		      sdp_span_is(value, "1")))
			return false;
	}
	return true;
}
