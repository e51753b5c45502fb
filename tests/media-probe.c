// SPDX-License-Identifier: Apache-2.0
/* tests/media-probe.c - run the media layer alone and say what it costs
 *
 *   media-probe [--source SPEC] [--codec vp8|h264|both] [--seconds N]
 *               [--size WxH] [--fps N] [--bitrate BPS] [--out FILE]
 *   media-probe --audio SPEC [--seconds N]
 *   media-probe --bare ...
 *
 * A pipeline runs for N seconds with one taker of each codec; each second one
 * line of counters is printed, and a last line that begins with "total". With
 * --bare there is no pipeline: one thread draws the test picture and encodes
 * it, which is the least any sender can cost; the rest of the program is
 * measured against it. --out keeps the coded units (H.264: a playable file).
 */
#include "media/audio-pipeline.h"
#include "media/encoder.h"
#include "media/library-log.h"
#include "media/video-pipeline.h"
#include "media/video-source.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct options {
	const char *source, *audio, *out;
	bool vp8, h264, bare;
	unsigned int seconds, width, height, fps, bitrate;
};

struct probe {
	FILE *out;
	atomic_uint_fast64_t latency_us, units, first_us;
};

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}

static double now_seconds(void)
{
	return (double) media_clock_now_us(media_clock_system()) / 1e6;
}

/* kB of private memory, from the kernel's own account; 0 if it has none. */
static unsigned int rss_anon_kb(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned int kb = 0;
	char line[128];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %u", &kb) == 1)
			break;
	fclose(f);
	return kb;
}

/* Times a thread of ours gave up the processor, waiting or not. */
static long context_switches(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_nvcsw + r.ru_nivcsw;
}

static void wait_until(double t)
{
	double left = t - now_seconds();
	struct timespec ts;

	if (left <= 0)
		return;
	ts.tv_sec = (time_t) left;
	ts.tv_nsec = (long) ((left - (double) ts.tv_sec) * 1e9);
	nanosleep(&ts, NULL);
}

static void on_unit(void *user, struct coded_unit *u)
{
	struct probe *p = user;

	if (atomic_load(&p->first_us) == 0)
		atomic_store(&p->first_us, u->encoded_us);
	atomic_fetch_add(&p->latency_us, u->encoded_us - u->capture_us);
	atomic_fetch_add(&p->units, 1);
	if (p->out)
		fwrite(u->data, 1, u->size, p->out);
}

static void on_state(void *user, enum video_source_state state,
		     const char *detail)
{
	static const char *const names[] = {
		[VIDEO_SOURCE_IDLE] = "idle",
		[VIDEO_SOURCE_LIVE] = "live",
		[VIDEO_SOURCE_PLACEHOLDER] = "placeholder",
	};

	printf("state %s: %s\n", names[state], detail);
}

static void print_rungs(const struct video_pipeline_stats *s,
			const struct video_pipeline_stats *before)
{
	for (unsigned int i = 0; i < s->n_rungs; i++) {
		const struct video_rung_stats *r = &s->rungs[i];
		const struct video_rung_stats *b = &before->rungs[i];
		uint64_t frames = r->frames_in - b->frames_in;

		printf(" %s %ux%u fps=%llu kbps=%llu keyframes=%llu "
		       "dropped=%llu encode_cpu_ms=%.2f p95_ms=%.2f",
		       media_codec_name(r->codec), r->width, r->height,
		       (unsigned long long) (r->units_out - b->units_out),
		       (unsigned long long) (r->bytes_out - b->bytes_out) * 8 /
			       1000,
		       (unsigned long long) r->keyframes,
		       (unsigned long long) r->frames_dropped,
		       frames ? (double) (r->encode_ns_total -
					  b->encode_ns_total) /
					(double) frames / 1e6
			      : 0.0,
		       r->encode_us_p95 / 1000.0);
	}
}

static int run_pipeline(const struct options *o)
{
	struct probe probe = {0};
	struct video_pipeline_config config = {
		.choice.source = o->source,
		.choice.width = o->width,
		.choice.height = o->height,
		.choice.fps = o->fps,
		.bitrate_bps = o->bitrate,
		.min_bitrate_bps = 50000,
		.max_bitrate_bps = 50000000,
		.on_unit = on_unit,
		.on_state = on_state,
		.user = &probe,
	};
	struct video_pipeline_stats s = {0}, before;
	struct video_pipeline *p = NULL;
	long switches = context_switches();
	double start, cpu, first_cpu;
	char *error = NULL;
	uint32_t rung;

	if (o->out && !(probe.out = fopen(o->out, "wbe"))) {
		perror(o->out);
		return 1;
	}
	if (video_pipeline_new(&p, &config, &error) < 0) {
		fprintf(stderr, "%s\n", error ? error : "no memory");
		free(error);
		return 1;
	}
	start = now_seconds();
	cpu = first_cpu = cpu_seconds();
	if (o->vp8 && video_pipeline_take(p, MEDIA_CODEC_VP8, &rung) < 0)
		fprintf(stderr, "no VP8 from this source\n");
	if (o->h264 && video_pipeline_take(p, MEDIA_CODEC_H264, &rung) < 0)
		fprintf(stderr, "no H264 from this source\n");

	for (unsigned int i = 1; i <= o->seconds; i++) {
		double c;

		wait_until(start + i);
		before = s;
		video_pipeline_get_stats(p, &s);
		c = cpu_seconds();
		printf("%u cpu=%.1f%% rss_anon=%u captured=%llu missed=%llu "
		       "copies=%llu allocs=%llu",
		       i, (c - cpu) * 100, rss_anon_kb(),
		       (unsigned long long) s.frames_captured,
		       (unsigned long long) s.frames_missed,
		       (unsigned long long) s.frame_copies,
		       (unsigned long long) s.frame_allocs);
		print_rungs(&s, &before);
		printf("\n");
		fflush(stdout);
		cpu = c;
	}
	printf("total cpu=%.1f%% rss_anon=%u switches=%ld/s first_ms=%.1f "
	       "units=%llu latency_ms=%.2f\n",
	       (cpu_seconds() - first_cpu) * 100 / o->seconds, rss_anon_kb(),
	       (context_switches() - switches) / (long) o->seconds,
	       (double) atomic_load(&probe.first_us) / 1e3 - start * 1e3,
	       (unsigned long long) atomic_load(&probe.units),
	       atomic_load(&probe.units)
		       ? (double) atomic_load(&probe.latency_us) /
				 (double) atomic_load(&probe.units) / 1000
		       : 0.0);
	video_pipeline_free(p);
	if (probe.out)
		fclose(probe.out);
	return 0;
}

static void on_audio_state(void *user, enum audio_source_state state,
			   const char *detail)
{
	static const char *const names[] = {
		[AUDIO_SOURCE_IDLE] = "idle",
		[AUDIO_SOURCE_LIVE] = "live",
		[AUDIO_SOURCE_SILENCE] = "silence",
	};

	printf("state %s: %s\n", names[state], detail);
}

static int run_audio(const struct options *o)
{
	struct probe probe = {0};
	struct audio_pipeline_config config = {
		.choice.source = o->audio,
		.choice.channels = 1,
		.bitrate_bps = 32000,
		.on_unit = on_unit,
		.on_state = on_audio_state,
		.user = &probe,
	};
	struct audio_pipeline *p = NULL;
	double start = now_seconds(), cpu = cpu_seconds();
	char *error = NULL;

	if (audio_pipeline_new(&p, &config, &error) < 0) {
		fprintf(stderr, "%s\n", error ? error : "no memory");
		free(error);
		return 1;
	}
	if (audio_pipeline_take(p) < 0)
		return 1;
	for (unsigned int i = 1; i <= o->seconds; i++) {
		struct audio_pipeline_stats s;
		double c;

		wait_until(start + i);
		audio_pipeline_get_stats(p, &s);
		c = cpu_seconds();
		printf("%u cpu=%.1f%% units=%llu bytes=%llu level=-%u "
		       "overruns=%llu lost=%llu\n",
		       i, (c - cpu) * 100, (unsigned long long) s.units_out,
		       (unsigned long long) s.bytes_out, s.level,
		       (unsigned long long) s.overruns,
		       (unsigned long long) s.samples_lost);
		fflush(stdout);
		cpu = c;
	}
	audio_pipeline_free(p);
	return 0;
}

static int run_bare(const struct options *o)
{
	enum media_codec codec = o->vp8 ? MEDIA_CODEC_VP8 : MEDIA_CODEC_H264;
	const struct encoder_ops *ops = encoder_find(codec);
	const struct media_clock *clock = media_clock_system();
	struct media_count count = {0};
	struct unit_pool *units = NULL;
	struct video_source *source = NULL;
	struct encoder *encoder = NULL;
	struct video_source_config sc = {
		.width = o->width,
		.height = o->height,
		.fps = o->fps,
		.clock = clock,
		.count = &count,
		.wake_fd = -1,
	};
	struct encoder_config ec = {
		.width = o->width,
		.height = o->height,
		.format = PICTURE_I420,
		.fps = o->fps,
		.bitrate_bps = o->bitrate,
	};
	uint64_t n = 0, bytes = 0;
	double cpu = cpu_seconds();
	char why[128];

	if (unit_pool_new(&units, &count, codec, 2) < 0)
		return 1;
	ec.units = units;
	if (source_test_ops.open(&source, &sc, why, sizeof(why)) < 0 ||
	    ops->open(&encoder, &ec) < 0) {
		fprintf(stderr, "cannot draw or encode that\n");
		return 1;
	}
	while (n < (uint64_t) o->seconds * o->fps) {
		struct video_source_wait wait;
		struct video_sample sample;
		struct picture_frame frame;
		struct coded_unit *u;

		source_test_ops.wait(source, &wait);
		media_clock_wait(clock, NULL, 0, wait.deadline_us);
		if (source_test_ops.take(source, &sample) != 0)
			continue;
		frame = (struct picture_frame){sample.picture,
					       sample.capture_us, o->fps};
		if (ops->encode(encoder, &frame, n == 0, &u) == ENCODER_UNIT) {
			bytes += u->size;
			coded_unit_unref(u);
		}
		picture_unref(sample.picture);
		n++;
	}
	printf("bare %s cpu=%.1f%% rss_anon=%u kbps=%llu\n", ops->name,
	       (cpu_seconds() - cpu) * 100 / o->seconds, rss_anon_kb(),
	       (unsigned long long) bytes * 8 / 1000 / o->seconds);
	ops->close(encoder);
	source_test_ops.close(source);
	unit_pool_close(units);
	return 0;
}

static int usage(void)
{
	fprintf(stderr,
		"media-probe [--bare] [--source SPEC] [--codec "
		"vp8|h264|both] [--seconds N]\n"
		"            [--size WxH] [--fps N] [--bitrate BPS] [--out "
		"FILE]\n"
		"media-probe --audio SPEC [--seconds N]\n");
	return 2;
}

int main(int argc, char *argv[])
{
	static const struct option longs[] = {
		{"source", required_argument, NULL, 's'},
		{"codec", required_argument, NULL, 'c'},
		{"seconds", required_argument, NULL, 'n'},
		{"size", required_argument, NULL, 'g'},
		{"fps", required_argument, NULL, 'f'},
		{"bitrate", required_argument, NULL, 'b'},
		{"out", required_argument, NULL, 'o'},
		{"audio", required_argument, NULL, 'a'},
		{"bare", no_argument, NULL, 'B'},
		{0},
	};
	struct options o = {
		.source = "test",
		.h264 = true,
		.seconds = 5,
		.width = 1280,
		.height = 720,
		.fps = 30,
		.bitrate = 2000000,
	};
	int c;

	library_log_silence();
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			o.source = optarg;
			break;
		case 'c':
			o.vp8 = strcmp(optarg, "h264") != 0;
			o.h264 = strcmp(optarg, "vp8") != 0;
			break;
		case 'n':
			o.seconds = (unsigned int) atoi(optarg);
			break;
		case 'g':
			if (sscanf(optarg, "%ux%u", &o.width, &o.height) != 2)
				return usage();
			break;
		case 'f':
			o.fps = (unsigned int) atoi(optarg);
			break;
		case 'b':
			o.bitrate = (unsigned int) atoi(optarg);
			break;
		case 'a':
			o.audio = optarg;
			break;
		case 'o':
			o.out = optarg;
			break;
		case 'B':
			o.bare = true;
			break;
		default:
			return usage();
		}
	}
	if (optind != argc || o.seconds == 0 || o.fps == 0)
		return usage();
	if (o.audio)
		return run_audio(&o);
	return o.bare ? run_bare(&o) : run_pipeline(&o);
}
