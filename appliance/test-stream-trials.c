// SPDX-License-Identifier: Apache-2.0
#include "appliance/stream-trials.h"

#include <string.h>

#include "appliance/device-list.h"

/* A mock of appliance/device-list.c: three devices, behind a driver that hangs
 * while somebody holds it. */
static struct {
	GMutex driver;
	int n_calls;
} mock;

JsonNode *device_list_describe(void)
{
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);
	JsonArray *devices = json_array_new();

	g_atomic_int_inc(&mock.n_calls);
	g_mutex_lock(&mock.driver);
	g_mutex_unlock(&mock.driver);
	for (unsigned int i = 0; i < 3; i++)
		json_array_add_object_element(devices, json_object_new());
	json_node_take_array(node, devices);
	return node;
}

struct seen {
	unsigned int n_done, n_freed, n_begun;
	char *video_error, *audio_error;
	guint n_devices;
	gboolean leaves_out;
	StreamTrials *trials; /* to be asked again from within */
};

static void on_begin(MediaStream *copy, gpointer data)
{
	struct seen *s = data;

	s->n_begun++;
	if (s->leaves_out)
		g_clear_pointer(&copy->video_source, g_free);
}

static void on_free(gpointer data)
{
	((struct seen *) data)->n_freed++;
}

static void on_done(const StreamTrialResult *r, gpointer data)
{
	struct seen *s = data;

	s->n_done++;
	g_free(s->video_error);
	g_free(s->audio_error);
	s->video_error = g_strdup(r->video_error);
	s->audio_error = g_strdup(r->audio_error);
	if (r->devices)
		s->n_devices =
			json_array_get_length(json_node_get_array(r->devices));
	if (s->trials) {
		StreamTrials *t = s->trials;

		s->trials = NULL;
		g_assert_true(stream_trials_add(t, NULL, NULL, on_done, s,
						on_free));
	}
}

static MediaStream *stream(const char *video, const char *audio)
{
	MediaStream *s = media_stream_new();

	s->video_source = g_strdup(video);
	s->audio_source = g_strdup(audio);
	s->width = 640;
	s->height = 360;
	s->fps = 30;
	s->channels = 1;
	return s;
}

static void wait_done(const struct seen *s, unsigned int n)
{
	while (s->n_done < n)
		g_main_context_iteration(NULL, TRUE);
}

static void test_results(void)
{
	StreamTrials *t = stream_trials_new(0);
	g_autoptr(MediaStream) good = stream("test", "test");
	g_autoptr(MediaStream) bad =
		stream("v4l2:/dev/no-such-camera", "file:/no/such/file");
	struct seen s = {0};

	g_assert_true(stream_trials_add(t, good, on_begin, on_done, &s,
					on_free));
	wait_done(&s, 1);
	g_assert_null(s.video_error);
	g_assert_null(s.audio_error);

	g_assert_true(stream_trials_add(t, bad, on_begin, on_done, &s,
					on_free));
	wait_done(&s, 2);
	g_assert_nonnull(strstr(s.video_error, "no-such-camera"));
	g_assert_nonnull(strstr(s.audio_error, "/no/such/file"));

	/* What its owner leaves out is not tried. */
	s.leaves_out = TRUE;
	s.trials = t;
	g_assert_true(stream_trials_add(t, bad, on_begin, on_done, &s,
					on_free));
	wait_done(&s, 3);
	g_assert_null(s.video_error);
	g_assert_cmpstr(bad->video_source, ==, "v4l2:/dev/no-such-camera");
	wait_done(&s, 4); /* asked for from within the third */
	g_assert_cmpuint(s.n_devices, ==, 3);
	g_assert_cmpuint(s.n_freed, ==, 4);
	g_assert_cmpuint(s.n_begun, ==, 3);
	stream_trials_free(t);
	g_free(s.video_error);
	g_free(s.audio_error);
}

static void test_limit_and_end(void)
{
	StreamTrials *t = stream_trials_new(0);
	g_autoptr(MediaStream) good = stream("test", "test");
	struct seen s = {0};

	for (unsigned int i = 0; i < STREAM_TRIALS_MAX; i++)
		g_assert_true(stream_trials_add(t, good, NULL, on_done, &s,
						on_free));
	g_assert_false(
		stream_trials_add(t, good, NULL, on_done, &s, on_free));
	g_assert_cmpuint(s.n_freed, ==, 1);
	wait_done(&s, 1);
	g_assert_true(stream_trials_add(t, good, NULL, on_done, &s, on_free));
	stream_trials_free(t);
	g_assert_cmpuint(s.n_done, ==, 1);
	g_assert_cmpuint(s.n_freed, ==, STREAM_TRIALS_MAX + 2);
	g_assert_false(g_main_context_pending(NULL));
	g_free(s.video_error);
	g_free(s.audio_error);
}

/* Not more than STREAM_TRIALS_LEFT_MAX threads hang, whoever waits; what comes
 * back counts no more. */
static void test_left_behind(void)
{
	StreamTrials *t = stream_trials_new(1);
	struct seen s = {0};

	g_atomic_int_set(&mock.n_calls, 0);
	/* Each that is left behind is worth a warning. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	g_mutex_lock(&mock.driver);
	for (unsigned int i = 0; i < STREAM_TRIALS_MAX; i++)
		g_assert_true(stream_trials_add(t, NULL, NULL, on_done, &s,
						on_free));
	wait_done(&s, STREAM_TRIALS_MAX);
	g_assert_cmpuint(s.n_devices, ==, 0);
	g_assert_false(stream_trials_add(t, NULL, NULL, on_done, &s, on_free));
	g_mutex_unlock(&mock.driver);
	while (!stream_trials_add(t, NULL, NULL, on_done, &s, on_free))
		g_thread_yield();
	stream_trials_free(t);
	g_assert_cmpuint(s.n_freed, >=, STREAM_TRIALS_MAX + 2);
	/* Of those that waited none was begun. */
	g_assert_cmpint(g_atomic_int_get(&mock.n_calls), <=,
			STREAM_TRIALS_LEFT_MAX + 1);
	g_free(s.video_error);
	g_free(s.audio_error);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stream-trials/results", test_results);
	g_test_add_func("/stream-trials/limit", test_limit_and_end);
	g_test_add_func("/stream-trials/left-behind", test_left_behind);
	return g_test_run();
}
