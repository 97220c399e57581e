;; Imports what this server has never heard of.
(component
  (import "wasi:sockets/raw@0.2.0" (instance (export "open" (func))))
  (import "servicewright:plugin/shell@1.0.0" (instance (export "run" (func (param "line" string))))))
