/* JSON as the standard has it: JS_ParseJSON alone also takes what is none (`1.`, `"\x41"`), and runs out of stack where it is nested deeply. */
#ifndef JSON_H
#define JSON_H

#include <quickjs.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether a text with a NUL behind it is JSON (RFC 8259), with lists and objects no deeper than 64. */
bool is_json(const char *text, size_t length);

/* Host.parseJson(text) */
JSValue host_parse_json(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);

#endif
