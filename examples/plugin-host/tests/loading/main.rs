//! The loading of plugins: directory, manifests, components.

#![allow(dead_code, reason = "what the server does with a plugin once it is loaded is tested in `server`")]

#[path = "../../src/component.rs"]
mod component;
#[path = "../../src/directory.rs"]
mod directory;
#[path = "../../src/grants.rs"]
mod grants;
#[path = "../../src/guest.rs"]
mod guest;
#[path = "../../src/manifest.rs"]
mod manifest;
#[path = "../../../../host/cli/src/shared/mod.rs"]
mod shared;

mod components;
mod directories;
mod manifests;
