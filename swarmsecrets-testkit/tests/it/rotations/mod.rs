//! Rotations from the plan to the retirement, on SimSwarm with Portainer's rules before it.

mod approved;
mod commanded;
mod desk;
mod expected;
mod failing;
mod git_stacks;
mod guarded;
mod limited;
mod overlapped;
mod overtaken;
mod owned;
mod policies;
mod probed;
mod recovered;
mod remembered;
mod revoked;
mod sealed;
mod sourced;
mod stacks;
mod swapped;
mod switched;
mod texts;
mod together;
