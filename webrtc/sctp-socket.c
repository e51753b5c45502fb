// SPDX-License-Identifier: Apache-2.0
#include "webrtc/sctp-socket.h"

#include <arpa/inet.h>
#include <errno.h>

#include "webrtc/sctp.h"

#define SCTP_HEADER_BYTES 12
#define RTO_INITIAL_MS	  500
#define RTO_MIN_MS	  200
#define RTO_MAX_MS	  5000
#define INIT_ATTEMPTS	  12

static int set_int(struct socket *s, int level, int name, int value)
{
	return usrsctp_setsockopt(s, level, name, &value, sizeof(value));
}

static int set_options(struct socket *s)
{
	static const uint16_t events[] = {
		SCTP_ASSOC_CHANGE,
		SCTP_SHUTDOWN_EVENT,
		SCTP_STREAM_RESET_EVENT,
		SCTP_SENDER_DRY_EVENT,
	};
	/* Closing aborts: nothing lingers behind a peer that is gone. */
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	struct sctp_assoc_value reset = {
		.assoc_id = SCTP_ALL_ASSOC,
		.assoc_value = SCTP_ENABLE_RESET_STREAM_REQ,
	};
	struct sctp_initmsg init = {
		.sinit_num_ostreams = SCTP_STREAMS_MAX,
		.sinit_max_instreams = SCTP_STREAMS_MAX,
		.sinit_max_attempts = INIT_ATTEMPTS,
	};
	struct sctp_rtoinfo rto = {
		.srto_initial = RTO_INITIAL_MS,
		.srto_max = RTO_MAX_MS,
		.srto_min = RTO_MIN_MS,
	};
	/* DTLS has a fixed MTU, and nobody could answer a probe. */
	struct sctp_paddrparams path = {
		.spp_flags = SPP_PMTUD_DISABLE,
		.spp_pathmtu = SCTP_MTU_BYTES - SCTP_HEADER_BYTES,
	};
	uint32_t delivery_point = SCTP_MESSAGE_MAX_BYTES + 1;

	if (usrsctp_set_non_blocking(s, 1) < 0 ||
	    usrsctp_setsockopt(s, SOL_SOCKET, SO_LINGER, &linger,
			       sizeof(linger)) < 0 ||
	    set_int(s, SOL_SOCKET, SO_SNDBUF, SCTP_BUFFER_BYTES) < 0 ||
	    set_int(s, SOL_SOCKET, SO_RCVBUF, SCTP_BUFFER_BYTES) < 0 ||
	    set_int(s, IPPROTO_SCTP, SCTP_NODELAY, 1) < 0 ||
	    set_int(s, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1) < 0 ||
	    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET,
			       &reset, sizeof(reset)) < 0 ||
	    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_INITMSG, &init,
			       sizeof(init)) < 0 ||
	    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_RTOINFO, &rto,
			       sizeof(rto)) < 0 ||
	    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path,
			       sizeof(path)) < 0 ||
	    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_PARTIAL_DELIVERY_POINT,
			       &delivery_point, sizeof(delivery_point)) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct sctp_event event = {
			.se_assoc_id = SCTP_FUTURE_ASSOC,
			.se_type = events[i],
			.se_on = 1,
		};

		if (usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_EVENT, &event,
				       sizeof(event)) < 0)
			return -errno;
	}
	return 0;
}

int sctp_socket_new(sctp_upcall_fn *upcall, void *user, struct socket **ret)
{
	struct socket *s;
	int r;

	s = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0,
			   NULL);
	if (!s)
		return -errno;
	r = set_options(s);
	if (r == 0 && usrsctp_set_upcall(s, upcall, user) < 0)
		r = -errno;
	if (r < 0) {
		usrsctp_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

int sctp_socket_connect(struct socket *s, void *address)
{
	struct sockaddr_conn addr = {
		.sconn_family = AF_CONN,
		.sconn_port = htons(SCTP_PORT),
		.sconn_addr = address,
	};

	if (usrsctp_bind(s, (struct sockaddr *) &addr, sizeof(addr)) < 0)
		return -errno;
	/* Both ends have the same port, and the same address: whose a packet
	 * is, is told by whom it is given to. */
	if (usrsctp_connect(s, (struct sockaddr *) &addr, sizeof(addr)) < 0 &&
	    errno != EINPROGRESS)
		return -errno;
	return 0;
}
