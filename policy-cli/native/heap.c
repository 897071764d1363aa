/*
 * Blocks are cut off one after the other. Each is preceded by its size, which realloc needs; only the last one grows in place.
 * Small blocks that are freed are kept by size and used again, which saves making more memory ready; large ones are left.
 */
#include "heap.h"

#include <string.h>
#include <sys/mman.h>

#include "last_words.h"

static const char TOO_MUCH[] = "memory limit of 1 GiB";

struct heap heap __attribute__((section(".heap"), aligned(4096)));

static size_t *size_of(void *block)
{
	return (size_t *)block - 1;
}

static size_t round_up(size_t size)
{
	if (size > HEAP_BYTES)
		end_run(TOO_MUCH);
	return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/* The room in the executable first, then a chunk after the other. */
static void add_room(size_t wanted)
{
	if (heap.next == NULL) {
		heap.next = heap.room;
		heap.end = heap.room + sizeof heap.room;
		if (wanted <= sizeof heap.room)
			return;
	}
	size_t size = wanted > CHUNK_BYTES ? wanted : CHUNK_BYTES;
	if (size > HEAP_BYTES - heap.mapped)
		end_run(TOO_MUCH);
	void *chunk = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (chunk == MAP_FAILED)
		end_run("no memory");
	heap.mapped += size;
	heap.next = chunk;
	heap.end = heap.next + size;
}

static void *allocate(JSMallocState *state, size_t size)
{
	(void)state;
	size_t wanted = round_up(size) + ALIGNMENT;
	size_t class = wanted / ALIGNMENT - 1;
	if (class < CLASSES && heap.freed[class] != NULL) {
		void *used_before = heap.freed[class];
		heap.freed[class] = *(void **)used_before;
		return used_before;
	}
	if (wanted > (size_t)(heap.end - heap.next))
		add_room(wanted);
	void *block = heap.next + ALIGNMENT;
	heap.next += wanted;
	*size_of(block) = wanted - ALIGNMENT;
	return block;
}

static void release(JSMallocState *state, void *block)
{
	(void)state;
	if (block == NULL)
		return;
	size_t class = *size_of(block) / ALIGNMENT;
	if (class < CLASSES) {
		*(void **)block = heap.freed[class];
		heap.freed[class] = block;
	}
}

static void *reallocate(JSMallocState *state, void *block, size_t size)
{
	if (block == NULL)
		return allocate(state, size);
	size_t old = *size_of(block);
	if (size <= old)
		return block;
	size_t more = round_up(size) - old;
	if ((uint8_t *)block + old == heap.next && more <= (size_t)(heap.end - heap.next)) {
		heap.next += more;
		*size_of(block) = old + more;
		return block;
	}
	void *copy = allocate(state, size);
	memcpy(copy, block, old);
	release(state, block);
	return copy;
}

static size_t usable_size(const void *block)
{
	return block == NULL ? 0 : ((const size_t *)block)[-1];
}

const JSMallocFunctions heap_functions = { allocate, release, reallocate, usable_size };
