#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "rows.h"
#include "text.h"

/*
 * Reads into `input` until the end, or until `expected` bytes are there (-1: not known).
 * Returns their number; one more than `limit` if there are more; -1 with errno set.
 */
static ssize_t read_all(int fd, size_t limit, off_t expected)
{
	size_t total = 0;
	while (total <= limit && (off_t)total != expected) {
		ssize_t count = read(fd, input + total, limit + 1 - total);
		if (count == 0)
			break;
		if (count > 0)
			total += (size_t)count;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)total;
}

/* The limit of a call, which is never more than there is room for. */
static bool to_limit(JSContext *ctx, JSValueConst value, size_t *limit)
{
	int32_t bytes;
	if (JS_ToInt32(ctx, &bytes, value))
		return false;
	*limit = bytes < 0 || bytes >= INPUT_BYTES ? INPUT_BYTES - 1 : (size_t)bytes;
	return true;
}

/* Reads an open file into `input`; returns its length, or -1 with an exception. */
static ssize_t read_open_file(JSContext *ctx, int fd, size_t limit, JSValueConst path)
{
	struct stat info;
	if (fstat(fd, &info) < 0) {
		throw_errno(ctx, "fstat", path);
		return -1;
	}
	if (!S_ISREG(info.st_mode)) {
		throw_code(ctx, "ENOTFILE", "open", path);
		return -1;
	}
	/* Files of /proc have size 0 and something in them. */
	ssize_t count = info.st_size > (off_t)limit ? info.st_size : read_all(fd, limit, info.st_size == 0 ? -1 : info.st_size);
	if (count >= 0 && count <= (ssize_t)limit && count >= info.st_size)
		return count;
	if (count < 0)
		throw_errno(ctx, "read", path);
	else
		throw_code(ctx, count > (ssize_t)limit ? "EFBIG" : "ECHANGED", "read", path);
	return -1;
}

/* Reads a file, the path and limit of which are the arguments of a function of the host. */
static ssize_t read_file(JSContext *ctx, JSValueConst *argv)
{
	size_t limit;
	if (!to_limit(ctx, argv[1], &limit))
		return -1;
	const char *path = to_path(ctx, argv[0]);
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		if (path == NULL)
			throw_code(ctx, "ENOENT", "open", argv[0]);
		else
			throw_errno(ctx, "open", argv[0]);
		return -1;
	}
	ssize_t length = read_open_file(ctx, fd, limit, argv[0]);
	close(fd);
	return length;
}

/* Host.readText(path, maxBytes) */
JSValue host_read_text(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
	(void)this_val;
	(void)argc;
	ssize_t length = read_file(ctx, argv);
	return length < 0 ? JS_EXCEPTION : input_text(ctx, (size_t)length, argv[0]);
}

/* Host.readRows(path, maxBytes) */
JSValue host_read_rows(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
	(void)this_val;
	(void)argc;
	ssize_t length = read_file(ctx, argv);
	if (length < 0)
		return JS_EXCEPTION;
	return classify(input, (size_t)length) == TEXT_PLAIN ? new_rows(ctx, input, (size_t)length) : JS_NULL;
}

/* Host.readInput(maxBytes) */
JSValue host_read_input(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
	(void)this_val;
	(void)argc;
	size_t limit;
	if (!to_limit(ctx, argv[0], &limit))
		return JS_EXCEPTION;
	JSValue name = JS_NewString(ctx, "standard input");
	ssize_t count = read_all(STDIN_FILENO, limit, -1);
	if (count < 0)
		return throw_errno(ctx, "read", name);
	if (count > (ssize_t)limit)
		return throw_code(ctx, "EFBIG", "read", name);
	return input_text(ctx, (size_t)count, name);
}

/* Whether an entry is a regular file, links followed: 1 or 0, -1 with errno set. */
static int is_regular(int dir, const struct dirent *entry)
{
	if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_REG;
	struct stat info;
	if (fstatat(dir, entry->d_name, &info, 0) == 0)
		return S_ISREG(info.st_mode);
	/* A link that leads nowhere is no file; one that cannot be followed may be one that denies. */
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -1;
}

/* A name as text: if it is not UTF-8, each byte over 0x7f as `\xNN`. */
static JSValue show_name(JSContext *ctx, const char *name)
{
	size_t length = strlen(name);
	if (classify((const uint8_t *)name, length) != TEXT_BAD)
		return JS_NewStringLen(ctx, name, length);
	char *shown = js_malloc(ctx, 4 * length + 1);
	if (shown == NULL)
		return JS_EXCEPTION;
	char *out = shown;
	for (const char *at = name; *at != '\0'; at++) {
		if ((uint8_t)*at < 0x80)
			*out++ = *at;
		else
			out += sprintf(out, "\\x%02x", (uint8_t)*at);
	}
	return JS_NewStringLen(ctx, shown, (size_t)(out - shown));
}

/* The path of an entry, for an error about it. */
static JSValue show_path(JSContext *ctx, const char *dir, const char *name)
{
	static char path[2 * PATH_MAX];
	const char *shown = JS_ToCString(ctx, show_name(ctx, name));
	snprintf(path, sizeof path, "%s/%s", dir, shown == NULL ? "" : shown);
	return new_string_lenient(ctx, path);
}

/* Host.listFiles(path) */
JSValue host_list_files(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
	(void)this_val;
	(void)argc;
	const char *path = to_path(ctx, argv[0]);
	if (path == NULL)
		return throw_code(ctx, "ENOENT", "opendir", argv[0]);
	DIR *dir = opendir(path);
	if (dir == NULL)
		return throw_errno(ctx, "opendir", argv[0]);
	JSValue names = JS_NewArray(ctx);
	uint32_t count = 0;
	const struct dirent *entry;
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		int regular = is_regular(dirfd(dir), entry);
		if (regular < 0)
			return throw_errno(ctx, "stat", show_path(ctx, path, entry->d_name));
		if (regular)
			JS_SetPropertyUint32(ctx, names, count++, show_name(ctx, entry->d_name));
	}
	if (errno != 0)
		return throw_errno(ctx, "opendir", argv[0]);
	closedir(dir);
	return names;
}

/* Host.readLink(path) */
JSValue host_read_link(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
	(void)this_val;
	(void)argc;
	const char *path = to_path(ctx, argv[0]);
	if (path == NULL)
		return JS_NULL;
	char link[PATH_MAX];
	ssize_t length = readlink(path, link, sizeof link);
	if (length < 0) {
		if (errno == EINVAL || errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
			return JS_NULL;
		return throw_errno(ctx, "readlink", argv[0]);
	}
	if (classify((const uint8_t *)link, (size_t)length) == TEXT_BAD)
		return throw_code(ctx, "EILSEQ", "readlink", argv[0]);
	return JS_NewStringLen(ctx, link, (size_t)length);
}
