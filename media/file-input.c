// SPDX-License-Identifier: Apache-2.0
#include "media/file-input.h"

#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IO_BYTES     32768
#define NO_LOG	     64
#define MAX_BAD	     100 /* broken packets in a row */
#define US_TIME_BASE ((AVRational){1, 1000000})

struct file_input {
	char *path;
	enum file_input_kind kind;
	int fd, wake_fd;
	bool is_fifo, woken;
	AVFormatContext *format;
	AVCodecContext *codec;
	AVPacket *packet;
	AVStream *stream; /* of format */
	bool is_first;	  /* of its round */
	bool any;	  /* frame in this round */
	bool draining;
};

/* Blocks for a FIFO's writer, but not against the wake descriptor. */
static int read_bytes(void *user, uint8_t *buf, int size)
{
	struct file_input *f = user;

	for (;;) {
		struct pollfd fds[2] = {
			{.fd = f->fd, .events = POLLIN},
			{.fd = f->wake_fd, .events = POLLIN},
		};
		ssize_t n;

		if (f->is_fifo) {
			if (poll(fds, 2, -1) < 0 && errno != EINTR)
				return AVERROR(errno);
			if (fds[1].revents) {
				f->woken = true;
				return AVERROR_EXIT;
			}
		}
		n = read(f->fd, buf, (size_t) size);
		if (n > 0)
			return (int) n;
		if (n == 0)
			return AVERROR_EOF;
		if (errno != EINTR && errno != EAGAIN)
			return AVERROR(errno);
	}
}

static int64_t seek_bytes(void *user, int64_t offset, int whence)
{
	struct file_input *f = user;
	struct stat st;
	off_t r;

	if (whence & AVSEEK_SIZE)
		return fstat(f->fd, &st) < 0 ? AVERROR(errno) : st.st_size;
	r = lseek(f->fd, offset, whence & ~AVSEEK_FORCE);
	return r < 0 ? AVERROR(errno) : r;
}

static void close_format(struct file_input *f)
{
	AVIOContext *io = f->format ? f->format->pb : NULL;

	avcodec_free_context(&f->codec);
	avformat_close_input(&f->format);
	if (io) {
		av_freep(&io->buffer);
		avio_context_free(&io);
	}
	f->stream = NULL;
}

struct file_input *file_input_close(struct file_input *f)
{
	if (!f)
		return NULL;
	close_format(f);
	av_packet_free(&f->packet);
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	free(f);
	return NULL;
}

int file_input_open(struct file_input **ret, const char *path,
		    enum file_input_kind kind, int wake_fd, char *why,
		    size_t why_size)
{
	struct file_input *f = calloc(1, sizeof(*f));
	struct stat st;
	int r = 0;

	if (!f)
		return -ENOMEM;
	f->kind = kind;
	f->wake_fd = wake_fd;
	f->path = strdup(path);
	f->packet = av_packet_alloc();
	f->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		r = -errno;
	else if (!f->path || !f->packet)
		r = -ENOMEM;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	if (r < 0) {
		snprintf(why, why_size, "cannot read '%s': %s", path,
			 strerror(-r));
		file_input_close(f);
		return r;
	}
	f->is_fifo = !S_ISREG(st.st_mode);
	*ret = f;
	return 0;
}

int file_input_get_fd(const struct file_input *f)
{
	return f->is_fifo && !f->format ? f->fd : -1;
}

static int to_errno(const struct file_input *f, int averror)
{
	if (f->woken)
		return -EINTR;
	if (averror == AVERROR_EOF)
		return -EPIPE;
	if (averror == AVERROR_STREAM_NOT_FOUND ||
	    averror == AVERROR_DECODER_NOT_FOUND ||
	    averror == AVERROR_PATCHWELCOME)
		return -ENOTSUP;
	/* The library's own numbers lie far outside errno's. */
	return averror < -4095 ? -EBADMSG : averror;
}

static int open_decoder(struct file_input *f, const AVCodec *decoder)
{
	int r;

	f->codec = avcodec_alloc_context3(decoder);
	if (!f->codec)
		return AVERROR(ENOMEM);
	f->codec->log_level_offset = NO_LOG;
	f->codec->thread_count = 1;
	f->codec->pkt_timebase = f->stream->time_base;
	r = avcodec_parameters_to_context(f->codec, f->stream->codecpar);
	if (r < 0)
		return r;
	return avcodec_open2(f->codec, decoder, NULL);
}

static int open_format(struct file_input *f)
{
	enum AVMediaType type = f->kind == FILE_INPUT_VIDEO
					? AVMEDIA_TYPE_VIDEO
					: AVMEDIA_TYPE_AUDIO;
	const AVCodec *decoder = NULL;
	uint8_t *buffer;
	AVIOContext *io;
	int r;

	buffer = av_malloc(IO_BYTES);
	io = buffer ? avio_alloc_context(buffer, IO_BYTES, 0, f, read_bytes,
					 NULL, f->is_fifo ? NULL : seek_bytes)
		    : NULL;
	f->format = io ? avformat_alloc_context() : NULL;
	if (!f->format) {
		if (io)
			avio_context_free(&io);
		av_free(buffer);
		return AVERROR(ENOMEM);
	}
	f->format->pb = io;
	r = avformat_open_input(&f->format, f->path, NULL, NULL);
	if (r < 0) {
		/* It freed the context, but not what was ours. */
		av_freep(&io->buffer);
		avio_context_free(&io);
		return r;
	}
	r = avformat_find_stream_info(f->format, NULL);
	if (r >= 0)
		r = av_find_best_stream(f->format, type, -1, -1, &decoder, 0);
	if (r >= 0) {
		f->stream = f->format->streams[r];
		for (unsigned int i = 0; i < f->format->nb_streams; i++)
			if ((int) i != r)
				f->format->streams[i]->discard = AVDISCARD_ALL;
		r = open_decoder(f, decoder);
	}
	if (r < 0) {
		close_format(f);
		return r;
	}
	f->is_first = true;
	f->any = false;
	f->draining = false;
	return 0;
}

/* Back to the start: by seeking where the format can, else opened anew. */
static int start_over(struct file_input *f)
{
	if (f->is_fifo)
		return AVERROR_EOF;
	if (!f->any)
		return AVERROR_INVALIDDATA; /* a round without a frame */

	if (av_seek_frame(f->format, -1,
			  f->format->start_time == AV_NOPTS_VALUE
				  ? 0
				  : f->format->start_time,
			  AVSEEK_FLAG_BACKWARD) >= 0) {
		avcodec_flush_buffers(f->codec);
		f->is_first = true;
		f->any = false;
		f->draining = false;
		return 0;
	}
	close_format(f);
	if (lseek(f->fd, 0, SEEK_SET) < 0)
		return AVERROR(errno);
	return open_format(f);
}

/* Feeds the decoder one packet, or the end. */
static int feed(struct file_input *f, unsigned int *n_bad)
{
	int r = av_read_frame(f->format, f->packet);

	if (r == AVERROR_EOF) {
		f->draining = true;
		return avcodec_send_packet(f->codec, NULL);
	}
	if (r < 0)
		return r;
	if (f->packet->stream_index == f->stream->index)
		r = avcodec_send_packet(f->codec, f->packet);
	av_packet_unref(f->packet);
	if (r == AVERROR_INVALIDDATA && ++*n_bad < MAX_BAD)
		return 0;
	return r;
}

int file_input_read(struct file_input *f, AVFrame *frame, int64_t *ret_pts_us)
{
	unsigned int n_bad = 0;
	bool first;
	int r = 0;

	f->woken = false;
	if (!f->format)
		r = open_format(f);
	while (r >= 0) {
		r = avcodec_receive_frame(f->codec, frame);
		if (r >= 0)
			break;
		if (r == AVERROR_EOF && f->draining)
			r = start_over(f);
		else if (r == AVERROR(EAGAIN))
			r = feed(f, &n_bad);
	}
	if (r < 0)
		return to_errno(f, r);

	first = f->is_first;
	f->is_first = false;
	f->any = true;
	*ret_pts_us =
		frame->best_effort_timestamp == AV_NOPTS_VALUE
			? INT64_MIN
			: av_rescale_q(frame->best_effort_timestamp,
				       f->stream->time_base, US_TIME_BASE);
	return first ? FILE_INPUT_FIRST : FILE_INPUT_FRAME;
}

unsigned int file_input_get_fps(const struct file_input *f)
{
	AVRational rate;

	if (!f->stream)
		return 0;
	rate = av_guess_frame_rate(f->format, f->stream, NULL);
	if (rate.num <= 0 || rate.den <= 0)
		return 0;
	return (unsigned int) (av_q2d(rate) + 0.5);
}
