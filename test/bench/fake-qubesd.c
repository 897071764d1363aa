/*
 * A qubesd that knows one answer, what is in FILE, to whoever asks whatever on SOCKET; and a system log that forgets what it is told on LOG.
 * Usage: fake-qubesd SOCKET FILE LOG; says "ready" on standard output when it listens.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char answer[16 << 20] = "0";
static char request[65536];

static int listen_at(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	unlink(path);
	int fd = socket(AF_UNIX, type, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
		return -1;
	return type == SOCK_DGRAM || listen(fd, 128) == 0 ? fd : -1;
}

static void serve(int listener, size_t length)
{
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

int main(int argc, char **argv)
{
	FILE *file = argc == 4 ? fopen(argv[2], "r") : NULL;
	if (file == NULL)
		return 1;
	/* "0" and a NUL: success. */
	size_t length = 2 + fread(answer + 2, 1, sizeof answer - 2, file);
	struct pollfd sockets[] = {
		{ .fd = listen_at(argv[1], SOCK_STREAM), .events = POLLIN },
		{ .fd = listen_at(argv[3], SOCK_DGRAM), .events = POLLIN },
	};
	if (sockets[0].fd < 0 || sockets[1].fd < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		poll(sockets, 2, -1);
		if (sockets[0].revents != 0)
			serve(sockets[0].fd, length);
		if (sockets[1].revents != 0 && recv(sockets[1].fd, request, sizeof request, 0) < 0)
			return 1;
	}
}
