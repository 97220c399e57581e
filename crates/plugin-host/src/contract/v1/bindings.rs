//! Bindings generated from the contract: types and imports once, and one world per hook that points
//! at them, so that an answer has the same types whichever hook gave it.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    reason = "generated from the contract, where the documentation stands"
)]

pub(crate) mod shared {
    wasmtime::component::bindgen!({
        path: "../../wit/v1/plugin.wit",
        world: "integration-imports",
        imports: {
            "servicewright:plugin/key-value.compare-and-set": async | trappable,
            default: trappable,
        },
    });
}

macro_rules! hook {
    ($module:ident, $world:literal) => {
        pub(crate) mod $module {
            wasmtime::component::bindgen!({
                path: "../../wit/v1/plugin.wit",
                world: $world,
                with: {
                    "servicewright:plugin/types": crate::contract::v1::bindings::shared::servicewright::plugin::types,
                    "servicewright:plugin/log": crate::contract::v1::bindings::shared::servicewright::plugin::log,
                    "servicewright:plugin/business-time": crate::contract::v1::bindings::shared::servicewright::plugin::business_time,
                    "servicewright:plugin/directory": crate::contract::v1::bindings::shared::servicewright::plugin::directory,
                },
                exports: { default: async },
            });
        }
    };
    (integration $module:ident, $world:literal) => {
        pub(crate) mod $module {
            wasmtime::component::bindgen!({
                path: "../../wit/v1/plugin.wit",
                world: $world,
                with: {
                    "servicewright:plugin/types": crate::contract::v1::bindings::shared::servicewright::plugin::types,
                    "servicewright:plugin/log": crate::contract::v1::bindings::shared::servicewright::plugin::log,
                    "servicewright:plugin/business-time": crate::contract::v1::bindings::shared::servicewright::plugin::business_time,
                    "servicewright:plugin/directory": crate::contract::v1::bindings::shared::servicewright::plugin::directory,
                    "servicewright:plugin/commands": crate::contract::v1::bindings::shared::servicewright::plugin::commands,
                    "servicewright:plugin/key-value": crate::contract::v1::bindings::shared::servicewright::plugin::key_value,
                    "servicewright:plugin/signing": crate::contract::v1::bindings::shared::servicewright::plugin::signing,
                },
                exports: { default: async },
            });
        }
    };
}

hook!(approver, "approver");
hook!(router, "router");
hook!(calculator, "service-level-calculator");
hook!(integration deliverer, "deliverer");
hook!(integration receiver, "receiver");
hook!(integration poller, "poller");

pub(crate) use shared::servicewright::plugin as contract;
