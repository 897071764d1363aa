/* How a run ends that is cut off (Host.arm in ../host/host.ts). */
#ifndef LAST_WORDS_H
#define LAST_WORDS_H

#include <quickjs.h>

/* From now on, signals that would end the process end in a denial, whoever started us ignoring or blocking them. */
void catch_signals(void);

/* Logs a denial for `reason`, writes the denying answer unless something was answered already, and exits with 1. Async-signal-safe. */
_Noreturn void end_run(const char *reason);

/* To be called once something was written to standard output, so that no second answer follows. */
void note_answered(void);

/* Host.arm(seconds, lastWords) */
JSValue host_arm(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);

#endif
