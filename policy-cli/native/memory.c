/*
 * In the place of musl's memchr and memcmp, which look at single bytes for most of the short texts of a policy: these take eight at a time.
 */
#include <stdint.h>
#include <string.h>

#define EACH(byte) (0x0101010101010101u * (byte))

/* The compiler must not make a call of memchr or memcmp out of these loops. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

void *memchr(const void *text, int byte, size_t length)
{
	const uint8_t *at = text;
	for (; length >= sizeof(uint64_t); at += sizeof(uint64_t), length -= sizeof(uint64_t)) {
		uint64_t eight;
		memcpy(&eight, at, sizeof eight);
		uint64_t zero_where_found = eight ^ EACH((uint8_t)byte);
		if (((zero_where_found - EACH(0x01)) & ~zero_where_found & EACH(0x80)) != 0)
			break;
	}
	for (; length > 0; at++, length--) {
		if (*at == (uint8_t)byte)
			return (void *)at;
	}
	return NULL;
}

int memcmp(const void *a, const void *b, size_t length)
{
	const uint8_t *x = a;
	const uint8_t *y = b;
	for (; length >= sizeof(uint64_t); x += sizeof(uint64_t), y += sizeof(uint64_t), length -= sizeof(uint64_t)) {
		uint64_t eight_of_x, eight_of_y;
		memcpy(&eight_of_x, x, sizeof eight_of_x);
		memcpy(&eight_of_y, y, sizeof eight_of_y);
		if (eight_of_x != eight_of_y)
			break;
	}
	for (; length > 0; x++, y++, length--) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}
