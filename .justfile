# The steps of `.ci/run`, one line each: `just --list`. `just ci` runs them all.

default: ci

# Everything, as on a fresh machine
ci:
    .ci/run

# The form of the source
fmt:
    cargo fmt --all --check

# What clippy says, for all targets
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# The documentation, without a broken link
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Every test; the dependency rules are tests too
test:
    cargo test

# The dependency rules alone
architecture:
    cargo test --test it architecture

# Adopts a changed shape of an event
adopt-schemas:
    UPDATE_SNAPSHOTS=1 cargo test --test it event_schemas
