// SPDX-License-Identifier: Apache-2.0
#include "webrtc/ice-url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "webrtc/sdp.h"

#define DEFAULT_PORT	 3478
#define DEFAULT_TLS_PORT 5349

static bool take_scheme(struct sdp_span *rest, enum ice_url_scheme *ret)
{
	static const struct {
		const char *text;
		enum ice_url_scheme scheme;
	} known[] = {
		{"stun:", ICE_URL_STUN},
		{"turn:", ICE_URL_TURN},
		{"turns:", ICE_URL_TURNS},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t n = strlen(known[i].text);

		if (rest->n >= n &&
		    strncasecmp(rest->p, known[i].text, n) == 0) {
			rest->p += n;
			rest->n -= n;
			*ret = known[i].scheme;
			return true;
		}
	}
	return false;
}

static bool is_host(struct sdp_span s, bool *ret_literal)
{
	char text[ICE_URL_HOST_BYTES];
	struct in6_addr v6;
	struct in_addr v4;

	if (s.n == 0 || !sdp_span_copy(s, text, sizeof(text)))
		return false;
	*ret_literal = inet_pton(AF_INET, text, &v4) == 1 ||
		       inet_pton(AF_INET6, text, &v6) == 1;
	if (*ret_literal)
		return true;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '-' || c == '.' ||
		      c == '_'))
			return false;
	}
	return true;
}

/* "user@" with the last '@': a user name may have one itself. */
static int take_user(struct sdp_span *rest, struct ice_url *url)
{
	const char *at = NULL;
	struct sdp_span user;

	for (size_t i = rest->n; i > 0 && !at; i--) {
		if (rest->p[i - 1] == '@')
			at = rest->p + i - 1;
	}
	if (!at)
		return 0;
	user = (struct sdp_span){rest->p, (size_t) (at - rest->p)};
	for (size_t i = 0; i < user.n; i++) {
		if ((unsigned char) user.p[i] < ' ')
			return -EBADMSG;
	}
	if (!sdp_span_copy(user, url->user, sizeof(url->user)))
		return -EMSGSIZE;
	rest->n -= user.n + 1;
	rest->p = at + 1;
	return 0;
}

static int take_query(struct sdp_span *rest, struct ice_url *url)
{
	const char *mark = memchr(rest->p, '?', rest->n);
	struct sdp_span query;

	if (!mark)
		return 0;
	query = (struct sdp_span){mark + 1,
				  rest->n - (size_t) (mark - rest->p) - 1};
	rest->n = (size_t) (mark - rest->p);
	if (sdp_span_is_nocase(query, "transport=tcp"))
		url->tcp = true;
	else if (!sdp_span_is_nocase(query, "transport=udp"))
		return -EBADMSG;
	return 0;
}

static int take_host(struct sdp_span rest, struct ice_url *url)
{
	struct sdp_span host = rest, port = {0};
	const char *colon;
	uint64_t number;

	if (rest.n > 0 && rest.p[0] == '[') {
		const char *end = memchr(rest.p, ']', rest.n);

		if (!end)
			return -EBADMSG;
		host = (struct sdp_span){rest.p + 1,
					 (size_t) (end - rest.p) - 1};
		port = (struct sdp_span){end + 1, rest.n - host.n - 2};
		if (port.n > 0 && port.p[0] != ':')
			return -EBADMSG;
	} else {
		colon = rest.n > 0 ? memchr(rest.p, ':', rest.n) : NULL;
		if (colon) {
			host.n = (size_t) (colon - rest.p);
			port = (struct sdp_span){colon, rest.n - host.n};
		}
	}

	if (port.n > 0) {
		port.p++;
		port.n--;
		if (!sdp_span_number(port, 65535, &number) || number == 0)
			return -EBADMSG;
		url->port = (uint16_t) number;
	}
	if (!is_host(host, &url->literal))
		return -EBADMSG;
	sdp_span_copy(host, url->host, sizeof(url->host));
	return 0;
}

int ice_url_parse(const char *text, size_t len, struct ice_url *ret)
{
	struct sdp_span rest = {text, len};
	struct ice_url url = {0};
	int r;

	if (len > ICE_URL_MAX_BYTES)
		return -EMSGSIZE;
	if (len == 0 || memchr(text, '\0', len) ||
	    !take_scheme(&rest, &url.scheme) || rest.n == 0)
		return -EBADMSG;

	url.port =
		url.scheme == ICE_URL_TURNS ? DEFAULT_TLS_PORT : DEFAULT_PORT;
	r = take_user(&rest, &url);
	if (r == 0 && rest.n > 0)
		r = take_query(&rest, &url);
	if (r == 0)
		r = take_host(rest, &url);
	if (r < 0)
		return r;
	*ret = url;
	return 0;
}
