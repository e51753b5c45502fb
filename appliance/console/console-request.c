// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/console-request.h"

#include <errno.h>
#include <string.h>

#include "appliance/signaling/json-check.h"

static const char *const verbs[] = {
	[CONSOLE_MUTE] = "mute",
	[CONSOLE_JOIN] = "join",
	[CONSOLE_LEAVE] = "leave",
	[CONSOLE_CHECK] = "check",
};

static const char *text_of(JsonObject *o, const char *name)
{
	JsonNode *node = json_object_get_member(o, name);

	return node && JSON_NODE_HOLDS_VALUE(node) &&
			       json_node_get_value_type(node) == G_TYPE_STRING
		       ? json_node_get_string(node)
		       : NULL;
}

int console_login_parse(const char *json, size_t len,
			struct console_login *ret)
{
	g_autoptr(JsonObject) o = json_checked_parse_object(
		json, (gssize) len, CONSOLE_LOGIN_MAX_BYTES, NULL);
	const char *password = o ? text_of(o, "password") : NULL;
	const char *token = o ? text_of(o, "token") : NULL;
	const char *secret = token ? token : password;
	size_t n = secret ? strlen(secret) : 0;

	if (!n || n > CONSOLE_MAX_PASSWORD || (token && password))
		return -EBADMSG;
	ret->token = token != NULL;
	ret->len = n;
	memcpy(ret->secret, secret, n + 1);
	return 0;
}

/* Return: false when it is there and no truth value. */
static bool take_bool(JsonObject *o, const char *name, bool *ret_has, bool *ret)
{
	JsonNode *node = json_object_get_member(o, name);

	*ret_has = node != NULL;
	*ret = false;
	if (!node)
		return true;
	if (!JSON_NODE_HOLDS_VALUE(node) ||
	    json_node_get_value_type(node) != G_TYPE_BOOLEAN)
		return false;
	*ret = json_node_get_boolean(node);
	return true;
}

static bool take_id(JsonObject *o, uint32_t *ret)
{
	JsonNode *node = json_object_get_member(o, "id");
	gint64 id;

	if (!node || !JSON_NODE_HOLDS_VALUE(node) ||
	    json_node_get_value_type(node) != G_TYPE_INT64)
		return false;
	id = json_node_get_int(node);
	*ret = (uint32_t) id;
	return id >= 0 && id <= UINT32_MAX;
}

static bool take_verb(const char *name, enum console_verb *ret)
{
	for (unsigned int i = 0; name && i < G_N_ELEMENTS(verbs); i++)
		if (!strcmp(name, verbs[i])) {
			*ret = (enum console_verb) i;
			return true;
		}
	return false;
}

int console_command_parse(const char *json, size_t len,
			  struct console_command *ret)
{
	g_autoptr(JsonObject) o = json_checked_parse_object(
		json, (gssize) len, CONSOLE_COMMAND_MAX_BYTES, NULL);
	struct console_command c = {0};

	if (!o || !take_id(o, &c.id) ||
	    !take_verb(text_of(o, "command"), &c.verb) ||
	    !take_bool(o, "audio", &c.has_audio, &c.audio) ||
	    !take_bool(o, "video", &c.has_video, &c.video))
		return -EBADMSG;
	/* Only muting has something to say about them, and it must. */
	if ((c.verb == CONSOLE_MUTE) != (c.has_audio || c.has_video))
		return -EBADMSG;
	*ret = c;
	return 0;
}

int console_cookie_find(const char *header, const char *name, char *ret,
			size_t size)
{
	size_t name_len = strlen(name);

	for (const char *at = header; *at;) {
		size_t n = strcspn(at, ";");

		while (n && (*at == ' ' || *at == '\t')) {
			at++;
			n--;
		}
		if (n > name_len && at[name_len] == '=' &&
		    strncmp(at, name, name_len) == 0) {
			size_t value = n - name_len - 1;

			if (value >= size)
				return -EBADMSG;
			memcpy(ret, at + name_len + 1, value);
			ret[value] = '\0';
			return 0;
		}
		at += n;
		if (*at)
			at++;
	}
	return -ENOENT;
}
