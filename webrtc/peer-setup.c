// SPDX-License-Identifier: Apache-2.0
#include "webrtc/peer-setup.h"

#include <string.h>

/* A source keeps its line for life: on another one its numbers would begin
 * anew, and a packet number used twice under one key betrays both texts. */
enum line {
	LINE_AUDIO,
	LINE_VIDEO,
	N_LINES,
};
_Static_assert(N_LINES <= RTP_SESSION_LINES_MAX, "a line for each kind");

static void fill_line(struct transport_setup *s, enum line i,
		      const struct peer_setup *ours, const struct jsep_media *m,
		      uint32_t ssrc, uint32_t rtx_ssrc)
{
	bool delay0 = ours->playout_delay_zero && m->kind == SDP_KIND_VIDEO;

	s->line_used[i] = true;
	g_strlcpy(s->mids[i], m->mid, sizeof(s->mids[i]));
	s->lines[i] = (struct rtp_line_config){
		.codec = m->sending.codec,
		.ssrc = ssrc,
		.pt = m->sending.pt,
		.rtx_ssrc = rtx_ssrc,
		.rtx_pt =
			m->sending.rtx_pt > 0 ? (uint8_t) m->sending.rtx_pt : 0,
		.ext =
			{
				.mid = strlen(m->mid) <= RTP_EXT_MID_MAX
					       ? m->ext[JSEP_EXT_MID]
					       : 0,
				.abs_send_time = m->ext[JSEP_EXT_ABS_SEND_TIME],
				.twcc = m->ext[JSEP_EXT_TWCC],
				.playout_delay =
					delay0 ? m->ext[JSEP_EXT_PLAYOUT_DELAY]
					       : 0,
				.audio_level =
					m->kind == SDP_KIND_AUDIO
						? m->ext[JSEP_EXT_AUDIO_LEVEL]
						: 0,
			},
	};
}

static void fill_receive(struct transport_setup *s, const struct jsep_media *m)
{
	enum media_kind kind =
		m->kind == SDP_KIND_AUDIO ? MEDIA_KIND_AUDIO : MEDIA_KIND_VIDEO;
	uint32_t rate = kind == MEDIA_KIND_AUDIO ? 48000 : 90000;

	if (m->ext[JSEP_EXT_TWCC])
		s->rx_twcc_id = m->ext[JSEP_EXT_TWCC];
	for (unsigned int i = 0; i < m->n_receiving; i++) {
		const struct jsep_codec *c = &m->receiving[i];

		if (s->n_rx + 2 > RTP_SESSION_RX_PT_MAX)
			return;
		s->rx_codec[s->n_rx] = c->codec;
		s->rx[s->n_rx++] = (struct rtp_rx_pt){
			.pt = c->pt, .kind = kind, .clock_rate = rate};
		if (c->rtx_pt >= 0)
			s->rx[s->n_rx++] =
				(struct rtp_rx_pt){.pt = (uint8_t) c->rtx_pt,
						   .kind = kind,
						   .clock_rate = rate,
						   .rtx = true};
	}
}

/* A payload type may stand on several m-lines of a kind: once is enough. */
static void drop_duplicate_pts(struct transport_setup *s)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < s->n_rx; i++) {
		bool seen = false;

		for (unsigned int j = 0; j < n && !seen; j++)
			seen = s->rx[j].pt == s->rx[i].pt;
		if (seen)
			continue;
		s->rx_codec[n] = s->rx_codec[i];
		s->rx[n++] = s->rx[i];
	}
	s->n_rx = n;
}

void peer_setup_fill(const struct peer_setup *ours,
		     const struct jsep_negotiated *n, struct transport_setup *s)
{
	s->dtls_role =
		n->dtls_role == JSEP_DTLS_SERVER ? DTLS_SERVER : DTLS_CLIENT;
	g_strlcpy(s->fingerprint_algorithm, n->fingerprint_algorithm,
		  sizeof(s->fingerprint_algorithm));
	g_strlcpy(s->fingerprint, n->fingerprint, sizeof(s->fingerprint));
	s->data = n->data;
	if (n->audio_send >= 0)
		fill_line(s, LINE_AUDIO, ours, &n->media[n->audio_send],
			  ours->audio_ssrc, 0);
	if (n->video_send >= 0) {
		fill_line(s, LINE_VIDEO, ours, &n->media[n->video_send],
			  ours->video_ssrc, ours->rtx_ssrc);
		s->reduced_size = n->media[n->video_send].rtcp_rsize;
	}
	for (unsigned int i = 0; i < n->n_media; i++) {
		if (!n->media[i].rejected &&
		    n->media[i].kind != SDP_KIND_APPLICATION &&
		    n->media[i].kind != SDP_KIND_OTHER)
			fill_receive(s, &n->media[i]);
	}
	drop_duplicate_pts(s);
}
