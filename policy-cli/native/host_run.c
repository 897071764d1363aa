#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "text.h"

/* More than this is no answer of a service, in bytes. */
#define MAX_OUTPUT 65536

extern char **environ;

/* A program that was started. Without pipes (-1) it has our standard input and output. */
struct program {
	pid_t pid;
	/* Readable when the program has ended. */
	int end;
	int to_it;
	int from_it;
};

/* Starts a program; 0 or an errno. */
static int start(struct program *program, char **argv, bool piped)
{
	int in[2] = { -1, -1 };
	int out[2] = { -1, -1 };
	if (piped && (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0))
		return errno;
	posix_spawn_file_actions_t files;
	posix_spawn_file_actions_init(&files);
	if (piped) {
		posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
		posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
	}
	/* We ignore a broken pipe; it need not. */
	posix_spawnattr_t attributes;
	posix_spawnattr_init(&attributes);
	sigset_t broken_pipe;
	sigemptyset(&broken_pipe);
	sigaddset(&broken_pipe, SIGPIPE);
	posix_spawnattr_setsigdefault(&attributes, &broken_pipe);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	int failure = posix_spawn(&program->pid, argv[0], &files, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	if (piped) {
		close(in[0]);
		close(out[1]);
		fcntl(in[1], F_SETFL, O_NONBLOCK);
	}
	program->to_it = in[1];
	program->from_it = out[0];
	if (failure != 0)
		return failure;
	program->end = (int)syscall(SYS_pidfd_open, program->pid, 0);
	return program->end < 0 ? errno : 0;
}

/* Writes what is left of the program's input; closes the pipe when all is written or nobody reads it. */
static void feed(struct program *program, const char **text, size_t *left)
{
	ssize_t count = write(program->to_it, *text, *left);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* A program that ends without reading its input is judged by its status. */
	*left = count < 0 ? 0 : *left - (size_t)count;
	*text += count < 0 ? 0 : count;
	if (*left == 0) {
		close(program->to_it);
		program->to_it = -1;
	}
}

/* Exchanges input and output until the program has ended and closed its output; 0, ETIMEDOUT, ENOBUFS or another errno. */
static int converse(struct program *program, const char *text, size_t left, int64_t deadline, size_t *length)
{
	bool ended = false;
	if (program->to_it >= 0 && left == 0) {
		close(program->to_it);
		program->to_it = -1;
	}
	while (!ended || program->from_it >= 0) {
		struct pollfd events[] = {
			{ .fd = ended ? -1 : program->end, .events = POLLIN },
			{ .fd = program->to_it, .events = POLLOUT },
			{ .fd = program->from_it, .events = POLLIN },
		};
		int ready = poll(events, 3, time_left(deadline));
		if (ready == 0)
			return ETIMEDOUT;
		if (ready < 0 && errno != EINTR)
			return errno;
		if (ready < 0)
			continue;
		if (events[0].revents != 0)
			ended = true;
		if (events[1].revents != 0)
			feed(program, &text, &left);
		if (events[2].revents != 0) {
			ssize_t count = read(program->from_it, input + *length, MAX_OUTPUT + 1 - *length);
			if (count < 0 && errno != EINTR)
				return errno;
			if (count == 0) {
				close(program->from_it);
				program->from_it = -1;
			}
			*length += count > 0 ? (size_t)count : 0;
			if (*length > MAX_OUTPUT)
				return ENOBUFS;
		}
	}
	return 0;
}

static char **to_argv(JSContext *ctx, JSValueConst list)
{
	uint32_t count;
	if (JS_ToUint32(ctx, &count, JS_GetPropertyStr(ctx, list, "length")))
		return NULL;
	char **argv = js_mallocz(ctx, (count + 1) * sizeof *argv);
	for (uint32_t i = 0; argv != NULL && i < count; i++) {
		argv[i] = (char *)to_path(ctx, JS_GetPropertyUint32(ctx, list, i));
		if (argv[i] == NULL)
			return NULL;
	}
	return argv;
}

/* Host.run(argv, input, seconds) */
JSValue host_run(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
	(void)this_val;
	(void)argc;
	int32_t seconds;
	size_t left = 0;
	bool piped = !JS_IsNull(argv[1]);
	const char *text = piped ? to_utf8(ctx, argv[1], &left) : "";
	if (text == NULL || JS_ToInt32(ctx, &seconds, argv[2]))
		return JS_EXCEPTION;
	JSValue name = JS_GetPropertyUint32(ctx, argv[0], 0);
	char **words = to_argv(ctx, argv[0]);
	if (words == NULL)
		return throw_code(ctx, "ENOENT", "run", name);
	struct program program = { .pid = 0, .end = -1 };
	int failure = start(&program, words, piped);
	size_t length = 0;
	if (failure == 0)
		failure = converse(&program, text, left, deadline_in(seconds), &length);
	if (failure != 0 && program.pid > 0)
		kill(program.pid, SIGKILL);
	int status = 0;
	while (program.pid > 0 && waitpid(program.pid, &status, 0) < 0 && errno == EINTR)
		;
	close(program.end);
	close(program.to_it);
	close(program.from_it);
	if (failure != 0) {
		errno = failure;
		return throw_errno(ctx, "run", name);
	}
	JSValue output = input_text(ctx, length, name);
	if (JS_IsException(output))
		return output;
	JSValue result = JS_NewObject(ctx);
	JS_SetPropertyStr(ctx, result, "status", JS_NewInt32(ctx, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)));
	JS_SetPropertyStr(ctx, result, "output", output);
	return result;
}
