"""Every equation of mmcrack, as pure functions of tensors and arrays."""
