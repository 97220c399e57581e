;; Logs at a level that the enum does not have.
(module
  (import "servicewright:plugin/log@1.0.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "servicewright:plugin/routing@1.0.0#route") (param i32) (result i32)
    (call $write (i32.const 77) (i32.const 0) (i32.const 0))
    (i32.const 0)))
