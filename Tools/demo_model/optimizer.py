"""Muon for the weight matrices of the blocks, AdamW for embeddings and norms.

Muon (Jordan et al., 2024) replaces each matrix's momentum by the nearest orthogonal matrix, found with five
Newton-Schulz steps; scaled as in Liu et al., 2025 (arXiv:2502.16982) one learning rate serves both optimizers.
Matrices of one shape are orthogonalized together, as one batched product.
"""

import torch

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def orthogonalize(matrices: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """(count, rows, columns), rows <= columns, to matrices with all singular values near one."""
    a, b, c = NEWTON_SCHULZ
    x = matrices.bfloat16()
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.float()


class Muon(torch.optim.Optimizer):
    def __init__(self, parameters, lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            by_shape: dict[tuple[int, int], list[tuple[torch.Tensor, torch.Tensor]]] = {}
            for parameter in group["params"]:
                buffer = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
                buffer.lerp_(parameter.grad, 1 - group["momentum"])
                update = parameter.grad.lerp(buffer, group["momentum"])
                rows, columns = parameter.shape
                update = update if rows <= columns else update.T
                by_shape.setdefault((update.shape[0], update.shape[1]), []).append((parameter, update))
            for (rows, columns), members in by_shape.items():
                directions = orthogonalize(torch.stack([update for _, update in members]))
                scale = 0.2 * max(rows, columns) ** 0.5
                for (parameter, _), direction in zip(members, directions):
                    direction = direction if parameter.shape == direction.shape else direction.T
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.sub_(direction, alpha=group["lr"] * scale)
