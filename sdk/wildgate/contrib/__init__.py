"""Plug-ins for frameworks. Each needs its extra; the client itself needs none of them."""
