#include "host.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "errno_name.h"
#include "json.h"
#include "last_words.h"
#include "text.h"

uint8_t input[INPUT_BYTES];

static const JSCFunctionListEntry FUNCTIONS[] = {
	JS_CFUNC_DEF("readText", 2, host_read_text),
	JS_CFUNC_DEF("readRows", 2, host_read_rows),
	JS_CFUNC_DEF("readInput", 1, host_read_input),
	JS_CFUNC_DEF("listFiles", 1, host_list_files),
	JS_CFUNC_DEF("readLink", 1, host_read_link),
	JS_CFUNC_DEF("parseJson", 1, host_parse_json),
	JS_CFUNC_DEF("startCall", 2, host_start_call),
	JS_CFUNC_DEF("finishCall", 3, host_finish_call),
	JS_CFUNC_DEF("run", 3, host_run),
	JS_CFUNC_DEF("write", 2, host_write),
	JS_CFUNC_DEF("sendLog", 2, host_send_log),
	JS_CFUNC_DEF("arm", 2, host_arm),
};

JSValue new_host(JSContext *ctx, int count, char **args)
{
	JSValue host = JS_NewObject(ctx);
	JSValue list = JS_NewArray(ctx);
	for (int i = 0; i < count; i++)
		JS_SetPropertyUint32(ctx, list, (uint32_t)i, new_string_lenient(ctx, args[i]));
	JS_SetPropertyStr(ctx, host, "args", list);
	JS_SetPropertyFunctionList(ctx, host, FUNCTIONS, sizeof FUNCTIONS / sizeof FUNCTIONS[0]);
	return host;
}

JSValue throw_code(JSContext *ctx, const char *code, const char *operation, JSValueConst path)
{
	JSValue error = JS_NewObject(ctx);
	JS_SetPropertyStr(ctx, error, "code", JS_NewString(ctx, code));
	JS_SetPropertyStr(ctx, error, "operation", JS_NewString(ctx, operation));
	JS_SetPropertyStr(ctx, error, "path", JS_DupValue(ctx, path));
	return JS_Throw(ctx, error);
}

JSValue throw_errno(JSContext *ctx, const char *operation, JSValueConst path)
{
	return throw_code(ctx, errno_name(errno), operation, path);
}

JSValue input_text(JSContext *ctx, size_t length, JSValueConst path)
{
	if (classify(input, length) == TEXT_BAD)
		return throw_code(ctx, "EILSEQ", "read", path);
	return JS_NewStringLen(ctx, (const char *)input, length);
}

const char *to_path(JSContext *ctx, JSValueConst value)
{
	size_t length;
	const char *path = to_utf8(ctx, value, &length);
	return path == NULL || strlen(path) != length ? NULL : path;
}

int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t deadline_in(int32_t seconds)
{
	return seconds == 0 ? 0 : now() + (int64_t)seconds * 1000;
}

int time_left(int64_t deadline)
{
	if (deadline == 0)
		return -1;
	int64_t left = deadline - now();
	return left < 0 ? 0 : (int)left;
}

/* Host.write(fd, text) */
JSValue host_write(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
	(void)this_val;
	(void)argc;
	int32_t fd;
	size_t length;
	const char *text = to_utf8(ctx, argv[1], &length);
	if (text == NULL || JS_ToInt32(ctx, &fd, argv[0]))
		return JS_EXCEPTION;
	for (size_t done = 0; done < length;) {
		ssize_t count = write(fd, text + done, length - done);
		if (count >= 0) {
			done += (size_t)count;
			if (fd == STDOUT_FILENO)
				note_answered();
		} else if (errno == EAGAIN) {
			/* Whoever set it so waits for us; the time limit of the run ends this. */
			struct pollfd room = { .fd = fd, .events = POLLOUT };
			poll(&room, 1, -1);
		} else if (errno != EINTR) {
			return throw_errno(ctx, "write", JS_NewString(ctx, fd == STDOUT_FILENO ? "standard output" : "standard error"));
		}
	}
	return JS_UNDEFINED;
}
