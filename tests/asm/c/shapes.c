/* Code of many shapes: maps, globals, calls within and across sections, loops, atomics, strings, data in text. */
#define SEC(name) __attribute__((section(name), used))
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

struct inner {
	int a;
	int list[4];
	unsigned few : 3, more : 5;
} __attribute__((preserve_access_index));

struct outer {
	struct inner in;
	struct inner *next;
	union {
		int number;
		u64 address;
	};
} __attribute__((preserve_access_index));

enum colour { RED, GREEN = 5 };

struct {
	int (*type)[1];
	int (*max_entries)[16];
} counts SEC(".maps");

extern int kernel_function(int) __attribute__((section(".ksyms")));
static void *(*lookup)(void *, const void *) = (void *)1;
static long (*print)(const char *, u32, ...) = (void *)6;

u64 total;
static const char greeting[] = "greeting %d\n";
const u32 limits[4] SEC(".rodata") = { 1, 2, 3, 1000 };
static int hidden_count = 7;

static __attribute__((noinline)) int shared(int x)
{
	return x * 3 + 1;
}

__attribute__((noinline)) int global(struct outer *o, int n)
{
	int s = 0;

	for (int i = 0; i < n; i++)
		s += o->in.list[i & 3] >> 2;
	return s ? s : shared(n);
}

SEC("xdp")
int first(struct outer *o)
{
	u32 key = o->in.few;
	u64 *value = lookup(&counts, &key);

	if (!value)
		return global(o, 12);
	__sync_fetch_and_add(value, 1);
	total += limits[key & 3];
	hidden_count++;
	print(greeting, sizeof(greeting), shared(key));
	return kernel_function(*value) + o->number;
}

SEC("tc/second")
u64 second(struct outer *o)
{
	volatile u8 bytes[16] = { 1, 2, 3 };
	u64 s = __builtin_bswap32(o->in.a) + __builtin_bswap64(o->address) + (u16)__builtin_bswap16(o->in.a);

	for (u32 i = 0; i < sizeof(bytes); i++)
		s = s * 31 + bytes[i];
	if ((long)s < -5 || s > 0x123456789abcUL)
		s /= 10;
	if (__builtin_preserve_enum_value(*(enum colour *)GREEN, 1) == 5)
		s %= 7;
	return s - (char)o->in.list[2] + shared(s) + __builtin_preserve_field_info(o->in.more, 1) +
	       __builtin_btf_type_id(*(struct outer *)0, 0);
}

char _license[] SEC("license") = "GPL";
