#include "json.h"

#include <stdint.h>
#include <string.h>

#include "text.h"

/* As many as there are bits in `objects` below. */
#define MAX_DEPTH 64

/*
 * Each of these gets the place where something starts and returns the one behind it, NULL if it is not there.
 * The NUL behind the text fits nowhere, so none of them runs past it.
 */

static const char *skip_space(const char *at)
{
	while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
		at++;
	return at;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* What follows a backslash. */
static const char *skip_escape(const char *at)
{
	if (*at != 'u')
		return *at != '\0' && strchr("\"\\/bfnrt", *at) != NULL ? at + 1 : NULL;
	for (int i = 1; i <= 4; i++) {
		if (!is_hex(at[i]))
			return NULL;
	}
	return at + 5;
}

static const char *skip_string(const char *at)
{
	if (*at != '"')
		return NULL;
	at++;
	while (*at != '"') {
		if ((uint8_t)*at < 0x20)
			return NULL;
		at = *at == '\\' ? skip_escape(at + 1) : at + 1;
		if (at == NULL)
			return NULL;
	}
	return at + 1;
}

static const char *skip_digits(const char *at)
{
	if (!is_digit(*at))
		return NULL;
	while (is_digit(*at))
		at++;
	return at;
}

static const char *skip_number(const char *at)
{
	if (*at == '-')
		at++;
	at = *at == '0' ? at + 1 : skip_digits(at);
	if (at != NULL && *at == '.')
		at = skip_digits(at + 1);
	if (at != NULL && (*at == 'e' || *at == 'E')) {
		at++;
		at = skip_digits(*at == '+' || *at == '-' ? at + 1 : at);
	}
	return at;
}

static const char *skip_word(const char *at, const char *word)
{
	size_t length = strlen(word);
	return strncmp(at, word, length) == 0 ? at + length : NULL;
}

/* Everything but lists and objects. */
static const char *skip_scalar(const char *at)
{
	switch (*at) {
	case '"':
		return skip_string(at);
	case 't':
		return skip_word(at, "true");
	case 'f':
		return skip_word(at, "false");
	case 'n':
		return skip_word(at, "null");
	default:
		return skip_number(at);
	}
}

/* `"NAME":` in an object. */
static const char *skip_name(const char *at)
{
	at = skip_string(skip_space(at));
	if (at == NULL)
		return NULL;
	at = skip_space(at);
	return *at == ':' ? at + 1 : NULL;
}

bool is_json(const char *text, size_t length)
{
	/* What is open here: a bit for each, 1 for an object, the innermost one is the lowest. */
	uint64_t objects = 0;
	int depth = 0;
	for (const char *at = text;;) {
		at = skip_space(at);
		bool is_object = *at == '{';
		if (is_object || *at == '[') {
			if (depth++ == MAX_DEPTH)
				return false;
			objects = objects << 1 | is_object;
			at = skip_space(at + 1);
			if (*at != (is_object ? '}' : ']')) {
				if (is_object && (at = skip_name(at)) == NULL)
					return false;
				continue;
			}
		} else if ((at = skip_scalar(at)) == NULL) {
			return false;
		}
		at = skip_space(at);
		for (; depth > 0 && *at == (objects & 1 ? '}' : ']'); depth--) {
			objects >>= 1;
			at = skip_space(at + 1);
		}
		if (depth == 0)
			return at == text + length;
		if (*at++ != ',' || (objects & 1 && (at = skip_name(at)) == NULL))
			return false;
	}
}

JSValue host_parse_json(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
	(void)this_val;
	(void)argc;
	size_t length;
	const char *text = to_utf8(ctx, argv[0], &length);
	if (text == NULL)
		return JS_EXCEPTION;
	return is_json(text, length) ? JS_ParseJSON(ctx, text, length, "") : JS_UNDEFINED;
}
