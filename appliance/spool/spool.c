// SPDX-License-Identifier: Apache-2.0
#include "appliance/spool/spool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "appliance/signaling/json-check.h"
#include "appliance/spool/sha256.h"
#include "appliance/spool/spool-dir.h"
#include "webrtc/control-queue.h"

#define WORKERS		  2	/* a long sync delays one short one at most */
#define ORIGINAL_NAME_MAX 255	/* characters of it that are kept */

G_DEFINE_QUARK(skylink-spool-error, spool_error)

typedef struct {
	JsonObject *info;	/* as NAME.json has it, and its name */
	guint64 size;
	gint64 time_s;
} Entry;

struct Spool {
	struct spool_dir dir;
	char *path;
	guint64 quota, max_file;
	unsigned int max_files;
	guint64 keep_s;
	gint64 (*now_s)(void);
	GHashTable *entries;		/* name -> Entry */
	guint64 used;			/* by files, and kept for incoming */
	unsigned int n_incoming;
	GThreadPool *workers;
	struct control_queue *done;	/* workers -> control */
};

/* One file on its way: written by control, then named by a worker, which has it
 * alone until it comes back. */
typedef struct {
	unsigned int refs;		/* control's: the sink, the worker */
	Spool *spool;			/* NULL: over, nothing is held */
	struct spool_part part;
	char name[SPOOL_NAME_MAX_BYTES + 1];
	JsonObject *info;
	guint64 written, reserved;
	struct sha256 sha256;
	gboolean finishing;
	void (*done)(void *user, JsonObject *info, const GError *error);
	void *done_user;
	/* For the worker, and from it. */
	char *info_text;
	char final_name[SPOOL_NAME_MAX_BYTES + 1];
	int result;
} Incoming;

static void entry_free(gpointer data)
{
	Entry *e = data;

	json_object_unref(e->info);
	g_free(e);
}

static gint64 clock_now_s(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

/* --- the index ------------------------------------------------------------- */
static char *format_time(gint64 time_s)
{
	g_autoptr(GDateTime) t = g_date_time_new_from_unix_utc(time_s);

	return g_date_time_format(t, "%Y-%m-%dT%H:%M:%SZ");
}

static const char *text_of(JsonObject *o, const char *name)
{
	JsonNode *n = json_object_get_member(o, name);

	return n && JSON_NODE_HOLDS_VALUE(n) &&
		json_node_get_value_type(n) == G_TYPE_STRING ?
		json_node_get_string(n) : NULL;
}

/* Return: FALSE when it does not say when the file came. */
static gboolean read_time(JsonObject *info, gint64 *ret_s)
{
	const char *text = text_of(info, "time");
	g_autoptr(GDateTime) t = text ? g_date_time_new_from_iso8601(text, NULL)
				      : NULL;

	if (t)
		*ret_s = g_date_time_to_unix(t);
	return t != NULL;
}

/* Takes @info. */
static void add_entry(Spool *s, const char *name, JsonObject *info,
		      guint64 size, gint64 time_s)
{
	Entry *e = g_new0(Entry, 1);

	json_object_set_string_member(info, "name", name);
	*e = (Entry){.info = info, .size = size, .time_s = time_s};
	s->used += size;
	g_hash_table_insert(s->entries, g_strdup(name), e);
}

static void drop_entry(Spool *s, const char *name)
{
	Entry *e = g_hash_table_lookup(s->entries, name);

	s->used -= e->size;
	g_hash_table_remove(s->entries, name);
}

static bool on_found(void *user, const char *name, uint64_t size,
		     const char *text)
{
	Spool *s = user;
	g_autoptr(JsonObject) info = json_checked_parse_object(
		text, -1, SPOOL_INFO_MAX_BYTES, NULL);
	JsonNode *said = info ? json_object_get_member(info, "size") : NULL;
	gint64 time_s;

	/* Changed by hand: it is not what the digest was made of. */
	if (!said || !JSON_NODE_HOLDS_VALUE(said) ||
	    json_node_get_int(said) != (gint64) size || !text_of(info,
								 "sha256") ||
	    !read_time(info, &time_s))
		return false;
	add_entry(s, name, g_steal_pointer(&info), size, time_s);
	return true;
}

/* Return: FALSE with a sentence. */
static gboolean open_directory(Spool *s, gboolean create, GError **error)
{
	int r;

	if (s->dir.fd >= 0)
		return TRUE;
	r = spool_dir_open(&s->dir, s->path, create);
	if (r == 0) {
		r = spool_dir_load(&s->dir, on_found, s);
		if (r < 0)
			spool_dir_close(&s->dir);
	}
	if (r == 0 || (r == -ENOENT && !create))
		return TRUE;
	g_set_error(error, SPOOL_ERROR, SPOOL_ERROR_IO,
		    "Received files cannot be kept in '%s': %s", s->path,
		    r == -EBUSY ? "another skylinkd has it; set [transfer] "
				  "directory" :
		    r == -EPERM ? "others may write there; it must be the "
				  "daemon's own" : g_strerror(-r));
	return FALSE;
}

/* Those removed by hand count no longer. */
static void forget_vanished(Spool *s)
{
	GHashTableIter iter;
	gpointer name, entry;

	g_hash_table_iter_init(&iter, s->entries);
	while (g_hash_table_iter_next(&iter, &name, &entry)) {
		if (spool_dir_has(&s->dir, name))
			continue;
		spool_dir_remove(&s->dir, name);
		s->used -= ((Entry *) entry)->size;
		g_hash_table_iter_remove(&iter);
	}
}

void spool_expire(Spool *s)
{
	gint64 now = s->now_s();
	GHashTableIter iter;
	gpointer name, entry;

	if (!s->keep_s)
		return;
	g_hash_table_iter_init(&iter, s->entries);
	while (g_hash_table_iter_next(&iter, &name, &entry)) {
		const Entry *e = entry;

		/* Of the future: the clock was set; it counts from now on. */
		if (now - e->time_s <= (gint64) s->keep_s)
			continue;
		g_info("received file '%s' is too old and removed",
		       (const char *) name);
		spool_dir_remove(&s->dir, name);
		s->used -= e->size;
		g_hash_table_iter_remove(&iter);
	}
}

/* --- naming: the worker ---------------------------------------------------- */
/* What it holds is given back; it may still be referred to. */
static void incoming_end(Incoming *in)
{
	Spool *s = g_steal_pointer(&in->spool);

	if (!s)
		return;
	spool_dir_abandon(&s->dir, &in->part);
	s->used -= in->reserved;
	s->n_incoming--;
	g_clear_pointer(&in->info, json_object_unref);
	g_clear_pointer(&in->info_text, g_free);
	sha256_done(&in->sha256);
}

static void incoming_unref(Incoming *in)
{
	if (--in->refs)
		return;
	incoming_end(in);
	g_free(in);
}

static JsonObject *describe_done(const Spool *s, const Incoming *in)
{
	g_autofree char *path = g_build_filename(s->path, in->final_name, NULL);
	const char *sha256 = text_of(in->info, "sha256");
	JsonObject *o = json_object_new(), *data = json_object_new();

	json_object_set_string_member(o, "path", path);
	json_object_set_string_member(o, "sha256", sha256);
	json_object_set_string_member(data, "path", path);
	json_object_set_string_member(data, "name", in->final_name);
	json_object_set_int_member(data, "size", (gint64) in->written);
	json_object_set_string_member(data, "sha256", sha256);
	json_object_set_object_member(o, "data", data);
	return o;
}

/* control */
static void on_named(void *data)
{
	Incoming *in = data;
	Spool *s = in->spool;
	JsonObject *told = NULL;
	g_autoptr(GError) error = NULL;

	if (in->result == 0 && !in->done) {
		spool_dir_remove(&s->dir, in->final_name);
	} else if (in->result == 0) {
		gint64 time_s = 0;

		told = describe_done(s, in);
		read_time(in->info, &time_s);
		add_entry(s, in->final_name, g_steal_pointer(&in->info),
			  in->written, time_s);
	} else {
		g_set_error(&error, SPOOL_ERROR, SPOOL_ERROR_IO,
			    "Cannot keep '%s': %s", in->name,
			    g_strerror(-in->result));
	}
	incoming_end(in);
	/* It may free the sink. */
	if (in->done)
		in->done(in->done_user, told, error);
	incoming_unref(in);
}

/* a worker */
static void run_worker(gpointer data, gpointer user)
{
	Incoming *in = data;
	Spool *s = user;

	in->result = spool_dir_commit(&s->dir, &in->part, in->name,
				      in->info_text, in->final_name);
	/* The queue has a place for every file there can be. */
	if (control_queue_post(s->done, on_named, in) < 0)
		g_assert_not_reached();
}

/* --- the sink -------------------------------------------------------------- */
static int sink_write(void *user, const guint8 *data, gsize len)
{
	Incoming *in = user;
	Spool *s = in->spool;
	guint64 after = in->written + len;

	if (after > s->max_file)
		return -EFBIG;
	if (after > in->reserved) {
		guint64 more = after - in->reserved;

		if (more > s->quota - MIN(s->used, s->quota))
			return -EDQUOT;
		s->used += more;
		in->reserved = after;
	}
	if (sha256_add(&in->sha256, data, len) < 0)
		return -ENOMEM;
	while (len) {
		ssize_t n = write(in->part.fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (gsize) n;
		in->written += (guint64) n;
	}
	return 0;
}

static void sink_finish(void *user,
			void (*done)(void *done_user, JsonObject *info,
				     const GError *error),
			void *done_user)
{
	Incoming *in = user;
	Spool *s = in->spool;
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *time = format_time(s->now_s());
	char hex[SHA256_HEX_BYTES];

	g_assert(!in->finishing);
	in->finishing = TRUE;
	in->refs++;
	in->done = done;
	in->done_user = done_user;
	json_object_set_int_member(in->info, "size", (gint64) in->written);
	sha256_end(&in->sha256, hex);
	json_object_set_string_member(in->info, "sha256", hex);
	json_object_set_string_member(in->info, "time", time);
	json_node_set_object(node, in->info);
	in->info_text = json_to_string(node, FALSE);
	/* What could not get a thread now waits in the pool for one. */
	g_thread_pool_push(s->workers, in, NULL);
}

static void sink_free(void *user)
{
	Incoming *in = user;

	/* The worker may be naming it: it goes when it comes back. */
	in->done = NULL;
	incoming_unref(in);
}

/* --- letting in ------------------------------------------------------------ */
static gboolean refuse(GError **error, const char *format, ...)
	G_GNUC_PRINTF(2, 3);

static gboolean refuse(GError **error, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, SPOOL_ERROR, SPOOL_ERROR_LIMIT, text);
	return FALSE;
}

/* GLib's has a blank that not every terminal has. */
static char *format_size(guint64 bytes)
{
	return g_strdup_printf("%.1f MB", (double) bytes / 1e6);
}

static gboolean check_limits(Spool *s, guint64 size, GError **error)
{
	g_autofree char *given = format_size(size), *limit = NULL;
	guint64 room = s->quota - MIN(s->used, s->quota);

	if (size > s->max_file) {
		limit = format_size(s->max_file);
		return refuse(error, "The file has %s; at most %s are allowed "
			      "(transfer.max_file)", given, limit);
	}
	if (size > room) {
		limit = format_size(room);
		return refuse(error, "The file has %s, and %s are left for "
			      "received files (transfer.quota)", given, limit);
	}
	if (g_hash_table_size(s->entries) + s->n_incoming >= s->max_files)
		return refuse(error, "There are %u received files already "
			      "(transfer.max_files)", s->max_files);
	if (s->n_incoming >= SPOOL_MAX_INCOMING)
		return refuse(error, "%u files are on their way already",
			      s->n_incoming);
	if (size > spool_dir_get_free(&s->dir))
		return refuse(error, "The file has %s, and the disk of '%s' "
			      "has not", given, s->path);
	return TRUE;
}

static JsonObject *info_of(const SpoolOffer *offer)
{
	JsonObject *o = json_object_new();

	g_autofree char *name = offer->name ?
		g_utf8_substring(offer->name, 0,
				 MIN(g_utf8_strlen(offer->name, -1),
				     ORIGINAL_NAME_MAX)) : NULL;

	if (name)
		json_object_set_string_member(o, "originalName", name);
	if (offer->mime_type)
		json_object_set_string_member(o, "mimeType", offer->mime_type);
	if (offer->peer_id)
		json_object_set_string_member(o, "peerId", offer->peer_id);
	if (offer->transfer_id)
		json_object_set_string_member(o, "transferId",
					      offer->transfer_id);
	return o;
}

gboolean spool_receive(Spool *s, const SpoolOffer *offer, TransferSink *ret,
		       GError **error)
{
	const char *name = offer->name ? offer->name : "";
	struct spool_part part;
	Incoming *in;
	int r;

	if (!open_directory(s, TRUE, error))
		return FALSE;
	spool_expire(s);
	forget_vanished(s);
	if (!check_limits(s, offer->size, error))
		return FALSE;
	r = spool_dir_begin(&s->dir, &part);
	if (r < 0) {
		g_set_error(error, SPOOL_ERROR, SPOOL_ERROR_IO,
			    "Cannot write to '%s': %s", s->path,
			    g_strerror(-r));
		return FALSE;
	}
	in = g_new0(Incoming, 1);
	in->refs = 1;
	in->spool = s;
	in->part = part;
	spool_name_clean(name, strlen(name), in->name);
	in->info = info_of(offer);
	in->reserved = offer->size;
	s->used += offer->size;
	s->n_incoming++;
	if (sha256_init(&in->sha256) < 0) {
		incoming_unref(in);
		g_set_error_literal(error, SPOOL_ERROR, SPOOL_ERROR_IO,
				    "There is no SHA-256");
		return FALSE;
	}
	*ret = (TransferSink){
		.write = sink_write,
		.finish = sink_finish,
		.free = sink_free,
		.user = in,
	};
	return TRUE;
}

/* --- handing out ----------------------------------------------------------- */
static gint by_time(gconstpointer a, gconstpointer b)
{
	const Entry *x = *(Entry *const *) a, *y = *(Entry *const *) b;

	if (x->time_s != y->time_s)
		return x->time_s < y->time_s ? -1 : 1;
	return strcmp(text_of(x->info, "name"), text_of(y->info, "name"));
}

/* Where those begin that fit into @max_bytes as JSON: the newest. */
static guint find_first_that_fits(const GPtrArray *sorted, gsize max_bytes)
{
	gsize total = 0;

	for (guint i = sorted->len; i-- > 0;) {
		const Entry *e = sorted->pdata[i];
		g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
		g_autofree char *text = NULL;

		json_node_set_object(node, e->info);
		text = json_to_string(node, FALSE);
		total += strlen(text) + 1;
		if (total > max_bytes)
			return i + 1;
	}
	return 0;
}

JsonNode *spool_describe(Spool *s)
{
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);
	JsonArray *array = json_array_new();
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	GHashTableIter iter;
	gpointer entry;

	forget_vanished(s);
	g_hash_table_iter_init(&iter, s->entries);
	while (g_hash_table_iter_next(&iter, NULL, &entry))
		g_ptr_array_add(sorted, entry);
	g_ptr_array_sort(sorted, by_time);
	for (guint i = find_first_that_fits(sorted, SPOOL_DESCRIBE_MAX_BYTES);
	     i < sorted->len; i++) {
		const Entry *e = sorted->pdata[i];

		json_array_add_object_element(array, json_object_ref(e->info));
	}
	json_node_take_array(node, array);
	return node;
}

/* The name as it was told, nothing else: a path is no name. */
static Entry *find(Spool *s, const char *name, GError **error)
{
	Entry *e = g_hash_table_lookup(s->entries, name);

	if (!e)
		g_set_error(error, SPOOL_ERROR, SPOOL_ERROR_NO_FILE,
			    "No received file is called '%s'", name);
	return e;
}

int spool_open(Spool *s, const char *name, JsonObject **ret_info,
	       GError **error)
{
	const Entry *e = find(s, name, error);
	int fd;

	if (!e)
		return -1;
	fd = spool_dir_open_file(&s->dir, name);
	if (fd < 0) {
		g_set_error(error, SPOOL_ERROR,
			    fd == -ENOENT ? SPOOL_ERROR_NO_FILE :
					    SPOOL_ERROR_IO,
			    "Cannot open '%s' in '%s': %s", name, s->path,
			    g_strerror(-fd));
		return -1;
	}
	*ret_info = json_object_ref(e->info);
	return fd;
}

gboolean spool_remove(Spool *s, const char *name, GError **error)
{
	int r;

	if (!find(s, name, error))
		return FALSE;
	r = spool_dir_remove(&s->dir, name);
	if (r < 0 && r != -ENOENT) {
		g_set_error(error, SPOOL_ERROR, SPOOL_ERROR_IO,
			    "Cannot remove '%s': %s", name, g_strerror(-r));
		return FALSE;
	}
	drop_entry(s, name);
	return TRUE;
}

/* --- life ------------------------------------------------------------------ */
void spool_set_limits(Spool *s, const SpoolConfig *limits)
{
	s->quota = limits->quota_bytes;
	s->max_file = limits->max_file_bytes;
	s->max_files = limits->max_files;
	s->keep_s = limits->keep_s;
}

Spool *spool_new(const SpoolConfig *config, GError **error)
{
	Spool *s = g_new0(Spool, 1);
	g_autoptr(GError) unusable = NULL;
	int r;

	s->dir.fd = s->dir.info_fd = -1;
	s->path = g_strdup(config->directory);
	spool_set_limits(s, config);
	s->now_s = config->now_s ? config->now_s : clock_now_s;
	s->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					   entry_free);
	r = control_queue_new(&s->done, config->context, SPOOL_MAX_INCOMING);
	if (r < 0) {
		g_set_error(error, SPOOL_ERROR, SPOOL_ERROR_IO,
			    "Cannot make a queue: %s", g_strerror(-r));
		spool_free(s);
		return NULL;
	}
	s->workers = g_thread_pool_new(run_worker, s, WORKERS, FALSE, error);
	if (!s->workers) {
		spool_free(s);
		return NULL;
	}
	if (!open_directory(s, FALSE, &unusable))
		g_warning("%s; files that come are refused",
			  unusable->message);
	spool_expire(s);
	return s;
}

void spool_free(Spool *s)
{
	if (!s)
		return;
	if (s->workers)
		g_thread_pool_free(s->workers, FALSE, TRUE);
	control_queue_free(s->done);
	g_assert(s->n_incoming == 0);
	spool_dir_close(&s->dir);
	g_hash_table_unref(s->entries);
	g_free(s->path);
	g_free(s);
}
