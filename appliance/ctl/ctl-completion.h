/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/ctl/ctl-completion.h - completion scripts from the verb table
 *
 * Source:  bash(1) "Programmable Completion", zshcompsys(1), fish complete(1)
 * Thread:  any
 * Memory:  results are freed with g_free()
 */
#pragma once

/* Return: the script for "bash", "zsh" or "fish", or NULL. */
char *ctl_completion_make(const char *shell);
