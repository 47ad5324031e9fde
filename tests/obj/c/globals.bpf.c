/* Global variables of every kind and in custom sections. */
#include "defs.h"

int counter;                               /* .bss */
static int hidden_counter;
volatile u64 table[4] = { 1, 2, 3, 4 };    /* .data */
static volatile int offset = 7;
const volatile u32 limit = 300;            /* .rodata, changed before loading */
static const volatile u16 small[3] = { 10, 20, 30 };
volatile int hot SEC(".data.hot") = 5;
static volatile int cold SEC(".data.very_long_name") = 6;
const volatile u64 fixed SEC(".rodata.mine") = 0x1122334455667788;
__hidden volatile int quiet SEC(".data.quiet") = 1;

SEC("xdp") int count(void *ctx)
{
	const char *text = "text in a section of its own";

	counter++;
	hidden_counter += offset;
	table[counter & 3] += limit + small[hidden_counter & 1];
	hot = cold + quiet;
	return (int)fixed + text[hot & 7];
}
