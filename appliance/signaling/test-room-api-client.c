// SPDX-License-Identifier: Apache-2.0
/* Against a mock HTTP server in this process: it has to be late, broken and
 * silent on demand, which the real room server never is. */
#include "appliance/signaling/room-api-client.h"

#include <string.h>

#include "appliance/signaling/http-session.h"

#define GOOD                                                                   \
	"{\"success\":true,\"cid\":\"c\",\"apiOwner\":\"o\",\"username\":\"u\"," \
	"\"userCred\":\"uc\",\"timeStamp\":\"t\",\"room_key\":\"r\","          \
	"\"roomCred\":\"rc\",\"start\":\"s\",\"len\":1,"                       \
	"\"ipSigserver\":\"127.0.0.1\"}"

struct fixture {
	SoupServer *server;
	char *base;
	SoupSession *session;
	guint requests;
	/* what the server does with request number i; the last one repeats */
	enum { GIVE, REFUSE, BREAK, BAD_GATEWAY, SILENT, HUGE } plan[4];
	guint n_plan;
	char *path, *query, *sdk_version, *sdk_type;
	GPtrArray *paused;

	gboolean done;
	RoomApiAnswer *answer;
	GError *error;
	gint code;
	guint status, retries;
};

static void on_request(SoupServer *server, SoupServerMessage *message,
		       const char *path, GHashTable *query, gpointer data)
{
	struct fixture *f = data;
	guint i = MIN(f->requests, f->n_plan - 1);
	SoupMessageHeaders *h = soup_server_message_get_request_headers(message);

	f->requests++;
	g_free(f->path);
	g_free(f->query);
	f->path = g_strdup(path);
	f->query = g_strdup(g_uri_get_query(soup_server_message_get_uri(message)));
	g_free(f->sdk_version);
	g_free(f->sdk_type);
	f->sdk_version = g_strdup(
		soup_message_headers_get_one(h, "skylink_sdk_version"));
	f->sdk_type =
		g_strdup(soup_message_headers_get_one(h, "skylink_sdk_type"));
	switch (f->plan[i]) {
	case GIVE:
		soup_server_message_set_status(message, 200, NULL);
		soup_server_message_set_response(message, "application/json",
						 SOUP_MEMORY_STATIC, GOOD,
						 strlen(GOOD));
		break;
	case REFUSE:
		soup_server_message_set_status(message, 401, NULL);
		soup_server_message_set_response(
			message, "application/json", SOUP_MEMORY_STATIC,
			"{\"success\":false,\"error\":4001}", 30);
		break;
	case BREAK:
		g_socket_close(soup_server_message_get_socket(message), NULL);
		break;
	case BAD_GATEWAY:
		soup_server_message_set_status(message, 502, NULL);
		soup_server_message_set_response(message, "text/html",
						 SOUP_MEMORY_STATIC, "<p>", 3);
		break;
	case SILENT:
		soup_server_message_pause(message);
		g_ptr_array_add(f->paused, g_object_ref(message));
		break;
	case HUGE: {
		char *space = g_malloc(ROOM_API_MAX_BYTES + 10);

		memset(space, ' ', ROOM_API_MAX_BYTES + 10);
		soup_server_message_set_status(message, 200, NULL);
		soup_server_message_set_response(message, "application/json",
						 SOUP_MEMORY_TAKE, space,
						 ROOM_API_MAX_BYTES + 10);
		break;
	}
	}
}

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	GSList *uris;

	f->server = soup_server_new(NULL, NULL);
	soup_server_add_handler(f->server, NULL, on_request, f, NULL);
	soup_server_listen_local(f->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY,
				 &error);
	g_assert_no_error(error);
	uris = soup_server_get_uris(f->server);
	f->base = g_strdup_printf("http://127.0.0.1:%d/",
				  g_uri_get_port(uris->data));
	g_slist_free_full(uris, (GDestroyNotify) g_uri_unref);
	f->session = http_session_new(NULL, NULL);
	f->paused = g_ptr_array_new_with_free_func(g_object_unref);
	f->n_plan = 1;
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	soup_session_abort(f->session);
	g_object_unref(f->session);
	g_ptr_array_unref(f->paused);
	soup_server_disconnect(f->server);
	g_object_unref(f->server);
	g_free(f->base);
	g_free(f->path);
	g_free(f->query);
	g_free(f->sdk_version);
	g_free(f->sdk_type);
	room_api_answer_free(f->answer);
	g_clear_error(&f->error);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void on_done(void *user, RoomApiAnswer *answer, gint code, guint status,
		    const GError *error)
{
	struct fixture *f = user;

	g_assert_false(f->done);
	f->done = TRUE;
	f->answer = answer;
	f->code = code;
	f->status = status;
	f->error = error ? g_error_copy(error) : NULL;
}

static void on_retry(void *user, guint attempt, const GError *error)
{
	struct fixture *f = user;

	f->retries++;
	g_assert_cmpuint(attempt, ==, f->retries);
	g_assert_nonnull(error);
}

static RoomApiCall *start(struct fixture *f, const char *secret, guint ms)
{
	RoomApiConfig config = {
		.session = f->session,
		.request = {.base = f->base, .app_key = "demo",
			    .room = "lob by", .secret = secret},
		.timeout_ms = ms,
		.done = on_done, .retry = on_retry, .user = f,
	};

	return room_api_call_new(&config);
}

static void run(struct fixture *f, const char *secret, guint ms)
{
	RoomApiCall *call = start(f, secret, ms);

	while (!f->done)
		g_main_context_iteration(NULL, TRUE);
	room_api_call_free(call);
}

static void test_asks_like_0_6_37(struct fixture *f, gconstpointer data)
{
	f->plan[0] = GIVE;
	run(f, NULL, 0);
	g_assert_no_error(f->error);
	g_assert_cmpstr(f->answer->room_key, ==, "r");
	g_assert_cmpstr(f->path, ==, "/api/demo/lob by");
	g_assert_true(g_str_has_prefix(f->query, "rand="));
	g_assert_cmpstr(f->sdk_version, ==, "0.6.37");
	g_assert_cmpstr(f->sdk_type, ==, "WEB_SDK");
	g_assert_cmpuint(f->requests, ==, 1);
}

static void test_credentials(struct fixture *f, gconstpointer data)
{
	f->plan[0] = GIVE;
	run(f, "s3cret", 0);
	g_assert_no_error(f->error);
	g_assert_true(g_regex_match_simple(
		"^/api/demo/lob by/2\\d\\d\\d-\\d\\d-\\d\\dT[0-9:.]+Z/24$",
		f->path, 0, 0));
	g_assert_true(g_regex_match_simple("^cred=.*%3D&rand=\\d+$", f->query,
					   0, 0));
}

static void test_refusal_is_final(struct fixture *f, gconstpointer data)
{
	f->plan[0] = REFUSE;
	run(f, NULL, 0);
	g_assert_error(f->error, ROOM_API_ERROR, ROOM_API_ERROR_REFUSED);
	g_assert_cmpint(f->code, ==, 4001);
	g_assert_cmpuint(f->status, ==, 401);
	g_assert_cmpuint(f->requests, ==, 1);
}

static void test_tries_three_times(struct fixture *f, gconstpointer data)
{
	f->plan[0] = BAD_GATEWAY;
	run(f, NULL, 0);
	g_assert_error(f->error, ROOM_API_ERROR, ROOM_API_ERROR_ANSWER);
	g_assert_cmpuint(f->requests, ==, 3);
	g_assert_cmpuint(f->retries, ==, 2);
}

static void test_recovers(struct fixture *f, gconstpointer data)
{
	f->plan[0] = BAD_GATEWAY;
	f->plan[1] = SILENT;
	f->plan[2] = GIVE;
	f->n_plan = 3;
	/* the third answer must come in time on a busy machine, too */
	run(f, NULL, 2000);
	g_assert_no_error(f->error);
	g_assert_nonnull(f->answer);
	g_assert_cmpuint(f->retries, ==, 2);
}

static void test_silence_times_out(struct fixture *f, gconstpointer data)
{
	f->plan[0] = SILENT;
	run(f, NULL, 50);
	g_assert_error(f->error, ROOM_API_ERROR, ROOM_API_ERROR_NETWORK);
	g_assert_nonnull(strstr(f->error->message, "within 50 ms"));
	/* Whether the server saw all of them before they were withdrawn is
	 * another matter. */
	g_assert_cmpuint(f->retries, ==, 2);
	g_assert_cmpuint(f->requests, <=, 3);
}

static void test_too_long(struct fixture *f, gconstpointer data)
{
	f->plan[0] = HUGE;
	run(f, NULL, 0);
	g_assert_error(f->error, ROOM_API_ERROR, ROOM_API_ERROR_ANSWER);
	g_assert_nonnull(strstr(f->error->message, "longer than"));
}

static void test_nobody_listens(struct fixture *f, gconstpointer data)
{
	soup_server_disconnect(f->server);
	run(f, NULL, 0);
	g_assert_error(f->error, ROOM_API_ERROR, ROOM_API_ERROR_NETWORK);
	g_assert_cmpuint(f->status, ==, 0);
}

static void test_freed_under_way(struct fixture *f, gconstpointer data)
{
	RoomApiCall *call;

	f->plan[0] = SILENT;
	call = start(f, NULL, 0);
	while (!f->requests)
		g_main_context_iteration(NULL, TRUE);
	room_api_call_free(call);
	for (int i = 0; i < 10; i++)
		g_main_context_iteration(NULL, FALSE);
	g_assert_false(f->done);
	/* and before anything was sent */
	room_api_call_free(start(f, NULL, 0));
}

static void assert_url(const RoomApiRequest *request, const char *wanted)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *url = room_api_url(request, 7000, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(url, ==, wanted);
}

#define REQUEST(...)                                                           \
	(&(RoomApiRequest){.base = "http://h", .app_key = "k",                 \
			   .room = "room", __VA_ARGS__})

static void test_urls(void)
{
	assert_url(&(RoomApiRequest){.base = "//h:8/", .app_key = "k/1",
				     .room = "r/x \xc3\xa9"},
		   "https://h:8/api/k%2F1/r%2Fx%20%C3%A9?rand=7000");
	assert_url(REQUEST(.region = "us2"),
		   "http://h/api/k/room?rand=7000&rg=us2");
	assert_url(REQUEST(.force_ssl = TRUE),
		   "https://h/api/k/room?rand=7000");
	/* now, for a day */
	assert_url(REQUEST(.secret = "secret"),
		   "http://h/api/k/room/1970-01-01T00:00:07.000Z/24"
		   "?cred=nwfLUnxtWp0YXXbWnnnaanI8o98%3D&rand=7000");
	/* what openssl dgst -sha1 -hmac makes of
	 * "room_1.5_2026-01-31T09:00:00.000Z" */
	assert_url(REQUEST(.secret = "secret", .hours = 1.5,
			   .start = "2026-01-31T09:00:00.000Z"),
		   "http://h/api/k/room/2026-01-31T09:00:00.000Z/1.5"
		   "?cred=tbgx1TPrQmCXyBUV2q%2FAxev40WM%3D&rand=7000");
	assert_url(REQUEST(.credential = "a+b/c=", .hours = 24,
			   .start = "2026-01-31T09:00:00.000Z",
			   .region = "sg"),
		   "http://h/api/k/room/2026-01-31T09:00:00.000Z/24"
		   "?cred=a%2Bb%2Fc%3D&rand=7000&rg=sg");
}

static void test_requests_that_make_no_sense(void)
{
	static const char *const bad[] = {
		"h:8", "ftp://h", "http://", "http://h?x", "", "//", "x//h",
		"http://user:topsecret@h", "//topsecret@h",
	};
	const struct {
		const RoomApiRequest *request;
		const char *says;
	} others[] = {
		{REQUEST(.credential = "x"), "start is missing"},
		{REQUEST(.start = "tomorrow", .hours = 1, .secret = "x"),
		 "'tomorrow' is no time"},
		{REQUEST(.start = "2026-01-31T09:00:00Z", .secret = "x"),
		 "hours"},
		{REQUEST(.start = "2026-01-31T09:00:00Z", .secret = "x",
			 .hours = 1e6), "hours"},
		{REQUEST(.start = "2026-01-31T09:00:00Z", .hours = 1),
		 "needs the key's secret"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
		for (int ssl = 0; ssl < 2; ssl++) {
			const RoomApiRequest r = {
				.base = bad[i], .app_key = "k", .room = "r",
				.force_ssl = ssl,
			};
			g_autoptr(GError) error = NULL;

			g_assert_null(room_api_url(&r, 1, &error));
			g_assert_error(error, ROOM_API_ERROR,
				       ROOM_API_ERROR_REQUEST);
			g_assert_null(strstr(error->message, "topsecret"));
		}
	for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(room_api_url(others[i].request, 1, &error));
		g_assert_error(error, ROOM_API_ERROR, ROOM_API_ERROR_REQUEST);
		if (!strstr(error->message, others[i].says))
			g_error("'%s' lacks '%s'", error->message,
				others[i].says);
	}
	g_assert_true(room_api_is_tls(&(RoomApiRequest){.base = "//h"}));
	g_assert_true(room_api_is_tls(&(RoomApiRequest){.base = "https://h"}));
	g_assert_true(room_api_is_tls(REQUEST(.force_ssl = TRUE)));
	g_assert_false(room_api_is_tls(REQUEST()));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
#define CASE(name, fn)                                                         \
	g_test_add("/room-api-client/" name, struct fixture, NULL, set_up, fn, \
		   tear_down)
	CASE("request", test_asks_like_0_6_37);
	CASE("credentials", test_credentials);
	CASE("refusal", test_refusal_is_final);
	CASE("tries", test_tries_three_times);
	CASE("recovers", test_recovers);
	CASE("silence", test_silence_times_out);
	CASE("too-long", test_too_long);
	CASE("nobody", test_nobody_listens);
	CASE("freed", test_freed_under_way);
	g_test_add_func("/room-api-client/urls", test_urls);
	g_test_add_func("/room-api-client/nonsense",
			test_requests_that_make_no_sense);
	return g_test_run();
}
