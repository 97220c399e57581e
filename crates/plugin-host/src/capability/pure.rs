//! What a pure hook is linked with in the place of what only integrations have. A component with hooks
//! of both kinds imports all of it; from a pure hook, each call of it ends the hook.

use model::hook::FailureKind;
use wasmtime::StoreContextMut;
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::{RequestOptions, WasiHttp, WasiHttpView as _};

use crate::contract::v1::bindings::contract::types::PluginError;
use crate::contract::v1::bindings::contract::{key_value, signing};
use crate::failure::Stop;
use crate::guest::Guest;

/// By its first version: what a component imports may be any later 0.2.
const OUTGOING_HANDLER: &str = "wasi:http/outgoing-handler@0.2.0";

type Request = (
    Resource<HostOutgoingRequest>,
    Option<Resource<RequestOptions>>,
);
type Response = Result<Resource<HostFutureIncomingResponse>, ErrorCode>;

/// Stands where an integration's capability would be.
#[derive(Debug, Default)]
pub(crate) struct Withheld;

/// Links what only integrations have of the contract with an end of the call.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    key_value::add_to_linker::<_, HasSelf<Withheld>>(linker, |guest| &mut guest.withheld)?;
    signing::add_to_linker::<_, HasSelf<Withheld>>(linker, |guest| &mut guest.withheld)
}

/// Links outgoing requests with an end of the call.
pub(crate) fn link_http(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.instance(OUTGOING_HANDLER)?.func_wrap(
        "handle",
        |_: StoreContextMut<'_, Guest>, _: Request| -> wasmtime::Result<(Response,)> {
            Err(withheld("wasi:http").into())
        },
    )?;
    // Headers and bodies are harmless by themselves, and share their types with the rest of WASI.
    let options = wasmtime_wasi_http::p2::bindings::LinkOptions::default();
    wasmtime_wasi_http::p2::bindings::http::types::add_to_linker::<_, WasiHttp>(
        linker,
        &options.into(),
        Guest::http,
    )
}

fn withheld(what: &str) -> Stop {
    let message = format!("it used {what}, which a pure hook has not, whatever is granted");
    Stop::new(FailureKind::Trap, message)
}

type Answer<T> = wasmtime::Result<Result<T, PluginError>>;

impl key_value::Host for Withheld {
    fn get(&mut self, _: String) -> Answer<Option<Vec<u8>>> {
        Err(withheld("key-value").into())
    }

    async fn compare_and_set(
        &mut self,
        _: String,
        _: Option<Vec<u8>>,
        _: Option<Vec<u8>>,
    ) -> Answer<bool> {
        Err(withheld("key-value").into())
    }

    fn keys(&mut self, _: String, _: Option<String>) -> Answer<Vec<String>> {
        Err(withheld("key-value").into())
    }
}

impl signing::Host for Withheld {
    fn hmac_sha256(&mut self, _: String, _: Vec<u8>) -> Answer<Vec<u8>> {
        Err(withheld("signing").into())
    }

    fn verify_hmac_sha256(&mut self, _: String, _: Vec<u8>, _: Vec<u8>) -> Answer<bool> {
        Err(withheld("signing").into())
    }

    fn is_secret(&mut self, _: String, _: Vec<u8>) -> Answer<bool> {
        Err(withheld("signing").into())
    }
}
