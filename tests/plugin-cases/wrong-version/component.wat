;; A hook of a contract that is yet to come.
(component
  (instance $routing)
  (export "servicewright:plugin/routing@9.0.0" (instance $routing)))
