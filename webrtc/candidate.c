// SPDX-License-Identifier: Apache-2.0
#include "webrtc/candidate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "webrtc/sdp.h"

static const char *const type_names[] = {
	[CANDIDATE_HOST] = "host",
	[CANDIDATE_SRFLX] = "srflx",
	[CANDIDATE_PRFLX] = "prflx",
	[CANDIDATE_RELAY] = "relay",
};

static const char *const tcp_names[] = {
	[CANDIDATE_TCP_NONE] = "",
	[CANDIDATE_TCP_ACTIVE] = "active",
	[CANDIDATE_TCP_PASSIVE] = "passive",
	[CANDIDATE_TCP_SO] = "so",
};

const char *candidate_type_name(enum candidate_type type)
{
	return type_names[type];
}

/* Index of the word in a list of names, or -1. */
static int find_name(struct sdp_span word, const char *const names[], int n)
{
	for (int i = 0; i < n; i++) {
		if (sdp_span_is_nocase(word, names[i]))
			return i;
	}
	return -1;
}

static void strip(struct sdp_span *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s->n >= n && strncasecmp(s->p, prefix, n) == 0) {
		s->p += n;
		s->n -= n;
	}
}

static bool take_number(struct sdp_span *rest, uint64_t max, uint64_t *ret)
{
	struct sdp_span word;

	return sdp_span_next(rest, ' ', &word) &&
	       sdp_span_number(word, max, ret);
}

/* ice-char (RFC 8839 §5.1): letters, digits, '+' and '/'. */
static bool is_ice_chars(struct sdp_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '+' || c == '/' ||
		      c == '-' || c == '_' || c == '='))
			return false;
	}
	return s.n > 0;
}

static bool is_name_chars(struct sdp_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '-' || c == '.' ||
		      c == '_'))
			return false;
	}
	return s.n > 0;
}

/* A link-local address may carry its zone; the rest must be literal. */
static bool is_ipv6(const char *address)
{
	char plain[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	size_t n = strcspn(address, "%");
	struct sdp_span zone = {address + n, strlen(address + n)};

	if (n >= sizeof(plain))
		return false;
	if (zone.n > 0) {
		zone.p++;
		zone.n--;
		if (!is_name_chars(zone) || zone.n > 16)
			return false;
	}
	memcpy(plain, address, n);
	plain[n] = '\0';
	return inet_pton(AF_INET6, plain, &addr) == 1;
}

static bool ends_with(struct sdp_span s, const char *tail)
{
	size_t n = strlen(tail);

	return s.n > n && strncasecmp(s.p + s.n - n, tail, n) == 0;
}

static int set_address(struct candidate *c, struct sdp_span word)
{
	struct in_addr v4;

	if (!sdp_span_copy(word, c->address, sizeof(c->address)))
		return -EBADMSG;

	if (inet_pton(AF_INET, c->address, &v4) == 1) {
		c->family = CANDIDATE_IPV4;
	} else if (strchr(c->address, ':')) {
		if (!is_ipv6(c->address))
			return -EBADMSG;
		c->family = CANDIDATE_IPV6;
	} else if (!is_name_chars(word)) {
		return -EBADMSG;
	} else {
		c->family = ends_with(word, ".local") ? CANDIDATE_MDNS
						      : CANDIDATE_NAME;
	}
	return 0;
}

static bool is_printable(struct sdp_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char) s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	}
	return s.n > 0;
}

/* One "name value" pair behind the type. */
static int set_extension(struct candidate *c, struct sdp_span name,
			 struct sdp_span value)
{
	uint64_t number;
	int i;

	if (sdp_span_is_nocase(name, "raddr")) {
		if (!is_printable(value) ||
		    !sdp_span_copy(value, c->related_address,
				   sizeof(c->related_address)))
			return -EBADMSG;
	} else if (sdp_span_is_nocase(name, "rport")) {
		if (!sdp_span_number(value, 65535, &number))
			return -EBADMSG;
		c->related_port = (uint16_t) number;
	} else if (sdp_span_is_nocase(name, "tcptype")) {
		i = find_name(value, tcp_names, 4);
		if (i <= 0)
			return -EBADMSG;
		c->tcptype = i;
	} else if (sdp_span_is_nocase(name, "ufrag")) {
		if (!is_ice_chars(value) ||
		    !sdp_span_copy(value, c->ufrag, sizeof(c->ufrag)))
			return -EBADMSG;
	}
	return 0;
}

/* foundation, component, transport, priority, address, port, "typ", type */
static int parse_fixed(struct candidate *c, struct sdp_span *rest)
{
	struct sdp_span word;
	uint64_t number;
	int type, r;

	if (!sdp_span_next(rest, ' ', &word) || !is_ice_chars(word) ||
	    !sdp_span_copy(word, c->foundation, sizeof(c->foundation)))
		return -EBADMSG;
	if (!take_number(rest, 256, &number) || number == 0)
		return -EBADMSG;
	c->component = (uint16_t) number;

	if (!sdp_span_next(rest, ' ', &word))
		return -EBADMSG;
	if (sdp_span_is_nocase(word, "tcp"))
		c->tcp = true;
	else if (!sdp_span_is_nocase(word, "udp"))
		return -EBADMSG;

	if (!take_number(rest, UINT32_MAX, &number))
		return -EBADMSG;
	c->priority = (uint32_t) number;

	if (!sdp_span_next(rest, ' ', &word))
		return -EBADMSG;
	r = set_address(c, word);
	if (r < 0)
		return r;

	if (!take_number(rest, 65535, &number))
		return -EBADMSG;
	c->port = (uint16_t) number;

	if (!sdp_span_next(rest, ' ', &word) ||
	    !sdp_span_is_nocase(word, "typ") ||
	    !sdp_span_next(rest, ' ', &word))
		return -EBADMSG;
	type = find_name(word, type_names, 4);
	if (type < 0)
		return -EBADMSG;
	c->type = type;
	return 0;
}

int candidate_parse(const char *line, size_t len, struct candidate *ret)
{
	struct sdp_span rest = {line, len}, name, value;
	struct candidate c = {0};
	int r;

	if (len > CANDIDATE_MAX_BYTES)
		return -EMSGSIZE;
	while (rest.n > 0 &&
	       (rest.p[rest.n - 1] == '\n' || rest.p[rest.n - 1] == '\r' ||
		rest.p[rest.n - 1] == ' '))
		rest.n--;
	if (rest.n == 0 || memchr(rest.p, '\0', rest.n) ||
	    memchr(rest.p, '\n', rest.n) || memchr(rest.p, '\r', rest.n))
		return -EBADMSG;

	strip(&rest, "a=");
	strip(&rest, "candidate:");
	r = parse_fixed(&c, &rest);
	if (r < 0)
		return r;

	while (sdp_span_next(&rest, ' ', &name)) {
		if (!sdp_span_next(&rest, ' ', &value))
			break; /* a lone word: old Firefox wrote such */
		r = set_extension(&c, name, value);
		if (r < 0)
			return r;
	}

	*ret = c;
	return 0;
}

int candidate_format(const struct candidate *c, char *buf, size_t size)
{
	struct sdp_writer w;

	sdp_writer_init(&w, buf, size);
	sdp_part(&w, "candidate:%s %u %s %u %s %u typ %s", c->foundation,
		 c->component, c->tcp ? "tcp" : "udp", c->priority, c->address,
		 c->port, type_names[c->type]);
	if (c->related_address[0])
		sdp_part(&w, " raddr %s rport %u", c->related_address,
			 c->related_port);
	if (c->tcptype != CANDIDATE_TCP_NONE)
		sdp_part(&w, " tcptype %s", tcp_names[c->tcptype]);
	if (c->ufrag[0])
		sdp_part(&w, " ufrag %s", c->ufrag);
	return sdp_writer_finish(&w);
}

bool candidate_is_usable(const struct candidate *c)
{
	return !c->tcp && c->component == 1 && c->port != 0 &&
	       (c->family == CANDIDATE_IPV4 || c->family == CANDIDATE_IPV6);
}
