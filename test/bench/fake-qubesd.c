/*
 * A qubesd that knows one answer: what is in FILE, to whoever asks whatever on SOCKET. One call after the other.
 * Usage: fake-qubesd SOCKET FILE; says "ready" on standard output when it listens.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char answer[16 << 20] = "0";
static char request[65536];

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	FILE *file = fopen(argv[2], "r");
	if (file == NULL)
		return 1;
	/* "0" and a NUL: success. */
	size_t length = 2 + fread(answer + 2, 1, sizeof answer - 2, file);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
	unlink(argv[1]);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128))
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		int peer = accept(listener, NULL, NULL);
		while (read(peer, request, sizeof request) > 0)
			;
		for (size_t sent = 0; sent < length;) {
			ssize_t count = send(peer, answer + sent, length - sent, MSG_NOSIGNAL);
			if (count <= 0)
				break;
			sent += (size_t)count;
		}
		close(peer);
	}
}
