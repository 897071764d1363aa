#include "last_words.h"

#include <errno.h>
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

static void write_soon(int fd, struct iovec *parts, int count)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	if (poll(&room, 1, PATIENCE) != 1 || (room.revents & POLLOUT) == 0)
		return;
	/* Nobody is left to tell that this failed, and the exit status says deny. */
	ssize_t ignored = writev(fd, parts, count);
	(void)ignored;
}

_Noreturn void end_run(const char *reason)
{
	const struct last_words *words = in_force;
	if (words->log_socket[0] != '\0' && !log_to_socket(words->log_socket, words->log_text, reason)) {
		const char *text = words->log_text + PRIORITY_LENGTH;
		struct iovec line[] = {
			{ (char *)text, strlen(text) },
			{ (char *)reason, strlen(reason) },
			{ (char *)"\n", 1 },
		};
		write_soon(STDERR_FILENO, line, 3);
	}
	if (!answered) {
		struct iovec answer = { (char *)words->answer, strlen(words->answer) };
		write_soon(STDOUT_FILENO, &answer, 1);
	}
	_exit(1);
}

void note_answered(void)
{
	answered = 1;
}

static void on_signal(int signal)
{
	switch (signal) {
	case SIGALRM:
		end_run(time_limit);
	case SIGTERM:
		end_run("stopped by SIGTERM");
	case SIGINT:
		end_run("stopped by SIGINT");
	case SIGHUP:
		end_run("stopped by SIGHUP");
	default:
		end_run("internal error: crashed");
	}
}

void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
	sigfillset(&action.sa_mask);
	static const int ENDING[] = { SIGALRM, SIGTERM, SIGINT, SIGHUP };
	for (size_t i = 0; i < sizeof ENDING / sizeof ENDING[0]; i++)
		sigaction(ENDING[i], &action, NULL);
#ifndef __SANITIZE_ADDRESS__
	/* A stack that has run over cannot carry its own handler. */
	static char stack[16384];
	stack_t alternative = { .ss_sp = stack, .ss_size = sizeof stack };
	sigaltstack(&alternative, NULL);
	static const int CRASHES[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	for (size_t i = 0; i < sizeof CRASHES / sizeof CRASHES[0]; i++)
		sigaction(CRASHES[i], &action, NULL);
#endif
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
	/* Whoever starts us may ignore it, and then nobody could tell how our programs end. */
	action.sa_handler = SIG_DFL;
	sigaction(SIGCHLD, &action, NULL);
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
