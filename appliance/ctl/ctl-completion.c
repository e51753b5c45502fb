// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-completion.h"

#include <glib.h>
#include <string.h>

#include "appliance/control/control-table.h"
#include "appliance/ctl/ctl-table.h"
#include "config/option-table.h"

static char *with_blanks(const char *values)
{
	char *text = g_strdup(values ? values : "");

	return g_strdelimit(text, "|", ' ');
}

static void append_word(GString *s, const char *word)
{
	g_string_append_printf(s, "%s%s", s->len ? " " : "", word);
}

static void append_methods(GString *s, const ControlMethod *m)
{
	for (; m->name; m++)
		append_word(s, m->name);
}

/* What the arguments of a verb can be; "" when nobody knows. g_free() it. */
static char *argument_words(const struct ctl_verb *v)
{
	g_autofree char *words = with_blanks(v->values ? v->values : v->words);
	GString *s = g_string_new(words);

	for (int i = 0; v->takes_keys && i < N_OPTIONS; i++) {
		append_word(s, option_table_get(i)->section);
		g_string_append_printf(s, ".%s", option_table_get(i)->key);
	}
	if (v->takes_methods) {
		append_methods(s, control_methods);
		append_methods(s, control_builtin_methods);
	}
	for (const ControlEvent *e = control_events;
	     v->takes_events && e->name; e++)
		append_word(s, e->name);
	return g_string_free(s, FALSE);
}

static void append_option_words(GString *s, const struct ctl_option *o)
{
	g_string_append_printf(s, " --%s", o->name);
	if (o->letter)
		g_string_append_printf(s, " -%c", o->letter);
}

/* --- bash ------------------------------------------------------------------ */
static void bash_option_values(GString *s)
{
	g_string_append(s, "\tcase \"$prev\" in\n");
	for (int i = 0; i < N_CTL_OPTIONS; i++) {
		const struct ctl_option *o = &ctl_options[i];
		g_autofree char *values = with_blanks(o->values);

		if (!o->argument)
			continue;
		g_string_append_printf(s, "\t--%s", o->name);
		if (o->letter)
			g_string_append_printf(s, "|-%c", o->letter);
		if (o->is_path)
			g_string_append(s, ") COMPREPLY=($(compgen -f -- "
					   "\"$cur\")); return ;;\n");
		else
			g_string_append_printf(
				s, ") COMPREPLY=($(compgen -W '%s' -- "
				   "\"$cur\")); return ;;\n", values);
	}
	g_string_append(s, "\tesac\n");
}

static void bash_find_verb(GString *s)
{
	g_string_append(
		s, "\tlocal i=1 verb=\n"
		   "\twhile [ \"$i\" -lt \"$COMP_CWORD\" ]; do\n"
		   "\t\tcase \"${COMP_WORDS[i]}\" in\n");
	for (int i = 0; i < N_CTL_OPTIONS; i++) {
		const struct ctl_option *o = &ctl_options[i];

		if (!o->argument)
			continue;
		g_string_append_printf(s, "\t\t--%s", o->name);
		if (o->letter)
			g_string_append_printf(s, "|-%c", o->letter);
		g_string_append(s, ") i=$((i + 1)) ;;\n");
	}
	g_string_append(s, "\t\t-*) ;;\n"
			   "\t\t*) verb=${COMP_WORDS[i]}; break ;;\n"
			   "\t\tesac\n"
			   "\t\ti=$((i + 1))\n"
			   "\tdone\n");
}

static void append_verb_words(GString *s, const struct ctl_verb *v)
{
	g_autofree char *values = argument_words(v);

	g_string_append(s, values);
	for (int i = 0; i < N_CTL_OPTIONS; i++)
		if (!v || ctl_table_verb_has(v, i))
			append_option_words(s, &ctl_options[i]);
}

static char *make_bash(void)
{
	GString *s = g_string_new("# bash completion for skylinkctl\n"
				  "_skylinkctl() {\n"
				  "\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
				  "\tlocal prev=${COMP_WORDS[COMP_CWORD-1]}\n"
				  "\tlocal words\n\tCOMPREPLY=()\n");

	bash_option_values(s);
	bash_find_verb(s);
	g_string_append(s, "\tcase \"$verb\" in\n\t'') words='");
	for (int i = 0; i < N_CTL_VERBS; i++)
		g_string_append_printf(s, "%s%s", i ? " " : "",
				       ctl_verbs[i].name);
	for (int i = 0; i < CTL_FIRST_OWN_OPTION; i++)
		append_option_words(s, &ctl_options[i]);
	g_string_append(s, "' ;;\n");
	for (int i = 0; i < N_CTL_VERBS; i++) {
		g_string_append_printf(s, "\t%s) words='", ctl_verbs[i].name);
		append_verb_words(s, &ctl_verbs[i]);
		if (i == CTL_HELP_VERB)
			for (int k = 0; k < N_CTL_VERBS; k++)
				g_string_append_printf(s, " %s",
						       ctl_verbs[k].name);
		g_string_append(s, "' ;;\n");
	}
	g_string_append(s, "\t*) words= ;;\n"
			   "\tesac\n"
			   "\tCOMPREPLY=($(compgen -W \"$words\" -- "
			   "\"$cur\"))\n"
			   "\tcase \"$verb\" in\n");
	for (int i = 0; i < N_CTL_VERBS; i++)
		if (ctl_verbs[i].takes_files)
			g_string_append_printf(
				s, "\t%s) COMPREPLY+=($(compgen -f -- "
				   "\"$cur\")) ;;\n", ctl_verbs[i].name);
	g_string_append(s, "\tesac\n"
			   "}\n"
			   "complete -F _skylinkctl skylinkctl\n");
	return g_string_free(s, FALSE);
}

/* --- zsh ------------------------------------------------------------------- */
/* Within single quotes, and within zsh's brackets. */
static char *zsh_text(const char *text)
{
	GString *s = g_string_new(NULL);

	for (; *text; text++) {
		if (*text == '\'')
			g_string_append(s, "'\\''");
		else if (strchr("[]:\\", *text))
			g_string_append_printf(s, "\\%c", *text);
		else
			g_string_append_c(s, *text);
	}
	return g_string_free(s, FALSE);
}

static void zsh_option(GString *s, const struct ctl_option *o)
{
	g_autofree char *help = zsh_text(o->help);
	g_autofree char *values = with_blanks(o->values);
	g_autofree char *action = NULL;

	if (o->argument)
		action = o->is_path ? g_strdup_printf(":%s:_files",
						      o->argument)
				    : g_strdup_printf(":%s:(%s)", o->argument,
						      values);
	else
		action = g_strdup("");
	g_string_append_printf(s, " \\\n\t\t'--%s[%s]%s'", o->name, help,
			       action);
	if (o->letter)
		g_string_append_printf(s, " \\\n\t\t'-%c[%s]%s'", o->letter,
				       help, action);
}

static char *make_zsh(void)
{
	GString *s = g_string_new("#compdef skylinkctl\n"
				  "_skylinkctl() {\n"
				  "\tlocal -a verbs\n"
				  "\tlocal state line\n"
				  "\tverbs=(");

	for (int i = 0; i < N_CTL_VERBS; i++) {
		g_autofree char *help = zsh_text(ctl_verbs[i].help);

		g_string_append_printf(s, "\n\t\t'%s:%s'", ctl_verbs[i].name,
				       help);
	}
	g_string_append(s, "\n\t)\n\t_arguments -C");
	for (int i = 0; i < CTL_FIRST_OWN_OPTION; i++)
		zsh_option(s, &ctl_options[i]);
	g_string_append(s, " \\\n\t\t'1: :->verb' '*:: :->rest'\n"
			   "\tcase \"$state\" in\n"
			   "\tverb) _describe verb verbs ;;\n"
			   "\trest) case \"$line[1]\" in\n");
	for (int i = 0; i < N_CTL_VERBS; i++) {
		const struct ctl_verb *v = &ctl_verbs[i];
		g_autofree char *values = argument_words(v);

		g_string_append_printf(s, "\t%s) _arguments", v->name);
		for (int k = 0; k < N_CTL_OPTIONS; k++)
			if (ctl_table_verb_has(v, k))
				zsh_option(s, &ctl_options[k]);
		if (i == CTL_HELP_VERB)
			g_string_append(s, " \\\n\t\t'*: :{_describe verb "
					   "verbs}'");
		else if (*values)
			g_string_append_printf(s, " \\\n\t\t'*: :(%s)'",
					       values);
		else if (v->takes_files)
			g_string_append(s, " \\\n\t\t'*:file:_files'");
		g_string_append(s, " ;;\n");
	}
	g_string_append(s, "\tesac ;;\n\tesac\n}\n_skylinkctl \"$@\"\n");
	return g_string_free(s, FALSE);
}

/* --- fish ------------------------------------------------------------------ */
static char *fish_text(const char *text)
{
	GString *s = g_string_new(NULL);

	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			g_string_append_c(s, '\\');
		g_string_append_c(s, *text);
	}
	return g_string_free(s, FALSE);
}

static void fish_option(GString *s, const char *condition,
			const struct ctl_option *o)
{
	g_autofree char *help = fish_text(o->help);
	g_autofree char *values = with_blanks(o->values);

	g_string_append_printf(s, "complete -c skylinkctl%s -l %s", condition,
			       o->name);
	if (o->letter)
		g_string_append_printf(s, " -s %c", o->letter);
	if (o->is_path)
		g_string_append(s, " -r -F");
	else if (o->values)
		g_string_append_printf(s, " -x -a '%s'", values);
	else if (o->argument)
		g_string_append(s, " -x");
	g_string_append_printf(s, " -d '%s'\n", help);
}

/* Fish's own helpers take an option's argument for the verb. */
static void fish_find_verb(GString *s)
{
	g_string_append(s, "function __skylinkctl_verb\n"
			   "\tset -l words (commandline -opc)\n"
			   "\tset -e words[1]\n"
			   "\twhile set -q words[1]\n"
			   "\t\tswitch $words[1]\n"
			   "\t\tcase");
	for (int i = 0; i < N_CTL_OPTIONS; i++)
		if (ctl_options[i].argument)
			append_option_words(s, &ctl_options[i]);
	g_string_append(s, "\n\t\t\tset -q words[2]; and set -e words[1]\n"
			   "\t\tcase '-*'\n"
			   "\t\tcase '*'\n"
			   "\t\t\techo $words[1]\n"
			   "\t\t\treturn\n"
			   "\t\tend\n"
			   "\t\tset -e words[1]\n"
			   "\tend\n"
			   "end\n");
}

static char *make_fish(void)
{
	GString *s = g_string_new("# fish completion for skylinkctl\n");

	fish_find_verb(s);
	g_string_append(s, "complete -c skylinkctl -f\n");
	for (int i = 0; i < CTL_FIRST_OWN_OPTION; i++)
		fish_option(s, "", &ctl_options[i]);
	for (int i = 0; i < N_CTL_VERBS; i++) {
		const struct ctl_verb *v = &ctl_verbs[i];
		g_autofree char *help = fish_text(v->help);
		g_autofree char *values = argument_words(v);
		g_autofree char *condition = g_strdup_printf(
			" -n 'contains -- %s (__skylinkctl_verb)'", v->name);

		g_string_append_printf(s, "complete -c skylinkctl -n "
					  "'not count (__skylinkctl_verb) "
					  ">/dev/null' -a %s -d '%s'\n",
				       v->name, help);
		if (*values)
			g_string_append_printf(s, "complete -c skylinkctl%s "
						  "-a '%s'\n", condition,
					       values);
		for (int k = 0; i == CTL_HELP_VERB && k < N_CTL_VERBS; k++)
			g_string_append_printf(s, "complete -c skylinkctl%s "
						  "-a %s\n", condition,
					       ctl_verbs[k].name);
		if (v->takes_files)
			g_string_append_printf(s, "complete -c skylinkctl%s "
						  "-F\n", condition);
		for (int k = CTL_FIRST_OWN_OPTION; k < N_CTL_OPTIONS; k++)
			if (ctl_table_verb_has(v, k))
				fish_option(s, condition, &ctl_options[k]);
	}
	return g_string_free(s, FALSE);
}

char *ctl_completion_make(const char *shell)
{
	return !strcmp(shell, "bash")	? make_bash()
	       : !strcmp(shell, "zsh")	? make_zsh()
	       : !strcmp(shell, "fish") ? make_fish()
					: NULL;
}
