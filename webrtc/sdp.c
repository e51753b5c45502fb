// SPDX-License-Identifier: Apache-2.0
#include "webrtc/sdp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- spans -------------------------------------------------------------- */
bool sdp_span_is(struct sdp_span s, const char *text)
{
	return s.p && s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

bool sdp_span_is_nocase(struct sdp_span s, const char *text)
{
	return s.p && s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

bool sdp_span_equal(struct sdp_span a, struct sdp_span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool sdp_span_copy(struct sdp_span s, char *buf, size_t size)
{
	if (s.n >= size) {
		buf[0] = '\0';
		return false;
	}
	if (s.n > 0)
		memcpy(buf, s.p, s.n);
	buf[s.n] = '\0';
	return true;
}

bool sdp_span_number(struct sdp_span s, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (s.n == 0 || s.n > 20)
		return false;

	for (size_t i = 0; i < s.n; i++) {
		unsigned int digit = (unsigned char) s.p[i] - '0';

		if (digit > 9 || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
		if (value > max)
			return false;
	}

	*ret = value;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct sdp_span trim(struct sdp_span s)
{
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool sdp_span_next(struct sdp_span *s, char separator, struct sdp_span *ret)
{
	const char *end;

	if (separator == ' ') {
		while (s->n > 0 && *s->p == ' ') {
			s->p++;
			s->n--;
		}
	}
	if (s->n == 0)
		return false;

	end = memchr(s->p, separator, s->n);
	ret->p = s->p;
	ret->n = end ? (size_t) (end - s->p) : s->n;

	s->p += ret->n;
	s->n -= ret->n;
	if (end) {
		s->p++;
		s->n--;
	}
	return true;
}

/* Cuts a prefix off. */
static bool skip_prefix(struct sdp_span *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s->n < n || memcmp(s->p, prefix, n) != 0)
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

/* "name" or "name:value" of an attribute. */
static bool is_attribute(struct sdp_span s, const char *name,
			 struct sdp_span *ret_value)
{
	if (!skip_prefix(&s, name))
		return false;
	if (s.n == 0) {
		*ret_value = s;
		return true;
	}
	if (s.p[0] != ':')
		return false;
	s.p++;
	s.n--;
	*ret_value = trim(s);
	return true;
}

const char *sdp_direction_name(enum sdp_direction direction)
{
	switch (direction) {
	case SDP_INACTIVE:
		return "inactive";
	case SDP_SENDONLY:
		return "sendonly";
	case SDP_RECVONLY:
		return "recvonly";
	case SDP_SENDRECV:
		return "sendrecv";
	}
	return "inactive";
}

/* --- the parts of a media section --------------------------------------- */
static struct sdp_codec *find_codec(struct sdp_media *m, uint64_t pt)
{
	for (unsigned int i = 0; i < m->n_codecs; i++) {
		if (m->codecs[i].pt == pt)
			return &m->codecs[i];
	}
	return NULL;
}

/* The payload type in front of rtpmap, fmtp and rtcp-fb values. *ret is NULL
 * for one that the m-line does not list: such lines mean nothing. */
static int take_pt(struct sdp_media *m, struct sdp_span *value,
		   struct sdp_codec **ret)
{
	struct sdp_span word;
	uint64_t pt;

	if (!sdp_span_next(value, ' ', &word))
		return -EBADMSG;
	if (!sdp_span_number(word, 127, &pt))
		return -EBADMSG;
	*ret = find_codec(m, pt);
	return 0;
}

static int parse_rtpmap(struct sdp_media *m, struct sdp_span value)
{
	struct sdp_span name, clock, channels = {0};
	struct sdp_codec *codec;
	uint64_t number;
	int r;

	r = take_pt(m, &value, &codec);
	if (r < 0 || !codec)
		return r;

	value = trim(value);
	if (!sdp_span_next(&value, '/', &name) || name.n == 0 ||
	    !sdp_span_next(&value, '/', &clock))
		return -EBADMSG;
	if (!sdp_span_number(clock, 1000000, &number) || number == 0)
		return -EBADMSG;

	codec->name = name;
	codec->clock_rate = (uint32_t) number;
	codec->channels = 1;
	codec->has_rtpmap = true;
	if (sdp_span_next(&value, '/', &channels)) {
		if (!sdp_span_number(channels, 255, &number) || number == 0)
			return -EBADMSG;
		codec->channels = (uint8_t) number;
	}
	return 0;
}

static int parse_fmtp(struct sdp_media *m, struct sdp_span value)
{
	struct sdp_codec *codec;
	int r = take_pt(m, &value, &codec);

	if (r < 0 || !codec)
		return r;
	codec->fmtp = trim(value);
	return 0;
}

static unsigned int feedback_bit(struct sdp_span value)
{
	static const struct {
		const char *text;
		unsigned int bit;
	} known[] = {
		{"nack", SDP_FB_NACK},	    {"nack pli", SDP_FB_PLI},
		{"ccm fir", SDP_FB_FIR},    {"transport-cc", SDP_FB_TWCC},
		{"goog-remb", SDP_FB_REMB},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (sdp_span_is_nocase(value, known[i].text))
			return known[i].bit;
	}
	return 0;
}

static int parse_rtcp_fb(struct sdp_media *m, struct sdp_span value)
{
	struct sdp_codec *codec;
	int r;

	if (skip_prefix(&value, "* ")) {
		unsigned int bit = feedback_bit(trim(value));

		for (unsigned int i = 0; i < m->n_codecs; i++)
			m->codecs[i].fb |= bit;
		return 0;
	}

	r = take_pt(m, &value, &codec);
	if (r < 0 || !codec)
		return r;
	codec->fb |= feedback_bit(trim(value));
	return 0;
}

static int parse_extmap(struct sdp_media *m, struct sdp_span value)
{
	struct sdp_span word, id, uri;
	uint64_t number;

	if (!sdp_span_next(&value, ' ', &word) ||
	    !sdp_span_next(&value, ' ', &uri))
		return -EBADMSG;
	if (!sdp_span_next(&word, '/', &id) ||
	    !sdp_span_number(id, 65535, &number) || number == 0)
		return -EBADMSG;
	if (m->n_extmaps == SDP_MAX_EXTMAPS)
		return 0;

	m->extmaps[m->n_extmaps++] = (struct sdp_extmap){
		.id = (uint16_t) number,
		.uri = uri,
	};
	return 0;
}

/* NULL when the limit is reached. */
static struct sdp_ssrc *get_ssrc(struct sdp_media *m, uint32_t ssrc)
{
	for (unsigned int i = 0; i < m->n_ssrcs; i++) {
		if (m->ssrcs[i].ssrc == ssrc)
			return &m->ssrcs[i];
	}
	if (m->n_ssrcs == SDP_MAX_SSRCS)
		return NULL;
	m->ssrcs[m->n_ssrcs] = (struct sdp_ssrc){.ssrc = ssrc};
	return &m->ssrcs[m->n_ssrcs++];
}

static int parse_ssrc(struct sdp_media *m, struct sdp_span value)
{
	struct sdp_span word, rest;
	struct sdp_ssrc *s;
	uint64_t number;

	if (!sdp_span_next(&value, ' ', &word) ||
	    !sdp_span_number(word, UINT32_MAX, &number))
		return -EBADMSG;
	value = trim(value);
	if (value.n > 2 * SDP_MAX_TOKEN + 8)
		return -EMSGSIZE;

	s = get_ssrc(m, (uint32_t) number);
	if (!s)
		return 0;
	if (is_attribute(value, "cname", &rest))
		s->cname = rest;
	else if (is_attribute(value, "msid", &rest))
		s->msid = rest;
	return 0;
}

static int parse_ssrc_group(struct sdp_media *m, struct sdp_span value)
{
	struct sdp_span word;
	struct sdp_ssrc *media, *rtx;
	uint64_t a, b;

	if (!sdp_span_next(&value, ' ', &word))
		return -EBADMSG;
	if (!sdp_span_is(word, "FID"))
		return 0;
	if (!sdp_span_next(&value, ' ', &word) ||
	    !sdp_span_number(word, UINT32_MAX, &a) ||
	    !sdp_span_next(&value, ' ', &word) ||
	    !sdp_span_number(word, UINT32_MAX, &b) || a == b)
		return -EBADMSG;

	media = get_ssrc(m, (uint32_t) a);
	rtx = get_ssrc(m, (uint32_t) b);
	if (!media || !rtx)
		return 0;
	media->rtx_ssrc = (uint32_t) b;
	rtx->is_rtx = true;
	return 0;
}

static int parse_sctpmap(struct sdp_media *m, struct sdp_span value)
{
	struct sdp_span word;
	uint64_t number;

	if (!sdp_span_next(&value, ' ', &word) ||
	    !sdp_span_number(word, 65535, &number))
		return -EBADMSG;
	m->sctp_port = (uint16_t) number;
	return 0;
}

static int parse_bandwidth(struct sdp_media *m, struct sdp_span value)
{
	uint64_t number, scale;

	if (skip_prefix(&value, "AS:"))
		scale = 1000;
	else if (skip_prefix(&value, "TIAS:"))
		scale = 1;
	else
		return 0;

	if (!sdp_span_number(value, UINT64_C(1000000000000), &number))
		return -EBADMSG;
	/* TIAS is the exact one where both are given. */
	if (scale == 1 || m->max_bps == 0)
		m->max_bps = number * scale;
	return 0;
}

/* --- attributes at both levels ------------------------------------------ */
static int set_token(struct sdp_span *to, struct sdp_span value)
{
	if (value.n == 0)
		return -EBADMSG;
	if (value.n > SDP_MAX_TOKEN)
		return -EMSGSIZE;
	*to = value;
	return 0;
}

static int parse_setup(enum sdp_setup *to, struct sdp_span value)
{
	if (sdp_span_is(value, "actpass"))
		*to = SDP_SETUP_ACTPASS;
	else if (sdp_span_is(value, "active"))
		*to = SDP_SETUP_ACTIVE;
	else if (sdp_span_is(value, "passive"))
		*to = SDP_SETUP_PASSIVE;
	else if (sdp_span_is(value, "holdconn"))
		*to = SDP_SETUP_HOLDCONN;
	else
		return -EBADMSG;
	return 0;
}

static bool is_sha256(struct sdp_span fingerprint)
{
	struct sdp_span word;

	return sdp_span_next(&fingerprint, ' ', &word) &&
	       sdp_span_is_nocase(word, "sha-256");
}

/* 1: it was one of ours; 0: not. */
static int parse_transport(struct sdp_transport *t, struct sdp_span line)
{
	struct sdp_span value, previous;
	int r;

	if (is_attribute(line, "ice-ufrag", &value))
		r = set_token(&t->ufrag, value);
	else if (is_attribute(line, "ice-pwd", &value))
		r = set_token(&t->pwd, value);
	else if (is_attribute(line, "ice-options", &value))
		r = set_token(&t->ice_options, value);
	else if (is_attribute(line, "setup", &value))
		r = parse_setup(&t->setup, value);
	else if (is_attribute(line, "fingerprint", &value)) {
		previous = t->fingerprint;
		r = set_token(&t->fingerprint, value);
		if (r == 0 && previous.n > 0 &&
		    (is_sha256(previous) || !is_sha256(value)))
			t->fingerprint = previous;
	} else {
		return 0;
	}
	return r < 0 ? r : 1;
}

static bool parse_direction(struct sdp_span line, enum sdp_direction *ret)
{
	for (int d = SDP_INACTIVE; d <= SDP_SENDRECV; d++) {
		if (sdp_span_is(line, sdp_direction_name(d))) {
			*ret = d;
			return true;
		}
	}
	return false;
}

static int parse_session_attribute(struct sdp_session *s, struct sdp_span line,
				   enum sdp_direction *direction)
{
	struct sdp_span value;
	int r = parse_transport(&s->transport, line);

	if (r != 0)
		return r < 0 ? r : 0;
	if (parse_direction(line, direction))
		return 0;
	if (sdp_span_is(line, "ice-lite")) {
		s->ice_lite = true;
		return 0;
	}
	if (is_attribute(line, "group", &value) &&
	    skip_prefix(&value, "BUNDLE") &&
	    (value.n == 0 || value.p[0] == ' ') &&
	    s->n_bundles < SDP_MAX_GROUPS)
		s->bundle[s->n_bundles++] = trim(value);
	return 0;
}

static int parse_flag(struct sdp_media *m, struct sdp_span line)
{
	if (parse_direction(line, &m->direction))
		m->has_direction = true;
	else if (sdp_span_is(line, "rtcp-mux"))
		m->rtcp_mux = true;
	else if (sdp_span_is(line, "rtcp-rsize"))
		m->rtcp_rsize = true;
	else if (sdp_span_is(line, "bundle-only"))
		m->bundle_only = true;
	else if (sdp_span_is(line, "end-of-candidates"))
		m->end_of_candidates = true;
	return 0;
}

static int parse_number(struct sdp_span value, uint64_t max, uint64_t *ret)
{
	return sdp_span_number(value, max, ret) ? 0 : -EBADMSG;
}

static int parse_media_attribute(struct sdp_media *m, struct sdp_span line)
{
	struct sdp_span value;
	uint64_t number = 0;
	int r = parse_transport(&m->transport, line);

	if (r != 0)
		return r < 0 ? r : 0;

	if (is_attribute(line, "rtpmap", &value))
		return parse_rtpmap(m, value);
	if (is_attribute(line, "fmtp", &value))
		return parse_fmtp(m, value);
	if (is_attribute(line, "rtcp-fb", &value))
		return parse_rtcp_fb(m, value);
	if (is_attribute(line, "extmap", &value))
		return parse_extmap(m, value);
	if (is_attribute(line, "ssrc", &value))
		return parse_ssrc(m, value);
	if (is_attribute(line, "ssrc-group", &value))
		return parse_ssrc_group(m, value);
	if (is_attribute(line, "candidate", &value)) {
		if (m->n_candidates < SDP_MAX_CANDIDATES)
			m->candidates[m->n_candidates++] = line;
		return 0;
	}
	if (is_attribute(line, "mid", &value))
		return set_token(&m->mid, value);
	if (is_attribute(line, "msid", &value)) {
		if (value.n > 2 * SDP_MAX_TOKEN)
			return -EMSGSIZE;
		m->msid = value;
		return 0;
	}
	if (is_attribute(line, "sctp-port", &value)) {
		r = parse_number(value, 65535, &number);
		m->sctp_port = (uint16_t) number;
		return r;
	}
	if (is_attribute(line, "sctpmap", &value))
		return parse_sctpmap(m, value);
	if (is_attribute(line, "max-message-size", &value)) {
		m->has_max_message_size = true;
		return parse_number(value, UINT64_MAX / 16,
				    &m->max_message_size);
	}
	return parse_flag(m, line);
}

/* --- lines -------------------------------------------------------------- */
static bool has_word(struct sdp_span s, const char *word)
{
	struct sdp_span part;

	while (sdp_span_next(&s, '/', &part)) {
		if (sdp_span_is(part, word))
			return true;
	}
	return false;
}

static int parse_formats(struct sdp_media *m)
{
	struct sdp_span rest = m->formats, word;
	uint64_t number;

	if (!has_word(m->proto, "RTP")) {
		/* "DTLS/SCTP 5000": the format is the port. */
		if (has_word(m->proto, "SCTP") &&
		    sdp_span_number(trim(rest), 65535, &number))
			m->sctp_port = (uint16_t) number;
		return 0;
	}

	while (sdp_span_next(&rest, ' ', &word)) {
		if (!sdp_span_number(word, 127, &number))
			return -EBADMSG;
		if (find_codec(m, number))
			continue;
		if (m->n_codecs == SDP_MAX_CODECS)
			return -EMSGSIZE;
		m->codecs[m->n_codecs++] = (struct sdp_codec){
			.pt = (uint8_t) number,
		};
	}
	return m->n_codecs > 0 ? 0 : -EBADMSG;
}

static int parse_media_line(struct sdp_session *s, struct sdp_span line)
{
	struct sdp_span port, number_span;
	struct sdp_media *m;
	uint64_t number;

	if (s->n_media == SDP_MAX_MEDIA)
		return -EMSGSIZE;
	m = &s->media[s->n_media];
	memset(m, 0, sizeof(*m));
	m->direction = SDP_SENDRECV;

	if (!sdp_span_next(&line, ' ', &m->type) ||
	    !sdp_span_next(&line, ' ', &port) ||
	    !sdp_span_next(&line, ' ', &m->proto))
		return -EBADMSG;
	if (!sdp_span_next(&port, '/', &number_span) ||
	    !sdp_span_number(number_span, 65535, &number))
		return -EBADMSG;
	if (m->type.n > SDP_MAX_TOKEN || m->proto.n > SDP_MAX_TOKEN)
		return -EMSGSIZE;
	m->port = (uint16_t) number;
	m->formats = trim(line);
	if (m->formats.n == 0)
		return -EBADMSG;

	if (sdp_span_is(m->type, "audio"))
		m->kind = SDP_KIND_AUDIO;
	else if (sdp_span_is(m->type, "video"))
		m->kind = SDP_KIND_VIDEO;
	else if (sdp_span_is(m->type, "application"))
		m->kind = SDP_KIND_APPLICATION;

	s->n_media++;
	return parse_formats(m);
}

static int parse_line(struct sdp_session *s, struct sdp_span line, bool first,
		      enum sdp_direction *direction)
{
	struct sdp_media *m = s->n_media ? &s->media[s->n_media - 1] : NULL;
	char type;

	if (line.n < 2 || line.p[1] != '=')
		return -EBADMSG;
	type = line.p[0];
	line.p += 2;
	line.n -= 2;

	if (first)
		return type == 'v' && sdp_span_is(line, "0") ? 0 : -EBADMSG;

	switch (type) {
	case 'm':
		return parse_media_line(s, line);
	case 'o':
		if (m)
			return -EBADMSG;
		s->origin = line;
		return 0;
	case 'b':
		return m ? parse_bandwidth(m, line) : 0;
	case 'a':
		line = trim(line);
		return m ? parse_media_attribute(m, line)
			 : parse_session_attribute(s, line, direction);
	default:
		return 0;
	}
}

int sdp_parse(const char *text, size_t len, struct sdp_session *ret,
	      unsigned int *ret_line)
{
	struct sdp_span rest = {text, len}, line;
	enum sdp_direction direction = SDP_SENDRECV;
	unsigned int number = 0;
	bool first = true;
	int r = 0;

	/* Not the whole of it: media sections are cleared when they begin. */
	memset(ret, 0, offsetof(struct sdp_session, media));
	ret->n_media = 0;

	if (len > SDP_MAX_BYTES)
		r = -EMSGSIZE;
	else if (len == 0 || memchr(text, '\0', len))
		r = -EBADMSG;

	while (r == 0 && sdp_span_next(&rest, '\n', &line)) {
		number++;
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0)
			continue;
		if (line.n > SDP_MAX_LINE) {
			r = -EMSGSIZE;
			break;
		}
		r = parse_line(ret, line, first, &direction);
		first = false;
	}
	if (r == 0 && first)
		r = -EBADMSG;
	if (r < 0) {
		if (ret_line)
			*ret_line = number;
		return r;
	}

	for (unsigned int i = 0; i < ret->n_media; i++) {
		if (!ret->media[i].has_direction)
			ret->media[i].direction = direction;
	}
	return 0;
}

/* --- questions ---------------------------------------------------------- */
bool sdp_fmtp_get(struct sdp_span fmtp, const char *name, struct sdp_span *ret)
{
	struct sdp_span part, key;

	while (sdp_span_next(&fmtp, ';', &part)) {
		part = trim(part);
		if (!sdp_span_next(&part, '=', &key))
			continue;
		if (!sdp_span_is_nocase(trim(key), name))
			continue;
		*ret = trim(part);
		return true;
	}
	return false;
}

const struct sdp_codec *sdp_media_find_pt(const struct sdp_media *media,
					  unsigned int pt)
{
	return find_codec((struct sdp_media *) media, pt);
}

int sdp_media_find_rtx(const struct sdp_media *media, unsigned int pt)
{
	for (unsigned int i = 0; i < media->n_codecs; i++) {
		const struct sdp_codec *codec = &media->codecs[i];
		struct sdp_span value;
		uint64_t apt;

		if (sdp_span_is_nocase(codec->name, "rtx") &&
		    sdp_fmtp_get(codec->fmtp, "apt", &value) &&
		    sdp_span_number(value, 127, &apt) && apt == pt)
			return codec->pt;
	}
	return -1;
}

bool sdp_bundle_has(struct sdp_span bundle, struct sdp_span mid)
{
	struct sdp_span word;

	if (mid.n == 0)
		return false;
	while (sdp_span_next(&bundle, ' ', &word)) {
		if (sdp_span_equal(word, mid))
			return true;
	}
	return false;
}

/* --- writing ------------------------------------------------------------ */
void sdp_writer_init(struct sdp_writer *w, char *buf, size_t size)
{
	*w = (struct sdp_writer){.buf = buf, .size = size};
}

static void write_va(struct sdp_writer *w, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void write_va(struct sdp_writer *w, const char *format, va_list ap)
{
	int n;

	if (w->full)
		return;
	n = vsnprintf(w->buf + w->len, w->size - w->len, format, ap);
	if (n < 0 || (size_t) n >= w->size - w->len) {
		w->full = true;
		return;
	}
	w->len += (size_t) n;
}

void sdp_part(struct sdp_writer *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	write_va(w, format, ap);
	va_end(ap);
}

void sdp_line(struct sdp_writer *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	write_va(w, format, ap);
	va_end(ap);
	sdp_part(w, "\r\n");
}

int sdp_writer_finish(struct sdp_writer *w)
{
	if (w->full || w->len >= w->size)
		return -ENOSPC;
	w->buf[w->len] = '\0';
	return (int) w->len;
}
