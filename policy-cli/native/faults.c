/*
 * Test only (variant "faults" of build-native.mjs): stands in front of the calls of the system that the host makes, and lets one of them
 * go wrong. QREXEC_FAULT=NAME:N:KIND makes the Nth call of NAME fail with the error KIND (`ENOENT`, `EIO` …), or give only one byte
 * (`short`), nothing as at the end of a file (`end`), or never return (`stall`). QREXEC_FAULT=count writes a line `NAME N` for each call
 * to descriptor 3; else a line says there that the call was met.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "errno_name.h"

#define COUNTED(X) \
	X(open) X(fstat) X(read) X(opendir) X(readdir) X(fstatat) X(readlink) X(socket) X(connect) X(send) X(sendto) \
	X(shutdown) X(poll) X(pipe2) X(fork) X(execve) X(waitpid) X(write) X(setitimer)

enum call {
#define ENTRY(name) CALL_##name,
	COUNTED(ENTRY)
#undef ENTRY
	CALLS
};

static const char *const NAMES[] = {
#define ENTRY(name) #name,
	COUNTED(ENTRY)
#undef ENTRY
};

static int made[CALLS];

enum fault { NONE, ERROR, SHORT, END };

static int error_number(const char *name)
{
	for (int error = 1; error < 134; error++) {
		if (strcmp(errno_name(error), name) == 0)
			return error;
	}
	return EIO;
}

/* What is to happen to this call; errno is set for an error. */
static enum fault next_fault(enum call call)
{
	made[call]++;
	const char *order = getenv("QREXEC_FAULT");
	if (order == NULL)
		return NONE;
	if (strcmp(order, "count") == 0) {
		dprintf(3, "%s %d\n", NAMES[call], made[call]);
		return NONE;
	}
	size_t length = strlen(NAMES[call]);
	if (strncmp(order, NAMES[call], length) != 0 || order[length] != ':')
		return NONE;
	char *kind;
	if (strtol(order + length + 1, &kind, 10) != made[call])
		return NONE;
	kind++;
	dprintf(3, "met\n");
	if (strcmp(kind, "short") == 0)
		return SHORT;
	if (strcmp(kind, "end") == 0)
		return END;
	if (strcmp(kind, "stall") == 0) {
		/* Longer than any test waits, but not for ever. */
		for (int i = 0; i < 60; i++)
			sleep(1);
		_exit(9);
	}
	errno = error_number(kind);
	return ERROR;
}

#define WRAP(result, name, parameters, arguments, failure) \
	result __real_##name parameters; \
	result __wrap_##name parameters; \
	result __wrap_##name parameters \
	{ \
		return next_fault(CALL_##name) == ERROR ? failure : __real_##name arguments; \
	}

WRAP(int, fstat, (int fd, struct stat *info), (fd, info), -1)
WRAP(DIR *, opendir, (const char *path), (path), NULL)
WRAP(struct dirent *, readdir, (DIR *dir), (dir), NULL)
WRAP(int, fstatat, (int dir, const char *path, struct stat *info, int flags), (dir, path, info, flags), -1)
WRAP(ssize_t, readlink, (const char *path, char *link, size_t size), (path, link, size), -1)
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1)
WRAP(int, connect, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length), -1)
WRAP(ssize_t, sendto, (int fd, const void *text, size_t length, int flags, const struct sockaddr *to, socklen_t size),
     (fd, text, length, flags, to, size), -1)
WRAP(int, shutdown, (int fd, int how), (fd, how), -1)
WRAP(int, poll, (struct pollfd *events, nfds_t count, int timeout), (events, count, timeout), -1)
WRAP(pid_t, fork, (void), (), -1)
WRAP(int, execve, (const char *path, char *const *argv, char *const *env), (path, argv, env), -1)
WRAP(int, pipe2, (int *ends, int flags), (ends, flags), -1)
WRAP(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options), -1)
WRAP(int, setitimer, (int which, const struct itimerval *value, struct itimerval *old), (which, value, old), -1)

/* We never create a file, so there is no mode. */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	return next_fault(CALL_open) == ERROR ? -1 : __real_open(path, flags);
}

#define WRAP_BYTES(name, parameters) \
	ssize_t __real_##name parameters; \
	ssize_t __wrap_##name parameters; \
	ssize_t __wrap_##name parameters

WRAP_BYTES(read, (int fd, void *bytes, size_t length))
{
	switch (next_fault(CALL_read)) {
	case ERROR:
		return -1;
	case END:
		return 0;
	case SHORT:
		return __real_read(fd, bytes, length > 1 ? 1 : length);
	default:
		return __real_read(fd, bytes, length);
	}
}

WRAP_BYTES(write, (int fd, const void *bytes, size_t length))
{
	switch (next_fault(CALL_write)) {
	case ERROR:
		return -1;
	case SHORT:
		return __real_write(fd, bytes, length > 1 ? 1 : length);
	default:
		return __real_write(fd, bytes, length);
	}
}

WRAP_BYTES(send, (int fd, const void *bytes, size_t length, int flags))
{
	switch (next_fault(CALL_send)) {
	case ERROR:
		return -1;
	case SHORT:
		return __real_send(fd, bytes, length > 1 ? 1 : length, flags);
	default:
		return __real_send(fd, bytes, length, flags);
	}
}
