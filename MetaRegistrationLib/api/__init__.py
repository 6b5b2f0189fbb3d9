"""The public face of the library: what `import MetaRegistrationLib` offers, and what it accepts."""
