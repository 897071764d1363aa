#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host.h"
#include "text.h"

/* How long a datagram to the log may wait for room, in seconds. */
#define LOG_SECONDS 1
/* How often a socket is tried again whose queue of connections is full, in milliseconds. */
#define RETRY_INTERVAL 5

/* A call on its way: nothing of it waits before `finishCall`. */
struct call {
	JSValue path;
	struct sockaddr_un address;
	const char *request;
	size_t length;
	size_t sent;
	int fd;
	bool connected;
	/* 0, or the errno that ended it, in the step `failed`. */
	int error;
	const char *failed;
};

/* As many as one run makes: to qubesd for information, a disposable and its start, to the agent twice. */
static struct call calls[8];
static int32_t call_count;

static bool to_address(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	errno = path == NULL || *path == '\0' ? ENOENT : ENAMETOOLONG;
	if (errno == ENOENT || strlen(path) >= sizeof address->sun_path)
		return false;
	strcpy(address->sun_path, path);
	return true;
}

static void fail(struct call *call, const char *step)
{
	call->error = errno;
	call->failed = step;
}

/* Goes on with a call as far as that is possible without waiting. */
static void advance(struct call *call)
{
	if (!call->connected) {
		if (connect(call->fd, (struct sockaddr *)&call->address, sizeof call->address) < 0) {
			/* EAGAIN: its queue is full. */
			if (errno != EAGAIN && errno != EINTR)
				fail(call, "connect");
			return;
		}
		call->connected = true;
	}
	while (call->sent < call->length) {
		ssize_t count = send(call->fd, call->request + call->sent, call->length - call->sent, MSG_NOSIGNAL);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 && errno == EAGAIN)
			return;
		/* That the request is not wanted matters only if no answer comes either. */
		call->sent = count < 0 ? call->length : call->sent + (size_t)count;
	}
	shutdown(call->fd, SHUT_WR);
}

/* Host.startCall(socketPath, request) */
JSValue host_start_call(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
	(void)this_val;
	(void)argc;
	if (call_count == sizeof calls / sizeof calls[0])
		return JS_ThrowInternalError(ctx, "too many calls");
	struct call *call = &calls[call_count++];
	call->path = JS_DupValue(ctx, argv[0]);
	call->request = to_utf8(ctx, argv[1], &call->length);
	if (call->request == NULL)
		return JS_EXCEPTION;
	call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (call->fd < 0 || !to_address(to_path(ctx, argv[0]), &call->address))
		fail(call, "connect");
	else
		advance(call);
	return JS_NewInt32(ctx, call_count - 1);
}

/* Waits until a call can go on; false when its time is over. */
static bool wait_for(const struct call *call, int64_t deadline)
{
	int left = time_left(deadline);
	if (left == 0)
		return false;
	if (!call->connected) {
		poll(NULL, 0, RETRY_INTERVAL);
		return true;
	}
	struct pollfd ready = { .fd = call->fd, .events = POLLIN };
	if (call->sent < call->length)
		ready.events |= POLLOUT;
	return poll(&ready, 1, left) != 0;
}

/* Reads the whole answer into `input`; returns its length, or throws. */
static ssize_t receive(JSContext *ctx, struct call *call, int64_t deadline, size_t limit)
{
	size_t total = 0;
	while (call->error == 0) {
		if (!wait_for(call, deadline)) {
			throw_code(ctx, "ETIMEDOUT", "receive", call->path);
			return -1;
		}
		if (!call->connected || call->sent < call->length)
			advance(call);
		if (!call->connected)
			continue;
		/* An answer may come before all of the request has gone. */
		ssize_t count = read(call->fd, input + total, limit + 1 - total);
		if (count == 0)
			return (ssize_t)total;
		if (count > 0)
			total += (size_t)count;
		else if (errno != EAGAIN && errno != EINTR)
			fail(call, "receive");
		if (total > limit) {
			throw_code(ctx, "EFBIG", "receive", call->path);
			return -1;
		}
	}
	errno = call->error;
	throw_errno(ctx, call->failed, call->path);
	return -1;
}

/* Host.finishCall(handle, seconds, maxBytes) */
JSValue host_finish_call(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
	(void)this_val;
	(void)argc;
	int32_t handle, seconds, limit;
	if (JS_ToInt32(ctx, &handle, argv[0]) || JS_ToInt32(ctx, &seconds, argv[1]) || JS_ToInt32(ctx, &limit, argv[2]))
		return JS_EXCEPTION;
	if (handle < 0 || handle >= call_count || limit < 0 || limit >= INPUT_BYTES)
		return JS_ThrowInternalError(ctx, "no such call");
	struct call *call = &calls[handle];
	ssize_t length = receive(ctx, call, deadline_in(seconds), (size_t)limit);
	close(call->fd);
	return length < 0 ? JS_EXCEPTION : input_text(ctx, (size_t)length, call->path);
}

/* Host.sendLog(socketPath, text) */
JSValue host_send_log(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
	(void)this_val;
	(void)argc;
	size_t length;
	const char *text = to_utf8(ctx, argv[1], &length);
	if (text == NULL)
		return JS_EXCEPTION;
	struct sockaddr_un address;
	if (!to_address(to_path(ctx, argv[0]), &address))
		return throw_errno(ctx, "log", argv[0]);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return throw_errno(ctx, "log", argv[0]);
	int64_t deadline = deadline_in(LOG_SECONDS);
	/* The NUL behind the text goes with it. */
	while (sendto(fd, text, length + 1, MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof address) < 0) {
		if (errno == EAGAIN && time_left(deadline) > 0) {
			/* Poll knows the room of our socket, not that of the log. */
			poll(NULL, 0, RETRY_INTERVAL);
			continue;
		}
		int failure = errno == EAGAIN ? ETIMEDOUT : errno;
		close(fd);
		errno = failure;
		return throw_errno(ctx, "log", argv[0]);
	}
	close(fd);
	return JS_UNDEFINED;
}
