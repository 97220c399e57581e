;; Answers with a string that ends where its memory does not.
(module
  (memory (export "memory") 1)
  ;; result: ok; team: 2 GiB at the end of the address space; no assignee; reason: empty
  (data (i32.const 8) "\f0\ff\ff\ff\ff\ff\ff\7f" "\00\00\00\00\00\00\00\00\00\00\00\00" "\40\00\00\00\00\00\00\00")
  (global $next (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "servicewright:plugin/routing@1.0.0#route") (param i32) (result i32)
    (i32.const 0)))
