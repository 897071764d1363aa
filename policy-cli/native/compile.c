/* Compiles the script on standard input to the bytecode that main.c runs, on standard output. Run by build-native.mjs. */
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"

/* The script, with a NUL behind it, which JS_Eval wants. */
static char script[4 << 20];

int main(void)
{
	size_t length = fread(script, 1, sizeof script - 1, stdin);
	if (!feof(stdin)) {
		fputs("compile: the script is too long\n", stderr);
		return 1;
	}
	JSRuntime *runtime = JS_NewRuntime();
	JSContext *ctx = JS_NewContextRaw(runtime);
	add_intrinsics(ctx);
	JS_AddIntrinsicEval(ctx);
	JS_SetStripInfo(runtime, JS_STRIP_DEBUG);
	JSValue compiled = JS_Eval(ctx, script, length, "qrexec-policy-exec", JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
	if (JS_IsException(compiled)) {
		fprintf(stderr, "compile: %s\n", JS_ToCString(ctx, JS_GetException(ctx)));
		return 1;
	}
	size_t size;
	const uint8_t *bytecode = JS_WriteObject(ctx, &size, compiled, JS_WRITE_OBJ_BYTECODE);
	if (bytecode == NULL || fwrite(bytecode, 1, size, stdout) != size || fflush(stdout) != 0) {
		fputs("compile: cannot write the bytecode\n", stderr);
		return 1;
	}
	exit(0);
}
