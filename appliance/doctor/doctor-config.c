// SPDX-License-Identifier: Apache-2.0
/* appliance/doctor/doctor-config.c - the files, and the secrets they name */
#include "appliance/doctor/doctor.h"

#define PROBLEMS_SHOWN_MAX 16

static void check_secret(const Config *c, enum option_id id, DoctorReport *r)
{
	const struct option_row *row = option_table_get(id);
	g_autofree char *check = g_strdup_printf("secret %s.%s", row->section,
						 row->key);
	g_autoptr(GError) error = NULL;
	char *secret = NULL;

	if (!config_read_secret(c, id, &secret, &error))
		doctor_add(r, check, DOCTOR_FAILED,
			   "Let the file hold the secret alone, belong to "
			   "root or the daemon's user, and have mode 0600.",
			   "%s", error->message);
	else if (secret)
		doctor_add(r, check, DOCTOR_OK, NULL,
			   "It can be read, and by its owner alone");
	config_secret_free(secret);
}

void doctor_check_config(const DoctorInput *input, DoctorReport *r)
{
	g_autoptr(Config) c = config_new();
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);

	if (!input->config_path) {
		doctor_add(r, "configuration", DOCTOR_SKIPPED, NULL,
			   "The daemon runs without one");
		return;
	}
	config_load(c, input->config_given ? input->config_path : NULL,
		    input->set_path, problems);
	for (unsigned int i = 0; i < problems->len && i < PROBLEMS_SHOWN_MAX;
	     i++)
		doctor_add(r, "configuration", DOCTOR_FAILED,
			   "Correct it; 'skylinkd --check-config' shows all "
			   "that is wrong.", "%s",
			   (const char *) g_ptr_array_index(problems, i));
	if (!problems->len)
		doctor_add(r, "configuration", DOCTOR_OK, NULL,
			   "%s: no problems", input->config_path);
	for (int id = 0; id < N_OPTIONS; id++)
		if (option_table_get(id)->type == OPTION_SECRET)
			check_secret(c, id, r);
}
