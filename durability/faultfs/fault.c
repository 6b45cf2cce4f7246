/* Counting, failing and slowing. */

#define _GNU_SOURCE
#include "faultfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct control private_control;
static struct control *control = &private_control;

static void fail_setting(const char *text) {
    char kind[16], name[16];
    unsigned long long nth = 0, times = 1;
    int parts = sscanf(text, "%15[a-z]:%llu:%15[A-Z]:%llu", kind, &nth, name, &times);
    int which = !strcmp(kind, "sync") ? FAULT_SYNC : !strcmp(kind, "write") ? FAULT_WRITE
              : !strcmp(kind, "open") ? FAULT_OPEN : -1;
    int error = !strcmp(name, "EIO") ? EIO : !strcmp(name, "ENOSPC") ? ENOSPC : 0;
    if (parts < 3 || which < 0 || error == 0) {
        fprintf(stderr, "faultfs: cannot read FAULTFS_FAIL=%s\n", text);
        abort();
    }
    control->fail_times[which] = times;
    control->fail_errno[which] = (uint64_t)error;
    control->fail_at[which] = nth;
}

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("FAULTFS_CONTROL");
    if (path) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
        void *shared = fd < 0 ? MAP_FAILED
                              : (void *)syscall(SYS_mmap, NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);
        if (shared == MAP_FAILED) {
            fprintf(stderr, "faultfs: cannot share %s: %s\n", path, strerror(errno));
            abort();
        }
        syscall(SYS_close, fd);
        control = shared;
    }
    const char *delay = getenv("FAULTFS_SYNC_DELAY_US");
    if (delay)
        control->sync_delay_us = strtoull(delay, NULL, 10);
    const char *fail = getenv("FAULTFS_FAIL");
    if (fail)
        fail_setting(fail);
}

int fault_hits(enum fault kind) {
    uint64_t call = __atomic_add_fetch(&control->calls[kind], 1, __ATOMIC_SEQ_CST);
    uint64_t at = __atomic_load_n(&control->fail_at[kind], __ATOMIC_SEQ_CST);
    uint64_t times = __atomic_load_n(&control->fail_times[kind], __ATOMIC_SEQ_CST);
    if (at == 0 || call < at || (times != 0 && call >= at + times))
        return 0;
    __atomic_add_fetch(&control->fired[kind], 1, __ATOMIC_SEQ_CST);
    errno = (int)__atomic_load_n(&control->fail_errno[kind], __ATOMIC_SEQ_CST);
    return 1;
}

void fault_delay_sync(void) {
    uint64_t us = __atomic_load_n(&control->sync_delay_us, __ATOMIC_SEQ_CST);
    if (us == 0)
        return;
    struct timespec rest = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
}
