//! Reports name lookups that are not granted. wasmtime-wasi refuses them.

use crate::guest::Guest;
use crate::shared::network::Denied;
use wasmtime::StoreContextMut;
use wasmtime::component::{Accessor, Linker, Resource};
use wasmtime_wasi::p2::Network;
use wasmtime_wasi::p2::bindings::sockets::{ip_name_lookup, network};
use wasmtime_wasi::p3::bindings::sockets::ip_name_lookup::HostWithStore;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};

/// The interface, in the version of wasmtime-wasi; guests that import another 0.2 get it as well.
const LOOKUP: &str = "wasi:sockets/ip-name-lookup@0.2.12";

/// The interface of WASI 0.3.
const LOOKUP_0_3: &str = "wasi:sockets/ip-name-lookup@0.3.0";

type Lookup = Result<Resource<ip_name_lookup::ResolveAddressStream>, network::ErrorCode>;

/// Replaces the function that begins a lookup by one that reports it if it is not granted.
pub fn report_denied_lookups(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance(LOOKUP)?.func_wrap(
        "resolve-addresses",
        |mut store: StoreContextMut<'_, Guest>, (network, name): (Resource<Network>, String)| {
            let guest = store.data_mut();
            if !guest.name_lookup {
                (guest.http_hooks.on_denied)(Denied::Lookup(name.clone()));
            }
            let mut sockets = guest.sockets();
            let found: Lookup = match ip_name_lookup::Host::resolve_addresses(&mut sockets, network, name) {
                Ok(stream) => Ok(stream),
                Err(error) => Err(network::Host::convert_error_code(&mut sockets, error)?),
            };
            Ok((found,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The same for the function of WASI 0.3.
pub fn report_denied_lookups_0_3(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance(LOOKUP_0_3)?.func_wrap_concurrent(
        "resolve-addresses",
        |store: &Accessor<Guest>, (name,): (String,)| {
            Box::pin(async move {
                store.with(|mut store| {
                    let guest = store.get();
                    if !guest.name_lookup {
                        (guest.http_hooks.on_denied)(Denied::Lookup(name.clone()));
                    }
                });
                let sockets = store.with_getter::<WasiSockets>(Guest::sockets);
                Ok((WasiSockets::resolve_addresses(&sockets, name).await?,))
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replaced_is_there_to_begin_with() {
        let engine = wasmtime::Engine::default();
        let mut linker = Linker::<Guest>::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
        let added = linker.instance(LOOKUP).unwrap().func_wrap("resolve-addresses", |_, (): ()| Ok(()));
        assert!(added.is_err(), "wasmtime-wasi has no such function in {LOOKUP}");
        report_denied_lookups(&mut linker).unwrap();

        wasmtime_wasi::p3::add_to_linker(&mut linker).unwrap();
        let added = linker.instance(LOOKUP_0_3).unwrap().func_wrap("resolve-addresses", |_, (): ()| Ok(()));
        assert!(added.is_err(), "wasmtime-wasi has no such function in {LOOKUP_0_3}");
        report_denied_lookups_0_3(&mut linker).unwrap();
    }
}
