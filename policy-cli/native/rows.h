/* The lines of a policy file that say something: `splitRows` of ../core/rows.ts, in C. */
#ifndef ROWS_H
#define ROWS_H

#include <quickjs.h>
#include <stddef.h>
#include <stdint.h>

/* The rows of a plain text, which is changed on the way. */
JSValue new_rows(JSContext *ctx, uint8_t *text, size_t length);

#endif
