"""``osmia run`` as people call it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from osmia import cc
from osmia.cli.main import main
from osmia.errors import Unavailable
from osmia.sim import packet, pcap

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
PACKETS = str(EXAMPLES / "packets.pcap")


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """The examples compiled once: a path for each name."""
    try:
        cc.find_compiler()
    except Unavailable as e:
        pytest.skip(str(e))
    place = tmp_path_factory.mktemp("objects")
    for source in EXAMPLES.glob("*.bpf.c"):
        (place / f"{source.name.removesuffix('.bpf.c')}.o").write_bytes(cc.compile(source))
    return place


@pytest.fixture
def osmia(capsys):
    def run(*args, status=0):
        assert main(["run", *map(str, args)]) == status
        return capsys.readouterr()

    return run


def test_a_kprobe_program_prints_the_pipe(objects, osmia):
    out = osmia(objects / "unlink.o", "--do", "touch a; unlink a; rm a").out.splitlines()
    assert out[0].endswith("bpf_trace_printk: unlink (pid 1002) removes a")
    assert out[2].endswith("it failed: -2") and "report_unlink (kprobe/do_unlinkat): 2 runs" in out[3]


def test_loopback_lengths_from_c(osmia, objects):
    out = osmia(EXAMPLES / "skblen.bpf.c", "--do", "udp 9999 hello").out
    assert "lo received 33 bytes" in out and "lo received 61 bytes" in out


def test_xdp_over_a_capture_with_maps_and_output(objects, osmia, tmp_path):
    left = tmp_path / "left.pcap"
    out = osmia(objects / "xdp_filter.o", "--pcap", PACKETS, "--map-dump", "--write-pcap", left).out
    assert "4 XDP_DROP, 5 XDP_PASS" in out and "  17: 5" in out
    assert out.count("XDP_DROP\n") == 4
    closed = (9999).to_bytes(2, "big")
    assert [f.data for f in pcap.read(left)] == [f.data for f in pcap.read(PACKETS) if f.data[36:38] != closed]


def test_json_for_scripts(objects, osmia):
    facts = json.loads(osmia(objects / "xdp_filter.o", "--pcap", PACKETS, "--map-dump", "--json").out)
    assert facts["programs"][0]["actions"] == {"XDP_DROP": 4, "XDP_PASS": 5}
    assert [p["action"] for p in facts["packets"]].count("XDP_DROP") == 4
    maps = {m["name"]: m for m in facts["maps"]}
    assert {e["key"]: e["value"] for e in maps["packets"]["elements"] if e["value"]} == {1: 1, 6: 1, 17: 5}


def test_subprograms_callbacks_tail_calls_and_records(objects, osmia):
    assert "1 keep 96" in osmia(objects / "subprogs.o", "--pcap", PACKETS).out
    assert "4 calls by 2 commands, most by touch" in osmia(objects / "foreach.o", "--do", "touch a").out
    chain = osmia(objects / "tailcall.o", "--pcap", PACKETS, "--map-dump").out
    assert "0: 7" in chain and "parse_ipv4" in chain
    assert "/usr/bin/true" in osmia(objects / "ringbuf.o", "--do", "exec", "--map-dump").out


def test_trace_shows_registers_source_and_memory(objects, osmia):
    out = osmia(objects / "unlink.o", "--do", "rm a", "--trace").out
    assert "(85) call bpf_get_current_comm#16" in out and "@ unlink.bpf.c:" in out
    assert "(struct filename #1)" in out and "(stack frame 0, r10 - 16)" in out


def test_an_expression_is_a_socket_filter(osmia):
    import shutil

    if not shutil.which("tcpdump"):
        pytest.skip("tcpdump is not installed")
    assert "4 keep 262144, 5 drop" in osmia("-f", "udp port 9999", "--pcap", PACKETS).out
    assert "syntax error" in osmia("-f", "udp prt 9999", status=2).err


DDD = "4\n40 0 0 12\n21 0 1 2054\n6 0 0 262144\n6 0 0 0\n"  # arp


def test_a_classic_filter_from_a_file(osmia, tmp_path):
    (tmp_path / "arp.txt").write_text(DDD)
    out = osmia("--classic", tmp_path / "arp.txt", "--pcap", PACKETS, "--json").out
    assert [p["number"] for p in json.loads(out)["packets"] if p["retval"]] == [4]


def test_bare_instructions_compute(osmia, tmp_path):
    (tmp_path / "sum.s").write_text("r0 = *(u8 *)(r1 + 0)\nr2 = *(u8 *)(r1 + 1)\nr0 += r2\nexit\n")
    assert "returned 7, 4 instructions" in osmia(tmp_path / "sum.s", "--data", "0304").out
    facts = json.loads(osmia(tmp_path / "sum.s", "--data", "0304", "--repeat", "3", "--json").out)
    assert facts["results"][0]["retval"] == 7 and facts["programs"][0]["runs"] == 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "give a FILE"), (["nofile.o"], "No such file"), (["{o}", "--do", "frob"], "no act 'frob'"),
        (["{o}", "--prog", "nope"], "no program 'nope'"), (["{x}", "--pcap", "{o}"], "neither pcap nor pcapng"),
        (["{x}", "--data", "zz"], "--data"), (["{o}", "--btf", "{o}"], None), (["{x}", "--type", "nope"], None),
        (["{o}", "-f", "udp"], "give a FILE"), (["{o}", "--do", "udp 70000 x"], "no port"),
        (["{o}", "--do", "touch"], "takes 1"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(args, words, objects, capsys):
    names = {"{o}": str(objects / "unlink.o"), "{x}": str(objects / "xdp_filter.o")}
    status = main(["run", *(names.get(a, a) for a in args)])
    err = capsys.readouterr().err
    assert "Traceback" not in err
    if words is not None:
        assert status == 2 and words in err and err.startswith("osmia: ") and err.count("\n") == 1


def test_faults_and_budgets_say_where(osmia, tmp_path):
    (tmp_path / "null.s").write_text("r0 = 0\nr0 = *(u64 *)(r0 + 0)\nexit\n")
    assert "insn 1: read of 8 bytes" in osmia(tmp_path / "null.s", status=1).err
    (tmp_path / "loop.s").write_text("l: goto l\nexit\n")
    assert "insn 0" in osmia(tmp_path / "loop.s", "--budget", "5000", status=1).err


def test_a_hook_that_no_act_reaches_is_fired_once(osmia, tmp_path, objects):
    source = tmp_path / "odd.bpf.c"
    source.write_text(
        '#include "vmlinux.h"\n#include <bpf/bpf_helpers.h>\nchar L[] SEC("license") = "GPL";\n'
        'SEC("kprobe/nobody_calls_this") int odd(void *ctx) { bpf_printk("here"); return 3; }\n'
    )
    got = osmia(source)
    assert "no act reaches kprobe/nobody_calls_this" in got.err and "here" in got.out and "returned 3" in got.out
    assert "did not run" in osmia(source, "--do", "rm a").err
    source.write_text(source.read_text().replace("kprobe/", "fentry/"))
    assert "no act reaches fentry/nobody_calls_this: it did not run" in osmia(source).err


def test_standard_input_and_a_reader_that_leaves():
    big = "".join("r0 = 1\n" for _ in range(3000)) + "exit\n"
    command = f"{sys.executable} -m osmia.cli.main run - --trace"
    done = subprocess.run(f"{command} | head -1", shell=True, input=big, capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1 and done.stderr == ""


def test_many_packets_are_summed_up(objects, osmia, tmp_path):
    pcap.write(tmp_path / "many.pcap", packet.samples() * 420)
    out = osmia(objects / "xdp_filter.o", "--pcap", tmp_path / "many.pcap").out
    assert out.splitlines() == ["filter (xdp): 2100 runs: 420 XDP_DROP, 1680 XDP_PASS; 19 instructions a run"]


@pytest.mark.live
def test_the_running_kernel_agrees(objects, osmia):
    from osmia import live

    if why := live.available():
        pytest.skip(why)
    for name in ("xdp_filter", "subprogs"):
        here, there = (
            json.loads(osmia(objects / f"{name}.o", "--pcap", PACKETS, "--json", *more).out)["programs"][0]["actions"]
            for more in ([], ["--on", "live"])
        )
        assert here == there
    assert "only attached" in osmia(objects / "unlink.o", "--on", "live", status=1).err


def test_one_run_is_told_once_and_after_what_it_printed(osmia, tmp_path):
    source = tmp_path / "say.bpf.c"
    source.write_text(
        '#include "vmlinux.h"\n#include <bpf/bpf_helpers.h>\nchar L[] SEC("license") = "GPL";\n'
        "extern int LINUX_KERNEL_VERSION __kconfig;\nextern unsigned CONFIG_HZ __kconfig __weak;\n"
        'const volatile int answer = 1;\nconst volatile char who[8] = "";\n'
        'SEC("syscall") int say(void *c) { bpf_printk("%s %u", (const char *)who, CONFIG_HZ); return answer; }\n'
    )
    (tmp_path / "config").write_text("CONFIG_HZ=250\n")
    more = ["--set", "answer=0x2a", "--set", "who=you", "--kconfig", tmp_path / "config"]
    lines = osmia(source, *more).out.splitlines()
    assert len(lines) == 2 and lines[0].endswith("you 250") and lines[1].startswith("say: returned 42, ")
    assert "no variable 'nope'" in osmia(source, "--set", "nope=1", status=2).err
    assert "NAME=VALUE" in osmia(source, "--set", "answer", status=2).err


def test_a_classic_filter_runs_on_packets_without_being_told(osmia, tmp_path):
    (tmp_path / "arp.s").write_text("ldh [12]\njne #0x806, drop\nret #-1\ndrop: ret #0\n")
    assert "1 keep 4294967295" in osmia(tmp_path / "arp.s", "--pcap", PACKETS).out
    assert "4 drop, 1 keep" in osmia(tmp_path / "arp.s").out


def test_packets_and_programs_from_standard_input(objects, osmia, monkeypatch):
    import io

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(PACKETS).read_bytes())))
    assert "4 XDP_DROP, 5 XDP_PASS" in osmia(objects / "xdp_filter.o", "--pcap", "-").out


def test_json_names_the_hooks_that_nothing_reached(objects, osmia):
    got = osmia(objects / "unlink.o", "--do", "touch a", "--json")
    assert got.err == "" and {m["hook"]: m["fired"] for m in json.loads(got.out)["missed"]} == {
        "kprobe/do_unlinkat": False, "kretprobe/do_unlinkat": False,
    }  # fmt: skip


@pytest.mark.parametrize(("digits", "words"), [("0g", "'g' is no hexadecimal digit"), ("012", "an odd number")])
def test_what_is_no_hexadecimal(digits, words, objects, osmia):
    assert words in osmia(objects / "xdp_filter.o", "--data", digits, status=2).err


def test_a_file_without_programs(osmia, tmp_path):
    (tmp_path / "sum.c").write_text("int sum(int a, int b) { return a + b; }\n")
    assert "sum.c: no program in it" in osmia(tmp_path / "sum.c", status=2).err


def test_the_kernel_shows_no_steps(objects, osmia):
    assert "no --trace" in osmia(objects / "xdp_filter.o", "--on", "live", "--trace", status=2).err


def test_a_missing_license_is_noted(osmia, tmp_path):
    source = tmp_path / "free.bpf.c"
    text = '#include "vmlinux.h"\n#include <bpf/bpf_helpers.h>\n'
    text += 'SEC("xdp") int f(void *c) { bpf_printk("x"); return 2; }\n'
    source.write_text(text)
    err = osmia(source).err
    assert err.startswith("osmia: note: f has no license: a kernel keeps bpf_trace_printk for") and err.count("\n") == 1
    source.write_text(text + 'char l[] SEC("license") = "MIT";\n')
    got = osmia(source, "--json")
    assert "license 'MIT'" in json.loads(got.out)["doubts"][0] and got.err == ""
    source.write_text(text + 'char l[] SEC("license") = "Dual MIT/GPL";\n')
    assert osmia(source).err == ""
    source.write_text(text.replace('bpf_printk("x"); ', ""))
    assert osmia(source).err == ""


def test_contexts_as_json(osmia, tmp_path):
    (tmp_path / "port.s").write_text("r0 = *(u32 *)(r1 + 24)\nexit\n")
    args = [tmp_path / "port.s", "--type", "cgroup_sock_addr", "--ctx"]
    assert "returned 8080" in osmia(*args, '{"user_port": 8080}').out
    assert "no field 'prt'" in osmia(*args, '{"prt": 8080}', status=2).err
    assert osmia(*args, '{"prt"', status=2).err.startswith("osmia: --ctx: ")
