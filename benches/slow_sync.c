// Each fsync and fdatasync of the process takes 2 ms longer. For LD_PRELOAD.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static void pause_2ms(void) {
    struct timespec rest = {0, 2000000};
    nanosleep(&rest, 0);
}

int fsync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    pause_2ms();
    return real(fd);
}

int fdatasync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    pause_2ms();
    return real(fd);
}
