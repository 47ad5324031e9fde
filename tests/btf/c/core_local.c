/* Every CO-RE relocation kind, against types that core_target.c defines in another way. */
#define SEC(name) __attribute__((section(name), used))
#define field(x, kind) __builtin_preserve_field_info(x, kind)
#define CORE __attribute__((preserve_access_index))

typedef unsigned int u32;
typedef unsigned long long u64;

struct inner { int a; int b; } CORE;
struct moved {
	int first;
	struct inner in;
	int array[4];
	struct inner many[3];
	char *pointer;
	u32 narrow;
	int gone;
	unsigned bits_a : 3, bits_b : 7;
	int bits_s : 9;
	u64 wide_bits : 37;
	struct { union { int anon_x; long anon_y; }; };
	int to_signed;
	short flavored;
	int retyped;
	unsigned small[8];
} CORE;
struct moved___other { int only_other; int first; } CORE;
struct missing { int x; } CORE;
enum color { RED, GREEN, BLUE, NO_SUCH };
enum big { BIG_ONE = 1, BIG_HUGE = 0x123456789abcULL };
typedef struct moved moved_t;
typedef int (*callback_t)(struct moved *, long);

SEC("socket") int fields(struct moved *m) {
	u64 sum = m->first + m->in.b + m->array[2] + m->many[1].b + (long)m->pointer + m->narrow;
	sum += m->anon_x + m->anon_y + m->flavored + m->small[5];
	if (field(m->gone, 2)) sum += m->gone;
	if (field(m->in.a, 2)) sum += 1;
	sum += field(m->array, 1) + field(m->in, 1) + field(m->narrow, 1) + field(m->to_signed, 3) + field(m->bits_s, 3);
	return sum;
}
SEC("socket") int bits(struct moved *m) {
	u64 sum = 0;
	sum += field(m->bits_a, 0) + field(m->bits_a, 1) + field(m->bits_a, 4) + field(m->bits_a, 5);
	sum += field(m->bits_b, 0) + field(m->bits_b, 1) + field(m->bits_b, 4) + field(m->bits_b, 5);
	sum += field(m->bits_s, 0) + field(m->bits_s, 4) + field(m->bits_s, 5);
	sum += field(m->wide_bits, 0) + field(m->wide_bits, 1) + field(m->wide_bits, 4) + field(m->wide_bits, 5);
	return sum;
}
SEC("socket") int stores(struct moved *m) {
	m->narrow = 5;
	m->first = m->narrow;
	m->array[3] = 7;
	return 0;
}
SEC("socket") int flavors(struct moved___other *m) {
	return field(m->only_other, 2) + m->first;
}
SEC("socket") int retyped(struct moved *m) {
	return field(m->retyped, 2) ? 1 : m->retyped;
}
SEC("socket") int types(void *x) {
	u64 sum = __builtin_preserve_type_info(*(struct moved *)0, 0) + __builtin_preserve_type_info(*(struct moved *)0, 1);
	sum += __builtin_preserve_type_info(*(struct missing *)0, 0) + __builtin_preserve_type_info(*(struct missing *)0, 1);
	sum += __builtin_preserve_type_info(*(struct inner *)0, 2) + __builtin_preserve_type_info(*(struct moved *)0, 2);
	sum += __builtin_preserve_type_info(*(moved_t *)0, 0) + __builtin_preserve_type_info(*(callback_t *)0, 0);
	sum += __builtin_preserve_type_info(*(callback_t *)0, 2);
	sum += __builtin_preserve_type_info(*(enum color *)0, 0) + __builtin_preserve_type_info(*(enum big *)0, 2);
	sum += __builtin_btf_type_id(*(struct moved *)0, 0) + __builtin_btf_type_id(*(struct moved *)0, 1);
	return sum;
}
SEC("socket") int enums(void *x) {
	u64 sum = __builtin_preserve_enum_value(*(enum color *)GREEN, 0) + __builtin_preserve_enum_value(*(enum color *)GREEN, 1);
	sum += __builtin_preserve_enum_value(*(enum color *)NO_SUCH, 0);
	sum += __builtin_preserve_enum_value(*(enum big *)BIG_HUGE, 1) + __builtin_preserve_enum_value(*(enum big *)BIG_ONE, 1);
	return sum;
}
SEC("socket") int poison(void *x) {
	return __builtin_preserve_enum_value(*(enum color *)NO_SUCH, 1) + ((struct missing *)x)->x + ((struct moved *)x)->gone;
}
char LICENSE[] SEC("license") = "GPL";
