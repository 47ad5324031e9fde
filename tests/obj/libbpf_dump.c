/*
 * Opens and loads one object with the system's libbpf and writes what bpf(2) is asked, one JSON object a line.
 *
 * No kernel answers: the program has its own syscall(), which libbpf ends up in; every request succeeds, and files
 * in memory stand for maps and programs.  So neither root nor any kernel feature is needed, and nothing is loaded.
 * Build: cc -rdynamic -o libbpf_dump libbpf_dump.c -lbpf     Run: libbpf_dump prog.o [target-btf] [object-name] [kconfig]
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#define P(x) ((const unsigned char *)(unsigned long)(x))

static unsigned value_size[4096], key_size[4096];

static void hex(const char *name, const unsigned char *p, size_t n)
{
	printf(",\"%s\":\"", name);
	for (size_t i = 0; p && i < n; i++)
		printf("%02x", p[i]);
	printf("\"");
}

static int new_fd(size_t size)
{
	int fd = memfd_create("stand-in", 0);

	if (fd >= 0 && ftruncate(fd, (size + 65535) & ~65535ul))
		return -1;
	return fd;
}

static long map_create(union bpf_attr *a)
{
	int fd = new_fd((size_t)a->value_size * (a->max_entries ? a->max_entries : 1));

	if (fd >= 0 && fd < 4096) {
		value_size[fd] = a->value_size;
		key_size[fd] = a->key_size;
	}
	printf("{\"cmd\":\"map\",\"fd\":%d,\"name\":\"%.15s\",\"type\":%u,\"key\":%u,\"value\":%u,\"entries\":%u,"
	       "\"flags\":%u,\"extra\":%llu,\"inner\":%u,\"numa\":%u,\"btf\":%d,\"btf_key\":%u,\"btf_value\":%u,"
	       "\"vmlinux_value\":%u}\n", fd, a->map_name, a->map_type, a->key_size, a->value_size, a->max_entries,
	       a->map_flags, (unsigned long long)a->map_extra, a->inner_map_fd, a->numa_node, a->btf_fd != 0,
	       a->btf_key_type_id, a->btf_value_type_id, a->btf_vmlinux_value_type_id);
	return fd;
}

static long map_update(union bpf_attr *a)
{
	unsigned fd = a->map_fd;

	printf("{\"cmd\":\"update\",\"fd\":%u", fd);
	hex("key", P(a->key), fd < 4096 ? key_size[fd] : 0);
	hex("value", P(a->value), fd < 4096 ? value_size[fd] : 0);
	printf("}\n");
	return 0;
}

static long prog_load(union bpf_attr *a)
{
	int fd = new_fd(0);

	printf("{\"cmd\":\"prog\",\"fd\":%d,\"name\":\"%.15s\",\"type\":%u,\"attach_type\":%u,\"flags\":%u,"
	       "\"license\":\"%.60s\",\"attach_btf_id\":%u", fd, a->prog_name, a->prog_type, a->expected_attach_type,
	       a->prog_flags, (const char *)P(a->license), a->attach_btf_id);
	hex("insns", P(a->insns), (size_t)a->insn_cnt * 8);
	hex("func_info", P(a->func_info), (size_t)a->func_info_cnt * a->func_info_rec_size);
	hex("line_info", P(a->line_info), (size_t)a->line_info_cnt * a->line_info_rec_size);
	printf("}\n");
	return fd;
}

static long answer(int cmd, union bpf_attr *a)
{
	switch (cmd) {
	case BPF_MAP_CREATE:
		return map_create(a);
	case BPF_MAP_UPDATE_ELEM:
		return map_update(a);
	case BPF_PROG_LOAD:
		return prog_load(a);
	case BPF_MAP_FREEZE:
		printf("{\"cmd\":\"freeze\",\"fd\":%u}\n", a->map_fd);
		return 0;
	case BPF_BTF_LOAD:
		printf("{\"cmd\":\"btf\"");
		hex("data", P(a->btf), a->btf_size);
		printf("}\n");
		return new_fd(0);
	case BPF_PROG_BIND_MAP:
		return 0;
	default:
		errno = ENOENT;
		return -1;
	}
}

long syscall(long number, ...)
{
	long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long x[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		x[i] = va_arg(ap, long);
	va_end(ap);
	if (number == __NR_bpf) {
		union bpf_attr attr = {}; /* libbpf clears no more of its own than it passes */

		memcpy(&attr, (void *)x[1], (size_t)x[2] < sizeof(attr) ? (size_t)x[2] : sizeof(attr));
		return answer((int)x[0], &attr);
	}
	return next(number, x[0], x[1], x[2], x[3], x[4], x[5]);
}

/* Programs that attach to what this kernel's BTF does not have (a module's functions, say) are left away. */
static void skip_absent(struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj) {
		enum bpf_prog_type type = bpf_program__type(prog);
		const char *target = strchr(bpf_program__section_name(prog), '/');

		if (type != BPF_PROG_TYPE_TRACING && type != BPF_PROG_TYPE_LSM)
			continue;
		if (!target || libbpf_find_vmlinux_btf_id(target + 1, bpf_program__expected_attach_type(prog)) <= 0) {
			bpf_program__set_autoload(prog, false);
			printf("{\"cmd\":\"skip\",\"name\":\"%s\"}\n", bpf_program__name(prog));
		}
	}
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	struct bpf_object *obj;
	struct bpf_map *map;
	int err;

	if (argc < 2)
		return 2;
	if (argc > 2 && *argv[2])
		opts.btf_custom_path = argv[2];
	if (argc > 3)
		opts.object_name = argv[3];
	if (argc > 4 && *argv[4])
		opts.kconfig = argv[4];
	obj = bpf_object__open_file(argv[1], &opts);
	if (!obj)
		return 1;
	skip_absent(obj);
	bpf_object__for_each_map(map, obj)
		bpf_map__set_pin_path(map, NULL);
	err = bpf_object__load(obj);
	return err ? 1 : 0;
}
