//! Text: UTF-8, and addresses of the web.

use rquickjs::{Ctx, Function, Object, Result, String as JsString, TypedArray, Value};
use url::Url;
use url::form_urlencoded;
use url::quirks;

use crate::engine;
use crate::native::define;

pub fn define(functions: &Object<'_>) -> Result<()> {
    define!(functions, {
        "encode": encode,
        "decode": decode,
        "parseUrl": |text: String, base: Option<String>| parse(&text, base.as_deref()).as_ref().map(parts),
        "setUrl": set,
        "parseQuery": |text: String| -> Vec<String> {
            form_urlencoded::parse(text.as_bytes())
                .flat_map(|(name, value)| [name.into_owned(), value.into_owned()])
                .collect()
        },
        "formatQuery": |list: Vec<String>| {
            let pairs = list.chunks_exact(2).map(|pair| (&pair[0], &pair[1]));
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        },
    })
}

fn encode(ctx: Ctx<'_>, text: String) -> Result<TypedArray<'_, u8>> {
    TypedArray::new(ctx, text.into_bytes())
}

/// A string of JavaScript, whose lone surrogates become replacement characters.
pub fn lossy<'js>(ctx: &Ctx<'js>, text: &JsString<'js>) -> Result<String> {
    match text.to_string() {
        Ok(text) => Ok(text),
        Err(_) => {
            let well_formed: Function<'js> = ctx.eval("(text) => text.toWellFormed()")?;
            well_formed.call((text.clone(),))
        }
    }
}

/// Bytes as UTF-8. `undefined` for invalid bytes, if these are fatal.
fn decode<'js>(ctx: Ctx<'js>, bytes: TypedArray<'js, u8>, is_fatal: bool) -> Result<Value<'js>> {
    let bytes = engine::bytes_of(&bytes);
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) if is_fatal => return Ok(Value::new_undefined(ctx)),
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    JsString::from_str(ctx, &text).map(JsString::into_value)
}

fn parse(text: &str, base: Option<&str>) -> Option<Url> {
    let base = base.map(Url::parse).transpose().ok()?;
    Url::options().base_url(base.as_ref()).parse(text).ok()
}

/// The parts in the order that url.js expects.
fn parts(url: &Url) -> Vec<String> {
    vec![
        quirks::href(url).to_owned(),
        quirks::origin(url),
        quirks::protocol(url).to_owned(),
        quirks::username(url).to_owned(),
        quirks::password(url).to_owned(),
        quirks::host(url).to_owned(),
        quirks::hostname(url).to_owned(),
        quirks::port(url).to_owned(),
        quirks::pathname(url).to_owned(),
        quirks::search(url).to_owned(),
        quirks::hash(url).to_owned(),
    ]
}

/// Sets one part of an address. Returns all parts, or nothing if the value was refused.
fn set(href: String, name: String, value: String) -> Option<Vec<String>> {
    let mut url = Url::parse(&href).ok()?;
    match name.as_str() {
        "href" => quirks::set_href(&mut url, &value).ok()?,
        "protocol" => quirks::set_protocol(&mut url, &value).ok()?,
        "username" => quirks::set_username(&mut url, &value).ok()?,
        "password" => quirks::set_password(&mut url, &value).ok()?,
        "host" => quirks::set_host(&mut url, &value).ok()?,
        "hostname" => quirks::set_hostname(&mut url, &value).ok()?,
        "port" => quirks::set_port(&mut url, &value).ok()?,
        "pathname" => quirks::set_pathname(&mut url, &value),
        "search" => quirks::set_search(&mut url, &value),
        "hash" => quirks::set_hash(&mut url, &value),
        _ => return None,
    }
    Some(parts(&url))
}
