// Stands in the place of one of onfile's programs and becomes that program under another one
// (strace, env), once: the file `wrap-NAME` beside the configuration holds the program's own file
// and then the words to put before it, one a line. The program's link is put back before.
//
// usage: as `core CONFIG`, started by the parent
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 32, ROOM = 8192 };

static int read_words(const char *path, char *room, char **ret_words)
{
	FILE *file = fopen(path, "re");
	int count = 0;

	if (!file)
		return 0;
	size_t length = fread(room, 1, ROOM - 1, file);
	fclose(file);
	room[length] = '\0';
	for (char *word = room; *word && count < WORDS - 3; count++) {
		char *end = strchrnul(word, '\n');
		ret_words[count] = word;
		word = *end ? end + 1 : end;
		*end = '\0';
	}
	return count;
}

static bool put_link_back(const char *folder, const char *name, const char *target)
{
	char link[512], fresh[520];

	snprintf(link, sizeof(link), "%s/programs/%s", folder, name);
	snprintf(fresh, sizeof(fresh), "%s.own", link);
	return symlink(target, fresh) == 0 && rename(fresh, link) == 0;
}

int main(int argc, char **argv)
{
	static char room[ROOM];
	char config[512], path[600];
	char *words[WORDS] = { NULL };

	if (argc != 2)
		return 2;
	snprintf(config, sizeof(config), "%s", argv[1]);
	const char *folder = dirname(config), *name = basename(argv[0]);
	snprintf(path, sizeof(path), "%s/wrap-%s", folder, name);
	int count = read_words(path, room, words);
	if (count < 2 || !put_link_back(folder, name, words[0])) {
		fprintf(stderr, "wrap: %s does not say what to do\n", path);
		return 2;
	}
	words[count] = words[0];
	words[count + 1] = argv[1];
	execvp(words[1], words + 1);
	perror(words[1]);
	return 127;
}
