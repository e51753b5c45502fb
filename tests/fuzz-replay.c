// SPDX-License-Identifier: Apache-2.0
/* tests/fuzz-replay.c - run one fuzz target over its corpus without a fuzzer
 *
 * Linked to every fuzz-*.c in the ordinary builds, so that the whole corpus,
 * and with it every input that once broke something, is tried under gcc,
 * clang and the sanitizers. Each input is also cut at several places and run
 * again: truncation is the commonest damage.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX_BYTES (8u << 20)

/* The input stands in memory of exactly its size, for the sanitizers. */
static void run_exact(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	size_t size;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	data = malloc(INPUT_MAX_BYTES);
	if (!data)
		abort();
	size = fread(data, 1, INPUT_MAX_BYTES, f);
	fclose(f);

	run_exact(data, size);
	for (unsigned int i = 1; i < 16; i++)
		run_exact(data, size * i / 16);
	free(data);
	return 0;
}

int main(int argc, char *argv[])
{
	unsigned int n = 0;

	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);
		struct dirent *e;

		if (!dir) {
			if (run_file(argv[i]) < 0)
				return 1;
			n++;
			continue;
		}
		while ((e = readdir(dir))) {
			char path[4096];

			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i],
				 e->d_name);
			if (run_file(path) < 0)
				return 1;
			n++;
		}
		closedir(dir);
	}
	if (!n) {
		fprintf(stderr, "no corpus: a fuzz target needs one\n");
		return 1;
	}
	printf("%u inputs replayed\n", n);
	return 0;
}
