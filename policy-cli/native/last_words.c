#include "last_words.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* How long the last words may take for each of their places, in milliseconds. */
#define PATIENCE 1000
/* `<11>`, which is for syslog only. */
#define PRIORITY_LENGTH 4

struct last_words {
	const char *answer;
	const char *log_text;
	/* Empty: nothing is logged. */
	const char *log_socket;
};

/* Until the command line has been read. */
static const struct last_words FIRST = { "result=deny\n", "<11>qrexec: denied: ", "/dev/log" };

/* Two, so that the one in force is never written to; which one that is changes in a single store, whenever a signal comes. */
static struct last_words given[2];
static const struct last_words *volatile in_force = &FIRST;
static volatile sig_atomic_t answered = 0;

static char time_limit[] = "time limit of 0000000 s";

static bool log_to_socket(const char *path, const char *text, const char *reason)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof address.sun_path)
		return false;
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	struct iovec parts[] = {
		{ (char *)text, strlen(text) },
		{ (char *)reason, strlen(reason) + 1 },
	};
	struct msghdr message = { .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	if (sent < 0 && errno == EAGAIN) {
		/* No room at the log: once more, after a while. */
		poll(NULL, 0, PATIENCE);
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	}
	close(fd);
	return sent >= 0;
}

/* Writes no more than a pipe takes at once where it has any room, so it does not wait. */
static bool write_piece(int fd, const char *piece, size_t length)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	return poll(&room, 1, PATIENCE) == 1 && (room.revents & POLLOUT) != 0 && write(fd, piece, length) == (ssize_t)length;
}

/* Writes texts, the last of which is NULL. If that fails nobody is left to be told, and the exit status says deny. */
static void write_soon(int fd, const char *const *texts)
{
	static char piece[PIPE_BUF];
	size_t length = 0;
	for (; *texts != NULL; texts++) {
		for (const char *at = *texts; *at != '\0'; at++) {
			piece[length++] = *at;
			if (length < sizeof piece)
				continue;
			if (!write_piece(fd, piece, length))
				return;
			length = 0;
		}
	}
	if (length > 0)
		write_piece(fd, piece, length);
}

static void give_up(int signal)
{
	(void)signal;
	_exit(1);
}

/* Nothing comes between the last words, and they do not take for ever. */
static void be_the_last(void)
{
	sigset_t signals;
	sigfillset(&signals);
	sigprocmask(SIG_SETMASK, &signals, NULL);
	struct sigaction action = { .sa_handler = give_up, .sa_flags = SA_ONSTACK };
	sigaction(SIGALRM, &action, NULL);
	struct itimerval limit = { .it_value = { .tv_sec = 5 * PATIENCE / 1000 } };
	setitimer(ITIMER_REAL, &limit, NULL);
	sigdelset(&signals, SIGALRM);
	sigprocmask(SIG_SETMASK, &signals, NULL);
}

_Noreturn void end_run(const char *reason)
{
	be_the_last();
	const struct last_words *words = in_force;
	if (words->log_socket[0] != '\0' && !log_to_socket(words->log_socket, words->log_text, reason))
		write_soon(STDERR_FILENO, (const char *const[]){ words->log_text + PRIORITY_LENGTH, reason, "\n", NULL });
	if (!answered)
		write_soon(STDOUT_FILENO, (const char *const[]){ words->answer, NULL });
	_exit(1);
}

void note_answered(void)
{
	answered = 1;
}

/* The signals that would end the process, and what is said of each. */
static const struct {
	int signal;
	const char *reason;
} ENDINGS[] = {
	{ SIGALRM, time_limit },
	{ SIGTERM, "stopped by SIGTERM" },
	{ SIGINT, "stopped by SIGINT" },
	{ SIGHUP, "stopped by SIGHUP" },
	{ SIGQUIT, "stopped by SIGQUIT" },
	{ SIGUSR1, "stopped by SIGUSR1" },
	{ SIGUSR2, "stopped by SIGUSR2" },
	{ SIGXCPU, "limit of processor time" },
	{ SIGPWR, "stopped by SIGPWR" },
	{ SIGIO, "stopped by SIGIO" },
	{ SIGPROF, "stopped by SIGPROF" },
	{ SIGVTALRM, "stopped by SIGVTALRM" },
	{ SIGSTKFLT, "stopped by SIGSTKFLT" },
#ifndef __SANITIZE_ADDRESS__
	{ SIGSEGV, "internal error: crashed by SIGSEGV" },
	{ SIGBUS, "internal error: crashed by SIGBUS" },
	{ SIGFPE, "internal error: crashed by SIGFPE" },
	{ SIGILL, "internal error: crashed by SIGILL" },
	{ SIGABRT, "internal error: crashed by SIGABRT" },
	{ SIGSYS, "internal error: crashed by SIGSYS" },
	{ SIGTRAP, "internal error: crashed by SIGTRAP" },
#endif
};

/* Writes that go wrong: a pipe that nobody reads, a file that may not grow. We ignore these, so that they are errors of the write. */
static const int BROKEN_WRITES[] = { SIGPIPE, SIGXFSZ };

static void on_signal(int signal)
{
	for (size_t i = 0; i < sizeof ENDINGS / sizeof ENDINGS[0]; i++) {
		if (ENDINGS[i].signal == signal)
			end_run(ENDINGS[i].reason);
	}
	end_run("stopped by a signal");
}

static void set_action(int signal, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	sigfillset(&action.sa_mask);
	sigaction(signal, &action, NULL);
}

void catch_signals(void)
{
#ifndef __SANITIZE_ADDRESS__
	/* A stack that has run over cannot carry its own handler. */
	static char stack[16384];
	stack_t alternative = { .ss_sp = stack, .ss_size = sizeof stack };
	sigaltstack(&alternative, NULL);
#endif
	for (size_t i = 0; i < sizeof ENDINGS / sizeof ENDINGS[0]; i++)
		set_action(ENDINGS[i].signal, on_signal);
	for (size_t i = 0; i < sizeof BROKEN_WRITES / sizeof BROKEN_WRITES[0]; i++)
		set_action(BROKEN_WRITES[i], SIG_IGN);
	/* Whoever starts us may ignore it, and then nobody could tell how our programs end. */
	set_action(SIGCHLD, SIG_DFL);
	/* Or may have blocked what ends a run that hangs. */
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static const char *text_property(JSContext *ctx, JSValueConst object, const char *name)
{
	return JS_ToCString(ctx, JS_GetPropertyStr(ctx, object, name));
}

/* Writes the limit, of at most 7 digits, into its message. */
static void name_time_limit(int seconds)
{
	char digits[16];
	int count = 0;
	for (int rest = seconds; rest > 0; rest /= 10)
		digits[count++] = (char)('0' + rest % 10);
	char *out = time_limit + sizeof "time limit of " - 1;
	while (count > 0)
		*out++ = digits[--count];
	memcpy(out, " s", sizeof " s");
}

JSValue host_arm(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
	(void)this_val;
	(void)argc;
	int32_t seconds;
	if (JS_ToInt32(ctx, &seconds, argv[0]))
		return JS_EXCEPTION;
	struct last_words *words = in_force == &given[0] ? &given[1] : &given[0];
	words->answer = text_property(ctx, argv[1], "answer");
	words->log_text = text_property(ctx, argv[1], "logText");
	words->log_socket = text_property(ctx, argv[1], "logSocket");
	if (words->answer == NULL || words->log_text == NULL || words->log_socket == NULL)
		return JS_EXCEPTION;
	in_force = words;
	name_time_limit(seconds);
	struct itimerval limit = { .it_value = { .tv_sec = seconds } };
	setitimer(ITIMER_REAL, &limit, NULL);
	return JS_UNDEFINED;
}
