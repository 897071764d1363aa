/*
 * The memory of QuickJS. Its first part lies in the executable itself, filled at build time with everything that does not depend
 * on the call: engine, built-ins, our program, loaded and initialised. So a run starts where the build left off (main.c, README.md).
 */
#ifndef HEAP_H
#define HEAP_H

#include <quickjs.h>

/* Room in the executable, in bytes: what is there after loading, and what a common call needs on top. */
#define IMAGE_BYTES ((size_t)576 << 10)
/* All the memory of a run; more than any honest policy needs. A run that wants more ends in a denial. */
#define HEAP_BYTES ((size_t)1 << 30)
/* What is asked of the system at a time. */
#define CHUNK_BYTES ((size_t)32 << 20)

/* Each block is a multiple of this. */
#define ALIGNMENT ((size_t)16)
/* Freed blocks of less than this times ALIGNMENT are used again. */
#define CLASSES 65

struct heap {
	/* Where the next block goes, and the end of the memory it has to fit in. */
	uint8_t *next;
	uint8_t *end;
	/* How much the system has given so far. */
	size_t mapped;
	/* By size: the block that was freed last, which starts with a pointer to the one before. */
	void *freed[CLASSES];
	/* The loaded program; `ctx` is NULL as long as nothing is loaded. */
	JSRuntime *runtime;
	JSContext *ctx;
	JSValue run;
	_Alignas(16) uint8_t room[IMAGE_BYTES];
};
extern struct heap heap;

/* For JS_NewRuntime2. */
extern const JSMallocFunctions heap_functions;

#endif
