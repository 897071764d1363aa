/* The host in C: the same as ../host/node.ts, by the contract of ../host/host.ts. */
#ifndef HOST_H
#define HOST_H

#include <quickjs.h>
#include <stdint.h>

/* The object with all functions; `args` are the words of the command line behind the program's name. */
JSValue new_host(JSContext *ctx, int count, char **args);

/* What was read last, by whichever function; JavaScript gets a copy. One byte more than any limit, to see that it is passed. */
#define INPUT_BYTES ((16 << 20) + 1)
extern uint8_t input[INPUT_BYTES];

/* Throws a HostError with this code, or with the name of errno. */
JSValue throw_code(JSContext *ctx, const char *code, const char *operation, JSValueConst path);
JSValue throw_errno(JSContext *ctx, const char *operation, JSValueConst path);

/* The text that was read, for a function that returns it; throws EILSEQ. */
JSValue input_text(JSContext *ctx, size_t length, JSValueConst path);

/* The bytes of a path; NULL where it has a NUL in it, so that nothing can be there. */
const char *to_path(JSContext *ctx, JSValueConst value);

/* Milliseconds of a clock that never goes back. */
int64_t now(void);
/* When `seconds` from now are over, 0 for never. */
int64_t deadline_in(int32_t seconds);
/* What is left, for poll: -1 for no limit, 0 when it is over. */
int time_left(int64_t deadline);

/* host_files.c */
JSValue host_read_text(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue host_read_rows(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue host_read_input(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue host_list_files(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue host_read_link(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
/* host_sockets.c */
JSValue host_start_call(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue host_finish_call(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue host_send_log(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
/* host_run.c */
JSValue host_run(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
/* host.c */
JSValue host_write(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);

#endif
