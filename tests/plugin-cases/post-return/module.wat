;; Answers well, and traps when the answer has been taken.
(module
  (memory (export "memory") 1)
  ;; result: ok; team: 4 bytes at 64; no assignee; reason: empty
  (data (i32.const 8) "\40\00\00\00\04\00\00\00" "\00\00\00\00\00\00\00\00\00\00\00\00" "\40\00\00\00\00\00\00\00")
  (data (i32.const 64) "desk")
  (global $next (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "servicewright:plugin/routing@1.0.0#route") (param i32) (result i32)
    (i32.const 0))
  (func (export "cabi_post_servicewright:plugin/routing@1.0.0#route") (param i32)
    (unreachable)))
