/* prints every program's final instructions as libbpf made them: name, then hex slots */
#include <stdio.h>
#include <stdlib.h>
#include <stdarg.h>
#include <string.h>
#include <bpf/libbpf.h>
#include <bpf/bpf.h>
static int quiet(enum libbpf_print_level l, const char *f, va_list a) { return getenv("LB_DEBUG") ? vfprintf(stderr, f, a) : 0; }
int main(int argc, char **argv) {
    libbpf_set_print(quiet);
    LIBBPF_OPTS(bpf_object_open_opts, o, .btf_custom_path = argc > 2 ? argv[2] : NULL);
    struct bpf_object *obj = bpf_object__open_file(argv[1], &o);
    struct bpf_program *p;
    if (!obj) { fprintf(stderr, "open failed\n"); return 2; }
    int err = bpf_object__load(obj);
    printf("load %d\n", err);
    bpf_object__for_each_program(p, obj) {
        const struct bpf_insn *in = bpf_program__insns(p);
        size_t n = bpf_program__insn_cnt(p);
        printf("%s", bpf_program__name(p));
        for (size_t i = 0; i < n; i++) { unsigned char *b = (unsigned char *)&in[i]; printf(" "); for (int k = 0; k < 8; k++) printf("%02x", b[k]); }
        printf("\n");
    }
    return 0;
}
