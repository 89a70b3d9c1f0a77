"""Images: files, pixels, sizes and what is kept of them decoded."""
