/* The C library's file calls, each as: look, count or fail, note what is there now, do it. */

#define _GNU_SOURCE
#include "faultfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SAME_AS(name) __attribute__((alias(name)))

/* ---- opening and closing ---- */

static int open_at(int dirfd, const char *path, int flags, mode_t mode) {
    char name[4096];
    ino_t directory;
    if (!tracked_name(dirfd, path, name, &directory))
        goto plain;
    if (fault_hits(FAULT_OPEN))
        return -1;
    if (!(flags & (O_CREAT | O_TRUNC)))
        goto plain;
    undo_lock();
    struct stat st;
    int there = stat(name, &st) == 0;
    if (!there && (flags & O_CREAT))
        undo_note_create(directory, name, 0);
    if (there && (flags & O_TRUNC) && S_ISREG(st.st_mode) && st.st_size > 0) {
        int old = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC, 0);
        if (old >= 0) {
            undo_note_resize(old, &st, 0);
            syscall(SYS_close, old);
        }
    }
    int fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
    int error = errno;
    undo_unlock();
    track_forget(fd);
    errno = error;
    return fd;

plain:
    fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
    track_forget(fd);
    return fd;
}

#define MODE_OF(flags)                                   \
    mode_t mode = 0;                                     \
    if ((flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) { \
        va_list more;                                    \
        va_start(more, flags);                           \
        mode = va_arg(more, mode_t);                     \
        va_end(more);                                    \
    }

int open(const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) SAME_AS("open");

int openat(int dirfd, const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(dirfd, path, flags, mode);
}
int openat64(int dirfd, const char *path, int flags, ...) SAME_AS("openat");

int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) SAME_AS("creat");

/* What a program built with checks calls when it passes no mode. */
int __open_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) SAME_AS("__open_2");
int __openat_2(int dirfd, const char *path, int flags) { return open_at(dirfd, path, flags, 0); }
int __openat64_2(int dirfd, const char *path, int flags) SAME_AS("__openat_2");

int close(int fd) {
    track_forget(fd);
    return (int)syscall(SYS_close, fd);
}

int dup2(int from, int to) {
    track_forget(to);
    return from == to ? (fcntl(from, F_GETFD) < 0 ? -1 : to) : (int)syscall(SYS_dup3, from, to, 0);
}

int dup3(int from, int to, int flags) {
    track_forget(to);
    return (int)syscall(SYS_dup3, from, to, flags);
}

/* ---- writing ---- */

/* O_SYNC and O_DSYNC: such a write is its own sync. */
static void settle_if_synchronous(int fd, ino_t inode) {
    int error = errno;
    if (fcntl(fd, F_GETFL) & O_DSYNC)
        undo_settle(inode, undo_mark());
    errno = error;
}

#define WRITING(fd, where, count, call)                                         \
    struct stat st;                                                             \
    if (!tracked(fd, &st))                                                      \
        return call;                                                            \
    if (fault_hits(FAULT_WRITE))                                                \
        return -1;                                                              \
    undo_lock();                                                                \
    if (fstat(fd, &st) == 0)                                                    \
        undo_note_write(fd, &st, where, count);                                 \
    ssize_t done = call;                                                        \
    int error = errno;                                                          \
    undo_unlock();                                                              \
    errno = error;                                                              \
    settle_if_synchronous(fd, st.st_ino);                                       \
    return done

/* Where a write without a place of its own goes. */
static off_t position(int fd, const struct stat *st) {
    return (fcntl(fd, F_GETFL) & O_APPEND) ? st->st_size : (off_t)syscall(SYS_lseek, fd, 0L, SEEK_CUR);
}

static uint64_t total(const struct iovec *parts, int count) {
    uint64_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += parts[i].iov_len;
    return sum;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    WRITING(fd, position(fd, &st), count, syscall(SYS_write, fd, bytes, count));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    WRITING(fd, position(fd, &st), total(parts, count), syscall(SYS_writev, fd, parts, count));
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    WRITING(fd, offset, count, syscall(SYS_pwrite64, fd, bytes, count, offset));
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) SAME_AS("pwrite");

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    WRITING(fd, offset, total(parts, count), syscall(SYS_pwritev, fd, parts, count, offset, 0L));
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) SAME_AS("pwritev");

ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    WRITING(fd, offset < 0 ? position(fd, &st) : offset, total(parts, count),
            syscall(SYS_pwritev2, fd, parts, count, offset, 0L, flags));
}
ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags) SAME_AS("pwritev2");

/* Copies inside the kernel are refused, in the way that makes callers fall back to reading and writing. */
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags) {
    struct stat st;
    if (tracked(out, &st)) {
        errno = EXDEV;
        return -1;
    }
    return syscall(SYS_copy_file_range, in, from, out, to, count, flags);
}

ssize_t sendfile(int out, int in, off_t *offset, size_t count) {
    struct stat st;
    if (tracked(out, &st)) {
        errno = EINVAL;
        return -1;
    }
    return syscall(SYS_sendfile, out, in, offset, count);
}
ssize_t sendfile64(int out, int in, off64_t *offset, size_t count) SAME_AS("sendfile");

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    struct stat st;
    int shared = (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
    if (fd >= 0 && shared && (protection & PROT_WRITE) && tracked(fd, &st)) {
        undo_lock();
        undo_note_unsupported("a file is mapped shared and writable");
        undo_unlock();
    }
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}
void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset) SAME_AS("mmap");

/* ---- lengths ---- */

int ftruncate(int fd, off_t size) {
    struct stat st;
    if (!tracked(fd, &st))
        return (int)syscall(SYS_ftruncate, fd, size);
    if (size > st.st_size && fault_hits(FAULT_WRITE))
        return -1;
    undo_lock();
    if (fstat(fd, &st) == 0)
        undo_note_resize(fd, &st, size);
    int done = (int)syscall(SYS_ftruncate, fd, size);
    undo_unlock();
    return done;
}
int ftruncate64(int fd, off64_t size) SAME_AS("ftruncate");

int truncate(const char *path, off_t size) {
    int fd = open_at(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int done = ftruncate(fd, size), error = errno;
    close(fd);
    errno = error;
    return done;
}
int truncate64(const char *path, off64_t size) SAME_AS("truncate");

int fallocate(int fd, int mode, off_t offset, off_t length) {
    struct stat st;
    if (!tracked(fd, &st))
        return (int)syscall(SYS_fallocate, fd, mode, offset, length);
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (fault_hits(FAULT_WRITE))
        return -1;
    undo_lock();
    if (fstat(fd, &st) == 0)
        undo_note_write(fd, &st, offset, (uint64_t)length);
    int done = (int)syscall(SYS_fallocate, fd, mode, offset, length);
    undo_unlock();
    return done;
}
int fallocate64(int fd, int mode, off64_t offset, off64_t length) SAME_AS("fallocate");

/* Tells by its value, not by errno. */
int posix_fallocate(int fd, off_t offset, off_t length) {
    int error = errno, done = fallocate(fd, 0, offset, length), value = done == 0 ? 0 : errno;
    errno = error;
    return value;
}
int posix_fallocate64(int fd, off64_t offset, off64_t length) SAME_AS("posix_fallocate");

/* ---- syncing ---- */

static int sync_one(int fd, long number) {
    struct stat st;
    if (!tracked(fd, &st))
        return (int)syscall(number, fd);
    uint64_t mark = undo_mark();
    fault_delay_sync();
    if (fault_hits(FAULT_SYNC)) {
        int error = errno;
        undo_lost(st.st_ino, mark);
        errno = error;
        return -1;
    }
    int done = (int)syscall(number, fd);
    if (done == 0)
        undo_settle(st.st_ino, mark);
    return done;
}

int fsync(int fd) { return sync_one(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_one(fd, SYS_fdatasync); }

/* Promises nothing about lengths and nothing about the disk's own cache: it settles nothing. */
int sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags) {
    struct stat st;
    if (tracked(fd, &st) && fault_hits(FAULT_SYNC))
        return -1;
    return (int)syscall(SYS_sync_file_range, fd, offset, length, flags);
}

/* ---- names ---- */

static int unlink_at(int dirfd, const char *path, int flags) {
    char name[4096];
    ino_t directory;
    if (!tracked_name(dirfd, path, name, &directory))
        return (int)syscall(SYS_unlinkat, dirfd, path, flags);
    undo_lock();
    struct stat st;
    if (lstat(name, &st) == 0 && S_ISDIR(st.st_mode) == !!(flags & AT_REMOVEDIR))
        undo_note_unlink(directory, name);
    int done = (int)syscall(SYS_unlinkat, dirfd, path, flags), error = errno;
    undo_unlock();
    errno = error;
    return done;
}

int unlink(const char *path) { return unlink_at(AT_FDCWD, path, 0); }
int unlinkat(int dirfd, const char *path, int flags) { return unlink_at(dirfd, path, flags); }
int rmdir(const char *path) { return unlink_at(AT_FDCWD, path, AT_REMOVEDIR); }

static int rename_at(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags) {
    char old[4096], new[4096];
    ino_t old_directory, new_directory;
    int from_watched = tracked_name(from_dirfd, from, old, &old_directory);
    int to_watched = tracked_name(to_dirfd, to, new, &new_directory);
    if (!from_watched && !to_watched)
        return (int)syscall(SYS_renameat2, from_dirfd, from, to_dirfd, to, flags);
    undo_lock();
    if (from_watched && to_watched && !(flags & RENAME_EXCHANGE))
        undo_note_rename(old_directory, old, new_directory, new);
    else
        undo_note_unsupported("a rename into or out of the directory, or an exchange");
    int done = (int)syscall(SYS_renameat2, from_dirfd, from, to_dirfd, to, flags), error = errno;
    undo_unlock();
    errno = error;
    return done;
}

int rename(const char *from, const char *to) { return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return rename_at(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return rename_at(a, from, b, to, flags); }

static int make_directory(int dirfd, const char *path, mode_t mode) {
    char name[4096];
    ino_t directory;
    struct stat st;
    if (!tracked_name(dirfd, path, name, &directory) || stat(name, &st) == 0)
        return (int)syscall(SYS_mkdirat, dirfd, path, mode);
    undo_lock();
    undo_note_create(directory, name, 1);
    int done = (int)syscall(SYS_mkdirat, dirfd, path, mode), error = errno;
    undo_unlock();
    errno = error;
    return done;
}

int mkdir(const char *path, mode_t mode) { return make_directory(AT_FDCWD, path, mode); }
int mkdirat(int dirfd, const char *path, mode_t mode) { return make_directory(dirfd, path, mode); }

int linkat(int from_dirfd, const char *from, int to_dirfd, const char *to, int flags) {
    char name[4096];
    ino_t directory;
    if (tracked_name(to_dirfd, to, name, &directory)) {
        undo_lock();
        undo_note_create(directory, name, 0);
        undo_unlock();
    }
    return (int)syscall(SYS_linkat, from_dirfd, from, to_dirfd, to, flags);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
