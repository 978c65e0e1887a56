/* Preloaded into a process: the N-th write of a whole block to one file is cut in half and the
 * process killed, as SIGKILL in the middle of the system call or a power failure can.
 *
 * CUT_FILE  the file, by its real path
 * CUT_AT    N, from 1; without it nothing is cut
 * CUT_LOG   a file to which the number of each such write is appended
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BLOCK 262144

static long writes;

static int is_the_file(int descriptor)
{
    char link[64], path[4096];
    const char *wanted = getenv("CUT_FILE");
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || wanted == NULL)
        return 0;
    path[length] = '\0';
    return strcmp(path, wanted) == 0;
}

static ssize_t write_or_cut(int descriptor, const void *buffer, size_t size, off_t offset)
{
    if (size >= BLOCK && is_the_file(descriptor)) {
        long number = __sync_add_and_fetch(&writes, 1);
        const char *at = getenv("CUT_AT"), *log = getenv("CUT_LOG");
        if (log != NULL) {
            FILE *file = fopen(log, "a");
            if (file != NULL) {
                fprintf(file, "%ld %ld\n", number, (long)offset);
                fclose(file);
            }
        }
        if (at != NULL && number == atol(at)) {
            syscall(SYS_pwrite64, descriptor, buffer, size / 2, offset);
            kill(getpid(), SIGKILL);
            for (;;)
                pause();
        }
    }
    return syscall(SYS_pwrite64, descriptor, buffer, size, offset);
}

ssize_t pwrite(int descriptor, const void *buffer, size_t size, off_t offset)
{
    return write_or_cut(descriptor, buffer, size, offset);
}

ssize_t pwrite64(int descriptor, const void *buffer, size_t size, off_t offset)
{
    return write_or_cut(descriptor, buffer, size, offset);
}
