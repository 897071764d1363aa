/* QuickJS with what our program uses of it, the same for the compiler and for the executable. */
#ifndef ENGINE_H
#define ENGINE_H

#include <quickjs.h>
#include <stddef.h>

/* C stack that JavaScript may use before it gets an exception; less than any usual `ulimit -s`. */
#define STACK_BYTES ((size_t)512 << 10)

static inline void add_intrinsics(JSContext *ctx)
{
	JS_AddIntrinsicBaseObjects(ctx);
	JS_AddIntrinsicMapSet(ctx);
	JS_AddIntrinsicJSON(ctx);
}

#endif
