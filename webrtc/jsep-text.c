// SPDX-License-Identifier: Apache-2.0
#include "webrtc/jsep-text.h"

#include <inttypes.h>

#include "webrtc/jsep-codec.h"

static const char *const codec_maps[] = {
	[MEDIA_CODEC_VP8] = "VP8/90000",
	[MEDIA_CODEC_H264] = "H264/90000",
	[MEDIA_CODEC_OPUS] = "opus/48000/2",
};

static void write_feedback(struct sdp_writer *w, const struct jsep_codec *c)
{
	static const struct {
		unsigned int bit;
		const char *text;
	} all[] = {
		{SDP_FB_REMB, "goog-remb"}, {SDP_FB_TWCC, "transport-cc"},
		{SDP_FB_FIR, "ccm fir"},    {SDP_FB_NACK, "nack"},
		{SDP_FB_PLI, "nack pli"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (c->fb & all[i].bit)
			sdp_line(w, "a=rtcp-fb:%u %s", c->pt, all[i].text);
	}
}

/* The profile in the other side's own way of saying it; our level, or where
 * levels must be the same in both directions the lower one. */
static uint32_t h264_profile(const struct jsep_line *line,
			     const struct jsep_codec *c)
{
	uint32_t ours = JSEP_H264_PROFILE_LEVEL_ID & 0xff;
	uint32_t theirs = c->h264_profile_level_id & 0xff;
	uint32_t level = line->h264_asymmetry || ours < theirs ? ours : theirs;

	return (c->h264_profile_level_id & 0xffff00) | level;
}

static void write_codec(struct sdp_writer *w, const struct jsep_line *line,
			const struct jsep_codec *c)
{
	sdp_line(w, "a=rtpmap:%u %s", c->pt, codec_maps[c->codec]);
	write_feedback(w, c);
	if (c->codec == MEDIA_CODEC_OPUS)
		sdp_line(w, "a=fmtp:%u minptime=10;useinbandfec=1", c->pt);
	if (c->codec == MEDIA_CODEC_H264)
		sdp_line(w,
			 "a=fmtp:%u level-asymmetry-allowed=1;"
			 "packetization-mode=1;profile-level-id=%06x",
			 c->pt, h264_profile(line, c));
	if (c->rtx_pt >= 0) {
		sdp_line(w, "a=rtpmap:%d rtx/90000", c->rtx_pt);
		sdp_line(w, "a=fmtp:%d apt=%u", c->rtx_pt, c->pt);
	}
}

static void write_ssrc(struct sdp_writer *w, const struct jsep_text *t,
		       uint32_t ssrc, const char *track)
{
	sdp_line(w, "a=ssrc:%u cname:%s", ssrc, t->cname);
	sdp_line(w, "a=ssrc:%u msid:%s %s-%s", ssrc, t->stream_id, t->stream_id,
		 track);
}

/* Where nothing was ever sent nothing is announced: a browser would make a
 * stream event of it. What was once announced stays (RFC 8829 §5.2.2): Chromium
 * forgets a source that is left out, and shows nothing of it when it comes
 * back under its number. */
static bool is_announced(const struct jsep_text *t,
			 const struct jsep_line *line)
{
	int track = line->media.kind == SDP_KIND_AUDIO ? t->audio_track
						       : t->video_track;

	return line->direction & SDP_SENDONLY ||
	       (track >= 0 && line->media.mline == (unsigned int) track);
}

static void write_sources(struct sdp_writer *w, const struct jsep_text *t,
			  const struct jsep_line *line)
{
	if (!is_announced(t, line))
		return;

	if (line->media.kind == SDP_KIND_AUDIO) {
		write_ssrc(w, t, t->audio_ssrc, "audio");
		return;
	}
	if (line->codecs[0].rtx_pt >= 0)
		sdp_line(w, "a=ssrc-group:FID %u %u", t->video_ssrc,
			 t->video_rtx_ssrc);
	write_ssrc(w, t, t->video_ssrc, "video");
	if (line->codecs[0].rtx_pt >= 0)
		write_ssrc(w, t, t->video_rtx_ssrc, "video");
}

static void write_transport(struct sdp_writer *w, const struct jsep_text *t,
			    const struct jsep_line *line)
{
	sdp_line(w, "c=IN IP4 0.0.0.0");
	if (line->media.kind != SDP_KIND_APPLICATION)
		sdp_line(w, "a=rtcp:9 IN IP4 0.0.0.0");

	if (line->media.mline == t->transport) {
		for (unsigned int i = 0; i < t->n_candidates; i++)
			sdp_line(w, "a=%s", t->candidates[i]);
		if (t->end_of_candidates)
			sdp_line(w, "a=end-of-candidates");
	}

	sdp_line(w, "a=ice-ufrag:%s", t->ufrag);
	sdp_line(w, "a=ice-pwd:%s", t->pwd);
	sdp_line(w, "a=ice-options:trickle");
	sdp_line(w, "a=fingerprint:%s", t->fingerprint);
	sdp_line(w, "a=setup:%s", t->setup);
	if (line->media.mid[0])
		sdp_line(w, "a=mid:%s", line->media.mid);
}

static void write_rtp(struct sdp_writer *w, const struct jsep_text *t,
		      const struct jsep_line *line)
{
	sdp_part(w, "m=%s 9 %s", line->type, line->proto);
	for (unsigned int i = 0; i < line->n_codecs; i++) {
		sdp_part(w, " %u", line->codecs[i].pt);
		if (line->codecs[i].rtx_pt >= 0)
			sdp_part(w, " %d", line->codecs[i].rtx_pt);
	}
	sdp_line(w, "%s", "");
	write_transport(w, t, line);

	for (int e = 0; e < N_JSEP_EXTENSIONS; e++) {
		if (line->media.ext[e])
			sdp_line(w, "a=extmap:%u %s", line->media.ext[e],
				 jsep_extension_uri(e));
	}
	sdp_line(w, "a=%s", sdp_direction_name(line->direction));
	if (is_announced(t, line))
		sdp_line(w, "a=msid:%s %s-%s", t->stream_id, t->stream_id,
			 line->type);
	sdp_line(w, "a=rtcp-mux");
	if (line->rtcp_rsize)
		sdp_line(w, "a=rtcp-rsize");

	for (unsigned int i = 0; i < line->n_codecs; i++)
		write_codec(w, line, &line->codecs[i]);
	write_sources(w, t, line);
}

static void write_application(struct sdp_writer *w, const struct jsep_text *t,
			      const struct jsep_line *line)
{
	if (line->old_sctp)
		sdp_line(w, "m=application 9 %s %u", line->proto,
			 JSEP_SCTP_PORT);
	else
		sdp_line(w, "m=application 9 %s webrtc-datachannel",
			 line->proto);
	write_transport(w, t, line);
	if (line->old_sctp)
		sdp_line(w, "a=sctpmap:%u webrtc-datachannel 1024",
			 JSEP_SCTP_PORT);
	else
		sdp_line(w, "a=sctp-port:%u", JSEP_SCTP_PORT);
	sdp_line(w, "a=max-message-size:%u", JSEP_MAX_MESSAGE_SIZE);
}

static void write_rejected(struct sdp_writer *w, const struct jsep_line *line)
{
	sdp_line(w, "m=%s 0 %s %s", line->type, line->proto, line->format);
	sdp_line(w, "c=IN IP4 0.0.0.0");
	if (line->media.mid[0])
		sdp_line(w, "a=mid:%s", line->media.mid);
	if (line->media.kind != SDP_KIND_APPLICATION)
		sdp_line(w, "a=inactive");
}

static void write_session(struct sdp_writer *w, const struct jsep_text *t)
{
	bool group = false;

	sdp_line(w, "v=0");
	sdp_line(w, "o=- %" PRIu64 " %" PRIu64 " IN IP4 127.0.0.1",
		 t->session_id, t->version);
	sdp_line(w, "s=-");
	sdp_line(w, "t=0 0");

	/* The transport's own mid comes first: the tag of the group. */
	for (unsigned int pass = 0; pass < 2; pass++) {
		for (unsigned int i = 0; i < t->n_lines; i++) {
			const struct jsep_media *m = &t->lines[i].media;

			if (m->rejected || !m->mid[0] ||
			    (i == t->transport) != (pass == 0))
				continue;
			sdp_part(w, "%s %s", group ? "" : "a=group:BUNDLE",
				 m->mid);
			group = true;
		}
	}
	if (group)
		sdp_line(w, "%s", "");
	sdp_line(w, "a=msid-semantic: WMS %s", t->stream_id);
}

int jsep_text_write(const struct jsep_text *text, char *buf, size_t size)
{
	struct sdp_writer w;

	sdp_writer_init(&w, buf, size);
	write_session(&w, text);
	for (unsigned int i = 0; i < text->n_lines; i++) {
		const struct jsep_line *line = &text->lines[i];

		if (line->media.rejected)
			write_rejected(&w, line);
		else if (line->media.kind == SDP_KIND_APPLICATION)
			write_application(&w, text, line);
		else
			write_rtp(&w, text, line);
	}
	return sdp_writer_finish(&w);
}
