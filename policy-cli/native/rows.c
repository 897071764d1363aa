#include "rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t';
}

/* As isServiceCode of ../core/charset.ts. */
static bool is_service_byte(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
	       byte == '_';
}

static bool is_service(const uint8_t *at, const uint8_t *end)
{
	while (at < end && is_service_byte(*at))
		at++;
	return at == end;
}

static bool is_text(const uint8_t *at, const uint8_t *end, const char *text)
{
	size_t length = strlen(text);
	return (size_t)(end - at) == length && memcmp(at, text, length) == 0;
}

/* Ends where white space or the line ends. */
static const uint8_t *skip_field(const uint8_t *at, const uint8_t *end)
{
	while (at < end && !is_blank(*at))
		at++;
	return at;
}

static const uint8_t *skip_blanks(const uint8_t *at, const uint8_t *end)
{
	while (at < end && is_blank(*at))
		at++;
	return at;
}

/* Whether the service of a row is one, as `hasService` there. */
static bool has_service(const uint8_t *head, const uint8_t *head_end, const uint8_t *next, const uint8_t *line_end)
{
	if (*head >= '+')
		return is_service(head, head_end);
	if (!is_text(head, head_end, "!include-service"))
		return true;
	const uint8_t *next_end = skip_field(next, line_end);
	return is_service(next, next_end) || is_text(next, next_end, "*");
}

/* Copies the fields from `at` on to `out`, with one blank between two; returns the end of what was written. */
static uint8_t *join_fields(uint8_t *out, const uint8_t *at, const uint8_t *end)
{
	while (at < end) {
		const uint8_t *field_end = skip_field(at, end);
		while (at < field_end)
			*out++ = *at++;
		at = skip_blanks(at, end);
		if (at < end)
			*out++ = ' ';
	}
	return out;
}

static JSValue new_text(JSContext *ctx, const uint8_t *from, const uint8_t *to)
{
	return JS_NewStringLen(ctx, (const char *)from, (size_t)(to - from));
}

JSValue new_rows(JSContext *ctx, uint8_t *text, size_t length)
{
	JSValue lines = JS_NewArray(ctx);
	JSValue heads = JS_NewArray(ctx);
	JSValue rests = JS_NewArray(ctx);
	bool are_services = true;
	uint32_t count = 0;
	int32_t line = 0;
	const uint8_t *end = text + length;
	for (uint8_t *start = text; start < end;) {
		uint8_t *line_end = memchr(start, '\n', (size_t)(end - start));
		if (line_end == NULL)
			line_end = text + length;
		line++;
		const uint8_t *head = skip_blanks(start, line_end);
		if (head < line_end && *head != '#') {
			const uint8_t *head_end = skip_field(head, line_end);
			JS_SetPropertyUint32(ctx, lines, count, JS_NewInt32(ctx, line));
			JS_SetPropertyUint32(ctx, heads, count, new_text(ctx, head, head_end));
			uint8_t *rest = (uint8_t *)skip_blanks(head_end, line_end);
			are_services = are_services && has_service(head, head_end, rest, line_end);
			/* In place: the fields never need more room than the line has. */
			JS_SetPropertyUint32(ctx, rests, count, new_text(ctx, rest, join_fields(rest, rest, line_end)));
			count++;
		}
		start = line_end + 1;
	}
	JSValue rows = JS_NewObject(ctx);
	JS_SetPropertyStr(ctx, rows, "lines", lines);
	JS_SetPropertyStr(ctx, rows, "heads", heads);
	JS_SetPropertyStr(ctx, rows, "rests", rests);
	JS_SetPropertyStr(ctx, rows, "areServices", JS_NewBool(ctx, are_services));
	return rows;
}
