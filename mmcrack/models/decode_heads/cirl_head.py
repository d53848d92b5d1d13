"""Two-phase training around any decode head: CIRL."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmcrack.functional.points import pixel_points, point_sample
from mmcrack.functional.probability import crack_logit, crack_probability
from mmcrack.functional.regions import (
    ambiguous_region,
    binary_label,
    marginal_region,
)
from mmcrack.models.decode_heads.wrapping import (
    accuracy_of,
    build_ci,
    classified_features,
    feature_channels,
    ignore_pixels,
    losses_of,
)
from mmcrack.models.layers.variance import (
    StdHead,
    read_threshold,
    variance_figures,
    variance_threshold_of,
)
from mmcrack.registry import MODELS

_ASEG = dict(type='mmcrack.AsegLoss')
_CI = dict(type='mmcrack.CILoss')


@MODELS.register_module()
class CIRLHead(BaseModule):
    """Wrap a decode head so that it is trained in CIRL's two phases.

    In phase I the crack probability and a variance for each pixel, predicted
    by a 1 x 1 convolution (the "std head") on the features that the wrapped
    head classifies, are trained by ``loss_aseg`` (CIRL Eq. 3). In phase II
    margin pixels whose variance is above a threshold (Eq. 1 and 8) are taken
    out of the wrapped head's own ``loss_decode`` and are trained by
    ``loss_ci`` instead (Eq. 13-16), image by image. When predicting it *is*
    the wrapped head. ``mmcrack.TwoPhaseHook`` sets :attr:`phase`.

    Logits and variance are brought to the size of the label, where margin
    and losses live; features of ambiguous pixels are interpolated at their
    own position, and the feature map is never enlarged.

    The wrapped head's features are the input of its ``cls_seg``. A head with
    outputs beside the one that is classified last offers, instead,

    - ``feature_channels`` (int),
    - ``features_and_logits(inputs)``: features (N, D, h, w), logits (N, K,
      h, w), and whatever it needs in
    - ``other_losses(outputs, batch_data_samples, ambiguous)``: a dict of
      further losses, in both phases; ``ambiguous`` is None in phase I and
      bool (N, H, W) in phase II.

    Losses of the wrapped head's ``loss_decode`` with MMSegmentation's
    ``avg_non_ignore`` get it set: they are normalised by the pixels left.

    Args:
        seg_head (dict): Config of the head to wrap.
        loss_aseg (dict): Loss of phase I: ``mmcrack.AsegLoss`` or
            ``mmcrack.KLVarianceLoss``.
        loss_ci (dict, optional): Loss of the ambiguous pixels:
            ``mmcrack.CILoss`` or ``mmcrack.PixelNNCLRLoss``; None only
            leaves them out.
        marginal_kernel (int): Side of the square in Eq. 1, odd, in pixels.
        variance_threshold (float | str): The paper's gamma; 0 takes the
            whole margin (Table 1); or 'q0.9' (not in the paper): the
            quantile 0.9 of the variance in each image's margin.
        exclude_ambiguous (bool): False keeps the labels of ambiguous pixels
            in phase II. Not in the paper.
        ci_warmup (float): In this share of phase II the weight of
            ``loss_ci`` rises from 0 to its value. Not in the paper.
        variance_region (str): Where phase I learns a variance: 'all', in
            every pixel (Eq. 3); or 'margin', in the margin alone, while all
            other pixels keep the wrapped head's own loss. Not in the paper.
        std_source (str): Where the variance of phase II comes from: 'live',
            the attached std head, which is not trained any more; 'frozen',
            a copy of the network made at the switch; or 'tracked', the
            attached head, which ``loss_aseg`` goes on to train, alone: no
            gradient reaches features or logits. The last is not in the
            paper.
        std_weight (float): Standard deviation of the std head's first
            weights.
        std_bias (float): Its first bias: the log-variance at the start.
            -2.3 (a variance of 0.1) lies below gamma. Not in the paper.
        std_in_index (int, optional): Let the std head see this one of the
            head's inputs in place of the classified features.
        std_in_channels (int, optional): Its channels.
        mean_type (str): What Eq. 2 calls the predicted label: 'probability'
            or 'logit' (then the label is compared with the log odds).
        mask_auxiliary (bool): Auxiliary heads ignore ambiguous pixels too.
        crack_class (int): Class index of crack.
        init_cfg (dict | list, optional): Initialisation of the module.

    Raises:
        TypeError: If the wrapped head has no classifier.
        ValueError: If an argument is out of its range.
    """

    def __init__(self,
                 seg_head: dict,
                 *,
                 loss_aseg: dict = _ASEG,
                 loss_ci: dict | None = _CI,
                 marginal_kernel: int = 5,
                 variance_threshold: float | str = 0.4,
                 exclude_ambiguous: bool = True,
                 ci_warmup: float = 0.,
                 variance_region: str = 'all',
                 std_source: str = 'live',
                 std_weight: float = 1e-4,
                 std_bias: float = -2.3,
                 std_in_index: int | None = None,
                 std_in_channels: int | None = None,
                 mean_type: str = 'probability',
                 mask_auxiliary: bool = False,
                 crack_class: int = 1,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        if marginal_kernel < 3 or marginal_kernel % 2 == 0:
            raise ValueError('marginal_kernel must be an odd number of at '
                             f'least 3, got {marginal_kernel}.')
        for name, value, known in (
            ('std_source', std_source, ('live', 'frozen', 'tracked')),
            ('variance_region', variance_region, ('all', 'margin')),
            ('mean_type', mean_type, ('probability', 'logit'))):
            if value not in known:
                raise ValueError(
                    f'{name} must be one of {known}, got {value!r}.')
        if not 0 <= ci_warmup <= 1:
            raise ValueError(
                f'ci_warmup must be between 0 and 1, got {ci_warmup}.')
        if (std_in_index is None) != (std_in_channels is None):
            raise ValueError('std_in_index and std_in_channels belong '
                             'together: give both or none.')
        self.threshold_value, self.threshold_quantile = read_threshold(
            variance_threshold)
        self.seg_head = MODELS.build(seg_head)
        channels = feature_channels(self.seg_head)
        self.std_head = StdHead(
            std_in_channels or channels, weight=std_weight, bias=std_bias)
        self.loss_aseg = MODELS.build(loss_aseg)
        self.loss_ci = build_ci(loss_ci, channels)
        for module in losses_of(self.seg_head):
            if hasattr(module, 'avg_non_ignore'):
                module.avg_non_ignore = True
        self.marginal_kernel = marginal_kernel
        self.exclude_ambiguous = exclude_ambiguous
        self.ci_warmup = ci_warmup
        self.variance_region = variance_region
        self.std_source = std_source
        self.std_in_index = std_in_index
        self.mean_type = mean_type
        self.mask_auxiliary = mask_auxiliary
        self.crack_class = crack_class
        #: 1 or 2; ``mmcrack.TwoPhaseHook`` sets it.
        self.phase = 1
        #: How much of phase II is over, in [0, 1]; the hook sets it too.
        self.progress = 0.
        #: Chooses subsets of ambiguous pixels; None is the global one.
        self.generator: torch.Generator | None = None
        #: For ``std_source='frozen'``: returns the log-variance (N, h, w) of
        #: the images in training; ``mmcrack.TwoPhaseHook`` sets it.
        self.frozen_log_var: Callable[[], Tensor] | None = None

    @property
    def align_corners(self) -> bool:
        """How the wrapped head resizes."""
        return self.seg_head.align_corners

    @property
    def num_classes(self) -> int:
        """Classes of the wrapped head."""
        return self.seg_head.num_classes

    @property
    def out_channels(self) -> int:
        """Output channels of the wrapped head."""
        return self.seg_head.out_channels

    @property
    def threshold(self) -> float | None:
        """Threshold of the wrapped head, for one output channel."""
        return self.seg_head.threshold

    @property
    def ignore_index(self) -> int:
        """Label of pixels without a truth."""
        return self.seg_head.ignore_index

    def forward(self, inputs: Sequence[Tensor], *previous: Tensor) -> Tensor:
        """Return the wrapped head's logits.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.
            *previous (Tensor): Output of the head before, in a cascade.

        Returns:
            Tensor: (N, K, h, w).
        """
        return self.seg_head(inputs, *previous)

    def predict(self, inputs: Sequence[Tensor], *rest: Any,
                return_variance: bool = False
                ) -> Tensor | tuple[Tensor, Tensor]:
        """Predict as the wrapped head does.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.
            *rest (Any): Meta information and test settings; in a cascade
                the output of the head before in front of them.
            return_variance (bool): Return the variance map too.

        Returns:
            Tensor | tuple[Tensor, Tensor]: Logits (N, K, H, W); with
            ``return_variance`` also the variance, float32 (N, 1, H, W), > 0.
        """
        logits = self.seg_head.predict(inputs, *rest)
        if not return_variance:
            return logits
        log_var = self.log_var(inputs, self.features(inputs, *rest[:-2]))
        return logits, self._resize(log_var, logits.shape[-2:]).exp()

    def features(self, inputs: Sequence[Tensor],
                 *previous: Tensor) -> Tensor:
        """Return what the wrapped head classifies.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.
            *previous (Tensor): Output of the head before, in a cascade.

        Returns:
            Tensor: (N, D, h, w).
        """
        return self._forward(inputs, *previous)[0]

    def log_var(self, inputs: Sequence[Tensor], features: Tensor) -> Tensor:
        """Return the log-variance at the resolution of the features.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.
            features (Tensor): (N, D, h, w), what the wrapped head
                classifies.

        Returns:
            Tensor: Float32, (N, 1, h, w).
        """
        if self.std_in_index is not None:
            features = inputs[self.std_in_index]
        return self.std_head(features)

    def loss(self, inputs: Sequence[Tensor], *rest: Any) -> dict[str, Tensor]:
        """Return the losses of the phase and figures to look at.

        Args:
            inputs (Sequence[Tensor]): All feature maps of the backbone.
            *rest (Any): Data samples and training settings; in a cascade the
                output of the head before in front of them.

        Returns:
            dict[str, Tensor]: Losses under names with 'loss' in them, and
            figures under names without.
        """
        *previous, samples, _ = rest
        features, logits, outputs = self._forward(inputs, *previous)
        log_var = self.log_var(inputs, features)
        label = torch.stack(
            [sample.gt_sem_seg.data for sample in samples]).squeeze(1)
        size = label.shape[-2:]
        logits = self._resize(logits, size)
        log_var = self._resize(log_var, size)[:, 0]
        if self.phase == 1:
            losses = self._first_phase(logits, log_var, label)
            ambiguous = None
            for parameter in self.loss_ci.parameters() if self.loss_ci else ():
                # DistributedDataParallel waits for each parameter's gradient.
                losses[self.loss_aseg.loss_name] += 0 * parameter.sum()
        else:
            # So are those of the std head, whose variance is not trained.
            losses, ambiguous = self._second_phase(
                features, logits, log_var, label)
            if self.std_source == 'tracked':
                losses['loss_std'] = self._track(
                    inputs, features, logits, label)
            else:
                losses['loss_std'] = 0 * log_var.sum()
        if outputs is not None:
            losses.update(
                self.seg_head.other_losses(outputs, samples, ambiguous))
        if ambiguous is not None and self.mask_auxiliary:
            ignore_pixels(samples, ambiguous, self.ignore_index)
        return losses

    def _forward(self, inputs: Sequence[Tensor], *previous: Tensor
                 ) -> tuple[Tensor, Tensor, Any]:
        """Return features, logits and other outputs of the wrapped head."""
        if hasattr(self.seg_head, 'features_and_logits'):
            return self.seg_head.features_and_logits(inputs, *previous)
        with classified_features(self.seg_head) as seen:
            logits = self.seg_head(inputs, *previous)
        if not seen or not isinstance(logits, Tensor):
            raise TypeError(
                f'{type(self.seg_head).__name__} cannot be wrapped by '
                'CIRLHead: wanted one tensor of logits from its cls_seg, '
                f'got {type(logits).__name__}; a head with several outputs '
                'must offer features_and_logits and other_losses.')
        return seen[-1], logits, None

    def _resize(self, x: Tensor, size: Sequence[int]) -> Tensor:
        """Resize (N, C, h, w) as the wrapped head does, in float32."""
        x = x.float()
        if tuple(x.shape[-2:]) == tuple(size):
            return x
        return F.interpolate(x, tuple(size), mode='bilinear',
                             align_corners=self.align_corners)

    def _first_phase(self, logits: Tensor, log_var: Tensor,
                     label: Tensor) -> dict[str, Tensor]:
        """CIRL Eq. 3 for logits (N, K, H, W), log-variance (N, H, W)."""
        target, margin = self._target_and_margin(label)
        losses = {'acc_seg': accuracy_of(logits, label, self.ignore_index)}
        if self.variance_region == 'margin':
            losses.update(self._supervised(
                logits, label.masked_fill(margin, self.ignore_index)))
        losses[self.loss_aseg.loss_name] = self._variance_loss(
            logits, log_var, target, margin)
        # What would be ambiguous if phase II began now.
        losses.update(_share(self._ambiguous(log_var, margin), margin))
        losses.update(variance_figures(log_var, target, margin))
        return losses

    def _ambiguous(self, log_var: Tensor, margin: Tensor) -> Tensor:
        """Return A (Eq. 8), bool (N, H, W)."""
        threshold = self.threshold_value
        if threshold is None:
            threshold = variance_threshold_of(
                log_var.detach(), margin, self.threshold_quantile)
        return ambiguous_region(
            log_var, margin, variance_threshold=threshold)

    def _target_and_margin(self, label: Tensor) -> tuple[Tensor, Tensor]:
        """Return {0, 1, ignored}, int64, and M (Eq. 1), bool: (N, H, W)."""
        target = binary_label(label, crack_class=self.crack_class,
                              ignore_index=self.ignore_index)
        margin = marginal_region(target, kernel_size=self.marginal_kernel,
                                 ignore_index=self.ignore_index)
        return target, margin

    def _variance_loss(self, logits: Tensor, log_var: Tensor, target: Tensor,
                       margin: Tensor) -> Tensor:
        """Return ``loss_aseg`` where a variance is learnt."""
        mean = crack_probability if self.mean_type == 'probability' \
            else crack_logit
        weight = None
        if self.variance_region == 'margin':
            weight = margin.to(log_var)
        return self.loss_aseg(
            mean(logits, crack_class=self.crack_class), target, log_var,
            weight=weight, ignore_index=self.ignore_index)

    def _track(self, inputs: Sequence[Tensor], features: Tensor,
               logits: Tensor, label: Tensor) -> Tensor:
        """Return the loss that trains the std head alone, in phase II."""
        detached = [x.detach() for x in inputs]
        log_var = self._resize(
            self.log_var(detached, features.detach()), label.shape[-2:])
        return self._variance_loss(
            logits.detach(), log_var[:, 0], *self._target_and_margin(label))

    def _second_phase(self, features: Tensor, logits: Tensor, log_var: Tensor,
                      label: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """CIRL Eq. 16; returns losses and A, bool (N, H, W)."""
        target, margin = self._target_and_margin(label)
        variance = log_var.detach()
        if self.std_source == 'frozen':
            if self.frozen_log_var is None:
                raise RuntimeError(
                    "std_source='frozen' needs mmcrack.TwoPhaseHook in "
                    'custom_hooks: it makes the frozen copy.')
            variance = self._resize(
                self.frozen_log_var(), label.shape[-2:])[:, 0]
        ambiguous = self._ambiguous(variance, margin)
        kept = label
        if self.exclude_ambiguous:
            kept = label.masked_fill(ambiguous, self.ignore_index)
        losses = self._supervised(logits, kept)
        if self.loss_ci is not None:
            sets = self._ambiguous_sets(features, logits, ambiguous)
            scale = 1.
            if self.progress < self.ci_warmup:
                scale = self.progress / self.ci_warmup
            losses[self.loss_ci.loss_name] = scale * self.loss_ci(
                *sets, generator=self.generator, progress=self.progress)
            skipped = [len(p) < self.loss_ci.min_pixels for p in sets[1]]
            losses['skipped_images'] = logits.new_tensor(float(sum(skipped)))
        losses.update(_share(ambiguous, margin))
        losses.update(variance_figures(variance, target, margin))
        return losses, ambiguous

    def _supervised(self, logits: Tensor, label: Tensor) -> dict[str, Tensor]:
        """The wrapped head's own losses, over the pixels that are left."""
        head, weight = self.seg_head, None
        if getattr(head, 'sampler', None) is not None:
            weight = head.sampler.sample(logits, label[:, None])
        losses: dict[str, Tensor] = {}
        empty = not bool((label != self.ignore_index).any())
        for module in losses_of(head):
            value = 0 * logits.sum() if empty else module(
                logits, label, weight=weight, ignore_index=self.ignore_index)
            losses[module.loss_name] = losses.get(module.loss_name, 0) + value
        losses['acc_seg'] = accuracy_of(logits, label, self.ignore_index)
        return losses

    def _ambiguous_sets(self, features: Tensor, logits: Tensor,
                        ambiguous: Tensor
                        ) -> tuple[list[Tensor], list[Tensor]]:
        """Return features (S, D) and class probabilities (S, C) per image."""
        size = ambiguous.shape[-2:]
        if logits.shape[1] == 1:
            logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
        sets: tuple[list[Tensor], list[Tensor]] = ([], [])
        for n, mask in enumerate(ambiguous):
            index = mask.flatten().nonzero()[:, 0]
            at = pixel_points(index, size)[None]
            sets[0].append(point_sample(features[n:n + 1], at)[0].t())
            sets[1].append(logits[n].flatten(1)[:, index].t().softmax(1))
        return sets


def _share(ambiguous: Tensor, margin: Tensor) -> dict[str, Tensor]:
    """Return |S| per image and its share of the margin in percent."""
    return {
        'ambiguous_pixels': ambiguous.sum().float() / len(ambiguous),
        'ambiguous_share':
        100 * ambiguous.sum() / margin.sum().clamp(min=1),
    }
