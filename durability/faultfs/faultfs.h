/* faultfs: a preloaded library that knows what a power cut would take away, and that can make calls fail.
 *
 * It stands before the C library's file calls of one process and looks only at files below one directory.
 *
 *   FAULTFS_ROOT           that directory (absolute, without links)
 *   FAULTFS_UNDO           a directory outside of it, on the same file system, for the undo log; unset: no log
 *   FAULTFS_CONTROL        a file of sizeof(struct control), shared with the test; unset: private counters
 *   FAULTFS_FAIL           <sync|write|open>:<nth>:<EIO|ENOSPC>[:<times>], times 0 = from then on always
 *   FAULTFS_SYNC_DELAY_US  how much longer each sync takes
 *
 * What it does not see: writes through a shared mapping (noted in the log, and recovery then refuses), calls made
 * without the C library (io_uring, raw system calls), and files whose name ends in `-shm`, which SQLite makes
 * afresh from its log.
 */
#ifndef FAULTFS_H
#define FAULTFS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

_Static_assert(sizeof(long) == 8, "64-bit Linux only");

/* ---- fault.c: counting calls, failing some, slowing syncs ---- */

enum fault { FAULT_SYNC, FAULT_WRITE, FAULT_OPEN, FAULT_KINDS };

/* Shared with the test, which may change it at any time; all 64 bit. */
struct control {
    uint64_t calls[FAULT_KINDS];      /* so far */
    uint64_t fail_at[FAULT_KINDS];    /* first call that fails, counted from 1; 0: none */
    uint64_t fail_times[FAULT_KINDS]; /* how many fail in a row; 0: all from then on */
    uint64_t fail_errno[FAULT_KINDS]; /* with which error */
    uint64_t fired[FAULT_KINDS];      /* how many have failed */
    uint64_t sync_delay_us;
};

/* 1 when this call has to fail; errno is set then. */
int fault_hits(enum fault kind);
void fault_delay_sync(void);

/* ---- track.c: which descriptors and paths are below the root ---- */

/* 1 when the descriptor is a watched file or directory; fills `st`. */
int tracked(int fd, struct stat *st);
void track_forget(int fd);
/* The absolute path of a name to be made or removed, when its directory is watched; 1 and the directory's inode. */
int tracked_name(int dirfd, const char *path, char out[4096], ino_t *directory);

/* ---- undo.c: what to do to get back to what was synced ---- */

/* Between these two, nothing else changes a watched file; held around each note and the call it is about. */
void undo_lock(void);
void undo_unlock(void);

/* All of these are called before the change itself, and with the lock held. */
void undo_note_write(int fd, const struct stat *st, off_t offset, uint64_t length);
void undo_note_resize(int fd, const struct stat *st, off_t size);
void undo_note_create(ino_t directory, const char *path, int is_directory);
void undo_note_unlink(ino_t directory, const char *path);
void undo_note_rename(ino_t from_directory, const char *from, ino_t to_directory, const char *to);
void undo_note_unsupported(const char *what);

/* A sync covers what was noted before it began: take the mark first, settle after it succeeded. */
uint64_t undo_mark(void);
void undo_settle(ino_t inode, uint64_t mark);
/* A sync that failed: the kernel may have dropped those pages, and a later sync does not bring them back. */
void undo_lost(ino_t inode, uint64_t mark);

#endif
