"""Which public checkpoint a file is, what surrounds its network, and which of its outputs is the voice.

An unknown hash is no reason to refuse: fine-tuned and re-saved files are as good as published ones. What the
hash does not tell, the file's name may; what neither tells, the number of bins; and the user overrides all of them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from video_preprocessing.uvr5.checkpoints.downloads import Check, Verification, sha256_of, uvr_md5, verify, whole_md5
from video_preprocessing.uvr5.checkpoints.registry import (
    KnownModel,
    StemFacts,
    Voice,
    facts_for_md5,
    find_model,
    known_models,
    model_for_sha256,
)
from yuki_builder.errors import CheckpointError

if TYPE_CHECKING:
    from video_preprocessing.uvr5.checkpoints.state_dicts import NetSizes
    from video_preprocessing.uvr5.signal.band_plan import BandPlan

# The project's own checkpoints, and their hashes.
SHIPPED = Path(__file__).parents[1] / "models"

# Of the public models of one generation and number of bins, this many times as many use the first plan as the second.
_OBVIOUSLY = 3


@dataclass(frozen=True)
class Identity:
    """What a file turned out to be; ``assumed`` says in sentences what had to be guessed."""

    plan: BandPlan
    voice: Voice
    stems: tuple[str, str]
    model: KnownModel | None
    assumed: tuple[str, ...]


def identify(
    path: Path, sizes: NetSizes, *, sha256: str, band_plan: str | Path | None, voice: Voice | None
) -> Identity:
    """Puts together what the user, the hashes, the name and the shapes say of a public checkpoint.

    Args:
        path: the file, for its name.
        sizes: of the network, by the shapes of its weights.
        sha256: of the file.
        band_plan: the name or the file that the user gave.
        voice: which stem the user says the mask gives.

    Raises:
        CheckpointError: nothing tells the band plan, or the one given cannot be read or does not fit.
    """
    tail = uvr_md5(path)
    facts: StemFacts | None = model_for_sha256(sha256) or facts_for_md5(tail)
    assumed = []
    if facts is None and (facts := find_model(path.name)) is not None:
        assumed.append(f"taken for {path.stem} by its name; its hash is not the published one")
    if band_plan is not None:
        plan = read_band_plan(band_plan)
    else:
        named = _named_plan(path, facts, tail)
        plan = named or _inferred_plan(path, sizes)
        if named is None:
            assumed.append(f"band plan {plan.name}: what public networks of this size use")
    if sizes.bins is not None and plan.bins != sizes.bins:
        raise CheckpointError(
            f"the band plan {plan.name} has {plan.bins} bins, the network wants {sizes.bins}",
            where=path,
            remedy=f"give one of {', '.join(_candidates(sizes))} with --band-plan",
        )
    if facts is not None:
        stems, kept = facts.stems, facts.keep
    else:
        stems, kept = _likely_stems(path)
        if voice is None:
            assumed.append(f"the mask gives the {stems[0]}, the voice is in the {kept}")
    if voice is not None and voice != kept:
        stems, kept = (stems[1], stems[0]), voice
    model = facts if isinstance(facts, KnownModel) else None
    return Identity(plan, kept, stems, model, tuple(assumed))


def verify_file(path: Path) -> tuple[KnownModel | None, Verification]:
    """Which published file this is, whatever its name; and, where only its name is known, that it differs.

    Raises:
        OSError: it cannot be read.
    """
    sha256 = sha256_of(path)
    if path.parent.samefile(SHIPPED) and (expected := shipped_sha256(path.name)) is not None:
        return None, Verification(Check.OK if sha256 == expected else Check.DIFFERS, "sha256", expected, sha256)
    if model := model_for_sha256(sha256):
        return model, Verification(Check.OK, "sha256", sha256, sha256)
    if model := find_model(path.name):
        return model, verify(path, model)
    tail = uvr_md5(path)
    facts = facts_for_md5(tail)
    if isinstance(facts, KnownModel):
        return facts, verify(path, facts)
    return None, Verification(Check.UNKNOWN) if facts is None else Verification(Check.OK, "uvr_md5", tail, tail)


def shipped_sha256(file: str) -> str | None:
    """What the project's own checkpoint of that name was when it was released."""
    listed = json.loads((SHIPPED / "sha256.json").read_text(encoding="utf-8"))
    return cast("dict[str, str]", listed).get(file)


def read_band_plan(name_or_path: str | Path) -> BandPlan:
    """A band plan by name, or from a JSON file in the form that public tools keep them in.

    Raises:
        CheckpointError: there is none, or the file is not one.
    """
    from video_preprocessing.uvr5.signal.band_plan import BandPlan, band_plan, plan_names

    if str(name_or_path) not in plan_names() and Path(name_or_path).is_file():
        return BandPlan.from_file(Path(name_or_path))
    return band_plan(str(name_or_path))


def _named_plan(path: Path, facts: StemFacts | None, tail_md5: str) -> BandPlan | None:
    """The plan that the registry or a public list of hashes gives this very file."""
    from video_preprocessing.uvr5.signal.band_plan import band_plan, plan_for_md5

    if facts is not None and facts.band_plan is not None:
        return band_plan(facts.band_plan)
    # Older lists hash the whole file.
    return plan_for_md5(tail_md5) or plan_for_md5(whole_md5(path))


def _inferred_plan(path: Path, sizes: NetSizes) -> BandPlan:
    """The only plan with the network's bins, or the one that nearly all public networks of its kind use."""
    from video_preprocessing.uvr5.signal.band_plan import band_plan

    candidates = _candidates(sizes)
    if len(candidates) == 1:
        return band_plan(candidates[0])
    uses = _uses(sizes)
    ranked = [uses[name] for name in candidates]
    if sizes.bins is not None and len(ranked) > 1 and ranked[0] >= _OBVIOUSLY * max(1, ranked[1]):
        return band_plan(candidates[0])
    raise CheckpointError(
        "its band plan is not known" + (f", and no plan has its {sizes.bins} bins" if not candidates else ""),
        where=path,
        remedy=f"name it with --band-plan; the most used first: {', '.join(candidates[:6])}"
        if candidates
        else "give the publisher's parameter file with --band-plan",
    )


def _candidates(sizes: NetSizes) -> list[str]:
    """Names of the plans that the network could have been trained with, those most used by public ones first."""
    from video_preprocessing.uvr5.signal.band_plan import plan_names, plans_with_bins

    uses = _uses(sizes)
    names = plan_names() if sizes.bins is None else [plan.name for plan in plans_with_bins(sizes.bins)]
    return sorted(names, key=lambda name: (-uses[name], name))


def _uses(sizes: NetSizes) -> Counter[str]:
    """How many public models of the generation use each plan."""
    architecture = f"vr-{sizes.generation}"
    return Counter(m.band_plan for m in known_models() if m.architecture == architecture and m.band_plan is not None)


def _likely_stems(path: Path) -> tuple[tuple[str, str], Voice]:
    """Of a file that nothing else tells: most public networks give the accompaniment, de-echo ones the voice."""
    if re.search(r"de[-_]?(echo|reverb)|\bdry\b", path.stem, re.IGNORECASE):
        return ("dry", "reverb"), "mask"
    if re.search(r"de[-_]?noise", path.stem, re.IGNORECASE):
        return ("noise", "denoised"), "residual"
    return ("accompaniment", "vocals"), "residual"
