/* Text on its way between C and JavaScript: always strict UTF-8. */
#ifndef TEXT_H
#define TEXT_H

#include <quickjs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum text_kind {
	/* Printable ASCII, tabs and line feeds only (isPlain of ../core/rows.ts). */
	TEXT_PLAIN,
	TEXT_UTF8,
	TEXT_BAD,
};

/* Looks at each byte; surrogates, over-long forms and all above U+10FFFF are bad. */
enum text_kind classify(const uint8_t *bytes, size_t length);

/* A string of bytes that need not be UTF-8: each byte that is none becomes U+FFFD. */
JSValue new_string_lenient(JSContext *ctx, const char *bytes);

/* The UTF-8 of a string, with U+FFFD for half a surrogate pair; NULL with an exception if it is no string. Never freed. */
const char *to_utf8(JSContext *ctx, JSValueConst value, size_t *length);

#endif
