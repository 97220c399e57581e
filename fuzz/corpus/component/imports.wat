(component
  (import "servicewright:plugin/log@1.0.0" (instance $log
    (type $level' (enum "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $level')))
    (export "write" (func (param "level" $level) (param "message" string)))))
  (import "wasi:clocks/wall-clock@0.2.0" (instance))
  (instance $routing)
  (export "servicewright:plugin/routing@1.0.0" (instance $routing)))
