"""Our headers: each alone and all together, without a warning; layouts as in the BTF; generated files are fresh."""

import subprocess
import sys

import pytest
from cc.compilers import COMPILERS, ROOT, build

from osmia import cc
from osmia.btf import Btf
from osmia.btf import types as t
from osmia.btf.layout import members
from osmia.kernel.layout import types_btf

pytestmark = pytest.mark.skipif(not COMPILERS, reason="no compiler with the BPF target")
STRICT = ("-nostdinc", f"-I{cc.INCLUDE}", "-Wall", "-Wextra", "-Werror", "-fsyntax-only")
HEADERS = sorted(str(p.relative_to(cc.INCLUDE)) for p in cc.INCLUDE.rglob("*.h"))
each = pytest.mark.parametrize("compiler", COMPILERS)


def check(text, compiler, arch="x86", extra=()):
    """Compile without writing anything; on failure the assertion shows the compiler's words."""
    found = cc.find_compiler(compiler)
    options = ["-target", "bpfel", "-mcpu=v3", f"-D__TARGET_ARCH_{arch}", *extra, *STRICT, "-x", "c", "-"]
    done = subprocess.run([*found.command, *options], input=text, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


def test_each_alone() -> None:
    for header in HEADERS:
        if not header.startswith("uapi/"):
            check(f"#include <{header}>\n", COMPILERS[0])


@each
@pytest.mark.parametrize("arch", ["x86", "arm64"])
@pytest.mark.parametrize("first", ["", "vmlinux.h", "linux/bpf.h"])
def test_all_together(compiler, arch, first) -> None:
    start = [first] if first else []
    for order in (HEADERS, HEADERS[::-1]):
        check("".join(f"#include <{h}>\n" for h in [*start, *order]), compiler, arch)


@each
def test_all_after_a_whole_kernels_vmlinux(compiler, tmp_path) -> None:
    """With a vmlinux.h made from BTF, no front brings a type of its own."""
    from osmia.btf.c_dump import dump_c

    (tmp_path / "vmlinux.h").write_text(dump_c(Btf.parse(types_btf())))
    text = "".join(f"#include <{h}>\n" for h in ["linux/bpf.h", *HEADERS])
    check(text, compiler, extra=("-DOSMIA_VMLINUX", f"-I{tmp_path}"))


def assertions(btf):
    """One static assertion for the size of every named struct or union, and for each member's offset."""
    for type_id, found in btf:
        word = {t.Struct: "struct", t.Union: "union"}.get(type(found))
        if word and found.name and not found.name.endswith("_opaque"):
            yield f'_Static_assert(sizeof({word} {found.name}) == {found.size}, "{found.name}");'
            for field in members(btf, type_id):
                if not field.bitfield_size:
                    place = f"{word} {found.name}, {field.path}"
                    yield f'_Static_assert(__builtin_offsetof({place}) == {field.offset}, "{place}");'


@each
def test_layout_equals_the_btf(compiler) -> None:
    lines = list(assertions(Btf.parse(types_btf())))
    assert len(lines) > 1900
    check('#include "vmlinux.h"\n' + "\n".join(lines), compiler)


def test_the_layout_test_can_fail() -> None:
    with pytest.raises(AssertionError, match="sk_buff"):
        check('#include "vmlinux.h"\n_Static_assert(sizeof(struct sk_buff) == 1, "sk_buff");', COMPILERS[0])


@each
def test_vmlinux_leaves_relocations_and_uapi_does_not(compiler) -> None:
    kernel = '#include "vmlinux.h"\nint f(struct sk_buff *skb) { return skb->len; }\n'
    stable = "#include <linux/bpf.h>\nint f(struct xdp_md *ctx) { return ctx->data; }\n"
    relocated = [b"llvm.preserve" in cc.run(cc.Job(s, emit="ll", extra=("-O0", "-Xclang", "-disable-llvm-passes"),
                                                   compiler=compiler)).data for s in (kernel, stable)]  # fmt: skip
    assert relocated == [True, False]


@pytest.mark.parametrize("generator", ["gen_fronts.py", "gen_helpers.py"])
def test_generated_files_are_fresh(generator) -> None:
    from pathlib import Path

    if generator == "gen_helpers.py" and not Path("/usr/include/linux/bpf.h").exists():
        pytest.skip("no UAPI header here")
    subprocess.run([sys.executable, ROOT / "tools" / generator, "--check"], check=True)


OLD_SAMPLE = """
#include <linux/skbuff.h>
#include <linux/netdevice.h>
#include <uapi/linux/bpf.h>
#include <linux/version.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define _(P) ({ typeof(P) val = 0; bpf_probe_read_kernel(&val, sizeof(val), &(P)); val; })

struct bpf_map_def SEC("maps") counts = {
	.type = BPF_MAP_TYPE_HASH, .key_size = sizeof(u32), .value_size = sizeof(u64), .max_entries = 16,
};

SEC("kprobe/__netif_receive_skb_core")
int watch(struct pt_regs *ctx)
{
	char name[IFNAMSIZ], fmt[] = "%s %d\\n";
	struct sk_buff *skb;
	struct net_device *dev;
	u32 len;

	bpf_probe_read_kernel(&skb, sizeof(skb), (void *)PT_REGS_PARM1(ctx));
	dev = _(skb->dev);
	len = _(skb->len);
	bpf_probe_read_kernel(name, sizeof(name), dev->name);
	bpf_map_lookup_elem(&counts, &len);
	bpf_trace_printk(fmt, sizeof(fmt), name, len);
	return 0;
}

char _license[] SEC("license") = "GPL";
u32 _version SEC("version") = LINUX_VERSION_CODE;
"""

TC_SAMPLE = """
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_vlan.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/types.h>
#include <linux/udp.h>
#include <linux/icmpv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

SEC("tc") int police(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data, copy;
	struct iphdr *ip = data + ETH_HLEN;
	uint16_t type = htons(ETH_P_IP);
	bool inside = (void *)(ip + 1) <= end;

	if (!inside || eth->h_proto != type || ip->protocol != IPPROTO_TCP)
		return TC_ACT_OK;
	memcpy(&copy, eth, sizeof(copy));
	return memcmp(copy.h_dest, copy.h_source, ETH_ALEN) ? TC_ACT_OK : TC_ACT_SHOT;
}
char LICENSE[] SEC("license") = "GPL";
"""


@each
@pytest.mark.parametrize("sample", [OLD_SAMPLE, TC_SAMPLE], ids=["skbuff", "tc"])
@pytest.mark.parametrize("cpu", ["v1", "v4"])
def test_ordinary_samples(sample, cpu, compiler) -> None:
    build(sample, compiler, cpu, extra=("-Wall", "-Werror"))
    build('#include "vmlinux.h"\n' + sample, compiler, cpu, extra=("-Wall", "-Werror"))


def test_the_kernel_headers_and_the_btf_come_from_one_list(monkeypatch) -> None:
    """What was made once is made again from its own BTF, byte for byte."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import gen_vmlinux

    kernel_h = (cc.INCLUDE / "osmia/kernel.h").read_text()
    release = kernel_h.partition("offsets of Linux ")[2].split()[0]
    btf, uapi, kernel, _ = gen_vmlinux.generate(Btf.parse(types_btf()), release)
    assert btf.encode() == types_btf()
    assert uapi == (cc.INCLUDE / "osmia/uapi.h").read_text()
    assert kernel == kernel_h


@pytest.mark.live
def test_layout_equals_the_running_kernels() -> None:
    import platform
    from pathlib import Path

    source = Path("/sys/kernel/btf/vmlinux")
    text = (cc.INCLUDE / "osmia/kernel.h").read_text()
    if not source.exists() or f"Linux {platform.release().partition('-')[0]} " not in text:
        pytest.skip("another kernel than the headers were made from")
    theirs, ours = Btf.parse(source.read_bytes()), Btf.parse(types_btf())
    for type_id, found in ours:
        if isinstance(found, t.Struct | t.Union) and found.name:
            same = theirs.find(found.name, type(found))
            places = {f.path: (f.bit_offset, f.bitfield_size) for f in members(theirs, same)}
            assert theirs.size_of(same) == found.size, found.name
            for f in members(ours, type_id):
                assert f.path == "__opaque" or places[f.path] == (f.bit_offset, f.bitfield_size), (found.name, f)
