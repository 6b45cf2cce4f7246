/* Which descriptors and names are below the root. */

#define _GNU_SOURCE
#include "faultfs.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char root[PATH_MAX];
static size_t root_length;

/* What is known of a descriptor; a close makes it unknown again. */
enum { UNKNOWN, WATCHED, IGNORED };
#define DESCRIPTORS 65536
static unsigned char known[DESCRIPTORS];

__attribute__((constructor)) static void start(void) {
    const char *setting = getenv("FAULTFS_ROOT");
    if (!setting)
        return;
    root_length = strlen(setting);
    if (root_length == 0 || root_length >= sizeof root || setting[0] != '/') {
        fprintf(stderr, "faultfs: FAULTFS_ROOT must be an absolute path\n");
        abort();
    }
    memcpy(root, setting, root_length + 1);
}

static int below_root(const char *path) {
    size_t length = strlen(path);
    if (root_length == 0 || strncmp(path, root, root_length) != 0)
        return 0;
    if (path[root_length] != '/' && path[root_length] != '\0')
        return 0;
    return length < 4 || strcmp(path + length - 4, "-shm") != 0;
}

static int path_of(int fd, char out[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
    if (length <= 0)
        return 0;
    out[length] = '\0';
    return 1;
}

int tracked(int fd, struct stat *st) {
    if (root_length == 0 || fd < 0 || fd >= DESCRIPTORS)
        return 0;
    unsigned char state = __atomic_load_n(&known[fd], __ATOMIC_SEQ_CST);
    if (state == IGNORED || fstat(fd, st) != 0)
        return 0;
    int file = S_ISREG(st->st_mode) || S_ISDIR(st->st_mode);
    if (state == WATCHED && file)
        return 1;
    char path[PATH_MAX];
    int watched = file && path_of(fd, path) && below_root(path);
    __atomic_store_n(&known[fd], watched ? WATCHED : IGNORED, __ATOMIC_SEQ_CST);
    return watched;
}

void track_forget(int fd) {
    if (fd >= 0 && fd < DESCRIPTORS)
        __atomic_store_n(&known[fd], UNKNOWN, __ATOMIC_SEQ_CST);
}

int tracked_name(int dirfd, const char *path, char out[4096], ino_t *directory) {
    if (root_length == 0 || path == NULL || path[0] == '\0')
        return 0;
    char given[PATH_MAX], parent[PATH_MAX];
    if (path[0] == '/' || dirfd == AT_FDCWD) {
        if (snprintf(given, sizeof given, "%s", path) >= (int)sizeof given)
            return 0;
    } else {
        char base[PATH_MAX];
        if (!path_of(dirfd, base) || snprintf(given, sizeof given, "%s/%s", base, path) >= (int)sizeof given)
            return 0;
    }
    /* Only the directory is resolved: the name itself may be a link, or not be there yet. */
    char *slash = strrchr(given, '/');
    const char *name = slash ? slash + 1 : given;
    const char *folder = slash == NULL ? "." : slash == given ? "/" : given;
    char last[NAME_MAX + 1];
    if (snprintf(last, sizeof last, "%s", name) >= (int)sizeof last || last[0] == '\0')
        return 0;
    if (slash && slash != given)
        *slash = '\0';
    if (!realpath(folder, parent))
        return 0;
    if (snprintf(out, 4096, "%s/%s", parent, last) >= 4096 || !below_root(out))
        return 0;
    struct stat st;
    if (stat(parent, &st) != 0)
        return 0;
    *directory = st.st_ino;
    return 1;
}
