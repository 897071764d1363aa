/*
 * The system calls of the storage driver without the driver, timed.
 *
 *   storage-steps runs DIR        For each line of standard input a run of the volume "private" in DIR, which is at rest: prints the times of its start
 *                                 and of its stop. Then it does what the driver does in the background (the precache, old revisions), and says "ready".
 *   storage-steps clones FROM TO  For each line `cp --reflink=always FROM TO`, then fsync of TO and of its directory: prints the time. Then it removes TO,
 *                                 and says "ready".
 *   storage-steps stats FILE      stat of FILE over and over until standard input ends: prints the longest of them.
 *
 * Times are in milliseconds.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLEAN "private.img"
#define DIRTY "private-dirty.img"
#define PRECACHE "private-precache.img"
#define TEMPORARY PRECACHE "~storage0"
#define BLOCK 4096

extern char **environ;

static char oldest[NAME_MAX + 1], newest[NAME_MAX + 1];
static long newest_id;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void check(int result, const char *what)
{
	if (result < 0)
		err(1, "%s", what);
}

static void sync_path(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	check(fd, path);
	check(fstat(fd, &status), path);
	check(fsync(fd), path);
	check(close(fd), path);
}

/* Reads the directory, and finds the revisions. */
static void look(void)
{
	long oldest_id = newest_id = 0;
	DIR *directory = opendir(".");
	if (directory == NULL)
		err(1, "opendir");
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		long id = strncmp(entry->d_name, CLEAN ".", sizeof CLEAN) == 0 ? atol(entry->d_name + sizeof CLEAN) : 0;
		if (id > newest_id)
			strcpy(newest, entry->d_name), newest_id = id;
		if (id > 0 && (oldest_id == 0 || id < oldest_id))
			strcpy(oldest, entry->d_name), oldest_id = id;
	}
	check(closedir(directory), "closedir");
}

static void move(const char *from, const char *to)
{
	struct stat status;
	check(stat(from, &status), from);
	if (stat(to, &status) < 0 && errno != ENOENT)
		err(1, "%s", to);
	int directory = open(".", O_RDONLY | O_CLOEXEC);
	check(directory, "open");
	check(rename(from, to), from);
	check(fsync(directory), "fsync");
	check(close(directory), "close");
}

static void start(void)
{
	struct stat clean, precache;
	look();
	check(stat(CLEAN, &clean), CLEAN);
	check(stat(PRECACHE, &precache), PRECACHE);
	move(PRECACHE, DIRTY);
}

static void write_block(void)
{
	static char block[BLOCK] = "written in the run";
	int fd = open(DIRTY, O_WRONLY | O_CLOEXEC);
	check(fd, DIRTY);
	check((int)pwrite(fd, block, sizeof block, (rand() % 1024) * 2 * BLOCK), DIRTY);
	check(close(fd), DIRTY);
}

static void stop(void)
{
	struct stat status;
	char revision[sizeof CLEAN + 64];
	look();
	sync_path(DIRTY);
	check(stat(CLEAN, &status), CLEAN);
	if (newest_id > 0)
		check(stat(newest, &status), newest);
	snprintf(revision, sizeof revision, CLEAN ".%ld@2026-01-01T00:00:00Z", newest_id + 1);
	check(link(CLEAN, revision), revision);
	move(DIRTY, CLEAN);
}

static void prepare_and_prune(void)
{
	struct stat status;
	int from = open(CLEAN, O_RDONLY | O_CLOEXEC);
	int to = open(TEMPORARY, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	check(from, CLEAN);
	check(to, TEMPORARY);
	check(ioctl(to, FICLONE, from), "FICLONE");
	check(fstat(from, &status), CLEAN);
	check(futimens(to, (struct timespec[]){ status.st_atim, status.st_mtim }), TEMPORARY);
	check(fsync(to), TEMPORARY);
	check(rename(TEMPORARY, PRECACHE), PRECACHE);
	check(close(from), CLEAN);
	check(close(to), PRECACHE);
	sync_path(".");
	look();
	if (strcmp(oldest, newest) == 0)
		return;
	check(unlink(oldest), oldest);
	sync_path(".");
}

/* The next line of standard input, if there is one. */
static int is_told_to(void)
{
	char line[8];
	puts("ready");
	fflush(stdout);
	return fgets(line, sizeof line, stdin) != NULL;
}

static void runs(const char *directory)
{
	check(chdir(directory), directory);
	while (is_told_to()) {
		double began = now();
		start();
		double started = now();
		write_block();
		double stopping = now();
		stop();
		double stopped = now();
		prepare_and_prune();
		printf("%f %f\n", started - began, stopped - stopping);
	}
}

static void clones(char *from, char *to)
{
	char *directory = strdup(to);
	*strrchr(directory, '/') = '\0';
	while (is_told_to()) {
		double began = now();
		pid_t child;
		int status;
		errno = posix_spawnp(&child, "cp", NULL, NULL, (char *[]){ "cp", "--reflink=always", from, to, NULL }, environ);
		if (errno != 0 || waitpid(child, &status, 0) != child || status != 0)
			errx(1, "cp has failed");
		sync_path(to);
		sync_path(directory);
		printf("%f\n", now() - began);
		check(unlink(to), to);
		sync_path(directory);
	}
	free(directory);
}

static void stats(const char *file)
{
	struct stat status;
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	double longest = 0;
	puts("ready");
	fflush(stdout);
	while (poll(&input, 1, 1) == 0) {
		double began = now();
		check(stat(file, &status), file);
		double took = now() - began;
		if (took > longest)
			longest = took;
	}
	printf("%f\n", longest);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "runs") == 0)
		runs(argv[2]);
	else if (argc == 4 && strcmp(argv[1], "clones") == 0)
		clones(argv[2], argv[3]);
	else if (argc == 3 && strcmp(argv[1], "stats") == 0)
		stats(argv[2]);
	else
		return 2;
	return 0;
}
