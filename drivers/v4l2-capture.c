// SPDX-License-Identifier: Apache-2.0
#include "drivers/v4l2-capture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "drivers/v4l2-format.h"

#define FORMATS_MAX    256	/* looked at; real devices have below 100 */
#define SIZES_MAX   64 /* of one format looked at */
#define BUFFERS_WANTED 6	/* 1 filling, 1 ready, 2 queued, 2 encoding */

struct mapping {
	void *start;
	size_t length;
};

struct v4l2_capture {
	int fd;
	enum v4l2_buf_type type;
	bool multiplanar;
	bool has_signal_events;
	struct v4l2_format_info info;
	unsigned int n_buffers;
	unsigned int n_planes;
	struct mapping map[V4L2_CAPTURE_BUFFERS_MAX][V4L2_CAPTURE_PLANES_MAX];
	atomic_bool streaming;
};

static int xioctl(int fd, unsigned long request, void *arg)
{
	int r;

	do
		r = ioctl(fd, request, arg);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

static int query_capabilities(struct v4l2_capture *c)
{
	struct v4l2_capability cap = { 0 };
	uint32_t caps;
	int r = xioctl(c->fd, VIDIOC_QUERYCAP, &cap);

	if (r < 0)
		return r == -ENOTTY ? -ENOTSUP : r;
	caps = cap.capabilities & V4L2_CAP_DEVICE_CAPS ? cap.device_caps :
							 cap.capabilities;
	/* An old converter calls itself capture and output at once. */
	if (!(caps & V4L2_CAP_STREAMING) ||
	    caps & (V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_OUTPUT_MPLANE))
		return -ENOTSUP;
	if (caps & V4L2_CAP_VIDEO_CAPTURE)
		c->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	else if (caps & V4L2_CAP_VIDEO_CAPTURE_MPLANE)
		c->type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	else
		return -ENOTSUP;
	c->multiplanar = c->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	snprintf(c->info.driver, sizeof(c->info.driver), "%.*s",
		 (int) sizeof(cap.driver), (const char *) cap.driver);
	snprintf(c->info.card, sizeof(c->info.card), "%.*s",
		 (int) sizeof(cap.card), (const char *) cap.card);
	return 0;
}

/* An HDMI input delivers what its source sends, and only after it was told to.
 * A camera has no such thing. */
static int follow_signal(struct v4l2_capture *c)
{
	struct v4l2_event_subscription wanted = {
		.type = V4L2_EVENT_SOURCE_CHANGE,
	};
	struct v4l2_dv_timings timings = { 0 };
	int input = 0, r;

	if (xioctl(c->fd, VIDIOC_G_INPUT, &input) >= 0)
		wanted.id = (uint32_t) input;
	c->has_signal_events = xioctl(c->fd, VIDIOC_SUBSCRIBE_EVENT, &wanted) >=
		0;
	r = xioctl(c->fd, VIDIOC_QUERY_DV_TIMINGS, &timings);
	if (r == -ENOTTY || r == -ENODATA || r == -EINVAL)
		return 0;
	return r < 0 ? r : xioctl(c->fd, VIDIOC_S_DV_TIMINGS, &timings);
}

static void set_rate(struct v4l2_capture *c, unsigned int fps)
{
	struct v4l2_streamparm parm = { .type = c->type };

	if (!fps)
		return;
	parm.parm.capture.timeperframe.numerator = 1;
	parm.parm.capture.timeperframe.denominator = fps;
	/* Not every device lets one choose; what it answers counts. */
	xioctl(c->fd, VIDIOC_S_PARM, &parm);
}

/* The nearest in size; among equals the one that was wished for first. */
static int negotiate(struct v4l2_capture *c,
		     const struct v4l2_format_wish *wishes,
		     unsigned int n_wishes)
{
	uint64_t nearest = UINT64_MAX, distance;
	const struct v4l2_format_wish *best = NULL;
	struct v4l2_format f;
	int r;

	for (unsigned int i = 0; i < n_wishes && nearest > 0; i++) {
		v4l2_format_ask(&wishes[i], c->type, &f);
		r = xioctl(c->fd, VIDIOC_TRY_FMT, &f);
		if (r == -ENODEV || r == -EIO)
			return r;
		distance = r < 0 ? UINT64_MAX :
				   v4l2_format_distance(&wishes[i], &f);
		if (distance < nearest) {
			nearest = distance;
			best = &wishes[i];
		}
	}
	if (!best)
		return -ENOTSUP;
	v4l2_format_ask(best, c->type, &f);
	r = xioctl(c->fd, VIDIOC_S_FMT, &f);
	if (r < 0)
		return r;
	if (v4l2_format_distance(best, &f) == UINT64_MAX)
		return -ENOTSUP;
	v4l2_format_read(&f, &c->info);
	set_rate(c, best->fps);
	return 0;
}

static void note_rate(struct v4l2_capture *c)
{
	struct v4l2_streamparm parm = { .type = c->type };

	c->info.fps_num = 0;
	c->info.fps_den = 1;
	if (xioctl(c->fd, VIDIOC_G_PARM, &parm) < 0 ||
	    !parm.parm.capture.timeperframe.numerator)
		return;
	c->info.fps_num = parm.parm.capture.timeperframe.denominator;
	c->info.fps_den = parm.parm.capture.timeperframe.numerator;
}

static void unmap_all(struct v4l2_capture *c)
{
	for (unsigned int i = 0; i < V4L2_CAPTURE_BUFFERS_MAX; i++) {
		for (unsigned int p = 0; p < V4L2_CAPTURE_PLANES_MAX; p++) {
			if (c->map[i][p].start)
				munmap(c->map[i][p].start, c->map[i][p].length);
			c->map[i][p].start = NULL;
		}
	}
}

static int map_buffer(struct v4l2_capture *c, unsigned int index)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = { 0 };
	struct v4l2_buffer b = {
		.type = c->type,
		.memory = V4L2_MEMORY_MMAP,
		.index = index,
	};
	int r;

	if (c->multiplanar) {
		b.m.planes = planes;
		b.length = VIDEO_MAX_PLANES;
	}
	r = xioctl(c->fd, VIDIOC_QUERYBUF, &b);
	if (r < 0)
		return r;
	c->n_planes = c->multiplanar ? b.length : 1;
	if (c->n_planes > V4L2_CAPTURE_PLANES_MAX)
		return -ENOTSUP;
	for (unsigned int p = 0; p < c->n_planes; p++) {
		size_t length = c->multiplanar ? planes[p].length : b.length;
		off_t offset = c->multiplanar ? planes[p].m.mem_offset :
						b.m.offset;
		void *start = mmap(NULL, length, PROT_READ | PROT_WRITE,
				   MAP_SHARED, c->fd, offset);

		if (start == MAP_FAILED)
			return -errno;
		c->map[index][p] = (struct mapping){ start, length };
	}
	return 0;
}

static int map_buffers(struct v4l2_capture *c)
{
	struct v4l2_requestbuffers req = {
		.type = c->type,
		.memory = V4L2_MEMORY_MMAP,
		.count = BUFFERS_WANTED,
	};
	int r = xioctl(c->fd, VIDIOC_REQBUFS, &req);

	if (r < 0)
		return r;
	if (req.count < 2)
		return -ENOMEM;
	c->n_buffers = req.count < V4L2_CAPTURE_BUFFERS_MAX ?
		req.count : V4L2_CAPTURE_BUFFERS_MAX;
	for (unsigned int i = 0; i < c->n_buffers; i++) {
		r = map_buffer(c, i);
		if (r < 0)
			return r;
	}
	return 0;
}

int v4l2_capture_open(struct v4l2_capture **ret, const char *path,
		      const struct v4l2_format_wish *wishes,
		      unsigned int n_wishes)
{
	struct v4l2_capture *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	r = c->fd < 0 ? -errno : query_capabilities(c);
	if (r >= 0)
		r = follow_signal(c);
	if (r >= 0)
		r = negotiate(c, wishes, n_wishes);
	if (r >= 0) {
		note_rate(c);
		r = map_buffers(c);
	}
	if (r < 0) {
		v4l2_capture_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct v4l2_capture *v4l2_capture_free(struct v4l2_capture *c)
{
	if (!c)
		return NULL;
	v4l2_capture_stop(c);
	unmap_all(c);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
	return NULL;
}

void v4l2_capture_get_format(const struct v4l2_capture *c,
			     struct v4l2_format_info *ret)
{
	*ret = c->info;
}

unsigned int v4l2_capture_get_n_buffers(const struct v4l2_capture *c)
{
	return c->n_buffers;
}

int v4l2_capture_get_fd(const struct v4l2_capture *c)
{
	return c->fd;
}

short v4l2_capture_get_events(const struct v4l2_capture *c)
{
	return c->has_signal_events ? POLLIN | POLLPRI : POLLIN;
}

static int queue_buffer(struct v4l2_capture *c, unsigned int index)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = { 0 };
	struct v4l2_buffer b = {
		.type = c->type,
		.memory = V4L2_MEMORY_MMAP,
		.index = index,
	};

	if (c->multiplanar) {
		b.m.planes = planes;
		b.length = c->n_planes;
	}
	return xioctl(c->fd, VIDIOC_QBUF, &b);
}

int v4l2_capture_start(struct v4l2_capture *c)
{
	int type = c->type;
	int r = 0;

	for (unsigned int i = 0; i < c->n_buffers && r >= 0; i++)
		r = queue_buffer(c, i);
	if (r >= 0)
		r = xioctl(c->fd, VIDIOC_STREAMON, &type);
	if (r < 0) {
		/* STREAMOFF takes the buffers out of the queue again. */
		xioctl(c->fd, VIDIOC_STREAMOFF, &type);
		return r;
	}
	atomic_store(&c->streaming, true);
	return 0;
}

void v4l2_capture_stop(struct v4l2_capture *c)
{
	int type = c->type;

	if (atomic_exchange(&c->streaming, false))
		xioctl(c->fd, VIDIOC_STREAMOFF, &type);
}

static uint64_t capture_time_us(const struct v4l2_buffer *b)
{
	struct timespec now;
	uint64_t now_us, us;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_us = (uint64_t) now.tv_sec * 1000000 +
		(uint64_t) now.tv_nsec / 1000;
	us = (uint64_t) b->timestamp.tv_sec * 1000000 +
		(uint64_t) b->timestamp.tv_usec;
	/* Old drivers stamp with the wall clock, which jumps; vivid with the
	 * time at which the frame would have ended, which is to come. */
	if ((b->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) !=
	    V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC || us > now_us)
		return now_us;
	return us;
}

static bool signal_changed(struct v4l2_capture *c)
{
	struct v4l2_event event = { 0 };

	return c->has_signal_events &&
		xioctl(c->fd, VIDIOC_DQEVENT, &event) >= 0;
}

int v4l2_capture_dequeue(struct v4l2_capture *c, struct v4l2_frame *ret)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = { 0 };
	struct v4l2_buffer b = { .type = c->type, .memory = V4L2_MEMORY_MMAP };
	size_t mapped[V4L2_CAPTURE_PLANES_MAX] = { 0 };
	size_t at[V4L2_CAPTURE_PLANES_MAX] = { 0 };
	struct v4l2_frame frame;
	int r;

	if (signal_changed(c))
		return -EPIPE;
	if (c->multiplanar) {
		b.m.planes = planes;
		b.length = c->n_planes;
	}
	r = xioctl(c->fd, VIDIOC_DQBUF, &b);
	if (r < 0)
		return r;
	if (b.index >= c->n_buffers)
		return -EBADMSG;
	frame = (struct v4l2_frame){
		.index = b.index,
		.n_planes = c->n_planes,
		.sequence = b.sequence,
		.capture_us = capture_time_us(&b),
		.damaged = b.flags & V4L2_BUF_FLAG_ERROR,
	};
	for (unsigned int p = 0; p < c->n_planes; p++)
		mapped[p] = c->map[b.index][p].length;
	r = v4l2_format_locate(&b, c->n_planes, mapped, at, frame.bytes);
	if (r < 0) {
		queue_buffer(c, b.index);
		return r;
	}
	for (unsigned int p = 0; p < c->n_planes; p++) {
		frame.data[p] = (const uint8_t *) c->map[b.index][p].start +
			at[p];
		frame.damaged |= frame.bytes[p] == 0;
	}
	*ret = frame;
	return 0;
}

void v4l2_capture_queue(struct v4l2_capture *c, unsigned int index)
{
	if (atomic_load(&c->streaming))
		queue_buffer(c, index);
}

static int set_control(struct v4l2_capture *c, uint32_t id, int32_t value)
{
	struct v4l2_control control = { .id = id, .value = value };
	int r = xioctl(c->fd, VIDIOC_S_CTRL, &control);

	return r == -EINVAL || r == -ENOTTY ? -ENOTSUP : r;
}

int v4l2_capture_force_keyframe(struct v4l2_capture *c)
{
	return set_control(c, V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, 1);
}

int v4l2_capture_set_bitrate(struct v4l2_capture *c, unsigned int bps)
{
	return set_control(c, V4L2_CID_MPEG_VIDEO_BITRATE, (int32_t) bps);
}

/* A node that captures metadata, radio, depth or a sensor's raw cells is not
 * the camera somebody means who named none. */
static bool has_pictures(const struct v4l2_capture *c)
{
	static const uint32_t pictures[] = {
		V4L2_PIX_FMT_YUV420, V4L2_PIX_FMT_NV12,	 V4L2_PIX_FMT_YUYV,
		V4L2_PIX_FMT_MJPEG,  V4L2_PIX_FMT_JPEG,	 V4L2_PIX_FMT_H264,
	};

	for (uint32_t n = 0; n < FORMATS_MAX; n++) {
		struct v4l2_fmtdesc d = { .type = c->type, .index = n };

		if (xioctl(c->fd, VIDIOC_ENUM_FMT, &d) < 0)
			break;
		for (size_t i = 0; i < sizeof(pictures) / sizeof(*pictures);
		     i++) {
			if (d.pixelformat == pictures[i])
				return true;
		}
	}
	return false;
}

static bool is_camera(const char *path)
{
	struct v4l2_capture c = { .fd = -1 };
	bool yes;

	c.fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (c.fd < 0)
		return false;
	yes = query_capabilities(&c) >= 0 && has_pictures(&c);
	close(c.fd);
	return yes;
}

int v4l2_find_camera(struct device *ret)
{
	struct device *list = calloc(DEVICES_MAX, sizeof(*list));
	size_t n = list ? device_list(DEVICE_CAMERA, list, DEVICES_MAX) : 0;
	int r = -ENODEV;

	for (size_t i = 0; i < n && r < 0; i++) {
		if (!is_camera(list[i].node))
			continue;
		*ret = list[i];
		r = 0;
	}
	free(list);
	return r;
}

/* Of the nodes of one piece of hardware the first that has pictures. */
static int choose_node(const struct device *list, size_t n, size_t first,
		       struct device *ret)
{
	for (size_t i = first; i < n; i++) {
		if (strcmp(list[i].hardware, list[first].hardware) ||
		    !is_camera(list[i].node))
			continue;
		*ret = list[i];
		return 0;
	}
	/* None may be opened, or none is a camera: opening it says why. */
	*ret = list[first];
	return 0;
}

/* A node's path, or a link's, as the kernel has it. */
static void read_path(const char *path, const struct device *list, size_t n,
		      struct device *ret)
{
	char *real = realpath(path, NULL);

	*ret = (struct device) { .kind = DEVICE_CAMERA };
	for (size_t i = 0; real && i < n; i++)
		if (!strcmp(list[i].node, real))
			*ret = list[i];
	if (real && strlen(real) < sizeof(ret->node))
		strcpy(ret->node, real);
	free(real);
}

int v4l2_resolve(const char *word, struct device *ret, char *why,
		 size_t why_size)
{
	struct device *list = calloc(DEVICES_MAX, sizeof(*list));
	size_t n = list ? device_list(DEVICE_CAMERA, list, DEVICES_MAX) : 0;
	size_t found = 0;
	int r = 0;

	if (!list)
		return -ENOMEM;
	if (*word == '/')
		read_path(word, list, n, ret);
	else
		r = device_match(list, n, word, &found, why, why_size);
	if (r == 0 && *word != '/')
		r = strstr(word, "-video-index") ?
			(*ret = list[found], 0) :
			choose_node(list, n, found, ret);
	free(list);
	return r;
}

static void read_size(struct v4l2_capture *c, uint32_t fourcc,
		      unsigned int *ret_width, unsigned int *ret_height)
{
	for (uint32_t n = 0; n < SIZES_MAX; n++) {
		struct v4l2_frmsizeenum e = { .index = n,
					      .pixel_format = fourcc };
		unsigned int w, h;

		if (xioctl(c->fd, VIDIOC_ENUM_FRAMESIZES, &e) < 0)
			break;
		w = e.type == V4L2_FRMSIZE_TYPE_DISCRETE ?
			e.discrete.width : e.stepwise.max_width;
		h = e.type == V4L2_FRMSIZE_TYPE_DISCRETE ?
			e.discrete.height : e.stepwise.max_height;
		if ((uint64_t) w * h > (uint64_t) *ret_width * *ret_height) {
			*ret_width = w;
			*ret_height = h;
		}
		if (e.type != V4L2_FRMSIZE_TYPE_DISCRETE)
			break;
	}
}

static void read_formats(struct v4l2_capture *c, struct v4l2_camera *camera)
{
	for (uint32_t n = 0; n < V4L2_CAMERA_FORMATS_MAX; n++) {
		struct v4l2_fmtdesc d = { .type = c->type, .index = n };

		if (xioctl(c->fd, VIDIOC_ENUM_FMT, &d) < 0)
			break;
		camera->formats[n].fourcc = d.pixelformat;
		read_size(c, d.pixelformat, &camera->formats[n].width,
			  &camera->formats[n].height);
		camera->n_formats++;
	}
}

static bool read_camera(const char *path, struct v4l2_camera *ret)
{
	struct v4l2_capture c = { .fd = -1 };
	struct v4l2_capability cap = { 0 };
	bool yes;

	c.fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (c.fd < 0)
		return false;
	yes = query_capabilities(&c) >= 0 && has_pictures(&c) &&
		xioctl(c.fd, VIDIOC_QUERYCAP, &cap) >= 0;
	if (yes) {
		*ret = (struct v4l2_camera) { 0 };
		snprintf(ret->card, sizeof(ret->card), "%s",
			 (const char *) cap.card);
		read_formats(&c, ret);
	}
	close(c.fd);
	return yes;
}

void v4l2_list_cameras(void (*found)(void *user, const struct v4l2_camera *c),
		       void *user)
{
	struct device *list = calloc(DEVICES_MAX, sizeof(*list));
	size_t n = list ? device_list(DEVICE_CAMERA, list, DEVICES_MAX) : 0;

	for (size_t i = 0; i < n; i++) {
		struct v4l2_camera camera;

		if (!read_camera(list[i].node, &camera))
			continue;
		camera.device = list[i];
		snprintf(camera.name, sizeof(camera.name), "%s",
			 device_get_lasting_name(list, n, &list[i]));
		found(user, &camera);
	}
	free(list);
}
