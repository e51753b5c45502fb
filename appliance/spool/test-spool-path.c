// SPDX-License-Identifier: Apache-2.0
#include "appliance/spool/spool-path.h"

struct row {
	SpoolPathInput input;
	const char *right;
};

static const struct row rows[] = {
	{{.uid = 0}, "/var/lib/skylink/received"},
	{{.uid = 0, .instance = "hall"}, "/var/lib/skylink/hall/received"},
	{{.uid = 0, .demo = TRUE}, "/home/a/.local/state/skylink/received"},
	{{.uid = 1000}, "/home/a/.local/state/skylink/received"},
	{{.uid = 1000, .instance = "hall"},
	 "/home/a/.local/state/skylink/hall/received"},
	{{.uid = 999, .service_dir = "/var/lib/skylink/hall",
	  .instance = "hall"}, "/var/lib/skylink/hall/received"},
	{{.uid = 999, .service_dir = "/var/lib/a:/var/lib/b"},
	 "/var/lib/a/received"},
	{{.uid = 999, .service_dir = ""},
	 "/home/a/.local/state/skylink/received"},
	{{.uid = 0, .configured = "/srv/in", .service_dir = "/var/lib/a",
	  .instance = "hall"}, "/srv/in"},
	{{.uid = 0, .configured = ""}, "/var/lib/skylink/received"},
};

static void test_table(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		SpoolPathInput input = rows[i].input;
		g_autofree char *path = NULL;

		input.state_dir = "/var/lib";
		input.user_dir = "/home/a/.local/state";
		path = spool_path_choose(&input);
		g_assert_cmpstr(path, ==, rows[i].right);
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/spool-path/table", test_table);
	return g_test_run();
}
