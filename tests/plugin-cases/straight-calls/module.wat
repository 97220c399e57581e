;; Calls the server again and again without a loop: between two calls there is no tick of the
;; processor's clock, and each call takes the server a while.
(module
  (import "servicewright:plugin/directory@0.1.0" "teams" (func $teams (param i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (i32.const 1024))
  (func (export "servicewright:plugin/routing@0.1.0#route") (param i32) (result i32)
    ;; repeat 1500
    (call $teams (i32.const 512))
    ;; end
    (unreachable)))
