/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/transfer-test.h - sources and sinks for the tests of transfers
 *
 * Data of any size that nobody has to keep: each byte follows from its place.
 *
 * Thread:  the test's
 */
#pragma once

#include "appliance/room/transfer.h"

#include <string.h>

struct test_source {
	guint64 size;
	gboolean text;		/* letters alone */
	guint freed, reads;
	gssize fails_with;	/* negative errno, or 0 */
	guint64 fails_at;
};

struct test_sink {
	gboolean text;
	guint64 n;
	guint freed, finished;
	gboolean wrong;
	int write_fails;
	gboolean finish_fails, finish_later;
	void (*done)(void *done_user, JsonObject *info, const GError *error);
	void *done_user;
};

static inline guint8 test_byte(guint64 at, gboolean text)
{
	guint32 x = (guint32) (at * 2654435761u) ^ (guint32) (at >> 16);

	return text ? (guint8) ('a' + x % 26) : (guint8) (x >> 24);
}

static inline gssize test_source_read(void *user, guint64 offset, guint8 *buf,
				      gsize len)
{
	struct test_source *s = user;
	gsize n = (gsize) MIN(len, s->size - MIN(s->size, offset));

	s->reads++;
	if (s->fails_with && offset >= s->fails_at)
		return s->fails_with;
	/* An odd number: readers must ask again. */
	n = MIN(n, 20011);
	for (gsize i = 0; i < n; i++)
		buf[i] = test_byte(offset + i, s->text);
	return (gssize) n;
}

static inline void test_source_free(void *user)
{
	((struct test_source *) user)->freed++;
}

static inline TransferSource test_source(struct test_source *s)
{
	return (TransferSource){test_source_read, test_source_free, s};
}

static inline int test_sink_write(void *user, const guint8 *data, gsize len)
{
	struct test_sink *s = user;

	if (s->write_fails)
		return s->write_fails;
	for (gsize i = 0; i < len; i++)
		if (data[i] != test_byte(s->n + i, s->text))
			s->wrong = TRUE;
	s->n += len;
	return 0;
}

static inline void test_sink_answer(struct test_sink *s)
{
	g_autoptr(GError) error = NULL;
	JsonObject *info = NULL;

	if (s->finish_fails) {
		g_set_error(&error, G_FILE_ERROR, G_FILE_ERROR_NOSPC,
			    "no space");
	} else {
		info = json_object_new();
		json_object_set_string_member(info, "path", "/kept/here");
	}
	s->done(s->done_user, info, error);
}

static inline void test_sink_finish(void *user,
				    void (*done)(void *done_user,
						 JsonObject *info,
						 const GError *error),
				    void *done_user)
{
	struct test_sink *s = user;

	s->finished++;
	s->done = done;
	s->done_user = done_user;
	if (!s->finish_later)
		test_sink_answer(s);
}

static inline void test_sink_free(void *user)
{
	((struct test_sink *) user)->freed++;
}

static inline TransferSink test_sink(struct test_sink *s)
{
	return (TransferSink){test_sink_write, test_sink_finish,
			      test_sink_free, s};
}
