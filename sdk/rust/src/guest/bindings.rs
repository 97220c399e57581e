//! Bindings generated from the contract. The types and imports are made once, and each hook's world
//! points at them, so that several hooks in one component share their types. A world that is not
//! exported leaves no trace in the component.
#![allow(
    unsafe_code,
    unreachable_pub,
    clippy::pedantic,
    reason = "generated: crossing the component's boundary is unsafe by nature"
)]

pub mod shared {
    wit_bindgen::generate!({
        path: "wit/plugin.wit",
        world: "integration-imports",
        generate_unused_types: true,
    });
}

/// One hook: a world of the contract, what it imports beyond a pure hook, and the macro that exports it.
macro_rules! hook {
    ($module:ident, $world:literal, { $($more:tt)* }, $macro_name:literal, $macro:ident) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: "wit/plugin.wit",
                world: $world,
                with: {
                    "servicewright:plugin/types@1.0.0":
                        crate::guest::bindings::shared::servicewright::plugin::types,
                    "servicewright:plugin/log@1.0.0":
                        crate::guest::bindings::shared::servicewright::plugin::log,
                    "servicewright:plugin/business-time@1.0.0":
                        crate::guest::bindings::shared::servicewright::plugin::business_time,
                    "servicewright:plugin/directory@1.0.0":
                        crate::guest::bindings::shared::servicewright::plugin::directory,
                    $($more)*
                },
                generate_all,
                pub_export_macro: true,
                export_macro_name: $macro_name,
            });
            pub use $macro as export;
        }
    };
}

macro_rules! pure_hook {
    ($module:ident, $world:literal, $macro_name:literal, $macro:ident) => {
        hook!($module, $world, {}, $macro_name, $macro);
    };
}

macro_rules! integration_hook {
    ($module:ident, $world:literal, $macro_name:literal, $macro:ident) => {
        hook!(
            $module,
            $world,
            {
                "servicewright:plugin/commands@1.0.0":
                    crate::guest::bindings::shared::servicewright::plugin::commands,
                "servicewright:plugin/key-value@1.0.0":
                    crate::guest::bindings::shared::servicewright::plugin::key_value,
                "servicewright:plugin/signing@1.0.0":
                    crate::guest::bindings::shared::servicewright::plugin::signing,
            },
            $macro_name,
            $macro
        );
    };
}

pure_hook!(approver, "approver", "export_approver", export_approver);
pure_hook!(router, "router", "export_router", export_router);
pure_hook!(
    calculator,
    "service-level-calculator",
    "export_calculator",
    export_calculator
);
integration_hook!(deliverer, "deliverer", "export_deliverer", export_deliverer);
integration_hook!(receiver, "receiver", "export_receiver", export_receiver);
integration_hook!(poller, "poller", "export_poller", export_poller);
