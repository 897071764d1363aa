/* Names of errors, as Node has them. */
#ifndef ERRNO_NAME_H
#define ERRNO_NAME_H

/* `ENOENT` and the like; `EIO` for what no call of ours can meet. */
const char *errno_name(int error);

#endif
