#include "text.h"

#include <string.h>

#define EACH(byte) (0x0101010101010101u * (byte))

/* Whether eight bytes are all printable ASCII; a tab or line feed counts as not. */
static bool is_printable(uint64_t bytes)
{
	uint64_t below_blank = (bytes - EACH(0x20)) & ~bytes;
	uint64_t no_delete = bytes ^ EACH(0x7f);
	uint64_t is_delete = (no_delete - EACH(0x01)) & ~no_delete;
	return ((bytes | below_blank | is_delete) & EACH(0x80)) == 0;
}

/* Length of the UTF-8 sequence that starts here, 0 if there is none. */
static size_t sequence_length(const uint8_t *at, const uint8_t *end)
{
	uint8_t first = at[0];
	if (first < 0x80)
		return 1;
	size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
	if (length == 0 || (size_t)(end - at) < length)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	bool over_long = (first == 0xe0 && at[1] < 0xa0) || (first == 0xf0 && at[1] < 0x90);
	bool surrogate = first == 0xed && at[1] > 0x9f;
	bool too_high = first == 0xf4 && at[1] > 0x8f;
	return over_long || surrogate || too_high ? 0 : length;
}

enum text_kind classify(const uint8_t *bytes, size_t length)
{
	const uint8_t *end = bytes + length;
	enum text_kind kind = TEXT_PLAIN;
	for (const uint8_t *at = bytes; at < end;) {
		uint64_t eight;
		if ((size_t)(end - at) >= sizeof eight) {
			memcpy(&eight, at, sizeof eight);
			if (is_printable(eight)) {
				at += sizeof eight;
				continue;
			}
		}
		size_t step = sequence_length(at, end);
		if (step == 0)
			return TEXT_BAD;
		if (step > 1 || (*at < 0x20 && *at != '\t' && *at != '\n') || *at == 0x7f)
			kind = TEXT_UTF8;
		at += step;
	}
	return kind;
}

JSValue new_string_lenient(JSContext *ctx, const char *bytes)
{
	size_t length = strlen(bytes);
	if (classify((const uint8_t *)bytes, length) != TEXT_BAD)
		return JS_NewStringLen(ctx, bytes, length);
	char *fixed = js_malloc(ctx, 3 * length + 1);
	if (fixed == NULL)
		return JS_EXCEPTION;
	char *out = fixed;
	const uint8_t *end = (const uint8_t *)bytes + length;
	for (const uint8_t *at = (const uint8_t *)bytes; at < end;) {
		size_t step = sequence_length(at, end);
		memcpy(out, step == 0 ? "\xef\xbf\xbd" : (const char *)at, step == 0 ? 3 : step);
		out += step == 0 ? 3 : step;
		at += step == 0 ? 1 : step;
	}
	return JS_NewStringLen(ctx, fixed, (size_t)(out - fixed));
}

const char *to_utf8(JSContext *ctx, JSValueConst value, size_t *length)
{
	const char *text = JS_ToCStringLen(ctx, length, value);
	if (text == NULL || classify((const uint8_t *)text, *length) != TEXT_BAD)
		return text;
	/* Half a pair is the one thing that QuickJS writes and UTF-8 does not have: 0xed and two more bytes. */
	char *fixed = js_strndup(ctx, text, *length);
	if (fixed == NULL)
		return NULL;
	for (size_t i = 0; i + 2 < *length; i++) {
		if ((uint8_t)fixed[i] == 0xed && (uint8_t)fixed[i + 1] > 0x9f)
			memcpy(fixed + i, "\xef\xbf\xbd", 3);
	}
	return fixed;
}
