// Cases of tests/cc/test_macros.py: `// NAME: RESULT` heads each program, which gets the words 0x1122334455667788, -5, 7,
// 300, 0x99, 1 as a raw tracepoint's arguments. With `kernel`, only the running kernel is asked.

// endian_variable: 1
int f(u64 *c) {
	return bpf_htons(c[0]) == 0x8877 && bpf_ntohl(c[0]) == 0x88776655 && bpf_cpu_to_be64(c[0]) == 0x8877665544332211;
}

// endian_constant: 1
int f(void *c) {
	_Static_assert(bpf_htons(0x0800) == 8, "constant");
	return bpf_ntohl(bpf_htonl(0x01020304)) == 0x01020304;
}

// prog_arguments: 1
int BPF_PROG(f, u64 a, int b, void *p, u8 c) {
	return b == -5 && (long)p == 7 && c == 44 && a == 0x1122334455667788;
}

// prog_without_arguments: 7
int BPF_PROG(f) {
	return ctx[2];
}

// prog_six: 308
int BPF_PROG(f, u64 a, u64 b, u64 c, u64 d, u64 e, u64 g) {
	return c + d + g;
}

// prog2_struct: 1
int BPF_PROG2(f, u64, a, struct pair, p, u8, c, int, last) {
	return p.a == -5ull && p.b == 7 && c == 44 && last == 0x99;
}

// container_of: 1
int f(u64 *c) {
	struct pair p = {};
	u32 *b = &p.b;
	barrier_var(b);
	return container_of(b, struct pair, b) == &p && offsetof(struct pair, b) == 8;
}

// probe_chain: 42
struct node one, two;
int f(void *c) {
	one.next = &two;
	two.values[1] = 42;
	struct node *p = &one;
	return BPF_PROBE_READ(p, next, values[1]);
}

// probe_into: 9
struct node one, two;
int f(void *c) {
	int v[3];
	one.next = &two;
	two.values[2] = 9;
	long bad = BPF_PROBE_READ_INTO(&v, &one, next, values);
	return bad ? -1 : v[2];
}

// probe_string: 1633
struct node one;
char text[8] = "osmia";
int f(void *c) {
	char s[8] = {};
	__builtin_memcpy((void *)one.name, text, 8);
	return BPF_PROBE_READ_STR_INTO(&s, &one, name) * 256 + s[4];
}

// probe_fails: 1
int f(void *c) {
	int v = 1;
	struct node *p = (void *)1;
	return BPF_PROBE_READ_INTO(&v, p, values[0]) < 0 && v == 0;
}

// bitfield_probed: 111
int f(void *c) {
	struct tcphdr h = { .doff = 11, .syn = 1, .window = 3 };
	return BPF_CORE_READ_BITFIELD_PROBED(&h, doff) * 10 + BPF_CORE_READ_BITFIELD_PROBED(&h, syn);
}

// bitfield_direct: 131
int f(void *c) {
	struct tcphdr h = { .doff = 13, .ack = 1 };
	struct tcphdr *p = &h;
	return BPF_CORE_READ_BITFIELD(p, doff) * 10 + BPF_CORE_READ_BITFIELD(p, ack);
}

// bitfield_written: 615
int f(void *c) {
	struct tcphdr h = { .doff = 15, .fin = 1, .res1 = 5 };
	BPF_CORE_WRITE_BITFIELD(&h, doff, 6);
	return h.doff * 100 + h.fin * 10 + h.res1;
}

// field_questions: 27133
int f(void *c) {
	return bpf_core_field_exists(struct task_struct, comm) + 2 * bpf_core_field_size(struct task_struct, comm) +
	       100 * bpf_core_type_exists(struct sk_buff) + 200 * bpf_core_type_exists(struct no_such_one) +
	       1000 * bpf_core_enum_value(enum bpf_map_type, BPF_MAP_TYPE_RINGBUF);
}

// field_absent: 0
struct task_struct___x {
	int no_such_field;
} __attribute__((preserve_access_index));
int f(struct task_struct___x *c) {
	return bpf_core_field_exists(c->no_such_field);
}

// snprintf: 12143
int f(void *c) {
	char s[24] = {};
	long n = BPF_SNPRINTF(s, sizeof(s), "%d:%s:%x:%llu", -3, "ab", 255, 77ull);
	return n * 1000 + s[0] + s[4];
}

// tail_call_to_nothing: 5
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 4);
} jumps SEC(".maps");
int f(void *c) {
	bpf_tail_call_static(c, &jumps, 1);
	return 5;
}

// barrier: 1
int f(u64 *c) {
	int x = 3;
	barrier();
	barrier_var(x);
	return likely(x == 3) && !unlikely(x == 4);
}

// bpf_for: 28 kernel
int f(void *c) {
	int i, sum = 0;
	u64 a[8] = {};
	bpf_for(i, 0, 8) {
		a[i] = i;
		sum += a[i];
	}
	return sum;
}

// bpf_repeat: 5 kernel
int f(void *c) {
	int n = 0;
	bpf_repeat(5) n++;
	return n;
}

// bpf_for_each: 12 kernel
int f(void *c) {
	int *v, sum = 0;
	bpf_for_each(num, v, 3, 6) sum += *v;
	return sum;
}

// bpf_for_break: 4 kernel
int f(void *c) {
	int i, n = 0;
	bpf_for(i, 0, 100) {
		if (i == 4) break;
		n++;
	}
	return n;
}

// can_loop: 300 kernel
int f(u64 *c) {
	int n = 0;
	while (n < c[3] && can_loop) n++;
	return n;
}

// cond_break: 300 kernel
int f(u64 *c) {
	int n = 0;
	for (;;) {
		cond_break;
		if (++n >= c[3]) break;
	}
	return n;
}

// core_read_task: 1 kernel
int f(void *c) {
	struct task_struct *t = (void *)bpf_get_current_task();
	return BPF_CORE_READ(t, group_leader, tgid) == bpf_get_current_pid_tgid() >> 32;
}
