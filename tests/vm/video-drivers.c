// SPDX-License-Identifier: Apache-2.0
/* tests/vm/video-drivers.c - drivers/v4l2-capture on the kernel's own devices
 *
 *   video-drivers vivid     vivid devices: /dev/video10 is a webcam, 11 an HDMI
 *                           input, 12 a webcam with the multi-planar interface
 *   video-drivers usb       uvcvideo: two USB cameras with the serial numbers
 *                           CAM-A and CAM-B, commanded through /run/cam-a, -b
 *
 * For root in a virtual machine: devices are unplugged on the way.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "drivers/v4l2-capture.h"
#include "tests/vm/cases.h"

#define WEBCAM	   "/dev/video10"
#define HDMI	   "/dev/video11"
#define PLANES	   "/dev/video12"
#define ID(s)	   "usb-Vusb_Test_Devices_Vusb_Camera_" s
#define LINK(s)	   "/dev/v4l/by-id/" ID(s) "-video-index0"
#define USB_A	   LINK("CAM-A")
#define USB_B	   LINK("CAM-B")
#define DRIVER	   "/sys/bus/platform/drivers/vivid/"
#define WAIT_MS	   20000	/* a deadline, not a measure */
#define N_FRAMES   15
#define N_TRIES	   5

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 &&
		write(fd, text, strlen(text)) == (ssize_t) strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Sets the control of that name, as the device's user interface has it. */
static bool set_named_control(const char *path, const char *name, int value)
{
	struct v4l2_queryctrl q = { .id = V4L2_CTRL_FLAG_NEXT_CTRL };
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool ok = false;

	while (fd >= 0 && ioctl(fd, VIDIOC_QUERYCTRL, &q) == 0) {
		struct v4l2_control c = { .id = q.id, .value = value };

		if (!strcmp((const char *) q.name, name)) {
			ok = ioctl(fd, VIDIOC_S_CTRL, &c) == 0;
			break;
		}
		q.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

static int open_as(struct v4l2_capture **ret, const char *path,
		   uint32_t fourcc, unsigned int width, unsigned int height,
		   unsigned int fps)
{
	struct v4l2_format_wish wish = { fourcc, width, height, fps };

	return v4l2_capture_open(ret, path, &wish, 1);
}

/* Opens again and again until it works: after plugging in. */
static int open_patiently(struct v4l2_capture **ret, const char *path,
			  uint32_t fourcc, unsigned int width,
			  unsigned int height, unsigned int fps)
{
	uint64_t deadline = now_us() + WAIT_MS * 1000;
	int r;

	do {
		r = open_as(ret, path, fourcc, width, height, fps);
		if (r < 0)
			poll(NULL, 0, 50);
	} while (r < 0 && now_us() < deadline);
	return r;
}

/* The next frame, as the capture thread takes it. */
static int next_frame(struct v4l2_capture *c, struct v4l2_frame *ret)
{
	uint64_t deadline = now_us() + WAIT_MS * 1000;

	while (now_us() < deadline) {
		struct pollfd p = { v4l2_capture_get_fd(c),
				    v4l2_capture_get_events(c), 0 };
		int r;

		if (poll(&p, 1, 500) <= 0)
			continue;
		r = v4l2_capture_dequeue(c, ret);
		if (r != -EAGAIN)
			return r;
	}
	return -ETIMEDOUT;
}

/* Frames until the stream breaks. Return: how it broke. */
static int drain(struct v4l2_capture *c)
{
	struct v4l2_frame f;
	int r;

	while ((r = next_frame(c, &f)) == 0)
		v4l2_capture_queue(c, f.index);
	return r;
}

/* Do eight bars of falling brightness stand in the picture? */
static bool has_bars(const uint8_t *luma, unsigned int stride,
		     unsigned int step, unsigned int width,
		     unsigned int height)
{
	unsigned int last = 256 * 16;

	for (unsigned int bar = 0; bar < 8; bar++) {
		unsigned int x = bar * width / 8 + width / 16, sum = 0;

		for (unsigned int i = 0; i < 16; i++)
			sum += luma[(size_t) (height / 2 + i) * stride +
				    (size_t) x * step];
		if (sum >= last) {
			printf("# bar %u: %u after %u\n", bar, sum / 16,
			       last / 16);
			return false;
		}
		last = sum;
	}
	return true;
}

static bool run_stream(struct v4l2_capture *c, unsigned int n, uint32_t *gaps)
{
	uint64_t last_us = 0, now;
	uint32_t last = 0;
	struct v4l2_frame f;

	*gaps = 0;
	for (unsigned int i = 0; i < n; i++) {
		REQUIRE_EQ(next_frame(c, &f), 0);
		now = now_us();
		if (f.capture_us <= last_us || f.capture_us > now)
			printf("# frame %u at %llu, last %llu, now %llu\n", i,
			       (unsigned long long) f.capture_us,
			       (unsigned long long) last_us,
			       (unsigned long long) now);
		REQUIRE(f.capture_us > last_us && f.capture_us <= now);
		if (i)
			*gaps += f.sequence - last - 1;
		last = f.sequence;
		last_us = f.capture_us;
		v4l2_capture_queue(c, f.index);
	}
	return true;
}

/* A busy host makes the guest's clock jump, and vivid leaves frames out: then
 * there is another try. A driver of ours that lost frames would always. */
static bool run_without_gap(struct v4l2_capture *c)
{
	uint32_t gaps = 1;

	for (unsigned int i = 0; i < N_TRIES && gaps; i++)
		REQUIRE(run_stream(c, N_FRAMES, &gaps));
	REQUIRE_EQ(gaps, 0);
	return true;
}

static bool raw_format(const char *path, uint32_t fourcc,
		       unsigned int n_planes, const size_t *bytes)
{
	unsigned int step = fourcc == V4L2_PIX_FMT_YUYV ? 2 : 1;
	struct v4l2_format_info info;
	struct v4l2_capture *c;
	struct v4l2_frame f;

	/* Its text would stand before the bars. */
	REQUIRE(set_named_control(path, "OSD Text Mode", 2));
	REQUIRE_EQ(open_as(&c, path, fourcc, 320, 180, 15), 0);
	v4l2_capture_get_format(c, &info);
	REQUIRE_EQ(info.fourcc, fourcc);
	REQUIRE_EQ(info.width, 320);
	REQUIRE_EQ(info.height, 180);
	REQUIRE_EQ(info.stride, 320 * step);
	REQUIRE_EQ(info.fps_num, info.fps_den * 15);
	REQUIRE(!strcmp(info.driver, "vivid"));
	REQUIRE(v4l2_capture_get_n_buffers(c) >= 4);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	REQUIRE_EQ(next_frame(c, &f), 0);
	REQUIRE_EQ(f.n_planes, n_planes);
	for (unsigned int i = 0; i < n_planes; i++)
		REQUIRE_EQ(f.bytes[i], bytes[i]);
	REQUIRE(!f.damaged);
	REQUIRE(has_bars(f.data[0], info.stride, step, 320, 180));
	v4l2_capture_queue(c, f.index);
	REQUIRE(run_without_gap(c));
	v4l2_capture_free(c);
	return true;
}

static bool vivid_yuyv(void)
{
	static const size_t bytes[] = { 320 * 180 * 2 };

	return raw_format(WEBCAM, V4L2_PIX_FMT_YUYV, 1, bytes);
}

static bool vivid_nv12(void)
{
	static const size_t bytes[] = { 320 * 180 * 3 / 2 };

	return raw_format(WEBCAM, V4L2_PIX_FMT_NV12, 1, bytes);
}

static bool vivid_yu12(void)
{
	static const size_t bytes[] = { 320 * 180 * 3 / 2 };

	return raw_format(WEBCAM, V4L2_PIX_FMT_YUV420, 1, bytes);
}

static bool vivid_multiplanar(void)
{
	static const size_t one[] = { 320 * 180 * 3 / 2 };
	static const size_t two[] = { 320 * 180, 320 * 90 };

	return raw_format(PLANES, V4L2_PIX_FMT_NV12, 1, one) &&
		raw_format(PLANES, V4L2_PIX_FMT_NV12M, 2, two);
}

static bool vivid_find(void)
{
	struct device device;
	char why[256];

	REQUIRE_EQ(v4l2_find_camera(&device), 0);
	REQUIRE(!strcmp(device.node, WEBCAM));
	/* Without udev: the place in sysfs. */
	REQUIRE(!strcmp(device.id, ""));
	printf("# %s is '%s' at %s\n", device.node, device.name, device.port);
	REQUIRE(strstr(device.port, "vivid.0-video-index"));
	REQUIRE_EQ(v4l2_resolve(device.port, &device, why, sizeof(why)), 0);
	REQUIRE(!strcmp(device.node, WEBCAM));
	REQUIRE_EQ(v4l2_resolve("nobody", &device, why, sizeof(why)), -ENODEV);
	REQUIRE_EQ(v4l2_resolve("/dev/nobody", &device, why, sizeof(why)), 0);
	REQUIRE(!strcmp(device.node, ""));
	return true;
}

static bool vivid_wrong_path(void)
{
	struct v4l2_capture *c = NULL;
	uint32_t fourcc = V4L2_PIX_FMT_NV12;

	REQUIRE_EQ(open_as(&c, "/dev/video99", fourcc, 320, 180, 15), -ENOENT);
	REQUIRE_EQ(open_as(&c, "/dev/null", fourcc, 320, 180, 15), -ENOTSUP);
	REQUIRE_EQ(open_as(&c, "/dev", fourcc, 320, 180, 15), -EISDIR);
	REQUIRE(c == NULL);
	return true;
}

static bool vivid_choice(void)
{
	static const struct v4l2_format_wish wishes[] = {
		{ V4L2_PIX_FMT_MJPEG, 320, 180, 15 },	/* has none */
		{ V4L2_PIX_FMT_NV12, 320, 180, 15 },
		{ V4L2_PIX_FMT_YUYV, 320, 180, 15 },
	};
	struct v4l2_format_info info;
	struct v4l2_capture *c;

	REQUIRE_EQ(v4l2_capture_open(&c, WEBCAM, wishes, 1), -ENOTSUP);
	REQUIRE_EQ(v4l2_capture_open(&c, WEBCAM, wishes, 3), 0);
	v4l2_capture_get_format(c, &info);
	REQUIRE_EQ(info.fourcc, V4L2_PIX_FMT_NV12);
	v4l2_capture_free(c);

	REQUIRE_EQ(open_as(&c, WEBCAM, V4L2_PIX_FMT_NV12, 1300, 700, 10), 0);
	v4l2_capture_get_format(c, &info);
	REQUIRE_EQ(info.width, 1280);
	REQUIRE_EQ(info.height, 720);
	v4l2_capture_free(c);
	return true;
}

static bool vivid_busy(void)
{
	struct v4l2_capture *first, *second;

	REQUIRE_EQ(open_as(&first, WEBCAM, V4L2_PIX_FMT_NV12, 320, 180, 15),
		   0);
	REQUIRE_EQ(v4l2_capture_start(first), 0);
	REQUIRE_EQ(open_as(&second, WEBCAM, V4L2_PIX_FMT_YUYV, 640, 360, 15),
		   -EBUSY);
	REQUIRE(run_without_gap(first));
	v4l2_capture_free(first);
	return true;
}

struct held {
	struct v4l2_capture *capture;
	unsigned int index[V4L2_CAPTURE_BUFFERS_MAX], n;
};

static void *give_back(void *user)
{
	struct held *h = user;

	for (unsigned int i = 0; i < h->n; i++)
		v4l2_capture_queue(h->capture, h->index[i]);
	return NULL;
}

/* A slow reader holds every buffer; another thread lets go of them. */
static bool vivid_all_buffers_out(void)
{
	struct held held = { 0 };
	struct v4l2_capture *c;
	struct v4l2_frame f;
	pthread_t thread;
	uint32_t gaps;

	REQUIRE_EQ(open_as(&c, WEBCAM, V4L2_PIX_FMT_NV12, 320, 180, 15), 0);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	held.capture = c;
	while (held.n < v4l2_capture_get_n_buffers(c)) {
		REQUIRE_EQ(next_frame(c, &f), 0);
		held.index[held.n++] = f.index;
	}
	REQUIRE_EQ(v4l2_capture_dequeue(c, &f), -EAGAIN);
	REQUIRE_EQ(pthread_create(&thread, NULL, give_back, &held), 0);
	REQUIRE(run_stream(c, N_FRAMES, &gaps));
	pthread_join(thread, NULL);

	/* Stopped, a buffer that is still out may come back or not. */
	REQUIRE_EQ(next_frame(c, &f), 0);
	v4l2_capture_stop(c);
	v4l2_capture_queue(c, f.index);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	REQUIRE(run_stream(c, N_FRAMES, &gaps));
	v4l2_capture_free(c);
	return true;
}

static bool vivid_damaged(void)
{
	struct v4l2_capture *c;
	struct v4l2_frame f;
	unsigned int damaged = 0;

	REQUIRE_EQ(open_as(&c, WEBCAM, V4L2_PIX_FMT_NV12, 320, 180, 15), 0);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	REQUIRE_EQ(next_frame(c, &f), 0);
	v4l2_capture_queue(c, f.index);
	REQUIRE(set_named_control(WEBCAM, "Inject V4L2_BUF_FLAG_ERROR", 1));
	for (unsigned int i = 0; i < N_FRAMES; i++) {
		REQUIRE_EQ(next_frame(c, &f), 0);
		damaged += f.damaged;
		v4l2_capture_queue(c, f.index);
	}
	REQUIRE_EQ(damaged, 1);
	v4l2_capture_free(c);
	return true;
}

static bool vivid_fails_at_start(void)
{
	struct v4l2_capture *c;
	uint32_t gaps;

	REQUIRE_EQ(open_as(&c, WEBCAM, V4L2_PIX_FMT_NV12, 320, 180, 15), 0);
	REQUIRE(set_named_control(WEBCAM, "Inject VIDIOC_STREAMON Error", 1));
	REQUIRE(v4l2_capture_start(c) < 0);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	REQUIRE(run_stream(c, N_FRAMES, &gaps));
	v4l2_capture_free(c);
	return true;
}

static bool vivid_breaks(void)
{
	struct v4l2_capture *c;
	uint32_t gaps;

	REQUIRE_EQ(open_as(&c, WEBCAM, V4L2_PIX_FMT_NV12, 320, 180, 15), 0);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	REQUIRE(run_stream(c, 3, &gaps));
	REQUIRE(set_named_control(WEBCAM, "Inject Fatal Streaming Error", 1));
	REQUIRE_EQ(drain(c), -EIO);
	v4l2_capture_free(c);
	return vivid_nv12();
}

static bool vivid_hdmi(void)
{
	struct v4l2_capture *c;
	uint32_t gaps;

	REQUIRE(set_named_control(HDMI, "DV Timings Signal Mode", 0));
	REQUIRE_EQ(open_as(&c, HDMI, V4L2_PIX_FMT_NV12, 640, 480, 0), 0);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	REQUIRE(run_stream(c, 3, &gaps));
	REQUIRE(set_named_control(HDMI, "DV Timings Signal Mode", 1));
	REQUIRE_EQ(drain(c), -EPIPE);
	v4l2_capture_free(c);

	REQUIRE_EQ(open_as(&c, HDMI, V4L2_PIX_FMT_NV12, 640, 480, 0),
		   -ENOLINK);
	REQUIRE(set_named_control(HDMI, "DV Timings Signal Mode", 0));
	REQUIRE_EQ(open_as(&c, HDMI, V4L2_PIX_FMT_NV12, 640, 480, 0), 0);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	REQUIRE(run_stream(c, 3, &gaps));
	v4l2_capture_free(c);
	return true;
}

static bool vivid_unbound(void)
{
	struct v4l2_capture *c;
	struct v4l2_frame f;
	uint32_t gaps;

	REQUIRE_EQ(open_as(&c, WEBCAM, V4L2_PIX_FMT_NV12, 320, 180, 15), 0);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	REQUIRE(run_stream(c, 3, &gaps));
	REQUIRE_EQ(next_frame(c, &f), 0);
	REQUIRE(write_file(DRIVER "unbind", "vivid.0"));
	REQUIRE_EQ(drain(c), -ENODEV);
	/* Its memory stays while somebody looks at it. */
	REQUIRE(has_bars(f.data[0], 320, 1, 320, 180));
	v4l2_capture_queue(c, f.index);
	v4l2_capture_free(c);
	REQUIRE(write_file(DRIVER "bind", "vivid.0"));
	REQUIRE_EQ(open_patiently(&c, WEBCAM, V4L2_PIX_FMT_NV12, 320, 180, 15),
		   0);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	REQUIRE(run_stream(c, N_FRAMES, &gaps));
	v4l2_capture_free(c);
	return true;
}

/* --- USB ----------------------------------------------------------------- */
static bool usb_find(void)
{
	char why[256], *link = realpath(USB_A, NULL);
	struct device device, same;

	REQUIRE_EQ(v4l2_find_camera(&device), 0);
	REQUIRE(!strcmp(device.id, ID("CAM-A") "-video-index0"));
	REQUIRE(device.has_serial);
	REQUIRE(link && !strcmp(device.node, link));
	printf("# %s is '%s' at %s\n", device.node, device.name, device.port);
	/* By its serial number, by its socket, by the link, by the path. */
	REQUIRE_EQ(v4l2_resolve(ID("CAM-A"), &same, why, sizeof(why)), 0);
	REQUIRE(!strcmp(same.node, device.node));
	REQUIRE_EQ(v4l2_resolve(device.port, &same, why, sizeof(why)), 0);
	REQUIRE(!strcmp(same.node, device.node));
	REQUIRE_EQ(v4l2_resolve(USB_A, &same, why, sizeof(why)), 0);
	REQUIRE(!strcmp(same.id, device.id));
	REQUIRE_EQ(v4l2_resolve(device.node, &same, why, sizeof(why)), 0);
	REQUIRE(!strcmp(same.id, device.id));
	/* Two of one model. */
	REQUIRE_EQ(v4l2_resolve("vusb", &same, why, sizeof(why)), -ENOTUNIQ);
	REQUIRE(strstr(why, ID("CAM-A")) && strstr(why, ID("CAM-B")));
	free(link);
	return true;
}

/* The camera writes number and time into each JPEG. */
static bool usb_mjpeg(void)
{
	unsigned long long last = 0, worst_us = 0;
	struct v4l2_format_info info;
	struct v4l2_capture *c;
	struct v4l2_frame f;

	REQUIRE_EQ(open_patiently(&c, USB_A, V4L2_PIX_FMT_MJPEG, 320, 180, 15),
		   0);
	v4l2_capture_get_format(c, &info);
	REQUIRE_EQ(info.width, 320);
	REQUIRE_EQ(info.fps_num, info.fps_den * 15);
	REQUIRE_EQ(v4l2_capture_force_keyframe(c), -ENOTSUP);
	REQUIRE_EQ(v4l2_capture_set_bitrate(c, 1000000), -ENOTSUP);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	for (unsigned int i = 0; i < N_FRAMES * 2; i++) {
		unsigned long long number, t_ns, late;
		char note[100];

		REQUIRE_EQ(next_frame(c, &f), 0);
		REQUIRE(f.bytes[0] > 200);
		REQUIRE(f.data[0][0] == 0xff && f.data[0][1] == 0xd8 &&
			f.data[0][3] == 0xfe);
		snprintf(note, sizeof(note), "%.90s",
			 (const char *) f.data[0] + 6);
		REQUIRE_EQ(sscanf(note, "vusb frame=%llu t_ns=%llu", &number,
				  &t_ns), 2);
		if (i)
			REQUIRE_EQ(number, last + 1);
		last = number;
		REQUIRE(f.capture_us >= t_ns / 1000);
		late = f.capture_us - t_ns / 1000;
		worst_us = late > worst_us ? late : worst_us;
		v4l2_capture_queue(c, f.index);
	}
	printf("# capture time is at most %.1f ms after the camera's own\n",
	       (double) worst_us / 1000);
	v4l2_capture_free(c);
	return true;
}

static bool usb_h264(void)
{
	static const uint8_t delimiter[] = { 0, 0, 0, 1, 9 };
	struct v4l2_capture *c;
	struct v4l2_frame f;

	REQUIRE_EQ(open_patiently(&c, USB_A, V4L2_PIX_FMT_H264, 320, 180, 15),
		   0);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	REQUIRE_EQ(next_frame(c, &f), 0);
	REQUIRE(f.bytes[0] > 100);
	REQUIRE(!memcmp(f.data[0], delimiter, sizeof(delimiter)));
	v4l2_capture_queue(c, f.index);
	REQUIRE(run_without_gap(c));
	v4l2_capture_free(c);
	return true;
}

/* Damaged pictures are dropped by uvcvideo and leave gaps in the sequence. */
static bool usb_errors(void)
{
	struct v4l2_capture *c;
	uint32_t gaps;

	REQUIRE_EQ(open_patiently(&c, USB_A, V4L2_PIX_FMT_MJPEG, 320, 180, 15),
		   0);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	REQUIRE(run_stream(c, 3, &gaps));
	REQUIRE(write_file("/run/cam-a", "errbit 4\n"));
	REQUIRE(run_stream(c, N_FRAMES * 2, &gaps));
	REQUIRE(gaps > 2 && gaps < N_FRAMES);
	REQUIRE(write_file("/run/cam-a", "errbit 0\n"));
	v4l2_capture_free(c);
	return true;
}

static bool usb_no_bandwidth(void)
{
	struct v4l2_capture *a, *b;
	uint32_t gaps;

	REQUIRE_EQ(open_patiently(&a, USB_A, V4L2_PIX_FMT_YUYV, 640, 480, 30),
		   0);
	REQUIRE_EQ(open_patiently(&b, USB_B, V4L2_PIX_FMT_YUYV, 640, 480, 30),
		   0);
	REQUIRE_EQ(v4l2_capture_start(a), 0);
	REQUIRE_EQ(v4l2_capture_start(b), -ENOSPC);
	REQUIRE(run_stream(a, 3, &gaps));
	v4l2_capture_stop(a);
	/* Where there is room again, it runs. */
	REQUIRE_EQ(v4l2_capture_start(b), 0);
	REQUIRE(run_stream(b, 3, &gaps));
	v4l2_capture_free(a);
	v4l2_capture_free(b);
	return true;
}

static bool usb_unplugged(void)
{
	struct v4l2_capture *c;
	struct v4l2_frame f;
	uint32_t gaps;

	REQUIRE_EQ(open_patiently(&c, USB_A, V4L2_PIX_FMT_MJPEG, 320, 180, 15),
		   0);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	REQUIRE(run_stream(c, 3, &gaps));
	REQUIRE_EQ(next_frame(c, &f), 0);
	REQUIRE(write_file("/run/cam-a", "unplug\n"));
	REQUIRE_EQ(drain(c), -ENODEV);
	REQUIRE(f.data[0][0] == 0xff && f.data[0][1] == 0xd8);
	v4l2_capture_queue(c, f.index);
	v4l2_capture_free(c);

	REQUIRE(write_file("/run/cam-a", "plug\n"));
	REQUIRE_EQ(open_patiently(&c, USB_A, V4L2_PIX_FMT_MJPEG, 320, 180, 15),
		   0);
	REQUIRE_EQ(v4l2_capture_start(c), 0);
	REQUIRE(run_stream(c, N_FRAMES, &gaps));
	v4l2_capture_free(c);
	return true;
}

static const struct vm_case cases[] = {
	{ "vivid", "YUYV, bars, time stamps, no gap", vivid_yuyv },
	{ "vivid", "NV12, bars, time stamps, no gap", vivid_nv12 },
	{ "vivid", "YU12, bars, time stamps, no gap", vivid_yu12 },
	{ "vivid", "multi-planar NV12 and NM12", vivid_multiplanar },
	{ "vivid", "the first camera is found", vivid_find },
	{ "vivid", "wrong paths", vivid_wrong_path },
	{ "vivid", "the format wished for first, the nearest size",
	  vivid_choice },
	{ "vivid", "a busy camera", vivid_busy },
	{ "vivid", "all buffers with slow readers", vivid_all_buffers_out },
	{ "vivid", "a damaged frame is marked", vivid_damaged },
	{ "vivid", "a start that fails can be repeated", vivid_fails_at_start },
	{ "vivid", "a fatal error, then opened again", vivid_breaks },
	{ "vivid", "HDMI: signal lost and back", vivid_hdmi },
	{ "vivid", "driver unbound while streaming", vivid_unbound },
	{ "usb", "the first camera is found by its lasting name", usb_find },
	{ "usb", "MJPEG: every picture, in order", usb_mjpeg },
	{ "usb", "H.264: access units as they are", usb_h264 },
	{ "usb", "damaged pictures leave gaps", usb_errors },
	{ "usb", "no bandwidth for a second camera", usb_no_bandwidth },
	{ "usb", "unplugged while streaming, plugged in again",
	  usb_unplugged },
};

int main(int argc, char *argv[])
{
	if (argc != 2) {
		fprintf(stderr, "usage: video-drivers vivid|usb\n");
		return 2;
	}
	return vm_run(cases, sizeof(cases) / sizeof(cases[0]), argv[1]);
}
