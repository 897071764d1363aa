#include "errno_name.h"

#include <errno.h>
#include <stddef.h>

#define NAME(error) { error, #error }

static const struct {
	int error;
	const char *name;
} NAMES[] = {
	NAME(E2BIG), NAME(EACCES), NAME(EAGAIN), NAME(EBADF), NAME(EBUSY), NAME(ECONNABORTED), NAME(ECONNREFUSED),
	NAME(ECONNRESET), NAME(EDESTADDRREQ), NAME(EDQUOT), NAME(EEXIST), NAME(EFAULT), NAME(EFBIG), NAME(EINTR),
	NAME(EINVAL), NAME(EIO), NAME(EISDIR), NAME(ELOOP), NAME(EMFILE), NAME(EMSGSIZE), NAME(ENAMETOOLONG),
	NAME(ENFILE), NAME(ENOBUFS), NAME(ENODEV), NAME(ENOENT), NAME(ENOEXEC), NAME(ENOMEM), NAME(ENOSPC),
	NAME(ENOSYS), NAME(ENOTCONN), NAME(ENOTDIR), NAME(ENOTSOCK), NAME(ENXIO), NAME(EOVERFLOW), NAME(EPERM),
	NAME(EPIPE), NAME(EPROTOTYPE), NAME(ESTALE), NAME(ETIMEDOUT), NAME(ETXTBSY),
};

const char *errno_name(int error)
{
	for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
		if (NAMES[i].error == error)
			return NAMES[i].name;
	}
	return "EIO";
}
