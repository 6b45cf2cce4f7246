/* The undo log: for each change that is not yet synced, what was there before.
 *
 * A record is written before its change, so that a kill in between leaves a harmless one: undoing what was not done
 * writes the same bytes again. Recovery goes through the log backwards and leaves out what a later sync covered. When
 * nothing at all is open the log is emptied, so that it stays as small as the unsynced data.
 */

#define _GNU_SOURCE
#include "faultfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE = 1, CREATE, UNLINK, RENAME, SYNC, LOST, UNSUPPORTED, MAKE_DIRECTORY };

/* As read by recovery: eight 64-bit numbers in the machine's own order, then `payload` bytes. */
struct record {
    uint64_t kind;
    uint64_t inode;       /* which sync settles it: the file's, or the directory's */
    uint64_t other_inode; /* rename only: the target's directory; else 0 */
    uint64_t offset;      /* write: from where; sync, lost: up to which place of the log */
    uint64_t length;      /* write: how many bytes are touched */
    uint64_t size;        /* write: how long the file was */
    uint64_t payload;     /* bytes that follow: what stood there, or paths, each ended by a zero */
    uint64_t end;         /* place in the log behind this record; places count on when the log is emptied */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static int log_fd = -1;
static uint64_t log_end;
static unsigned kept_files;
static int lost_something;

/* Inodes with open records: the place in the log behind the last of them. */
struct open_inode {
    uint64_t inode, last;
};
static struct open_inode *open_inodes;
static size_t open_count, open_room;

static void die(const char *what) {
    fprintf(stderr, "faultfs: %s: %s\n", what, strerror(errno));
    abort();
}

__attribute__((constructor)) static void start(void) {
    const char *setting = getenv("FAULTFS_UNDO");
    if (!setting)
        return;
    char path[PATH_MAX + 8];
    snprintf(folder, sizeof folder, "%s", setting);
    snprintf(path, sizeof path, "%s/log", folder);
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0)
        die("cannot open the undo log");
    if (flock(log_fd, LOCK_EX | LOCK_NB) != 0)
        die("another process writes this undo log");
    struct stat st;
    if (fstat(log_fd, &st) != 0 || st.st_size != 0) {
        errno = ENOTEMPTY;
        die("the undo log of an earlier process was not applied");
    }
}

void undo_lock(void) { pthread_mutex_lock(&lock); }
void undo_unlock(void) { pthread_mutex_unlock(&lock); }

static void append(struct record head, const void *payload) {
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)payload, head.payload}};
    ssize_t want = (ssize_t)(sizeof head + head.payload);
    head.end = log_end + (uint64_t)want;
    if (syscall(SYS_writev, log_fd, parts, head.payload ? 2 : 1) != want)
        die("cannot write the undo log");
    log_end = head.end;
}

static void opened(uint64_t inode) {
    for (size_t i = 0; i < open_count; i++) {
        if (open_inodes[i].inode == inode) {
            open_inodes[i].last = log_end;
            return;
        }
    }
    if (open_count == open_room) {
        open_room = open_room ? 2 * open_room : 64;
        open_inodes = realloc(open_inodes, open_room * sizeof *open_inodes);
        if (!open_inodes)
            die("no memory");
    }
    open_inodes[open_count++] = (struct open_inode){inode, log_end};
}

static void note(struct record head, const void *payload) {
    append(head, payload);
    opened(head.inode);
    if (head.other_inode)
        opened(head.other_inode);
}

/* What stands in the file now; a descriptor that cannot read gets help from one that can. */
static char *read_old(int fd, off_t offset, uint64_t length) {
    char *bytes = malloc(length ? length : 1);
    if (!bytes)
        die("no memory");
    int reader = fd, own = -1;
    if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY) {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        reader = own = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
    }
    for (uint64_t done = 0; done < length;) {
        long got = syscall(SYS_pread64, reader, bytes + done, length - done, offset + (off_t)done);
        if (got <= 0)
            die("cannot read what is about to be replaced");
        done += (uint64_t)got;
    }
    if (own >= 0)
        syscall(SYS_close, own);
    return bytes;
}

static void note_range(int fd, const struct stat *st, off_t offset, uint64_t length) {
    uint64_t size = (uint64_t)st->st_size, from = (uint64_t)offset;
    uint64_t old = from >= size ? 0 : (size - from < length ? size - from : length);
    char *bytes = read_old(fd, offset, old);
    note((struct record){WRITE, st->st_ino, 0, from, length, size, old, 0}, bytes);
    free(bytes);
}

void undo_note_write(int fd, const struct stat *st, off_t offset, uint64_t length) {
    if (log_fd >= 0 && length > 0)
        note_range(fd, st, offset, length);
}

void undo_note_resize(int fd, const struct stat *st, off_t size) {
    if (log_fd < 0 || size == st->st_size)
        return;
    /* Shorter: the tail goes. Longer: nothing that was there is touched, only the length. */
    off_t from = size < st->st_size ? size : st->st_size;
    off_t to = size < st->st_size ? st->st_size : size;
    note_range(fd, st, from, (uint64_t)(to - from));
}

void undo_note_create(ino_t directory, const char *path, int is_directory) {
    if (log_fd >= 0)
        note((struct record){is_directory ? MAKE_DIRECTORY : CREATE, directory, 0, 0, 0, 0, strlen(path) + 1, 0}, path);
}

/* Keeps a file that is about to lose its name, by a second name outside of the root; empty when there is no file. */
static void keep(const char *path, char kept[PATH_MAX]) {
    struct stat st;
    kept[0] = '\0';
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    if (snprintf(kept, PATH_MAX, "%s/kept.%u", folder, kept_files++) >= PATH_MAX)
        die("path too long");
    if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, kept, 0) != 0)
        die("cannot keep a file that is to be removed");
}

static size_t join(char *out, const char *one, const char *two, const char *three) {
    size_t length = 0;
    const char *parts[3] = {one, two, three};
    for (int i = 0; i < 3 && parts[i]; i++) {
        size_t size = strlen(parts[i]) + 1;
        memcpy(out + length, parts[i], size);
        length += size;
    }
    return length;
}

void undo_note_unlink(ino_t directory, const char *path) {
    if (log_fd < 0)
        return;
    char kept[PATH_MAX], payload[3 * PATH_MAX];
    keep(path, kept);
    note((struct record){UNLINK, directory, 0, 0, 0, 0, join(payload, path, kept, NULL), 0}, payload);
}

void undo_note_rename(ino_t from_directory, const char *from, ino_t to_directory, const char *to) {
    if (log_fd < 0)
        return;
    char kept[PATH_MAX], payload[3 * PATH_MAX];
    keep(to, kept);
    uint64_t size = join(payload, from, to, kept);
    note((struct record){RENAME, from_directory, to_directory, 0, 0, 0, size, 0}, payload);
}

void undo_note_unsupported(const char *what) {
    if (log_fd < 0)
        return;
    append((struct record){UNSUPPORTED, 0, 0, 0, 0, 0, strlen(what) + 1, 0}, what);
    lost_something = 1;
}

uint64_t undo_mark(void) {
    undo_lock();
    uint64_t mark = log_end;
    undo_unlock();
    return mark;
}

void undo_settle(ino_t inode, uint64_t mark) {
    if (log_fd < 0)
        return;
    undo_lock();
    append((struct record){SYNC, inode, 0, mark, 0, 0, 0, 0}, NULL);
    for (size_t i = 0; i < open_count; i++) {
        if (open_inodes[i].inode == inode && open_inodes[i].last <= mark) {
            open_inodes[i] = open_inodes[--open_count];
            break;
        }
    }
    if (open_count == 0 && !lost_something && ftruncate(log_fd, 0) != 0)
        die("cannot empty the undo log");
    undo_unlock();
}

void undo_lost(ino_t inode, uint64_t mark) {
    if (log_fd < 0)
        return;
    undo_lock();
    append((struct record){LOST, inode, 0, mark, 0, 0, 0, 0}, NULL);
    lost_something = 1;
    undo_unlock();
}
