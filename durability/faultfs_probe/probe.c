/* A process for the library's own test: does what its arguments say, one step each, then is killed or ends.
 *
 *   open:F create:F trunc:F  write:F:AT:TEXT  size:F:N  sync:F  unlink:F  rename:F:G  mkdir:D  syncdir:D
 *   threads:F:N (N threads write and sync one file)  kill
 *
 * Each step prints `ok` or the name of its error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int report(const char *step, int done) {
    printf("%s %s\n", step, done == 0 ? "ok" : strerrorname_np(errno));
    fflush(stdout);
    return done;
}

static int in_file(const char *path, int flags, int (*act)(int, const char *, const char *), const char *a, const char *b) {
    int fd = open(path, flags | O_CLOEXEC, 0644);
    if (fd < 0)
        return -1;
    int done = act(fd, a, b), error = errno;
    close(fd);
    errno = error;
    return done;
}

static int nothing(int fd, const char *a, const char *b) { return (void)fd, (void)a, (void)b, 0; }
static int do_sync(int fd, const char *a, const char *b) { return (void)a, (void)b, fdatasync(fd); }
static int do_size(int fd, const char *a, const char *b) { return (void)b, ftruncate(fd, atol(a)); }
static int do_write(int fd, const char *a, const char *b) {
    return pwrite(fd, b, strlen(b), atol(a)) == (ssize_t)strlen(b) ? 0 : -1;
}

static const char *shared_path;
static void *worker(void *argument) {
    long number = (long)argument;
    char line[17];
    int fd = open(shared_path, O_RDWR | O_CLOEXEC);
    for (int turn = 0; turn < 200; turn++) {
        snprintf(line, sizeof line, "%07ld %07d\n", number, turn);
        if (pwrite(fd, line, 16, number * 16) != 16 || fdatasync(fd) != 0)
            abort();
    }
    close(fd);
    return NULL;
}

static int run_threads(const char *path, int count) {
    pthread_t threads[64];
    shared_path = path;
    for (long n = 0; n < count; n++)
        if (pthread_create(&threads[n], NULL, worker, (void *)n) != 0)
            return -1;
    for (int n = 0; n < count; n++)
        pthread_join(threads[n], NULL);
    return 0;
}

int main(int count, char **steps) {
    for (int i = 1; i < count; i++) {
        char *rest = strdup(steps[i]), *verb = strsep(&rest, ":"), *a = strsep(&rest, ":"), *b = strsep(&rest, ":");
        int done = -1;
        errno = EINVAL;
        if (!strcmp(verb, "kill"))
            raise(SIGKILL);
        else if (!strcmp(verb, "open"))
            done = in_file(a, O_RDONLY, nothing, NULL, NULL);
        else if (!strcmp(verb, "create"))
            done = in_file(a, O_RDWR | O_CREAT, nothing, NULL, NULL);
        else if (!strcmp(verb, "trunc"))
            done = in_file(a, O_RDWR | O_TRUNC, nothing, NULL, NULL);
        else if (!strcmp(verb, "write"))
            done = in_file(a, O_WRONLY, do_write, b, rest);
        else if (!strcmp(verb, "size"))
            done = in_file(a, O_RDWR, do_size, b, NULL);
        else if (!strcmp(verb, "sync"))
            done = in_file(a, O_RDWR, do_sync, NULL, NULL);
        else if (!strcmp(verb, "syncdir"))
            done = in_file(a, O_RDONLY | O_DIRECTORY, do_sync, NULL, NULL);
        else if (!strcmp(verb, "unlink"))
            done = unlink(a);
        else if (!strcmp(verb, "rename"))
            done = rename(a, b);
        else if (!strcmp(verb, "mkdir"))
            done = mkdir(a, 0755);
        else if (!strcmp(verb, "threads"))
            done = run_threads(a, atoi(b));
        report(verb, done);
    }
    return 0;
}
