/*
 * qrexec-policy-exec: runs ../exec/entry-quickjs.ts with the host in C, and ends.
 *
 * It is built in two steps (build-native.mjs). The first executable has nothing in its heap; started without arguments it loads the
 * program and writes its heap to standard output. The second one is the first with that heap in it, and only decides calls.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "engine.h"
#include "heap.h"
#include "host.h"
#include "last_words.h"

/* The bytecode, which compile.c made. */
__asm__(".section .rodata\n"
	".balign 16\n"
	"program: .incbin \"program.bytecode\"\n"
	"program_end:\n"
	".text\n");
extern const uint8_t program[], program_end[];

/* Ends the run for an exception that nobody caught: a defect of ours. */
static _Noreturn void end_uncaught(void)
{
	static char reason[512];
	const char *text = JS_ToCString(heap.ctx, JS_GetException(heap.ctx));
	snprintf(reason, sizeof reason, "internal error: %s", text == NULL ? "unknown" : text);
	end_run(reason);
}

/* Makes the engine and loads the program into the heap; nothing of it depends on the call. */
static void load(void)
{
#ifdef __SANITIZE_ADDRESS__
	heap.runtime = JS_NewRuntime();
#else
	heap.runtime = JS_NewRuntime2(&heap_functions, NULL);
#endif
	JS_SetMaxStackSize(heap.runtime, STACK_BYTES);
	JS_SetGCThreshold(heap.runtime, (size_t)-1);
	heap.ctx = JS_NewContextRaw(heap.runtime);
	add_intrinsics(heap.ctx);
	JSValue script = JS_ReadObject(heap.ctx, program, (size_t)(program_end - program), JS_READ_OBJ_BYTECODE);
	if (JS_IsException(script) || JS_IsException(JS_EvalFunction(heap.ctx, script)))
		end_uncaught();
	heap.run = JS_GetPropertyStr(heap.ctx, JS_GetGlobalObject(heap.ctx), "qrexecMain");
}

/*
 * QuickJS asks for the time of day once, for the seed of Math.random, which our program does not use.
 * So that the heap is the same in each build, it is always the same time.
 */
int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	(void)zone;
	*time = (struct timeval){ 0 };
	return 0;
}

#ifndef WITHOUT_IMAGE
/* The places of the stack that QuickJS keeps: its top and its limit. */
#define STACK_WORDS 2

/* Takes out of the heap where the stack was, which is elsewhere in each run; false if there is more or less than is known of. */
static bool forget_stack(void)
{
	int found = 0;
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	for (uintptr_t *word = (uintptr_t *)heap.room; word < (uintptr_t *)heap.next; word++) {
		if (*word - (here - 2 * STACK_BYTES) >= 4 * STACK_BYTES)
			continue;
		*word = 0;
		found++;
	}
	return found == STACK_WORDS;
}

/* The first step of the build. */
static int write_image(void)
{
	load();
	if (!forget_stack()) {
		fputs("the heap has other addresses of the stack in it than those that are known\n", stderr);
		return 1;
	}
	return fwrite(&heap, sizeof heap, 1, stdout) == 1 && fflush(stdout) == 0 ? 0 : 1;
}
#endif

/* Puts something that takes and gives nothing where a standard file is closed, so that no file or socket of ours gets its number. */
static void fill_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			end_run("a standard file is closed, and there is no /dev/null");
	}
}

int main(int argc, char **argv)
{
	catch_signals();
	fill_standard_files();
#ifdef WITHOUT_IMAGE
	load();
#else
	if (heap.ctx == NULL)
		return write_image();
#endif
	JS_UpdateStackTop(heap.runtime);
	JSValue host = new_host(heap.ctx, argc - 1, argv + 1);
	JSValue status = JS_Call(heap.ctx, heap.run, JS_UNDEFINED, 1, &host);
	int32_t code;
	if (JS_IsException(status) || JS_ToInt32(heap.ctx, &code, status))
		end_uncaught();
	_exit(code);
}
