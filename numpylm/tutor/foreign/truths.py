"""What a backward claims, and what is right: which loss its gradients belong to is found by trying.

Where the forward's values are not ours, its own numerical derivative is right: of Σ_k ⟨weight_k, output_k⟩ by central
differences with two steps, h and 2h, of which Richardson's extrapolation takes the error of order h² away.
"""

from functools import partial
from itertools import product

import numpy as np

from numpylm.tutor.foreign.claims import claims_in, gradient_name
from numpylm.tutor.foreign.layouts import is_ours, target_styles, theirs
from numpylm.tutor.foreign.problems import with_dlogits
from numpylm.tutor.foreign.scopes import is_weight
from numpylm.tutor.foreign.words import loss_words
from numpylm.tutor.judge import ask
from numpylm.tutor.process.stop import Stop
from numpylm.tutor.results import EXACT, FLOAT32, ROUGH

BENT = 5e-4  # how much the slopes by two large steps may differ, relative to the largest slope
ROUGH_KINK = (
    "its forward computes in float32, and its values bend, as those of a ReLU do: no derivative is precise enough to "
    "compare with. Keep float64 to check a gradient"
)
OUTPUT, ONE, REST = range(3)  # which gradients tell of which loss they are
LARGEST = 3000  # numbers of an array of which a numerical derivative is taken
CHUNK = 2000  # inputs in one request to the child


def understood(file, unit, fit):
    """(the Fit with its loss, slot -> claimed gradient, remarks, the child's reply). Raises Stop.

    Nothing may say which loss it is, or how its targets lie. Then gradients that are right tell it: those of the output
    layer, else one of them, else all others. A usual factor of the loss comes before any other. Last comes a loss that
    explains the output layer's gradients by a known mistake at the logits.
    """
    first = stop = odd = None
    for shown, tried in product((OUTPUT, ONE, REST), list(with_other_targets(unit, fit))):
        try:
            claims, remarks, reply = claimed(file, unit, tried)
            tried, said = with_loss(file, unit, tried, claims, shown)
        except Stop as why:
            stop = stop or why
            if file.child.process is None:
                raise
            continue
        if said is not None and has_usual_factor(tried):
            return tried, claims, remarks + said, reply
        odd = odd or (said is not None and (tried, claims, remarks + said, reply))
        first = first or (tried, claims, remarks, reply)
    if odd:
        return odd
    if first is None:
        raise stop
    tried, claims, *_ = first
    names = {gradient_name(unit, slot) for slot in claims}
    if not unit.incoming and ("cross" not in tried.losses[0].words or not loss_words(unit, tried, claims, names)):
        raise Stop("not checked", "no loss that the check knows has these gradients of the output layer")
    return first


def claimed(file, unit, fit):
    """(slot -> claimed gradient, remarks, the child's reply) of one run of the backward. Raises Stop.

    A loss function often clips its gradients. It is run without np.clip, and so judged.
    """
    paths = [["returned"], ["local"], *([list(unit.snapshot)] if unit.snapshot else []), *unit.places.values()]
    outputs, reply = ask(file, unit.program, fit.inputs, paths, without_clip=fit.form == "loss")
    if reply.get("limits") and clips_forward(file, unit, fit):
        outputs, reply = ask(file, unit.program, fit.inputs, paths)
    after = dict(zip(unit.places, outputs[len(outputs) - len(unit.places) :], strict=True))
    claims, remarks = claims_in(unit, fit, *outputs[:2], outputs[2] if unit.snapshot else None, after)
    if not claims:
        raise Stop("not checked", "it returns no gradient whose name or place the check knows")
    parts = {str(unit.roles[slot]).partition(":")[0] for slot in claims}
    if fit.form == "loss" and not unit.free and parts <= {"W_y", "b_y", "h_prev", "x"}:
        raise Stop("not checked", "the check finds the gradients of the output layer alone")
    limits = [limit for limit in reply.get("limits", []) if isinstance(limit, float)]
    said = f"it clips its gradients to ±{min(limits, default=0):.3g}: judged without that. Clip in the training loop"
    return claims, remarks + [said] * bool(limits), reply


def clips_forward(file, unit, fit):
    """Whether np.clip acts on what is differentiated, as in a hard tanh."""
    made = [ask(file, unit.forward, fit.inputs, fit.outputs, without_clip=is_off)[0] for is_off in (True, False)]
    return not all(map(np.array_equal, *made))


def with_other_targets(unit, fit):
    """The Fit, then with its targets in other styles, where the forward is not given them: all, or the last alone."""
    yield fit
    if fit.form == "loss" and unit.is_given("targets") and not unit.is_given("targets", unit.forward):
        for targets in target_styles(fit.goal):
            yield fit._replace(inputs=fit.inputs | {"targets": targets})


def with_loss(file, unit, fit, claims, shown):
    """(the Fit with the loss that the gradients which are shown belong to, remarks); None in their place for no loss.

    Of several losses, as of one number, one with a usual factor counts.
    """
    fitting = []
    for loss, slots in product(fit.losses, telling(unit, fit, claims, shown)):
        tried = fit._replace(weights=loss.of)
        if fit.precision is not None:
            tried = tried._replace(ours=with_dlogits(fit.ours, loss.dlogits))
        truths, _, _ = truth(file, unit, tried, {slot: claims[slot] for slot in slots}) if slots else ({}, 0, [])
        factor = factor_between({s: claims[s] for s in slots}, truths) if slots else None
        is_known = bool(factor) and has_usual_factor(fit._replace(scale=factor))
        is_one_number = np.count_nonzero(loss.dlogits) == 1 and not unit.incoming  # it fits any loss, but for a factor
        if factor and (factor > 0 or unit.incoming) and (is_known or not is_one_number):
            fitting.append((not is_known, len(fitting), loss, tried, float(factor)))
            if is_known:
                break
    if not fitting:
        return fit, None if fit.losses else []
    _, _, loss, tried, factor = min(fitting)
    factor = 1.0 if abs(factor - 1) < 1e-6 or unit.incoming else factor
    times = "" if factor == 1 else f", times {factor:.6g}"
    is_told = times or loss is not fit.losses[0]
    return tried._replace(scale=factor), [f"judged for {loss.words}{times}"] if is_told else []


def has_usual_factor(fit):
    """Whether the loss is ours times a usual factor: a mean, half of it, or twice it."""
    T, V = np.shape(fit.goal) or (1, 1)
    return min(abs(fit.scale * n / k - 1) for k in (0.5, 1, 2) for n in (1, T, V, T * V)) < 1e-6


def telling(unit, fit, claims, shown):
    """Groups of gradients, each of which may tell the loss: OUTPUT, those of the output layer; ONE, each of them alone;
    REST, all others."""
    found = [slot for slot, claim in claims.items() if unit.roles[slot] in ("W_y", "b_y") and claim.any()]
    rest = [slot for slot in claims if slot not in found]
    if shown == OUTPUT:
        return [found]
    if shown == REST:
        return [rest] if fit.precision is not None and len(rest) > 1 else []
    others = rest if unit.incoming or unit.free else []
    return [[slot] for slot in found if claims[slot].size > 2] + [[slot] for slot in others]


def truth(file, unit, fit, claims):
    """(slot -> right gradient in the user's layout, its relative precision, remarks)."""
    if fit.precision is not None and all(is_ours(fit, unit.roles[slot]) for slot in claims):
        truths = {slot: fit.scale * theirs(unit.roles[slot], fit.ours.gradients, fit.layout) for slot in claims}
        return truths, ROUGH, [FLOAT32.format(fit.precision)] if fit.precision > EXACT else []
    total, inputs = partial(totals, file, unit, fit), {slot: np.asarray(fit.inputs[slot]) for slot in claims}
    large = [f"{slot} {q.shape}" for slot, q in inputs.items() if q.size > LARGEST]
    if large:
        raise Stop("not checked", f"{', '.join(large)}: too large for a numerical derivative. Give smaller sizes")
    noise = roughness(total, next(iter(claims)), inputs)
    if noise > 1e-4:
        raise Stop("not checked", f"{unit.forward_name} gives other values for almost the same inputs: is it random?")
    step = 1e-3 if noise < 1e-10 else 0.03
    found = {slot: fit.scale * derivative(total, slot, inputs[slot], step) for slot in claims}
    if not all(np.isfinite(slope).all() for slope in found.values()):
        raise Stop(
            "not checked", f"{unit.forward_name} gives values that are not finite: there is nothing to compare with"
        )
    remarks = [FLOAT32.format(noise)] if noise > 1e-10 else []
    return found, ROUGH if noise < 1e-10 else 1e-3, remarks


def factor_between(claims, truths):
    """The one factor between all of some arrays and the right ones; None where there is none."""
    if not claims or any(claim.size != np.size(truths[name]) for name, claim in claims.items()):
        return None
    q, p = (np.concatenate([np.ravel(arrays[name]) for name in claims]) for arrays in (claims, truths))
    k = float(q @ p / (p @ p)) if p.any() else 0.0
    k = round(k) if abs(k - round(k)) < 1e-6 else k
    return k if k and np.abs(q - k * p).max() < 1e-6 * abs(k) * np.abs(p).max() else None


def means_over_batch(unit, fit, claims, truths):
    """(truths, remarks) where the gradients of the weights are means over the batch: as the code means them."""
    weights = {slot: claim for slot, claim in claims.items() if is_weight(unit.roles[slot])}
    N = fit.ours.problem.sizes.N if fit.ours else 1
    mean = factor_between(weights, truths) if weights.keys() < claims.keys() and not unit.is_usual else None
    if N == 1 or not mean or abs(mean - 1 / N) > 1e-6:
        return truths, []
    words = f"its weights' gradients are means over the {N} sequences of the batch, and no sums"
    return truths | {slot: truths[slot] / N for slot in weights}, [words]


def totals(file, unit, fit, slot, values):
    """The loss, or Σ_k ⟨weight_k, output_k⟩, for each of a stack of values of one input. Raises Stop where it fails."""
    found = []
    for start in range(0, len(values), CHUNK):
        request = {"steps": unit.forward, "inputs": fit.inputs, "outputs": fit.outputs}
        varied = file.child.ask(request | {"vary": {"slot": slot, "values": values[start : start + CHUNK]}}).get(
            "varied"
        )
        if not isinstance(varied, list) or len(varied) != len(fit.outputs):
            raise Stop("crash", "the forward fails for inputs near those that it was given")
        made = [np.asarray(q) for q in varied]
        if callable(fit.weights):
            found.append(fit.weights(made))
        else:
            pairs = zip(fit.weights, made, strict=True)
            found.append(sum((weight * q).reshape(len(q), -1).sum(axis=1) for weight, q in pairs))
    return np.concatenate(found)


def derivative(total, slot, x, h):
    """The derivative of total(slot, stack of values) at x. Raises Stop at a kink of rough values."""
    slope, difference = slopes(total, slot, x, h, np.arange(x.size))
    if h > 1e-3:
        again, _ = slopes(total, slot, x, h / 2, np.arange(x.size))
        if np.abs(slope - again).max(initial=0) > BENT * np.abs(slope).max(initial=0):
            raise Stop("not checked", ROUGH_KINK)
    bent = np.flatnonzero(difference > 0.1 * ROUGH * max(1, np.abs(slope).max(initial=0)))  # at a kink, as of a ReLU
    if h <= 1e-3 and bent.size:
        slope[bent], _ = slopes(total, slot, x, h / 64, bent)
    return slope.reshape(x.shape)


def slopes(total, slot, x, h, entries):
    """(the derivative by some entries of x, how much the differences of the two steps differ), one number each."""
    shifts = h * np.array([-2, -1, 1, 2])[:, None, None] * np.eye(x.size)[entries]  # (4, entries, size)
    values = total(slot, (x.ravel() + shifts).reshape(-1, *x.shape)).reshape(4, len(entries))
    far_below, below, above, far_above = values
    near, far = (above - below) / (2 * h), (far_above - far_below) / (4 * h)
    return (4 * near - far) / 3, np.abs(far - near)


def roughness(total, slot, inputs):
    """How far total jumps between neighbouring inputs: about 1e-16 in float64, 1e-7 where a buffer is float32."""
    direction = np.random.default_rng(0).standard_normal((8, *inputs[slot].shape))
    below, middle, above = (total(slot, inputs[slot] + k * 1e-7 * direction) for k in (-1, 0, 1))
    noise, values = float(np.abs(above - 2 * middle + below).max()), np.concatenate([below, middle, above])
    is_float32 = np.array_equal(values, values.astype(np.float32)) and np.any(values % 1)  # and may be all the same
    return max(noise, is_float32 * 1e-7 * float(np.abs(values).max()))
