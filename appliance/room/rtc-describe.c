// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/rtc-describe.h"

const char *rtc_describe_ice_state(enum rtc_ice_state state)
{
	switch (state) {
	case RTC_ICE_NEW:
		return "starting";
	case RTC_ICE_CHECKING:
		return "checking";
	case RTC_ICE_CONNECTED:
		return "connected";
	case RTC_ICE_COMPLETED:
		return "completed";
	case RTC_ICE_FAILED:
		return "failed";
	case RTC_ICE_DISCONNECTED:
		return "disconnected";
	case RTC_ICE_CLOSED:
		return "closed";
	}
	return "closed";
}

void rtc_describe_text(JsonObject *o, const char *name, const char *text)
{
	if (text)
		json_object_set_string_member(o, name, text);
	else
		json_object_set_null_member(o, name);
}

JsonObject *rtc_describe_stats(const struct rtc_peer_stats *s)
{
	JsonObject *o = json_object_new();

	rtc_describe_text(o, "srtpProfile", s->srtp_profile);
	rtc_describe_text(o, "dtlsRole", s->dtls_role);
	rtc_describe_text(o, "videoCodec", s->video_codec);
	json_object_set_string_member(o, "candidatePair", s->pair);
	json_object_set_boolean_member(o, "kernelDemux", s->kernel_demux);
	json_object_set_boolean_member(o, "gso", s->gso);
	json_object_set_int_member(o, "rttUs", s->rtt_us);
	json_object_set_int_member(o, "targetBps", s->target_bps);
	json_object_set_boolean_member(o, "pathLimited", s->path_limited);
	json_object_set_boolean_member(o, "atCap", s->at_cap);
	json_object_set_double_member(o, "loss", (gdouble) s->loss);
#define COUNTER(name, field)                                                   \
	json_object_set_int_member(o, name, (gint64) s->field)
	COUNTER("audioPackets", audio_packets);
	COUNTER("audioBytes", audio_bytes);
	COUNTER("videoPackets", video_packets);
	COUNTER("videoBytes", video_bytes);
	COUNTER("videoFrames", video_frames);
	COUNTER("videoFramesDropped", video_frames_dropped);
	COUNTER("rtxPackets", rtx_packets);
	COUNTER("nacks", nacks);
	COUNTER("plis", plis);
	COUNTER("firs", firs);
	COUNTER("receivedAudioPackets", rx_audio_packets);
	COUNTER("receivedAudioBytes", rx_audio_bytes);
	COUNTER("receivedVideoPackets", rx_video_packets);
	COUNTER("receivedVideoBytes", rx_video_bytes);
	COUNTER("receivedLost", rx_lost);
	COUNTER("receivedBad", rx_bad);
	COUNTER("twccReports", twcc_reports);
	COUNTER("rembReports", remb_reports);
#undef COUNTER
	return o;
}
