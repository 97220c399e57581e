;; Says that it has a hook, which has nothing in it.
(component
  (instance $routing)
  (export "servicewright:plugin/routing@1.0.0" (instance $routing)))
