//! WASI's HTTP for hosts that have none: every request is denied.

use wasmtime::StoreContextMut;
use wasmtime::component::types::{ComponentItem, Type};
use wasmtime::component::{Component, Linker, Resource, ResourceType, Val};
use wasmtime::{Result, bail};

const HTTP: &str = "wasi:http/";

/// The code of a denied request, a case of `wasi:http/types.error-code`.
const DENIED: &str = "HTTP-request-denied";

/// Stands for a resource of WASI's HTTP: nothing is behind it.
struct Denied;

/// Adds those functions of `wasi:http` to a linker that a component imports, without HTTP behind them:
/// every request is denied.
///
/// The runtimes of scripts import `wasi:http`, so a host without wasmtime-wasi-http needs it. Scripts
/// see the error that they see with a host of which nothing is granted: in Python `PermissionError`.
/// Call it after WASI has been added.
///
/// # Errors
///
/// Returns wasmtime's error if the linker already has HTTP.
pub fn add_denied_http_to_linker<T: 'static>(linker: &mut Linker<T>, component: &Component) -> Result<()> {
    let engine = linker.engine().clone();
    let component = component.component_type();
    // Imports are in the order of their dependencies, so the first mention of a resource defines it.
    let mut defined: Vec<ResourceType> = Vec::new();
    for (name, import) in component.imports(&engine) {
        let ComponentItem::ComponentInstance(import) = import.ty else {
            continue;
        };
        let mut instance = match name.starts_with(HTTP) {
            true => Some(linker.instance(name)?),
            false => None,
        };
        for (name, item) in import.exports(&engine) {
            match (item.ty, &mut instance) {
                (ComponentItem::Resource(resource), instance) if !defined.contains(&resource) => {
                    defined.push(resource);
                    if let Some(instance) = instance {
                        instance.resource(name, ResourceType::host::<Denied>(), |_, _| Ok(()))?;
                    }
                }
                (ComponentItem::ComponentFunc(_), Some(instance)) => {
                    let is_request = name == "handle";
                    instance.func_new(name, move |store, function, params, results| {
                        answer(store, function.results(), is_request, params, results)
                    })?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn answer<T: 'static>(
    mut store: StoreContextMut<'_, T>,
    types: impl Iterator<Item = Type>,
    is_request: bool,
    params: &[Val],
    results: &mut [Val],
) -> Result<()> {
    for param in params {
        drop_resource(&mut store, param)?;
    }
    for (ty, result) in types.zip(results) {
        *result = match is_request {
            true => Val::Result(Err(Some(Box::new(Val::Variant(DENIED.into(), None))))),
            false => nothing(&mut store, &ty)?,
        };
    }
    Ok(())
}

/// A value that says as little as possible. A guest whose requests are denied asks for no others.
fn nothing<T: 'static>(store: &mut StoreContextMut<'_, T>, ty: &Type) -> Result<Val> {
    Ok(match ty {
        Type::Bool => Val::Bool(false),
        Type::Option(_) => Val::Option(None),
        Type::List(_) => Val::List(Vec::new()),
        Type::Own(_) => Val::Resource(Resource::<Denied>::new_own(0).try_into_resource_any(&mut *store)?),
        Type::Result(result) => {
            let ok = result.ok().map(|ok| nothing(store, &ok)).transpose()?;
            Val::Result(Ok(ok.map(Box::new)))
        }
        _ => bail!("the host has no HTTP"),
    })
}

fn drop_resource<T: 'static>(store: &mut StoreContextMut<'_, T>, value: &Val) -> Result<()> {
    match value {
        Val::Resource(resource) => resource.resource_drop(&mut *store),
        Val::Option(Some(value)) => drop_resource(store, value),
        _ => Ok(()),
    }
}
