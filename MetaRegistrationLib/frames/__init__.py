"""Where pixels lie, for scripts that know this room by its former name: it is `core` now."""
