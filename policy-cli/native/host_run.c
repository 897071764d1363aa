#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
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

/* The child on its way to the program: writes the errno to `report` if it does not get there, where the pipe just closes. */
static _Noreturn void become(char **argv, int in, int out, int report, pid_t parent, const sigset_t *signals)
{
	/* A program that outlives us would go on with a call that was denied, or ask for one. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(127);
	/* Our handlers would answer for us, and what we ignore the program need not. */
	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	sigprocmask(SIG_SETMASK, signals, NULL);
	if (in < 0 || (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0))
		execve(argv[0], argv, environ);
	int failure = errno;
	ssize_t ignored = write(report, &failure, sizeof failure);
	(void)ignored;
	_exit(127);
}

/* Waits until the child has become the program; 0 or an errno. */
static int await_start(int report, int64_t deadline)
{
	for (;;) {
		struct pollfd ready = { .fd = report, .events = POLLIN };
		int count = poll(&ready, 1, time_left(deadline));
		if (count == 0)
			return ETIMEDOUT;
		int failure = 0;
		if (count > 0 && read(report, &failure, sizeof failure) >= 0)
			return failure;
		if (errno != EINTR)
			return errno;
	}
}

/*
 * Starts a program; 0 or an errno. Not by posix_spawn: there the time limit and SIGTERM wait as long as execve does,
 * which may be for ever where the program is on a file system that hangs.
 */
static int start(struct program *program, char **argv, bool piped, int64_t deadline)
{
	int in[2] = { -1, -1 };
	int out[2] = { -1, -1 };
	int report[2];
	if (pipe2(report, O_CLOEXEC) < 0 || (piped && (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)))
		return errno;
	pid_t parent = getpid();
	sigset_t all, signals;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &signals);
	program->pid = fork();
	if (program->pid == 0)
		become(argv, in[0], out[1], report[1], parent, &signals);
	int failure = errno;
	sigprocmask(SIG_SETMASK, &signals, NULL);
	if (program->pid < 0)
		return failure;
	close(report[1]);
	close(in[0]);
	close(out[1]);
	program->to_it = in[1];
	program->from_it = out[0];
	fcntl(program->to_it, F_SETFL, O_NONBLOCK);
	failure = await_start(report[0], deadline);
	close(report[0]);
	if (failure != 0)
		return failure;
	program->end = (int)syscall(SYS_pidfd_open, program->pid, 0);
	return program->end < 0 ? errno : 0;
}

/* Waits for the end of a program that has ended or was killed; 0 or an errno. */
static int reap(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0) {
		if (errno != EINTR)
			return errno;
	}
	return 0;
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
	struct program program = { .pid = -1, .end = -1, .to_it = -1, .from_it = -1 };
	int64_t deadline = deadline_in(seconds);
	size_t length = 0;
	int status = 0;
	int failure = start(&program, words, piped, deadline);
	if (failure == 0)
		failure = converse(&program, text, left, deadline, &length);
	if (program.pid > 0) {
		if (failure != 0)
			kill(program.pid, SIGKILL);
		int lost = reap(program.pid, &status);
		failure = failure != 0 ? failure : lost;
	}
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
