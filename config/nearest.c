// SPDX-License-Identifier: Apache-2.0
#include "config/nearest.h"

#include <glib.h>
#include <string.h>

unsigned int nearest_distance(const char *a, const char *b)
{
	/* Three rows suffice: the swap looks two rows back. */
	unsigned char rows[3][NEAREST_MAX_BYTES + 1];
	size_t n = strnlen(a, NEAREST_MAX_BYTES);
	size_t m = strnlen(b, NEAREST_MAX_BYTES);

	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned char) j;

	for (size_t i = 1; i <= n; i++) {
		unsigned char *row = rows[i % 3];
		const unsigned char *above = rows[(i + 2) % 3];
		const unsigned char *above2 = rows[(i + 1) % 3];
		char x = g_ascii_tolower(a[i - 1]);

		row[0] = (unsigned char) i;
		for (size_t j = 1; j <= m; j++) {
			char y = g_ascii_tolower(b[j - 1]);
			unsigned int best = above[j - 1] + (x != y);

			best = MIN(best, above[j] + 1u);
			best = MIN(best, row[j - 1] + 1u);
			if (i > 1 && j > 1 &&
			    x == g_ascii_tolower(b[j - 2]) &&
			    y == g_ascii_tolower(a[i - 2]))
				best = MIN(best, above2[j - 2] + 1u);
			row[j] = (unsigned char) best;
		}
	}
	return rows[n % 3][m];
}

int nearest_score(const char *given, const char *name)
{
	size_t n = strlen(given), m = strlen(name);
	unsigned int d;

	if (!n || !m)
		return -1;
	d = nearest_distance(given, name);
	if (d <= (MAX(n, m) + 2) / 3 && d < MIN(n, m))
		return (int) d;
	/* "secret" for "secret_file", "framerate" for "frame". Worse than any
	 * typing mistake. */
	if (MIN(n, m) >= 3 && !g_ascii_strncasecmp(given, name, MIN(n, m)))
		return NEAREST_MAX_BYTES + (int) d;
	return -1;
}

const char *nearest_of(const char *given, const char *const *names)
{
	const char *best = NULL;
	int best_score = 0;

	for (; *names; names++) {
		int score = nearest_score(given, *names);

		/* A letter is left out more often than put in: of equals the
		 * longer one. */
		if (score >= 0 && (!best || score < best_score ||
				   (score == best_score &&
				    strlen(*names) > strlen(best)))) {
			best = *names;
			best_score = score;
		}
	}
	return best;
}
