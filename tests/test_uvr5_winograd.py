"""Minimal filtering against PyTorch's own convolutions, as compiled for this machine and for lesser ones."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from video_preprocessing.uvr5.engine import compilation, kernels
from video_preprocessing.uvr5.engine import optimise as inference
from video_preprocessing.uvr5.engine.optimise import JoiningDecoder, TiledDecoder, prepare
from video_preprocessing.uvr5.engine.winograd import Kernels, WinogradConv2d, is_supported
from video_preprocessing.uvr5.nets import CascadedASPPNet, CascadedNet

CPU = torch.device("cpu")
compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
# Vectors of 16, 8 and 4 numbers; what the processor cannot do, it is not asked to.
LESSER = ([], ["-mno-avx512f"], ["-mno-avx512f", "-mno-avx2", "-mno-avx"])


@pytest.fixture(scope="module", params=range(len(LESSER)))
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kernels:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    path = tmp_path_factory.mktemp("kernels") / f"winograd{request.param}.so"
    try:
        return Kernels(compilation.build_native(["cc", *LESSER[request.param]], path))
    except compilation.CompilationError:
        pytest.skip("not a processor of this kind")


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What ``kernels`` found is looked for anew, before and after."""
    kernels.engine.cache_clear()
    yield
    kernels.engine.cache_clear()


def image(channels: int, height: int, width: int, batch: int = 1) -> torch.Tensor:
    return torch.randn(batch, channels, height, width).contiguous(memory_format=torch.channels_last)


def assert_same(wanted: torch.Tensor, got: torch.Tensor) -> None:
    assert wanted.shape == got.shape
    # Of three thousand random convolutions the worst differs by 2.5e-5; a wrong one by a tenth and more.
    assert (wanted - got).abs().max() <= 1e-4 * wanted.abs().max().clamp_min(1)


@given(
    channels=st.integers(1, 150),
    outputs=st.integers(1, 100),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    dilation=st.sampled_from([(1, 1), (1, 1), (4, 2), (3, 5), (12, 6)]),
    slope=st.sampled_from([0.0, 0.01, 1.0]),
    has_bias=st.booleans(),
    ahead=st.booleans(),
    threads=st.sampled_from([1, 2, 5]),
)
@settings(max_examples=60, deadline=None)
def test_it_convolves_as_pytorch_does(
    found: Kernels,
    channels: int,
    outputs: int,
    height: int,
    width: int,
    dilation: tuple[int, int],
    slope: float,
    has_bias: bool,
    ahead: bool,
    threads: int,
) -> None:
    convolution = nn.Conv2d(channels, outputs, 3, padding=dilation, dilation=dilation, bias=has_bias)
    x = image(channels, height, width)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            got = WinogradConv2d(convolution, slope, found, ahead=ahead)(x)
            assert_same(F.leaky_relu(convolution(x), slope), got)
    finally:
        torch.set_num_threads(before)


@given(
    below=st.integers(1, 100),
    beside=st.integers(1, 60),
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    surplus=st.integers(0, 3),
    ahead=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_it_doubles_and_joins_as_the_decoders_do(
    found: Kernels, below: int, beside: int, height: int, width: int, surplus: int, ahead: bool
) -> None:
    convolution = nn.Conv2d(below + beside, 24, 3, padding=1)
    x, skip = image(below, height, width), image(beside, 2 * height, 2 * width + 2 * surplus)
    with torch.inference_mode():
        fast = JoiningDecoder(WinogradConv2d(convolution, 0.0, found, ahead=ahead))
        enlarged = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        middle = skip[..., surplus : surplus + 2 * width]
        assert_same(F.relu(convolution(torch.cat([enlarged, middle], dim=1))), fast(x, skip))


def test_any_layout_any_batch(found: Kernels) -> None:
    convolution = nn.Conv2d(20, 16, 3, padding=1)
    fast = WinogradConv2d(convolution, 1.0, found)
    with torch.inference_mode():
        for x in (torch.randn(3, 20, 13, 9), image(20, 13, 9, batch=2), image(20, 13, 30)[..., 5:-5]):
            assert_same(convolution(x), fast(x))
        for x in (torch.randn(1, 19, 13, 9), torch.randn(1, 21, 13, 9)):
            with pytest.raises(ValueError, match="expects 20 channels"):
                fast(x)


def test_the_pieces_do_not_change_the_result(found: Kernels) -> None:
    """An interrupted separation goes on with the same bytes, on however many threads."""
    convolution, x = nn.Conv2d(70, 100, 3, padding=1), image(70, 50, 70)
    before, results = torch.get_num_threads(), []
    for ahead in (True, False):
        fast = WinogradConv2d(convolution, 0.0, found, ahead=ahead)
        for threads in (1, 2, 3, 7):
            torch.set_num_threads(threads)
            results.append(fast(x))
            if threads > 1:  # without PyTorch's team of threads
                found._workers, team = None, found._workers
                results.append(fast(x))
                found._workers = team
    torch.set_num_threads(before)
    half = len(results) // 2
    assert all(torch.equal(results[0], other) for other in results[:half])
    assert all(torch.equal(results[half], other) for other in results[half:])


def test_what_it_does_not_suit() -> None:
    assert is_supported(nn.Conv2d(8, 1, 3, padding=1)) and is_supported(nn.Conv2d(8, 8, 3, padding=4, dilation=4))
    for module in (
        nn.Conv2d(8, 8, 3),
        nn.Conv2d(8, 8, 3, padding=1, stride=2),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.Conv2d(8, 8, 5, padding=2),
        nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(2, 8, 3, padding=1),
        nn.Linear(8, 8),
    ):
        assert not is_supported(module)


@compiler
@pytest.mark.parametrize("net", [CascadedNet(64, 16, 16), CascadedASPPNet(64, "base")])
def test_networks_give_the_same_masks_with_it_and_without(net: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    import copy

    net.eval()
    x = torch.rand(1, 2, 33, 288)
    with torch.inference_mode():
        wanted = net.predict_mask(x)  # type: ignore[operator]
        fast = prepare(copy.deepcopy(net), CPU)
        assert any(isinstance(part, WinogradConv2d) for part in fast.modules())
        monkeypatch.setattr(inference, "kernels", lambda: None)
        slow = prepare(net, CPU)
        assert any(isinstance(part, TiledDecoder) for part in slow.modules())
        for prepared in (fast, slow):
            assert (prepared.predict_mask(x) - wanted).abs().max() < 1e-5  # type: ignore[operator]


@compiler
@pytest.mark.usefixtures("forgotten")
def test_it_is_built_once_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kernels.kernels() is not None
    (built,) = (tmp_path / "yuki_builder" / "kernels").iterdir()
    when = built.stat().st_mtime_ns
    kernels.engine.cache_clear()
    assert kernels.kernels() is not None and built.stat().st_mtime_ns == when
    damaged = tmp_path / "other" / "yuki_builder" / "kernels" / built.name
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"half of it")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    kernels.engine.cache_clear()
    assert kernels.kernels() is not None and damaged.stat().st_size == built.stat().st_size


@compiler
@pytest.mark.usefixtures("forgotten")
def test_without_a_cache_it_is_built_for_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert kernels.kernels() is not None


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(("name", "value"), [("YUKI_NATIVE", "0"), ("CC", "no-such-compiler"), ("CC", "false")])
def test_without_it_everything_runs_as_before(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(name, value)
    assert kernels.kernels() is None
    net = CascadedNet(64, 16, 16).eval()
    x = torch.rand(1, 2, 33, 288)
    with torch.inference_mode():
        wanted = net.predict_mask(x)
        assert (prepare(net, CPU).predict_mask(x) - wanted).abs().max() < 1e-5


@compiler
@pytest.mark.usefixtures("forgotten")
def test_a_library_that_computes_something_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tmp_path / "winograd.c"
    wrong.write_text(compilation.SOURCE.read_text(encoding="utf-8").replace("5.25f", "5.5f"), encoding="utf-8")
    monkeypatch.setattr(kernels, "SOURCE", wrong)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kernels.kernels() is None


@pytest.mark.parametrize("frames", [range(0, 6), range(6, 18), range(18, 26), range(24, 26), range(0, 26)])
def test_some_frames_alone_are_those_of_the_whole(found: Kernels, frames: range) -> None:
    fast = WinogradConv2d(nn.Conv2d(15, 21, 3, padding=1), 0.01, found)
    x, skip = image(8, 7, 13, batch=2), image(7, 14, 26, batch=2)
    with torch.inference_mode():
        whole, part = fast.joined(x, skip), fast.joined(x, skip, frames)
    torch.testing.assert_close(part, whole[..., frames.start : frames.stop], rtol=0, atol=0)


@pytest.mark.parametrize("frames", [range(0, 5), range(3, 9), range(6, 19), range(24, 30), range(-6, 6), range(6, 6)])
def test_frames_that_break_a_tile_are_refused(found: Kernels, frames: range) -> None:
    fast = WinogradConv2d(nn.Conv2d(15, 21, 3, padding=1), 0.01, found)
    with pytest.raises(ValueError, match="tiles"):
        fast.joined(image(8, 7, 13), image(7, 14, 26), frames)


@compiler
@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("capability", ["AVX2", "AVX512"])
def test_a_wheels_library_is_chosen_by_the_processor(
    capability: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (build,) = (b for b in compilation.BUILDS if b.capability == capability)
    if not build.runs_on(platform.machine(), torch.backends.cpu.get_cpu_capability()):
        pytest.skip("not a processor of this kind")
    monkeypatch.setattr(kernels, "PREBUILT", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert build.file_name in {path.name for path in compilation.build_ahead(tmp_path)}
    found = kernels.engine()
    assert found.name == f"minimal filtering, {build.name}" and found.kernels is not None
    assert found.kernels.lanes == {"AVX2": 8, "AVX512": 16}[capability]
    assert not (tmp_path / "cache").exists(), "compiled although it was there"


@pytest.mark.parametrize(
    ("machine", "capability", "wanted"),
    [
        ("x86_64", "AVX512", ["AVX-512"]),
        ("AMD64", "AVX512_VNNI", ["AVX-512"]),
        ("x86_64", "AVX2", ["AVX2"]),
        ("x86_64", "DEFAULT", []),
        ("aarch64", "DEFAULT", ["NEON"]),
        ("arm64", "SVE256", ["NEON"]),
        ("riscv64", "DEFAULT", []),
    ],
)
def test_no_processor_gets_what_it_cannot_run(machine: str, capability: str, wanted: list[str]) -> None:
    assert [build.name for build in compilation.BUILDS if build.runs_on(machine, capability)] == wanted


@compiler
@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("content", [b"", b"not a library", b"wrong"])
def test_a_library_that_is_of_no_use_is_passed_over(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "PREBUILT", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for build in compilation.BUILDS:
        (tmp_path / build.file_name).write_bytes(content)
        if content == b"wrong":
            source = tmp_path / "winograd.c"
            source.write_text(compilation.SOURCE.read_text(encoding="utf-8").replace("5.25f", "5.5f"), encoding="utf-8")
            compilation.build_native(["cc"], tmp_path / build.file_name, source)
    assert kernels.engine().name == "minimal filtering, compiled on this machine"


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("YUKI_NATIVE", "0", "YUKI_NATIVE=0"),
        ("CC", "false", "false did not build"),
        ("PATH", "", "install gcc or clang"),
    ],
)
def test_the_slower_way_says_why(
    name: str, value: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv(name, value)
    found = kernels.engine()
    assert found.kernels is None
    assert found.name.startswith("PyTorch (") and reason in found.name
