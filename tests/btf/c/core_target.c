/* The "kernel" of core_local.c: the same names, laid out otherwise. */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

struct inner { long before; int b; int a; };
struct moved {
	u64 pad[5];
	u64 narrow;
	struct inner many[7];
	int array[9];
	struct { struct { int deep; int first; }; long anon_y; };
	union { int anon_x; u8 anon_z; };
	struct inner in;
	void *pointer;
	u8 filler : 2, bits_b : 4;
	unsigned bits_a : 5;
	u64 wide_bits : 50;
	int bits_s : 3;
	unsigned to_signed;
	int flavored___unlike;
	short flavored;
	struct { int now_struct; } retyped;
	u8 small[64];
};
enum color { BLACK, RED = 10, GREEN = 20, BLUE };
enum big { BIG_ONE = 0x100000001ULL, BIG_HUGE = 0x123456789abcULL, BIG_MORE };
typedef struct moved moved_t;
typedef int (*callback_t)(struct moved *, long);

struct moved moved;
struct inner inner;
enum color color;
enum big big;
moved_t moved_typed;
callback_t callback;
