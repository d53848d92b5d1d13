"""JTFN's blocks for one image in float64, by NumPy loops.

Written from the description of the blocks, not from their code. Nothing here
imports mmcrack; ``p`` maps names of parameters to arrays.
"""

import numpy as np

EPS = 1e-5


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def conv(x, weight, bias=None, dilation=1):
    """Convolve (C, H, W) with (D, C, k, k), same size, zeros outside."""
    side = weight.shape[-1]
    reach = dilation * (side // 2)
    _, height, width = x.shape
    padded = np.pad(x, ((0, 0), (reach, reach), (reach, reach)))
    out = np.zeros((len(weight), height, width))
    for i in range(side):
        for j in range(side):
            part = padded[:, i * dilation:i * dilation + height,
                          j * dilation:j * dilation + width]
            out += np.tensordot(weight[:, :, i, j], part, axes=1)
    return out if bias is None else out + bias[:, None, None]


def norm_relu(x, p, name):
    """Batch norm with stored statistics, then ReLU."""
    scale = p[f'{name}.weight'] / np.sqrt(p[f'{name}.running_var'] + EPS)
    shift = p[f'{name}.bias'] - p[f'{name}.running_mean'] * scale
    return np.maximum(x * scale[:, None, None] + shift[:, None, None], 0)


def layer(x, p, name, dilation=1):
    """Convolution, norm, ReLU."""
    x = conv(x, p[f'{name}.conv.weight'], dilation=dilation)
    return norm_relu(x, p, f'{name}.bn')


def double(x, weight):
    """2 x 2 transposed convolution of stride 2; weight (C, D, 2, 2)."""
    _, height, width = x.shape
    out = np.zeros((weight.shape[1], 2 * height, 2 * width))
    for row in range(height):
        for column in range(width):
            block = np.tensordot(x[:, row, column], weight, axes=1)
            out[:, 2 * row:2 * row + 2, 2 * column:2 * column + 2] = block
    return out


def resize_corners(y, size):
    """Bilinear in a (H, W) map; corner pixels stay corner pixels."""
    out = np.empty(size)
    for row in range(size[0]):
        for column in range(size[1]):
            at = [0. if new == 1 else index * (old - 1) / (new - 1)
                  for index, old, new in zip(
                      (row, column), y.shape, size, strict=True)]
            low = [min(int(a), side - 2) if side > 1 else 0
                   for a, side in zip(at, y.shape, strict=True)]
            part = y[low[0]:low[0] + 2, low[1]:low[1] + 2]
            for a, start in zip(at, low, strict=True):
                rest = a - start
                part = part[0] if len(part) == 1 else (
                    (1 - rest) * part[0] + rest * part[1])
            out[row, column] = part
    return out


def gate(x, y, p, attention, mask_form, refine):
    """The gated attention unit: x (C, h, w), feedback y (H, W)."""
    y = resize_corners(y, x.shape[1:])
    kept, rest = x * y, x * (1 - y)
    seen = np.stack([rest.mean(0), rest.max(0)])
    if attention == 'released':
        spatial = conv(seen, p['spatial.0.weight'], p['spatial.0.bias'])
        spatial = conv(spatial, p['spatial.1.weight'], p['spatial.1.bias'])
    else:
        spatial = conv(seen, p['spatial.weight'])
    down, up = (p[f'channel.{i}.weight'][:, :, 0, 0] for i in (0, 2))
    channel = 0.
    for pooled in (rest.mean((1, 2)), rest.max((1, 2))):
        hidden = down @ pooled
        if attention == 'cbam':
            hidden = np.maximum(hidden, 0)
        channel = channel + up @ hidden
    channel = channel[:, None, None]
    if mask_form == 'joint':
        mask = sigmoid(spatial * channel)
    else:
        mask = sigmoid(spatial) * sigmoid(channel)
    if refine == 'dilated':
        refined = layer(kept, p, 'refine', dilation=2)
    else:
        refined = layer(layer(kept, p, 'refine.0'), p, 'refine.1')
    return mask * x + (1 - mask) * refined


def interact(s, b, skip, p):
    """The feature interaction module: two streams and a skip."""
    if 'bottom.conv.weight' in p:
        b = layer(b, p, 'bottom')
    larger = []
    for x, name in ((s, 'up_mask'), (b, 'up_boundary')):
        x = norm_relu(double(x, p[f'{name}.0.weight']), p, f'{name}.1')
        missing = [now - old for now, old in zip(
            skip.shape[1:], x.shape[1:], strict=True)]
        larger.append(np.pad(x, ((0, 0), (0, missing[0]), (0, missing[1]))))
    s, b = larger
    s = np.concatenate([s, skip])
    s = layer(layer(s, p, 'mask_convs.0'), p, 'mask_convs.1')
    b = layer(np.concatenate([b, layer(s, p, 'mask_to_boundary')]),
              p, 'boundary_conv')
    helped = np.concatenate([s, layer(b, p, 'boundary_to_mask')])
    return s + layer(helped, p, 'residual_conv'), b
