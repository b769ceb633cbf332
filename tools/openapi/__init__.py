"""The OpenAPI description of the HTTP port, made from proto/ (with its comments), the limits in the code, and examples."""
