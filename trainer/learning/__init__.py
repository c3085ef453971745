"""One step of ACT and all it needs: policy, batches, loss, device, recipe; and where a training is."""
