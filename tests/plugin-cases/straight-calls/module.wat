;; Calls the server again and again without a loop or anything else of its own in between, and each
;; call takes the server a while.
(module
  (import "servicewright:plugin/business-time@1.0.0" "add"
    (func $add (param i32 i32 i64 i64 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const 1024))
  (func (export "servicewright:plugin/routing@1.0.0#route") (param i32) (result i32)
    ;; repeat 1500
    (call $add (i32.const 0) (i32.const 0) (i64.const 0) (i64.const 1) (i32.const 512))
    ;; end
    (unreachable)))
